/**
 * What all series together may take of memory, in bytes as they are estimated: a limit on label sets of each metric says
 * little of what 40,000 summaries with values far apart would take.
 */
export class MemoryBudget {
  private used = 0;
  /** How often something found no place. */
  refused = 0;

  constructor(readonly limit: number) {}

  /** Bytes taken. */
  get taken(): number {
    return this.used;
  }

  /** Takes bytes where there is room. @returns whether there was */
  take(bytes: number): boolean {
    if (this.used + bytes > this.limit) {
      this.refused += 1;
      return false;
    }
    this.used += bytes;
    return true;
  }

  give(bytes: number): void {
    this.used -= bytes;
  }
}

const SMALLEST_CAPACITY = 64;

/** Samples that are not in chunks yet: instants, and a column of values for each series. */
export class OpenGroup {
  readonly at: number[] = [];
  private readonly columns = new Map<number, Float64Array>();

  private capacity = SMALLEST_CAPACITY;

  add(at: number, values: ReadonlyMap<number, number>): void {
    const index = this.at.length;
    this.at.push(at);
    if (index >= this.capacity) {
      this.capacity *= 2;
      for (const [series, column] of this.columns) {
        this.columns.set(series, resized(column, this.capacity));
      }
    }
    for (const [series, value] of values) {
      let column = this.columns.get(series);
      if (!column) {
        column = new Float64Array(this.capacity).fill(NaN);
        this.columns.set(series, column);
      }
      column[index] = value;
    }
  }

  get series(): number[] {
    return [...this.columns.keys()];
  }

  /** Values of a series by instant, NaN where it has none. */
  column(series: number): Float64Array | undefined {
    return this.columns.get(series)?.subarray(0, this.at.length);
  }

  /** Drops the first samples, and the series that have none after them. */
  dropFirst(count: number): void {
    this.at.splice(0, count);
    while (this.capacity > SMALLEST_CAPACITY && this.at.length * 2 < this.capacity) {
      this.capacity /= 2;
    }
    for (const [series, column] of this.columns) {
      const rest = column.subarray(count);
      if (rest.every(Number.isNaN)) {
        this.columns.delete(series);
      } else {
        this.columns.set(series, resized(rest, this.capacity));
      }
    }
  }

  /** Drops the samples later than an instant. */
  dropAfter(after: number): void {
    const kept = this.at.findIndex((at) => at > after);
    if (kept >= 0) {
      this.at.length = kept;
      this.columns.forEach((column) => column.fill(NaN, kept));
    }
  }
}

function resized(values: Float64Array, capacity: number): Float64Array {
  const column = new Float64Array(capacity).fill(NaN);
  column.set(values.subarray(0, capacity));
  return column;
}

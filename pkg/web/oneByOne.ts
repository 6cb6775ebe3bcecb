/** Questions that wait at once, of all readers of the page. */
const MOST_WAITING = 10;

/** Answers questions that take long one after the other, however many ask. */
export class OneByOne {
  private waiting = 0;
  private last: Promise<unknown> = Promise.resolve();

  /** @returns the answer, or `undefined` where too many wait */
  async ask<T>(make: () => Promise<T>): Promise<T | undefined> {
    if (this.waiting >= MOST_WAITING) {
      return undefined;
    }
    this.waiting += 1;
    const made = this.last.then(make);
    this.last = made.catch(() => undefined);
    try {
      return await made;
    } finally {
      this.waiting -= 1;
    }
  }
}

/** First in, first out, in constant time. */
export class Fifo<T> {
  private items: T[] = [];
  private head = 0;

  get size(): number {
    return this.items.length - this.head;
  }

  /** The one that is taken next; `undefined` where there is none. */
  get first(): T | undefined {
    return this.items[this.head];
  }

  /** From the first one on. */
  *[Symbol.iterator](): Generator<T> {
    for (let index = this.head; index < this.items.length; index += 1) {
      yield this.items[index]!;
    }
  }

  push(item: T): void {
    this.items.push(item);
  }

  /** The first one; `undefined` where there is none. */
  shift(): T | undefined {
    if (this.head === this.items.length) {
      return undefined;
    }
    const item = this.items[this.head];
    this.head += 1;
    if (this.head > 1000 && this.head * 2 > this.items.length) {
      this.items = this.items.slice(this.head);
      this.head = 0;
    }
    return item;
  }

  /** Puts one back to where the first is taken. */
  unshift(item: T): void {
    if (this.head > 0) {
      this.head -= 1;
      this.items[this.head] = item;
    } else {
      this.items.unshift(item);
    }
  }
}

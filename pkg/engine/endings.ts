/** Something that ends at an instant. */
export interface Ending {
  readonly endsAt: number;
  /** It no longer counts: its thread was taken away. */
  gone?: boolean;
}

/** Endings by their time: a binary heap. Of equal instants the order is that of the heap, which repeats. */
export class Endings<T extends Ending> {
  private readonly heap: T[] = [];

  /** The next one; `undefined` where there is none. */
  get next(): T | undefined {
    while (this.heap[0]?.gone) {
      this.pop();
    }
    return this.heap[0];
  }

  push(ending: T): void {
    const { heap } = this;
    let index = heap.length;
    heap.push(ending);
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (heap[parent]!.endsAt <= ending.endsAt) {
        break;
      }
      heap[index] = heap[parent]!;
      index = parent;
    }
    heap[index] = ending;
  }

  /** Takes the next one away. */
  pop(): T | undefined {
    const { heap } = this;
    const [first] = heap;
    const last = heap.pop();
    if (last === undefined || heap.length === 0) {
      return first;
    }
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) {
        break;
      }
      if (child + 1 < heap.length && heap[child + 1]!.endsAt < heap[child]!.endsAt) {
        child += 1;
      }
      if (heap[child]!.endsAt >= last.endsAt) {
        break;
      }
      heap[index] = heap[child]!;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}

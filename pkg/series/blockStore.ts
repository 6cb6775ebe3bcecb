/** Where a block lies in time, and how dense it is. Instants are epoch seconds by the clock of Redis. */
export interface BlockSpan {
  /** Of its first and its last reading; within a block instants only grow. */
  readonly from: number;
  readonly to: number;
  readonly readings: number;
  /** Seconds from one reading to the next, at the usual pace. */
  readonly paceSeconds: number;
}

/** The time that blocks cover, whatever their order (epoch seconds); `null` for none. There may be very many. */
export function timeOf(blocks: ReadonlyArray<Pick<BlockSpan, 'from' | 'to'>>): { from: number; to: number } | null {
  return blocks.reduce<{ from: number; to: number } | null>(
    (time, { from, to }) => ({ from: Math.min(time?.from ?? from, from), to: Math.max(time?.to ?? to, to) }),
    null
  );
}

/** Readings in a row, compressed. It can be read without the block before. */
export interface Block extends BlockSpan {
  /** Brotli of lines of JSON: what the fold remembered before, then each reading. */
  readonly body: Uint8Array;
  /** Brotli of the minutes of executions that ended for good within the block, with their durations. */
  readonly minutes: Uint8Array;
}

/** A block in a store, without its bytes. */
export interface StoredBlock extends BlockSpan {
  readonly id: number;
  /** Of body and minutes. */
  readonly bytes: number;
}

/**
 * Keeps blocks in the order in which they were recorded.
 *
 * - `all` gives them in that order; clocks may have been set back in between.
 * - A store may throw: whoever records goes on in memory.
 */
export interface BlockStore {
  add(block: Block): void;
  readonly all: readonly StoredBlock[];
  /** Bytes of all blocks. */
  readonly bytes: number;
  read(id: number): Pick<Block, 'body' | 'minutes'>;
  /** Puts a thinner block in the place of one. */
  replace(id: number, block: Block): void;
  remove(id: number): void;
}

/** Keeps blocks in memory. */
export class MemoryBlockStore implements BlockStore {
  private readonly blocks = new Map<number, Block & StoredBlock>();
  private next = 1;
  bytes = 0;

  add(block: Block): void {
    this.put(this.next, block);
    this.next += 1;
  }

  get all(): readonly StoredBlock[] {
    return [...this.blocks.values()];
  }

  read(id: number): Pick<Block, 'body' | 'minutes'> {
    return this.blocks.get(id)!;
  }

  replace(id: number, block: Block): void {
    this.bytes -= this.blocks.get(id)!.bytes;
    this.put(id, block);
  }

  remove(id: number): void {
    this.bytes -= this.blocks.get(id)!.bytes;
    this.blocks.delete(id);
  }

  private put(id: number, block: Block): void {
    const bytes = block.body.length + block.minutes.length;
    this.bytes += bytes;
    this.blocks.set(id, { ...block, id, bytes });
  }
}

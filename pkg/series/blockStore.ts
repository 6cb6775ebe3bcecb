import { crc32 } from 'node:zlib';
import { lastBefore } from './pace';

/** Where a block lies in time, and how dense it is. Instants are epoch seconds by the clock of Redis. */
export interface BlockSpan {
  /** Of its first and its last reading; within a block instants only grow. */
  readonly from: number;
  readonly to: number;
  readonly readings: number;
  /** Seconds from one reading to the next, at the usual pace. */
  readonly paceSeconds: number;
}

/**
 * The time that blocks cover (epoch seconds); `null` for none. There may be very many.
 *
 * Where a clock was put on and back, it is that of the most recorded time whose dates only grow: some minutes that are
 * dated a day ahead do not make tomorrow the end.
 *
 * @param blocks in the order in which they were recorded
 */
export function timeOf(blocks: ReadonlyArray<Pick<BlockSpan, 'from' | 'to'>>): { from: number; to: number } | null {
  return inTime(blocks).reduce<{ from: number; to: number } | null>(
    (time, { from, to }) => ({ from: Math.min(time?.from ?? from, from), to: Math.max(time?.to ?? to, to) }),
    null
  );
}

/** Two processes that record write a block each, and the one that began later may be the first to write. */
const IN_TURNS_SECONDS = 250;
const IN_TURNS_BLOCKS = 20;

/** Blocks whose dates only grow: all of them, or where a clock was set those of the most time. */
export function inTime<T extends Pick<BlockSpan, 'from' | 'to'>>(blocks: readonly T[]): readonly T[] {
  const ordered = isInOrder(blocks) ? blocks : inTurns(blocks);
  return isInOrder(ordered) ? ordered : longestOf(ordered);
}

function isInOrder(blocks: ReadonlyArray<Pick<BlockSpan, 'from'>>): boolean {
  return blocks.every(({ from }, index) => index === 0 || blocks[index - 1]!.from <= from);
}

/** Puts blocks before those that began a little later. */
function inTurns<T extends Pick<BlockSpan, 'from'>>(blocks: readonly T[]): T[] {
  const ordered: T[] = [];
  for (const block of blocks) {
    let place = ordered.length;
    const first = Math.max(0, place - IN_TURNS_BLOCKS);
    while (place > first && isLittleAfter(ordered[place - 1]!, block)) {
      place -= 1;
    }
    ordered.splice(place, 0, block);
  }
  return ordered;
}

function isLittleAfter(one: Pick<BlockSpan, 'from'>, other: Pick<BlockSpan, 'from'>): boolean {
  return one.from > other.from && one.from - other.from <= IN_TURNS_SECONDS;
}

/** The blocks of the most time that follow each other in time as in their order. */
function longestOf<T extends Pick<BlockSpan, 'from' | 'to'>>(blocks: readonly T[]): T[] {
  interface Way {
    block: T;
    seconds: number;
    before: Way | undefined;
  }
  // The best ways by where their last block begins: both grow along the list, so that the best before an instant is found.
  const best: Way[] = [];
  const begins: number[] = [];
  for (const block of blocks) {
    const index = lastBefore(begins, block.from) + 1;
    const before = best[index - 1];
    // A block of one reading stands for some time, too.
    const way = { block, seconds: (before?.seconds ?? 0) + block.to - block.from + 1, before };
    let worse = index;
    while (worse < best.length && best[worse]!.seconds <= way.seconds) {
      worse += 1;
    }
    best.splice(index, worse - index, way);
    begins.splice(index, worse - index, block.from);
  }
  const chosen: T[] = [];
  for (let way = best.at(-1); way; way = way.before) {
    chosen.push(way.block);
  }
  return chosen.reverse();
}

/** Readings in a row, compressed. It can be read without the block before. */
export interface Block extends BlockSpan {
  /** Brotli of lines of JSON: what the fold remembered before, then each reading. */
  readonly body: Uint8Array;
  /** Brotli of the minutes of executions that ended for good within the block, with their durations. */
  readonly minutes: Uint8Array;
}

/** CRC-32 of a block: of where it lies in time, its body and its minutes. */
export function checksumOf({ from, to, readings, paceSeconds, body, minutes }: Block): number {
  return crc32(minutes, crc32(body, crc32(JSON.stringify([from, to, readings, paceSeconds]))));
}

/**
 * The bytes of a block that are as they were written.
 *
 * @param checksum of {@link checksumOf}; `null` where an earlier version wrote the block without one
 * @throws Error where a bit of it has changed: what is decompressed of it could be another figure
 */
export function sound(block: Block, checksum: number | null): Pick<Block, 'body' | 'minutes'> {
  if (checksum !== null && checksumOf(block) !== checksum) {
    throw new Error(`the block of ${block.from} to ${block.to} differs from its checksum`);
  }
  const { body, minutes } = block;
  return { body, minutes };
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
  /** @throws Error where it is damaged or gone */
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

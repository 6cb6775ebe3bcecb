import { brotliDecompressSync } from 'node:zlib';
import type { Block, BlockStore, StoredBlock } from '../series/blockStore';
import { compressedNow, MOST_BYTES } from './block';

/** Members that are instants in epoch seconds, wherever they stand in a block. */
const INSTANTS = new Set([
  ...['at', 'since', 'enqueuedAt', 'createdAt', 'startedAt', 'beatAt', 'runAt', 'lastAt', 'nextAt', 'lateFrom'],
  ...['startsAt', 'firstAt', 'oldestAt', 'expiresAt', 'lastBeatAt', 'noticedAt', 'returnedAt', 'endsAt', 'seenAt'],
  ...[
    'baselineUntil',
    'lastRunAt',
    'beganAt',
    'endedAt',
    'nowhereSince',
    'absentUntil',
    'cutUntil',
    'missedAt',
    'lastSeenAt',
  ],
]);
/** Minutes stay minutes. */
const STEP_SECONDS = 60;

/** Blocks as if they had been recorded so many seconds later; whole minutes, rounded down. */
export class ShiftedBlocks implements BlockStore {
  private readonly seconds: number;

  constructor(
    private readonly blocks: BlockStore & { close(): void },
    seconds: number
  ) {
    this.seconds = Math.floor(seconds / STEP_SECONDS) * STEP_SECONDS;
  }

  get all(): readonly StoredBlock[] {
    return this.blocks.all.map((block) => ({
      ...block,
      from: block.from + this.seconds,
      to: block.to + this.seconds,
    }));
  }

  get bytes(): number {
    return this.blocks.bytes;
  }

  read(id: number): Pick<Block, 'body' | 'minutes'> {
    const { body, minutes } = this.blocks.read(id);
    return { body: this.shifted(body), minutes: this.shifted(minutes) };
  }

  add(): void {
    throw new Error('what is shifted is only read');
  }

  replace(): void {
    this.add();
  }

  remove(): void {
    this.add();
  }

  close(): void {
    this.blocks.close();
  }

  private shifted(bytes: Uint8Array): Uint8Array {
    const lines = brotliDecompressSync(bytes, { maxOutputLength: MOST_BYTES }).toString('utf8').split('\n');
    return compressedNow(lines.map((line) => JSON.stringify(this.shift(JSON.parse(line), ''))).join('\n'));
  }

  private shift(value: unknown, name: string): unknown {
    if (typeof value === 'number') {
      return INSTANTS.has(name) ? value + this.seconds : value;
    }
    if (Array.isArray(value)) {
      return this.shiftList(value, name);
    }
    if (typeof value !== 'object' || value === null) {
      return value;
    }
    return Object.fromEntries(Object.entries(value).map(([member, each]) => [member, this.shift(each, member)]));
  }

  /** Lists whose items begin with an instant, or are instants. */
  private shiftList(list: readonly unknown[], name: string): unknown[] {
    switch (name) {
      case 'starts':
        return list.map((at) => this.moved(at));
      case 'durations':
      case 'minutes':
      case 'samples':
        return list.map((each) =>
          Array.isArray(each) ? [this.moved(each[0]), ...(each as unknown[]).slice(1)] : this.shift(each, '')
        );
      case 'flow':
        return list.map((each) => {
          const [queue, samples] = each as [unknown, unknown[][]];
          return [queue, samples.map(([at, size, oldestAt]) => [this.moved(at), size, this.moved(oldestAt)])];
        });
      case 'totals':
        return list.map((each) => {
          const [jobClass, total] = each as [unknown, unknown];
          return [jobClass, this.shift(total, '')];
        });
      default:
        return list.map((each) => this.shift(each, ''));
    }
  }

  private moved(at: unknown): unknown {
    return typeof at === 'number' ? at + this.seconds : at;
  }
}

import { LRUCache } from 'lru-cache';
import { log } from '../log';
import type { Durations, MinuteCounts } from '../sidekiq/jobMetrics';
import { isTouched, MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { Range } from '../source/reads';
import type { Beside } from '../watch/watch';
import type { BesideReads } from './besideReads';
import {
  compressed,
  compressedNow,
  encodeFinal,
  encodeKeyframe,
  finalMinutesOf,
  knownBefore,
  linesOf,
  orBroken,
  replay,
  tellBroken,
  type FinalMinute,
  type Past,
} from './block';
import {
  inTime,
  MemoryBlockStore,
  timeOf,
  type Block,
  type BlockSpan,
  type BlockStore,
  type StoredBlock,
} from '../series/blockStore';
import { isBusy, isReadOnly } from '../series/sqliteDatabase';
import { EndedMinutes, FINAL_SECONDS } from './endedMinutes';
import { shrink, type BlockLimits } from './retention';
import { knownOf, NOTHING_KNOWN, type Known } from '../sidekiq/snapshotCodec';
import { encodeReading, type Recorded } from './recordedReading';

/** A block has so many readings, seconds or bytes of text at most. A state of the past is the fold of up to a whole block. */
const BLOCK_READINGS = 20;
const BLOCK_SECONDS = 200;
/** Of blocks that earlier versions wrote. */
const LONGEST_BLOCK_SECONDS = 250;
const BLOCK_TEXT = 8 * 1024 * 1024;
/** A reading stands for the time after it: for so many of its paces, and for a minute at least. */
const PACES_VALID = 3;
const LEAST_VALID_SECONDS = 60;
/** Attempts to write at the end of the process, each of some 50 ms where the file is locked. */
const LAST_ATTEMPTS = 20;
/** Blocks that are moved from the memory to the file with each one that is closed; each takes a millisecond or two. */
const MOVED_AT_ONCE = 20;
/** Blocks whose minutes are held; each has some kilobytes. */
const MINUTES_HELD = 300;

/** A block that is still written. */
interface OpenBlock extends BlockSpan {
  from: number;
  to: number;
  readings: number;
  lines: string[];
  text: number;
  final: FinalMinute[];
}

/** A block wherever it lies. */
interface Found extends BlockSpan {
  /** Of one that does not change any more. */
  key?: string;
  lines(): Promise<string[]>;
  minutes(): Promise<{ minutes: readonly MinuteCounts[]; durations: readonly Durations[] }>;
}

/**
 * Records readings in blocks of some minutes, in memory or in the history file, and finds those of an instant.
 *
 * - `add` is called before the fold takes the reading, with what it remembers until then.
 * - Blocks are compressed beside the event loop. Over its bytes a store thins its oldest blocks to a reading a minute, then
 *   to one in five minutes, and drops them last; beyond its age it drops them.
 * - Readings are kept as they came: after a clock was put back, both stretches of time are there, and the later one
 *   answers.
 */
export class Recordings {
  private readonly memory = new MemoryBlockStore();
  private open: OpenBlock | undefined;
  /** Closed, and not yet in a store. */
  private closing: OpenBlock[] = [];
  private work: Promise<void> = Promise.resolve();
  /** Why the file has not taken the last block. */
  private refused: string | undefined;
  /** Why it was not kept within its limits. */
  private unshrunk: string | undefined;
  private known: Known = NOTHING_KNOWN;
  private beside: BesideReads | null = null;
  private readonly ended = new EndedMinutes();
  private readonly finals = new LRUCache<string, Awaited<ReturnType<Found['minutes']>>>({ max: MINUTES_HELD });

  /**
   * @param limits of the memory, and of the file
   * @param file the blocks of the history file, `null` while there is none
   */
  constructor(
    private readonly limits: { memory: BlockLimits; file: BlockLimits },
    private readonly file: () => BlockStore | null = () => null
  ) {}

  /**
   * Records a reading.
   *
   * @param watch gives what the fold remembers before it
   * @param paceSeconds the usual time from one reading to the next
   * @param agedBy the instant by which blocks are too old, `null` where none is to be dropped
   */
  add(
    recorded: Recorded,
    watch: () => unknown,
    paceSeconds: number,
    agedBy: number | null = recorded.reading.snapshot.at
  ): void {
    const { snapshot } = recorded.reading;
    if (this.open && (snapshot.at <= this.open.to || isFull(this.open, snapshot.at))) {
      this.close();
    }
    if (!this.open) {
      const keyframe = encodeKeyframe({
        watch: watch(),
        minutes: [...this.known.minutes.values()],
        beside: this.beside,
      });
      this.known = knownBefore({ minutes: [...this.known.minutes.values()] });
      this.open = {
        from: snapshot.at,
        to: snapshot.at,
        readings: 0,
        paceSeconds,
        lines: [keyframe],
        text: keyframe.length,
        final: [],
      };
    }
    const line = encodeReading(recorded, this.known);
    this.open.lines.push(line);
    this.open.text += line.length;
    this.open.readings += 1;
    this.open.to = snapshot.at;
    this.open.final.push(...this.ended.next(snapshot, recorded.reading.missed));
    this.known = knownOf(snapshot);
    this.beside = recorded.beside ?? this.beside;
    if (agedBy !== null && this.open.readings === 1) {
      this.later(() => this.shrink(agedBy));
    }
  }

  /** The time of all readings, epoch seconds; `null` where there is none. */
  get time(): Range | null {
    const stored = this.stores().flatMap(({ all }) => all);
    return timeOf([...stored, ...this.closing, ...(this.open ? [this.open] : [])]);
  }

  /** The last instant before another that was recorded, epoch seconds; `null` where there is none. */
  async lastBefore(asOf: number, beside: Beside): Promise<number | null> {
    let last: number | null = null;
    for (const block of this.blocks(false).filter(({ from }) => from <= asOf)) {
      // A gap may lie within a block.
      const past = block.to <= asOf ? null : await lastIn(block, asOf, beside);
      last = Math.max(last ?? -Infinity, past?.state.now ?? Math.min(block.to, asOf));
    }
    return last;
  }

  /** Of the blocks in the stores; the block that is written has some megabytes at most beside them. */
  get bytes(): number {
    return this.stores().reduce((sum, store) => sum + store.bytes, 0);
  }

  /**
   * The state of the last reading before an instant.
   *
   * @returns `null` where no reading stands for that instant
   */
  async at(asOf: number, beside: Beside): Promise<Past | null> {
    for (const block of this.blocks().reverse()) {
      if (block.from <= asOf && asOf - block.to <= validSeconds(block)) {
        const past = await lastIn(block, asOf, beside);
        if (past && asOf - past.state.now <= validSeconds(block)) {
          return past;
        }
      }
    }
    return null;
  }

  /**
   * Calls back with the states of a range, by instants that only grow: of two processes that record, and of a clock that was
   * set, no time is told twice. A block that is damaged ends there; the callback may throw.
   */
  async each({ from, to }: Range, beside: Beside, take: (past: Past) => void | Promise<void>): Promise<void> {
    let reached = -Infinity;
    for (const block of inTime(this.blocks(false))) {
      if (block.to >= from && block.from <= to) {
        for await (const past of readable(block, to, beside)) {
          if (past.state.now >= from && past.state.now > reached) {
            reached = past.state.now;
            await take(past);
          }
        }
      }
    }
  }

  /** The minutes of executions of a range that do not change any more, oldest first. */
  async minutes({ from, to }: Range): Promise<{ minutes: MinuteCounts[]; durations: Durations[] }> {
    const minutes = new Map<number, MinuteCounts>();
    const durations = new Map<string, Durations>();
    let before = -Infinity;
    for (const block of this.blocks()) {
      // A minute ends for good some minutes after it began; those of a pause are read after it.
      const late =
        FINAL_SECONDS + LONGEST_BLOCK_SECONDS + (block.from - before > FINAL_SECONDS ? MINUTES_KEPT_SECONDS : 0);
      before = block.to;
      if (block.to >= from && block.from - late <= to) {
        const known = block.key === undefined ? undefined : this.finals.get(block.key);
        const read = known ?? (await orBroken(() => block.minutes()));
        if (!read) {
          continue;
        }
        if (block.key !== undefined) {
          this.finals.set(block.key, read);
        }
        read.minutes.forEach((minute) => minutes.set(minute.startsAt, minute));
        read.durations.forEach((each) => durations.set(`${each.startsAt}\0${each.jobClass}`, each));
      }
    }
    const within = (startsAt: number) => isTouched(startsAt, from, to, 60);
    return {
      minutes: [...minutes.values()].filter((each) => within(each.startsAt)).sort((a, b) => a.startsAt - b.startsAt),
      durations: [...durations.values()].filter((each) => within(each.startsAt)),
    };
  }

  /** Resolves when what was closed is in its store, and the stores are within their limits. */
  async settled(): Promise<void> {
    await this.work;
  }

  /** Puts what is not yet in the history file there, at once. */
  flush(): void {
    this.close();
    const file = this.file();
    if (file) {
      this.insist(() => this.moveKept(file));
      for (const block of this.closing) {
        const done = finished(block, compressedNow);
        this.insist(() => this.attempt(() => file.add(done)));
      }
    }
    this.closing = [];
  }

  /**
   * Moves to the file what was kept in memory while it could not be used, oldest first.
   *
   * @returns whether nothing of it is left
   */
  private moveKept(file: BlockStore, most = Infinity): boolean {
    for (const { id, bytes: _, ...span } of this.memory.all.slice(0, most)) {
      if (!this.attempt(() => file.add({ ...span, ...this.memory.read(id) }))) {
        return false;
      }
      this.memory.remove(id);
    }
    return this.memory.all.length === 0;
  }

  private close(): void {
    const block = this.open;
    if (!block) {
      return;
    }
    this.open = undefined;
    this.closing.push(block);
    this.later(async () => {
      const [body, minutes] = await Promise.all([
        compressed(block.lines.join('\n')),
        compressed(encodeFinal(block.final)),
      ]);
      // The end of the process may have been faster.
      if (this.closing.includes(block)) {
        const done: Block = { ...spanOf(block), body, minutes };
        const file = this.file();
        // In the order in which they were recorded: what was kept in memory goes before.
        if (!file || !this.moveKept(file, MOVED_AT_ONCE) || !this.attempt(() => file.add(done))) {
          this.memory.add(done);
        }
        this.closing = this.closing.filter((each) => each !== block);
      }
    });
  }

  /** Tries again while another process is writing to the file; each attempt waits for a moment. */
  private insist(isDone: () => boolean): void {
    let left = LAST_ATTEMPTS;
    while (left > 0 && !isDone() && isBusy(this.refused ?? '')) {
      left -= 1;
    }
  }

  /** @returns whether the file has taken it */
  private attempt(work: () => void): boolean {
    try {
      work();
      this.refused = undefined;
      return true;
    } catch (error) {
      this.refuse(error);
      return false;
    }
  }

  /** A file that cannot be written keeps what it has. Each reason is told once. */
  private refuse(error: unknown): void {
    const reason = String(error);
    if (reason !== this.refused) {
      log('warn', 'a recording could not be written to the history file', { error: reason });
    }
    this.refused = reason;
  }

  private later(work: () => Promise<void>): void {
    this.work = this.work.then(work).catch((error: unknown) => {
      log('error', 'a recording could not be kept', { error: String(error) });
    });
  }

  private stores(): BlockStore[] {
    const file = this.file();
    return file ? [file, this.memory] : [this.memory];
  }

  private async shrink(now: number): Promise<void> {
    await shrink(this.memory, this.limits.memory, now);
    const file = this.file();
    // On a full disk room is made by it.
    if (file && !isReadOnly(this.refused ?? '')) {
      try {
        await shrink(file, this.limits.file, now);
        this.unshrunk = undefined;
      } catch (error) {
        const reason = String(error);
        if (reason !== this.unshrunk) {
          log('warn', 'old recordings could not be dropped from the history file', { error: reason });
        }
        this.unshrunk = reason;
      }
    }
  }

  /** In the order in which they were recorded; sorted, those in stores by their instants where both stores hold some. */
  private blocks(sorted = true): Found[] {
    const stored = this.stores().flatMap((store) => {
      // Both number their blocks from 1, and the file may be away.
      const place = store === this.memory ? 'memory' : 'file';
      return store.all.map((block) => foundIn(store, `${place}:${block.id}`, block));
    });
    // The memory holds what came while the file could not be used, and another process may have written meanwhile.
    const isMixed = this.file() !== null && this.memory.all.length > 0;
    const inOrder = sorted && isMixed ? stored.sort((a, b) => a.from - b.from) : stored;
    return [...inOrder, ...this.closing.map(foundOpen), ...(this.open ? [foundOpen(this.open)] : [])];
  }
}

/** The states of a block up to an instant, or to where it is damaged. What whoever takes them throws is theirs. */
async function* readable(block: Found, until: number, beside: Beside): AsyncGenerator<Past, void> {
  try {
    yield* replay(await block.lines(), until, beside);
  } catch (error) {
    tellBroken(error);
  }
}

/** The last reading of a block up to an instant; `null` where it is damaged, or has none. */
function lastIn(block: Found, asOf: number, beside: Beside): Promise<Past | null> {
  return orBroken(async () => lastOf(replay(await block.lines(), asOf, beside)));
}

async function lastOf<T>(all: AsyncGenerator<T, void>): Promise<T | null> {
  let last: T | null = null;
  for await (const each of all) {
    last = each;
  }
  return last;
}

function isFull({ readings, from, text }: OpenBlock, at: number): boolean {
  return readings >= BLOCK_READINGS || at - from >= BLOCK_SECONDS || text >= BLOCK_TEXT;
}

function validSeconds({ paceSeconds }: BlockSpan): number {
  return Math.max(LEAST_VALID_SECONDS, PACES_VALID * paceSeconds);
}

function spanOf({ from, to, readings, paceSeconds }: BlockSpan): BlockSpan {
  return { from, to, readings, paceSeconds };
}

function finished(block: OpenBlock, compress: (text: string) => Uint8Array): Block {
  return { ...spanOf(block), body: compress(block.lines.join('\n')), minutes: compress(encodeFinal(block.final)) };
}

function foundIn(store: BlockStore, key: string, block: StoredBlock): Found {
  return {
    ...spanOf(block),
    key,
    lines: async () => linesOf(store.read(block.id)),
    minutes: async () => finalMinutesOf(store.read(block.id)),
  };
}

function foundOpen(block: OpenBlock): Found {
  const { lines, final } = block;
  return {
    ...spanOf(block),
    lines: async () => [...lines],
    minutes: async () => ({
      minutes: final.map(({ minute }) => minute),
      durations: final.flatMap((each) => each.durations),
    }),
  };
}

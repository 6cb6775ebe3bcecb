import { LRUCache } from 'lru-cache';
import { log } from '../log';
import type { Durations, MinuteCounts } from '../sidekiq/jobMetrics';
import { CHANGING_SECONDS } from '../sidekiq/minutes';
import type { Snapshot } from '../sidekiq/snapshot';
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
  replay,
  thinned,
  type FinalMinute,
  type Past,
} from './block';
import { MemoryBlockStore, type Block, type BlockSpan, type BlockStore, type StoredBlock } from '../series/blockStore';
import { knownOf, NOTHING_KNOWN, type Known } from '../sidekiq/snapshotCodec';
import { encodeReading, type Recorded } from './recordedReading';

/** What a store keeps at most; the thinner, the older. */
export interface BlockLimits {
  seconds: number;
  bytes: number;
}

/** A block has so many readings, seconds or bytes of text at most. */
const BLOCK_READINGS = 25;
const BLOCK_SECONDS = 250;
const BLOCK_TEXT = 8 * 1024 * 1024;
/** The paces to which old blocks are thinned, one after the other, before they are dropped. */
const PACES = [60, 300];
/** A reading stands for the time after it: for so many of its paces, and for a minute at least. */
const PACES_VALID = 3;
const LEAST_VALID_SECONDS = 60;
/** Attempts to write at the end of the process, each of some 50 ms where the file is locked. */
const LAST_ATTEMPTS = 20;
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
  key: string;
  lines(): Promise<string[]>;
  minutes(): Promise<{ minutes: readonly MinuteCounts[]; durations: readonly Durations[] }>;
}

/** What was recorded, as far as it is known without reading a block. */
export interface RecordedSpan {
  /** Epoch seconds of the first reading; `null` where there is none. */
  readonly oldest: number | null;
  readonly newest: number | null;
  /** Of the blocks in the stores; the block that is written has some megabytes at most beside them. */
  readonly bytes: number;
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
  private known: Known = NOTHING_KNOWN;
  private beside: BesideReads | null = null;
  /** Durations of the minutes that may still change, as they were last read. */
  private durations = new Map<number, Map<string, Durations>>();
  private finalUntil = -Infinity;
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
   * @param believed the clock of the reading is believed, so that older blocks may be dropped by it
   */
  add(recorded: Recorded, watch: () => unknown, paceSeconds: number, believed = true): void {
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
    this.open.final.push(...this.ended(snapshot));
    this.known = knownOf(snapshot);
    this.beside = recorded.beside ?? this.beside;
    if (believed && this.open.readings === 1) {
      this.later(() => this.shrink(snapshot.at));
    }
  }

  /** Epoch seconds of the first and the last reading, and the bytes of all. */
  get about(): RecordedSpan {
    const all = this.blocks();
    return {
      oldest: all.reduce<number | null>((least, { from }) => Math.min(least ?? from, from), null),
      newest: all.reduce<number | null>((most, { to }) => Math.max(most ?? to, to), null),
      bytes: this.stores().reduce((sum, store) => sum + store.bytes, 0),
    };
  }

  /**
   * The state of the last reading before an instant.
   *
   * @returns `null` where no reading stands for that instant
   */
  async at(asOf: number, beside: Beside): Promise<Past | null> {
    for (const block of this.blocks().reverse()) {
      if (block.from <= asOf && asOf - block.to <= validSeconds(block)) {
        const past = await orBroken(async () => replay(await block.lines(), asOf, beside));
        if (past && asOf - past.state.now <= validSeconds(block)) {
          return past;
        }
      }
    }
    return null;
  }

  /** Calls back with the states of a range, oldest first. A block that is damaged is passed over. */
  async each({ from, to }: Range, beside: Beside, take: (past: Past) => void | Promise<void>): Promise<void> {
    for (const block of this.blocks()) {
      if (block.to >= from && block.from <= to) {
        await orBroken(async () =>
          replay(await block.lines(), to, beside, (past) => (past.state.now >= from ? take(past) : undefined))
        );
      }
    }
  }

  /**
   * The minutes of executions of a range that do not change any more, oldest first.
   *
   * @param until of the last reading that is known: minutes that ended for good later are not told
   */
  async minutes({ from, to }: Range): Promise<{ minutes: MinuteCounts[]; durations: Durations[] }> {
    const minutes = new Map<number, MinuteCounts>();
    const durations = new Map<string, Durations>();
    for (const block of this.blocks()) {
      // A minute ends for good some minutes after it began.
      if (block.to >= from && block.from - FINAL_SECONDS - BLOCK_SECONDS <= to) {
        const known = this.finals.get(block.key);
        const read = known ?? (await orBroken(() => block.minutes())) ?? { minutes: [], durations: [] };
        if (!known && !block.key.startsWith('open')) {
          this.finals.set(block.key, read);
        }
        read.minutes.forEach((minute) => minutes.set(minute.startsAt, minute));
        read.durations.forEach((each) => durations.set(`${each.startsAt}\0${each.jobClass}`, each));
      }
    }
    const within = (startsAt: number) => startsAt + 60 > from && startsAt <= to;
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
      for (const block of this.closing) {
        const done = finished(block, compressedNow);
        // Another process may be writing to the file; each attempt waits for a moment.
        let left = LAST_ATTEMPTS;
        while (left > 0 && !attempt(() => file.add(done))) {
          left -= 1;
        }
      }
    }
    this.closing = [];
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
        if (!attempt(() => this.file()?.add(done)) || !this.file()) {
          this.memory.add(done);
        }
        this.closing = this.closing.filter((each) => each !== block);
      }
    });
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
    for (const store of this.stores()) {
      const { seconds, bytes } = store === this.memory ? this.limits.memory : this.limits.file;
      for (const { id, to } of store.all) {
        if (to < now - seconds) {
          store.remove(id);
        }
      }
      while (store.bytes > bytes && store.all.length > 0) {
        await thinOldest(store);
      }
    }
  }

  /** In the order in which they were recorded. */
  private blocks(): Found[] {
    const stored = this.stores().flatMap((store, index) => store.all.map((block) => foundIn(store, index, block)));
    // The memory holds what came while the file could not be used.
    const inOrder = this.file() && this.memory.all.length > 0 ? stored.sort((a, b) => a.from - b.from) : stored;
    return [...inOrder, ...this.closing.map(foundOpen), ...(this.open ? [foundOpen(this.open)] : [])];
  }

  /** The minutes that have ended for good since the reading before, with the durations that were last seen. */
  private ended({ at, minutes, durations }: Snapshot): FinalMinute[] {
    for (const each of durations) {
      const ofMinute = this.durations.get(each.startsAt) ?? new Map<string, Durations>();
      this.durations.set(each.startsAt, ofMinute.set(each.jobClass, each));
    }
    const until = at - FINAL_SECONDS;
    if (this.finalUntil > at) {
      // The clock was put back.
      this.finalUntil = -Infinity;
    }
    const found = minutes.items
      .filter(({ startsAt }) => startsAt <= until && startsAt > this.finalUntil)
      .map((minute) => ({ minute, durations: [...(this.durations.get(minute.startsAt)?.values() ?? [])] }));
    this.finalUntil = Math.max(this.finalUntil, ...found.map(({ minute }) => minute.startsAt));
    this.durations = new Map([...this.durations].filter(([startsAt]) => startsAt > until));
    return found;
  }
}

/** A minute is final when it ended so long ago, and a reading has seen its durations since. */
const FINAL_SECONDS = CHANGING_SECONDS + 60;

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

function foundIn(store: BlockStore, index: number, block: StoredBlock): Found {
  return {
    ...spanOf(block),
    key: `${index}:${block.id}`,
    lines: async () => linesOf(store.read(block.id)),
    minutes: async () => finalMinutesOf(store.read(block.id)),
  };
}

function foundOpen(block: OpenBlock): Found {
  const { lines, final } = block;
  return {
    ...spanOf(block),
    key: `open:${block.from}`,
    lines: async () => [...lines],
    minutes: async () => ({
      minutes: final.map(({ minute }) => minute),
      durations: final.flatMap((each) => each.durations),
    }),
  };
}

/** The oldest block of the densest pace that can be thinned, else the oldest is dropped. */
async function thinOldest(store: BlockStore): Promise<void> {
  for (const paceSeconds of PACES) {
    const oldest = store.all.find((block) => block.paceSeconds < paceSeconds && block.readings > 1);
    if (oldest) {
      const { body, minutes } = store.read(oldest.id);
      const kept = await orBroken(async () => thinned(await linesOf({ body }), paceSeconds));
      if (!kept) {
        store.remove(oldest.id);
        return;
      }
      const { lines, to } = kept;
      const span = { from: oldest.from, to, readings: lines.length - 1, paceSeconds };
      store.replace(oldest.id, { ...span, body: await compressed(lines.join('\n')), minutes });
      return;
    }
  }
  store.remove(store.all[0]!.id);
}

/** A block that cannot be read answers nothing; the others do. */
async function orBroken<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    log('warn', 'a block of a recording cannot be read', { error: String(error) });
    return null;
  }
}

/** @returns whether a store has taken it */
function attempt(work: () => void): boolean {
  try {
    work();
    return true;
  } catch (error) {
    log('warn', 'a recording could not be written to the history file', { error: String(error) });
    return false;
  }
}

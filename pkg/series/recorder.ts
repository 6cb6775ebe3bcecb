import { Fault } from '../faults/fault';
import { log } from '../log';
import type { Notice } from '../sidekiq/model';
import type { BlockStore } from './blockStore';
import { addSamples, noParts, type Parts } from './chunk';
import { ContinuedCounts } from './continuedCounts';
import type { HistoryScope, SeriesValue } from './figures';
import { MemoryStore } from './memoryStore';
import { RedisClock, type ClockStep } from './redisClock';
import { isBusy } from './sqliteDatabase';
import { FileGone, type HistoryStore, type Points } from './store';

/** Opens the store that outlives the process. @throws Fault when it cannot be used */
export type OpenStore = () => Promise<HistoryStore>;

const RETRY_SECONDS = 60;
/** Samples kept for a file that failed, or until a clock is believed: five hours at 10 s, some 20 MB with 24 queues. */
const MISSED_KEPT = 2000;
/** Values of these: with very many queues fewer samples are kept. */
const MISSED_VALUES = 400_000;
/** Of them so many are appended with each new one, since each takes a moment. */
const MISSED_AT_ONCE = 200;
/** For how long it is told that samples were dropped. */
const TOLD_SECONDS = 86_400;

/** Samples are told apart by milliseconds. */
const INSTANT_SECONDS = 0.001;

interface Sample {
  at: number;
  values: readonly SeriesValue[];
}

/**
 * Keeps figures over time in a file, or in memory where there is none or the file fails. Never throws: a history that
 * cannot be kept says so by a notice, and everything else goes on. A file that failed is opened again once a minute; what is in
 * one that only takes nothing more, as on a full disk, is read all the same.
 */
export class Recorder {
  private readonly memory = new MemoryStore();
  /** What the file has not taken yet. */
  private missed: Sample[] = [];
  private file: HistoryStore | undefined;
  private counts: ContinuedCounts | undefined;
  private failure: string | undefined;
  private triedAt = -Infinity;
  private opening: Promise<void> | undefined;
  private readonly clock = new RedisClock({
    newest: () => this.newest(),
    secondsAfter: (at) => this.secondsAfter(at),
  });
  /** What the file has dated after an instant is to be dropped as soon as it can be written, and what is told then. */
  private toForget: { after: number; told: { text: string; elapsed: number } | undefined } | undefined;
  /** When the file has not taken a sample, by the instant of the sample; `undefined` while it takes them. */
  private failedAt: number | undefined;
  private isClosed = false;
  /** Dated by a clock that is not believed yet. */
  private doubted: Sample[] = [];
  /** When samples were dropped, as the clock had been put back. */
  private dropped: { text: string; elapsed: number } | undefined;

  /** @param open absent where the history is kept in memory */
  constructor(private readonly open?: OpenStore) {}

  /** Why the history file is not used, where one is set, or why nothing is recorded. */
  get notices(): Notice[] {
    const until = this.file
      ? 'What is new is kept in memory until the file takes it.'
      : 'The history is kept in memory until the file can be used.';
    const file: Notice[] =
      this.failure === undefined ? [] : [{ severity: 'warning', text: `${this.failure} ${until}` }];
    const { step } = this.clock;
    const clock =
      step === undefined
        ? this.dropped?.text
        : `The clock of Redis went ${step.seconds > 0 ? 'forward' : 'back'} by ${Math.round(Math.abs(step.seconds))} s. No figure is added to the history until it has gone on evenly for ${Math.ceil(step.believedAfter)} s.`;
    return clock === undefined ? file : [...file, { severity: 'warning', text: clock }];
  }

  /** Whether the history file is in use, where one is set. */
  get usesFile(): boolean {
    return this.failure === undefined;
  }

  /** The blocks of recorded readings in the history file; `null` while there is none. */
  get blocks(): BlockStore | null {
    return this.file?.blocks ?? null;
  }

  /**
   * The instant (epoch seconds) by which recordings are too old, see {@link RedisClock.agedBy}; `null` while the clock of the
   * last reading is not believed.
   */
  get agedBy(): number | null {
    return this.clock.isBelieved ? (this.clock.agedBy ?? null) : null;
  }

  /** Opens the file where that is due. @param now epoch seconds; @returns whether it was opened just now */
  async ready(now: number): Promise<boolean> {
    // A file that is full is tried with the samples; one that could not be written at its opening needs another one.
    const isDue = (!this.file || this.file.refusal) && Math.abs(now - this.triedAt) >= RETRY_SECONDS;
    if (!this.open || !isDue) {
      await this.opening;
      return false;
    }
    this.triedAt = now;
    const before = this.file;
    this.opening = this.open()
      .then((store) => this.take(store))
      .catch((error: unknown) => this.fail(error));
    await this.opening;
    return this.file !== undefined && before === undefined;
  }

  private take(store: HistoryStore): void {
    const before = this.file;
    if (this.isClosed || (before && store.refusal)) {
      close(store);
      return;
    }
    this.file = store;
    this.counts = new ContinuedCounts(store);
    this.failedAt = undefined;
    if (before) {
      // Whoever reads a long range of it now finds the rest in the next answer.
      close(before);
    } else {
      this.clock.begin();
    }
    if (store.refusal) {
      this.fail(store.refusal);
    } else {
      this.worksAgain();
    }
  }

  /**
   * Takes note of a reading, before its sample is appended.
   *
   * @param at epoch seconds by the clock of Redis
   * @param elapsed seconds on a clock that only goes forward
   */
  follow(at: number, elapsed: number): void {
    const followed = this.clock.follow(at, elapsed);
    if (!followed.believed) {
      this.doubted = followed.isNew ? [] : this.doubted;
    } else if (followed.step) {
      this.accept(followed.step, { at, elapsed });
    } else {
      this.doubted = followed.settled ? [] : this.doubted;
      if (this.dropped && elapsed - this.dropped.elapsed > TOLD_SECONDS) {
        this.dropped = undefined;
      }
    }
  }

  /** Appends a sample; one that is dated by a clock that is not believed yet comes when it is. */
  append(at: number, values: readonly SeriesValue[]): void {
    this.doubted.push({ at, values });
    bound(this.doubted);
    if (!this.clock.isBelieved) {
      return;
    }
    const samples = this.doubted;
    this.doubted = [];
    if (this.open) {
      this.missed.push(...samples);
      bound(this.missed);
      // A file that takes nothing is not tried with each sample: it reads its newest part again each time.
      if (this.failedAt === undefined || Math.abs(at - this.failedAt) >= RETRY_SECONDS) {
        const isDone = this.catchUp(MISSED_AT_ONCE) || isBusy(this.failure ?? '');
        this.failedAt = isDone ? undefined : at;
      }
    }
    if (!this.open || this.missed.length > 0) {
      samples.forEach((sample) => this.memory.append(sample.at, sample.values, this.clock.agedBy));
    }
  }

  /** Appends to the file what it has not taken yet, oldest first. @returns whether a file that is there has taken it */
  private catchUp(most: number): boolean {
    if (!this.file || this.file.refusal) {
      return !this.file;
    }
    let done = 0;
    const isWritten = this.write((file) => {
      if (this.toForget) {
        // Before that, the file would pass over the samples since.
        file.forgetAfter(this.toForget.after);
        this.dropped = this.toForget.told ?? this.dropped;
        this.toForget = undefined;
      }
      for (const { at, values } of this.missed.slice(0, most)) {
        file.append(at, this.counts?.continued(at, values) ?? values, this.clock.agedBy);
        done += 1;
      }
    });
    this.missed.splice(0, done);
    if (isWritten && done > 0) {
      this.worksAgain();
    }
    return isWritten;
  }

  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[] {
    const until = Math.min(to, this.knownUntil);
    const kept = this.use((file) => file.read(scope, figure, from, this.keptUntil(until), only), undefined);
    return kept && this.missed.length === 0
      ? kept
      : followed(kept ?? [], this.memory.read(scope, figure, from, until, only));
  }

  /** What a file has of a time that comes anew counts no more, though it could not be dropped yet. */
  private keptUntil(until: number): number {
    return Math.min(until, this.toForget?.after ?? Infinity);
  }

  /** While a clock that was put back is doubted, what is dated after that instant is not told as of the time since. */
  private get knownUntil(): number {
    const { step } = this.clock;
    return step && step.seconds < 0 ? step.at : Infinity;
  }

  /** A series by stretches of five minutes; `null` where the history is in memory. */
  async parts(scope: HistoryScope, figure: string, from: number, to: number, only: string): Promise<Parts[] | null> {
    const { file } = this;
    const until = Math.min(to, this.knownUntil);
    // Taken before others get their turn: what the file takes meanwhile is in one of both.
    const later = this.missed.length > 0 ? this.memory.read(scope, figure, from, until, only) : [];
    try {
      const kept = (await file?.parts?.(scope, figure, from, this.keptUntil(until), only)) ?? null;
      return kept && later.length > 0 ? partsFollowed(kept, later) : kept;
    } catch (error) {
      // A file that was closed meanwhile has told why.
      if (this.file === file) {
        this.giveUp(error);
      }
      return null;
    }
  }

  keys(scope: HistoryScope, figure: string): string[] {
    const kept = this.use((file) => file.keys(scope, figure), undefined);
    return kept && this.missed.length === 0
      ? kept
      : [...new Set([...(kept ?? []), ...this.memory.keys(scope, figure)])];
  }

  thinnedUntil(): number | null {
    return this.file && this.missed.length === 0 ? null : this.memory.thinnedUntil();
  }

  oldest(): number | null {
    return this.use((file) => file.oldest(), undefined) ?? this.memory.oldest();
  }

  loadState(name: string): string | null {
    return this.use((file) => file.loadState(name), null);
  }

  /** Keeps a state where it can outlive the process; in memory it is not asked for. */
  saveState(name: string, state: () => string): void {
    this.write((file) => file.saveState(name, state));
  }

  close(): void {
    this.isClosed = true;
    this.catchUp(Infinity);
    if (this.file) {
      close(this.file);
    }
    this.file = undefined;
    this.memory.close();
  }

  /** Drops what is dated after a step that is believed now: those samples are of a future that comes anew. */
  private accept({ seconds, at: begun }: ClockStep, { at, elapsed }: { at: number; elapsed: number }): void {
    const since = this.doubted[0]?.at ?? at;
    let told: typeof this.dropped;
    if ((this.newest() ?? since) > since) {
      const text = `The clock of Redis was put back at ${new Date(begun * 1000).toISOString().slice(0, 19)}Z by ${Math.round(-seconds)} s. Figures that were dated after that instant were dropped.`;
      told = { text, elapsed };
    }
    this.missed = this.missed.filter((sample) => sample.at < since);
    // The sample of that very instant comes now.
    const after = since - INSTANT_SECONDS;
    this.memory.forgetAfter(after);
    if (this.file) {
      this.toForget = { after: Math.min(after, this.toForget?.after ?? after), told: told ?? this.toForget?.told };
    } else {
      this.dropped = told ?? this.dropped;
    }
  }

  private secondsAfter(at: number): number {
    const kept = this.use((file) => ({ seconds: file.secondsAfter(at), newest: file.newest() }), undefined);
    if (kept && this.missed.length === 0) {
      return kept.seconds;
    }
    return (kept?.seconds ?? 0) + this.memory.secondsAfter(Math.max(at, kept?.newest ?? at));
  }

  private newest(): number | null {
    const kept = this.use((file) => file.newest(), undefined) ?? this.memory.newest();
    const missed = this.missed.at(-1)?.at;
    return missed === undefined ? kept : Math.max(missed, kept ?? missed);
  }

  private use<T>(work: (file: HistoryStore) => T, otherwise: T): T {
    if (!this.file) {
      return otherwise;
    }
    try {
      return work(this.file);
    } catch (error) {
      this.giveUp(error);
      return otherwise;
    }
  }

  /** @returns whether the file has taken it */
  private write(work: (file: HistoryStore) => void): boolean {
    if (!this.file) {
      return false;
    }
    try {
      work(this.file);
      return true;
    } catch (error) {
      if (error instanceof FileGone) {
        this.giveUp(error);
      } else {
        this.fail(error);
      }
      return false;
    }
  }

  private giveUp(error: unknown): void {
    const { file } = this;
    this.file = undefined;
    if (file) {
      close(file);
    }
    this.fail(error);
  }

  private worksAgain(): void {
    if (this.failure !== undefined) {
      log('info', 'the history file is used again');
    }
    this.failure = undefined;
  }

  private fail(error: unknown): void {
    const text = error instanceof Fault ? error.explanation : `The history file failed: ${(error as Error).message}.`;
    // Each reason once: a file that was replaced may be damaged.
    if (this.failure !== text) {
      log('warn', 'the history file cannot be used; figures and readings are kept in memory until it can', {
        error: text,
      });
    }
    this.failure = text;
  }
}

/** Drops the oldest of too many. */
function bound(samples: Sample[]): void {
  let left = MISSED_VALUES;
  let kept = 0;
  while (kept < Math.min(MISSED_KEPT, samples.length)) {
    left -= samples[samples.length - 1 - kept]!.values.length;
    if (left < 0 && kept > 0) {
      break;
    }
    kept += 1;
  }
  samples.splice(0, samples.length - kept);
}

function close(file: HistoryStore): void {
  try {
    file.close();
  } catch {
    // It is gone or broken, which was told already.
  }
}

/** Points, and those that came after them in memory. */
function followed(kept: readonly Points[], later: readonly Points[]): Points[] {
  const joined = new Map(kept.map((points) => [points.key, points]));
  for (const points of later) {
    const before = joined.get(points.key);
    const next = after(points, before?.at.at(-1));
    joined.set(
      points.key,
      before ? { ...before, at: [...before.at, ...next.at], values: [...before.values, ...next.values] } : points
    );
  }
  return [...joined.values()];
}

function partsFollowed(kept: readonly Parts[], later: readonly Points[]): Parts[] {
  const joined = new Map(kept.map((parts) => [parts.key, parts]));
  for (const points of later) {
    const parts = joined.get(points.key) ?? noParts(points.key);
    addSamples(parts, after(points, parts.lastAt.at(-1)));
    joined.set(points.key, parts);
  }
  return [...joined.values()];
}

/** The points later than an instant; all of them without one. */
function after({ at, values }: Points, last = -Infinity): Pick<Points, 'at' | 'values'> {
  // A file rounds instants.
  const first = at.findIndex((instant) => instant > last + INSTANT_SECONDS);
  return first < 0 ? { at: [], values: [] } : { at: at.slice(first), values: values.slice(first) };
}

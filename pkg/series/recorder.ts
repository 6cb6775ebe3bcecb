import { Fault } from '../faults/fault';
import { log } from '../log';
import type { Notice } from '../sidekiq/model';
import type { BlockStore } from './blockStore';
import type { Parts } from './chunk';
import type { HistoryScope, SeriesValue } from './figures';
import { MemoryStore } from './memoryStore';
import type { HistoryStore, Points } from './store';

/** Opens the store that outlives the process. @throws Fault when it cannot be used */
export type OpenStore = () => Promise<HistoryStore>;

const RETRY_SECONDS = 60;
/** Samples kept for a file that failed, or until a clock is believed: five hours at 10 s, some 20 MB with 24 queues. */
const MISSED_KEPT = 2000;
/** Values of these: with very many queues fewer samples are kept. */
const MISSED_VALUES = 400_000;
/** Of them so many are appended with each new one, since each takes a moment. */
const MISSED_AT_ONCE = 200;
/** By so much a clock may run apart from another between two readings. */
const STEP_SECONDS = 30;
/** A clock that was put on or back is believed when it has gone on evenly for so long. */
const BELIEVED_SECONDS = 60;
/** By so much the instant by which recordings are dropped runs ahead of time that passes, after a clock was put on. */
const CATCHING_UP = 2;
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
 * cannot be kept says so by a notice, and everything else goes on. A file that failed is tried again once a minute.
 */
export class Recorder {
  private readonly memory = new MemoryStore();
  /** What the file has not taken yet. */
  private missed: Sample[] = [];
  private file: HistoryStore | undefined;
  private failure: string | undefined;
  private triedAt = -Infinity;
  private opening: Promise<void> | undefined;
  /** The last reading, by the clock of Redis and by one that only goes forward. */
  private last: { at: number; elapsed: number } | undefined;
  /** A step of the clock of Redis that is not believed yet. */
  private believed = true;
  private step: { seconds: number; at: number; sinceElapsed: number; believedAfter: number } | undefined;
  /** Dated by a clock that is not believed yet. */
  private doubted: Sample[] = [];
  /** By which recordings and samples are dropped for their age, see {@link Recorder.agedBy}. */
  private aged: { at: number; elapsed: number } | undefined;
  /** The same before a clock was put back: one that is put right again goes on there at once. */
  private before: { at: number; elapsed: number } | undefined;
  /** When samples were dropped, as the clock had been put back. */
  private dropped: { text: string; elapsed: number } | undefined;

  /** @param open absent where the history is kept in memory */
  constructor(private readonly open?: OpenStore) {}

  /** Why the history file is not used, where one is set, or why nothing is recorded. */
  get notices(): Notice[] {
    const file: Notice[] =
      this.failure === undefined
        ? []
        : [{ severity: 'warning', text: `${this.failure} The history is kept in memory until the file can be used.` }];
    const { step, dropped } = this;
    const clock =
      step === undefined
        ? dropped?.text
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
   * The instant (epoch seconds) by which recordings are too old; `null` while the clock of the last reading is not believed.
   * A clock that was put on moves it only with the time that passes, since one that is wrong may be put right in hours.
   */
  get agedBy(): number | null {
    return this.believed && this.aged ? this.aged.at : null;
  }

  /** Opens the file where that is due. @param now epoch seconds; @returns whether it was opened just now */
  async ready(now: number): Promise<boolean> {
    if (!this.open || this.file || Math.abs(now - this.triedAt) < RETRY_SECONDS) {
      await this.opening;
      return false;
    }
    this.triedAt = now;
    let opened = false;
    this.opening = this.open()
      .then((store) => {
        this.file = store;
        // What it holds may be later than what this process has read: the next reading is held against it.
        this.last = undefined;
        this.step = undefined;
        if (this.failure !== undefined) {
          log('info', 'the history file is used again');
        }
        this.failure = undefined;
        opened = true;
      })
      .catch((error: unknown) => this.fail(error));
    await this.opening;
    return opened;
  }

  /**
   * Takes note of a reading, before its sample is appended.
   *
   * @param at epoch seconds by the clock of Redis
   * @param elapsed seconds on a clock that only goes forward
   */
  follow(at: number, elapsed: number): void {
    this.believed = this.believes(at, elapsed);
    if (this.believed) {
      const { aged } = this;
      const most = aged ? aged.at + CATCHING_UP * (elapsed - aged.elapsed) : at;
      const { before } = this;
      const again = before ? before.at + elapsed - before.elapsed : -Infinity;
      const isBack = aged !== undefined && at < aged.at - STEP_SECONDS;
      this.before = isBack && aged.at > again ? aged : at < again ? before : undefined;
      this.aged = { at: Math.min(at, Math.max(most, again)), elapsed };
    }
  }

  /** Appends a sample; one that is dated by a clock that is not believed yet comes when it is. */
  append(at: number, values: readonly SeriesValue[]): void {
    this.doubted.push({ at, values });
    bound(this.doubted);
    if (!this.believed) {
      return;
    }
    const samples = this.doubted;
    this.doubted = [];
    if (this.open) {
      this.missed.push(...samples);
      bound(this.missed);
      this.catchUp(MISSED_AT_ONCE);
    }
    if (!this.open || this.missed.length > 0) {
      samples.forEach((sample) => this.memory.append(sample.at, sample.values, this.aged?.at));
    }
  }

  /** Appends to the file what it has not taken yet, oldest first. */
  private catchUp(most: number): void {
    let done = 0;
    this.use((file) => {
      for (const { at, values } of this.missed.slice(0, most)) {
        file.append(at, values, this.aged?.at);
        done += 1;
      }
    }, undefined);
    this.missed.splice(0, done);
  }

  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[] {
    const until = Math.min(to, this.knownUntil);
    return (
      this.use((file) => file.read(scope, figure, from, until, only), undefined) ??
      this.memory.read(scope, figure, from, until, only)
    );
  }

  /** While a clock that was put back is doubted, what is dated after that instant is not told as of the time since. */
  private get knownUntil(): number {
    return this.step && this.step.seconds < 0 ? this.step.at : Infinity;
  }

  /** A series by stretches of five minutes; `null` where the history is in memory. */
  async parts(scope: HistoryScope, figure: string, from: number, to: number, only: string): Promise<Parts[] | null> {
    const { file } = this;
    try {
      return (await file?.parts?.(scope, figure, from, Math.min(to, this.knownUntil), only)) ?? null;
    } catch (error) {
      // A file that was closed meanwhile has told why.
      if (this.file === file) {
        this.giveUp(error);
      }
      return null;
    }
  }

  keys(scope: HistoryScope, figure: string): string[] {
    return this.use((file) => file.keys(scope, figure), undefined) ?? this.memory.keys(scope, figure);
  }

  thinnedUntil(): number | null {
    return this.file ? null : this.memory.thinnedUntil();
  }

  oldest(): number | null {
    return this.use((file) => file.oldest(), undefined) ?? this.memory.oldest();
  }

  loadState(name: string): string | null {
    return this.use((file) => file.loadState(name), null);
  }

  /** Keeps a state where it can outlive the process; in memory it is not asked for. */
  saveState(name: string, state: () => string): void {
    this.use((file) => file.saveState(name, state), undefined);
  }

  close(): void {
    this.catchUp(Infinity);
    this.use((file) => file.close(), undefined);
    this.file = undefined;
    this.memory.close();
  }

  /**
   * Whether samples may be dated by this instant. One that does not follow from the last by the time that has passed is
   * of a clock that was set, or of another Redis: until it has gone on evenly nothing is dated by it, and no sample is
   * dropped for its age. A clock that is put right again meanwhile goes on where it was. One that was put back makes samples
   * those of the future, which are dropped once it has gone on for as long as they tell of: no more is lost than won.
   */
  private believes(at: number, elapsed: number): boolean {
    // The store is asked only where no reading came before.
    const expected = this.last ? this.last.at + elapsed - this.last.elapsed : Math.max(this.newest() ?? at, at);
    const seconds = at - expected;
    if (Math.abs(seconds) <= STEP_SECONDS) {
      this.last = { at, elapsed };
      if (this.step) {
        this.step = undefined;
        this.doubted = [];
      }
      if (this.dropped && elapsed - this.dropped.elapsed > TOLD_SECONDS) {
        this.dropped = undefined;
      }
      return true;
    }
    if (!this.step || Math.abs(seconds - this.step.seconds) > STEP_SECONDS) {
      this.step = {
        seconds,
        at,
        sinceElapsed: elapsed,
        believedAfter: Math.max(BELIEVED_SECONDS, this.secondsAfter(at)),
      };
      this.doubted = [];
    }
    this.last ??= { at: expected, elapsed };
    if (elapsed - this.step.sinceElapsed < this.step.believedAfter) {
      return false;
    }
    const since = this.doubted[0]?.at ?? at;
    const begun = this.step.at;
    this.last = { at, elapsed };
    this.step = undefined;
    if ((this.newest() ?? since) > since) {
      const text = `The clock of Redis was put back at ${new Date(begun * 1000).toISOString().slice(0, 19)}Z by ${Math.round(-seconds)} s. Figures that were dated after that instant were dropped.`;
      this.dropped = { text, elapsed };
    }
    this.missed = this.missed.filter((sample) => sample.at < since);
    // The sample of that very instant comes now.
    this.use((file) => file.forgetAfter(since - INSTANT_SECONDS), undefined);
    this.memory.forgetAfter(since - INSTANT_SECONDS);
    return true;
  }

  private secondsAfter(at: number): number {
    return this.use((file) => file.secondsAfter(at), undefined) ?? this.memory.secondsAfter(at);
  }

  private newest(): number | null {
    return this.use((file) => file.newest(), undefined) ?? this.memory.newest();
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

  private giveUp(error: unknown): void {
    const { file } = this;
    this.file = undefined;
    try {
      file?.close();
    } catch {
      // The file is gone or broken, which was told already.
    }
    this.fail(error);
  }

  private fail(error: unknown): void {
    const text = error instanceof Fault ? error.explanation : `The history file failed: ${(error as Error).message}.`;
    if (this.failure === undefined) {
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

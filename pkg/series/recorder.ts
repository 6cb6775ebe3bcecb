import { Fault } from '../faults/fault';
import { log } from '../log';
import type { Notice } from '../sidekiq/model';
import type { BlockStore } from './blockStore';
import type { Parts } from './chunk';
import type { HistoryScope, SeriesValue } from './figures';
import { MemoryStore } from './memoryStore';
import { RedisClock, type ClockStep } from './redisClock';
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
  private readonly clock = new RedisClock({
    newest: () => this.newest(),
    secondsAfter: (at) => this.secondsAfter(at),
  });
  /** Dated by a clock that is not believed yet. */
  private doubted: Sample[] = [];
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
    if (!this.open || this.file || Math.abs(now - this.triedAt) < RETRY_SECONDS) {
      await this.opening;
      return false;
    }
    this.triedAt = now;
    let opened = false;
    this.opening = this.open()
      .then((store) => {
        this.file = store;
        this.clock.begin();
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
      this.catchUp(MISSED_AT_ONCE);
    }
    if (!this.open || this.missed.length > 0) {
      samples.forEach((sample) => this.memory.append(sample.at, sample.values, this.clock.agedBy));
    }
  }

  /** Appends to the file what it has not taken yet, oldest first. */
  private catchUp(most: number): void {
    let done = 0;
    this.use((file) => {
      for (const { at, values } of this.missed.slice(0, most)) {
        file.append(at, values, this.clock.agedBy);
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
    const { step } = this.clock;
    return step && step.seconds < 0 ? step.at : Infinity;
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

  /** Drops what is dated after a step that is believed now: those samples are of a future that comes anew. */
  private accept({ seconds, at: begun }: ClockStep, { at, elapsed }: { at: number; elapsed: number }): void {
    const since = this.doubted[0]?.at ?? at;
    if ((this.newest() ?? since) > since) {
      const text = `The clock of Redis was put back at ${new Date(begun * 1000).toISOString().slice(0, 19)}Z by ${Math.round(-seconds)} s. Figures that were dated after that instant were dropped.`;
      this.dropped = { text, elapsed };
    }
    this.missed = this.missed.filter((sample) => sample.at < since);
    // The sample of that very instant comes now.
    this.use((file) => file.forgetAfter(since - INSTANT_SECONDS), undefined);
    this.memory.forgetAfter(since - INSTANT_SECONDS);
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

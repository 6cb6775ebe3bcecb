import { Fault } from '../faults/fault';
import { MemoryStore } from '../series/memoryStore';
import { seriesOf } from '../series/figures';
import type { BlockStore } from '../series/blockStore';
import type { Options } from '../settings/model';
import type { HistoryReads, Range, Reads } from '../source/reads';
import type { Kept, Source } from '../source/source';
import { StatsdIntake } from '../statsd/intake';
import type { State } from '../watch/state';
import { PastStates } from './pastStates';
import { Recordings } from './recordings';

/** Where a replay begins, and how fast its time goes. */
export interface ReplayTime {
  /** Epoch seconds of the recording's time that is shown as now; its end where it is left out. */
  at?: number;
  /** Seconds of the recording in a second; 0 stands still. */
  speed: number;
}

const WITHOUT_LIMIT = { seconds: Infinity, bytes: Infinity };
/** Samples of a replay in memory: those of a week at the usual pace. */
const HISTORY_SECONDS = 7 * 86_400;

/** A recording as a source: its time stands where it was put, or goes on from there. It reads no Redis. */
export class Replay implements Source {
  readonly statsd = new StatsdIntake({ series: 1, expireSeconds: 1 }, '');
  readonly droppedSeries = new Map<string, number>();
  private readonly recordings: Recordings;
  private readonly past: PastStates;
  private readonly history: ReplayedHistory;
  private readonly startedAt = performance.now();
  private readonly begin: number;
  private readonly from: number;
  private readonly to: number;

  /**
   * @param address the name of the recording, as it is told
   * @throws Fault `settings` where the recording is empty
   */
  constructor(
    readonly address: string,
    blocks: BlockStore,
    readonly options: Options,
    private readonly time: ReplayTime
  ) {
    this.recordings = new Recordings({ memory: WITHOUT_LIMIT, file: WITHOUT_LIMIT }, () => blocks);
    const { oldest, newest } = this.recordings.about;
    if (oldest === null || newest === null) {
      throw new Fault({
        kind: 'settings',
        message: `The recording "${address}" holds no reading.`,
        remedy: 'Record for longer than the sampling interval.',
      });
    }
    this.from = Math.min(Math.max(time.at ?? (time.speed > 0 ? oldest : newest), oldest), newest);
    this.begin = oldest;
    this.to = newest;
    this.history = new ReplayedHistory(this.recordings, options, this.statsd);
    this.past = new PastStates(this.recordings, async () => this.history.upTo(this.now()), {
      options,
      statsd: this.statsd,
    });
  }

  get recorded(): Range {
    return { from: this.begin, to: this.now() };
  }

  now(): number {
    return Math.min(this.to, this.from + ((performance.now() - this.startedAt) / 1000) * this.time.speed);
  }

  async state(asOf = Infinity, present = false): Promise<State> {
    const now = this.now();
    return this.past.at(present ? now : Math.min(asOf, now));
  }

  /**
   * Calls back with the state of every reading of a range, oldest first; much faster than asking for each.
   *
   * @param range epoch seconds; the whole recording where it is left out
   */
  async walk(take: (state: State) => Promise<void>, range?: Range): Promise<void> {
    const beside = { options: this.options, statsd: this.statsd, recorded: true };
    const { from, to } = range ?? { from: -Infinity, to: this.to };
    await this.recordings.each({ from, to }, beside, async (past) => take(this.past.know(past)));
  }

  async kept(fault: Fault): Promise<Kept> {
    const notices = [{ severity: 'error' as const, text: fault.explanation }];
    return { now: this.now(), options: this.options, notices, fault, last: null };
  }

  reads(_signal?: AbortSignal, state?: State): Reads {
    return (state && this.past.reads(state)) ?? this.past.readsOfNothing();
  }
}

/** The figures over time of a recording, made by folding it once. */
class ReplayedHistory implements HistoryReads {
  private readonly store = new MemoryStore({ fullSeconds: HISTORY_SECONDS, keepSeconds: HISTORY_SECONDS });
  private reached = -Infinity;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly recordings: Recordings,
    private readonly options: Options,
    private readonly statsd: StatsdIntake
  ) {}

  /** Itself, when all readings up to an instant are in it. */
  async upTo(now: number): Promise<this> {
    this.work = this.work.then(async () => {
      if (now <= this.reached) {
        return;
      }
      const from = this.reached;
      this.reached = now;
      const beside = { options: this.options, statsd: this.statsd, recorded: true };
      await this.recordings.each({ from, to: now }, beside, ({ state }) => {
        this.store.append(state.now, seriesOf(state));
      });
    });
    await this.work;
    return this;
  }

  keys(...args: Parameters<HistoryReads['keys']>) {
    return this.store.keys(...args);
  }

  read(...args: Parameters<HistoryReads['read']>) {
    return this.store.read(...args);
  }

  oldest() {
    return this.store.oldest();
  }
}

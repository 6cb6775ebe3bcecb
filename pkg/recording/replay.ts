import { Fault } from '../faults/fault';
import { MemoryStore } from '../series/memoryStore';
import { SeriesTaker } from '../series/figures';
import type { BlockStore } from '../series/blockStore';
import type { Options } from '../settings/model';
import type { FigureReads } from '../series/store';
import type { Range, Reads } from '../source/reads';
import { keptOf, type Kept, type Source } from '../source/source';
import { StatsdIntake } from '../statsd/intake';
import type { State } from '../watch/state';
import type { Beside } from '../watch/watch';
import { PastStates } from './pastStates';
import { Recordings } from './recordings';

/** Where a replay begins, and how fast its time goes. */
export interface ReplayTime {
  /** The instant that is shown as now, by the end of the recording (epoch seconds); that end where it is left out. */
  at?: (end: number) => number;
  /** Seconds of the recording in a second; 0 stands still. */
  speed: number;
}

const WITHOUT_LIMIT = { seconds: Infinity, bytes: Infinity };
/** Samples of a replay in memory: those of a week at the usual pace. */
const HISTORY_SECONDS = 7 * 86_400;
/** The last day at the pace of the recording, the days before at one sample a minute. */
const FULL_PACE_SECONDS = 86_400;
/** A week of some 300 series, in 48 MB. */
const NUMBERS_KEPT = 6_000_000;

/** A recording as a source: its time stands where it was put, or goes on from there. It reads no Redis. */
export class Replay implements Source {
  readonly statsd = new StatsdIntake({ series: 1, expireSeconds: 1 }, '');
  readonly droppedSeries = new Map<string, number>();
  private readonly recordings: Recordings;
  private readonly past: PastStates;
  private readonly beside: Beside;
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
    const recorded = this.recordings.time;
    if (!recorded) {
      throw new Fault({
        kind: 'settings',
        message: `The recording "${address}" holds no reading.`,
        remedy: 'Record for longer than the sampling interval.',
      });
    }
    const { from, to } = recorded;
    this.begin = from;
    this.to = to;
    this.from = Math.min(Math.max(time.at?.(to) ?? (time.speed > 0 ? from : to), from), to);
    this.beside = { options, statsd: this.statsd, recorded: true };
    const history = new ReplayedHistory(this.recordings, this.beside);
    this.past = new PastStates(this.recordings, async () => history.upTo(this.now()), this.beside);
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
    const { from, to } = range ?? { from: -Infinity, to: this.to };
    await this.recordings.each({ from, to }, this.beside, async (past) => take(this.past.know(past)));
  }

  async kept(fault: Fault): Promise<Kept> {
    return keptOf(fault, { now: this.now(), options: this.options, last: null });
  }

  reads(_signal?: AbortSignal, state?: State): Reads {
    return (state && this.past.reads(state)) ?? this.past.readsOfNothing();
  }
}

/** The figures over time of a recording, made by folding it once. */
class ReplayedHistory {
  private readonly store = new MemoryStore({
    fullSeconds: FULL_PACE_SECONDS,
    keepSeconds: HISTORY_SECONDS,
    numbers: NUMBERS_KEPT,
  });
  private readonly taker = new SeriesTaker();
  private reached = -Infinity;
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly recordings: Recordings,
    private readonly beside: Beside
  ) {}

  /** The figures, when all readings up to an instant are in them. */
  async upTo(now: number): Promise<FigureReads> {
    this.work = this.work.then(async () => {
      if (now <= this.reached) {
        return;
      }
      const from = this.reached;
      this.reached = now;
      await this.recordings.each({ from, to: now }, this.beside, ({ state }) => {
        this.store.append(state.now, this.taker.take(state));
      });
    });
    await this.work;
    return this.store;
  }
}

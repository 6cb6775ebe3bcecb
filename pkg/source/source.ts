import type { Fault } from '../faults/fault';
import type { Options } from '../settings/model';
import type { StatsdIntake } from '../statsd/intake';
import type { State } from '../watch/state';
import type { Range, Reads } from './reads';

/** A range that ends no longer ago than this ends now: dashboards lag, and clocks differ. */
export const NOW_SECONDS = 60;

/** What is known without a reading: enough to answer from what was kept before. */
export interface Kept extends Pick<State, 'now' | 'options' | 'notices'> {
  /** Why Redis cannot be read. */
  readonly fault: Fault;
  /** The last state, while it is not older than a quarter of an hour. */
  readonly last: State | null;
}

/** What is known of a source at an instant, with the fault among its notices. */
export function keptOf(fault: Fault, { now, options, last }: Pick<Kept, 'now' | 'options' | 'last'>): Kept {
  return { now, options, notices: [{ severity: 'error', text: fault.explanation }], fault, last };
}

/**
 * Where states come from: an installation that is read, or a recording of one. It is all that a view knows.
 *
 * All members may be used concurrently; viewers who ask about one instant share a state.
 */
export interface Source {
  readonly options: Options;
  /** What is read, as told to people: host and port without credentials, or the name of a file. */
  readonly address: string;
  /** Epoch seconds that are now. */
  now(): number;
  /** The time that was recorded, epoch seconds; `null` where nothing was. */
  readonly recorded: Range | null;
  /** What Sidekiq Pro has sent by DogStatsD. */
  readonly statsd: StatsdIntake;
  /** Label sets left out of scrapes for their number, by metric. */
  readonly droppedSeries: Map<string, number>;

  /**
   * The state as of an instant: of now, where that instant is no longer ago than {@link NOW_SECONDS}, else of the last
   * recorded reading before it.
   *
   * @param asOf epoch seconds by the clock of the caller; now where it is left out
   * @param present the state of now is wanted, whatever the instant
   * @throws Fault when Redis cannot be read; {@link NotRecorded} where nothing was recorded then
   */
  state(asOf?: number, present?: boolean): Promise<State>;

  /** What is known while states cannot be had, with the reason among its notices. */
  kept(fault: Fault): Promise<Kept>;

  /**
   * The bounded reads that belong to a state: of the present, or what was recorded then.
   *
   * @param state of this source; the present where it is left out
   */
  reads(signal?: AbortSignal, state?: State): Reads;
}

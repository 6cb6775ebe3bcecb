import type { BlockStore } from './blockStore';
import type { Parts } from './chunk';
import type { HistoryScope, SeriesValue } from './figures';

/** A series' points in the order of time; `at` is epoch seconds. */
export interface Points {
  key: string;
  at: number[];
  values: number[];
}

/**
 * Keeps figures over time.
 *
 * - `append` takes samples in the order of time; one that is not later than the last is passed over.
 * - `forgetAfter` takes samples away that a clock which was ahead has dated, so that others can follow.
 * - `agedBy` is the instant by which samples are too old, that of the sample by default: a clock that is wrong for some
 *   minutes takes nothing away.
 * - `read` gives every series of a scope and figure that has points in the range, with the last point
 *   before the range, which a rate at its beginning needs; or of one key `only`: long ranges are read series by series,
 *   so that others get their turn between.
 * - Stores are bounded: what is older than they keep, or more, is thinned or dropped by themselves.
 * - A store may throw: `Recorder` then goes on in memory. One that cannot be written may still be read.
 */
export interface HistoryStore {
  append(at: number, values: readonly SeriesValue[], agedBy?: number): void;
  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[];
  /**
   * The same of one key by stretches of five minutes, for intervals that are a multiple of that; absent where a store has
   * too little for it to be faster. Others get their turn meanwhile.
   */
  parts?(scope: HistoryScope, figure: string, from: number, to: number, only: string): Promise<Parts[]>;
  /** Keys of the series of a scope and figure, in the order of reading; some may have no points in a range. */
  keys(scope: HistoryScope, figure: string): string[];
  /** Epoch seconds of the oldest sample kept, or `null`. */
  oldest(): number | null;
  /** Epoch seconds of the newest sample kept, or `null`. */
  newest(): number | null;
  /** The time of which samples later than an instant tell, without pauses. Both in seconds, the instant since the epoch. */
  secondsAfter(at: number): number;
  /** Drops the samples later than an instant (epoch seconds). */
  forgetAfter(at: number): void;
  /** Why nothing can be written to it, where that is known from the start. */
  readonly refusal?: Error;
  /** Recorded readings, where the store outlives the process; `null` in memory. */
  readonly blocks: BlockStore | null;
  /** A state kept under a name, or `null`. */
  loadState(name: string): string | null;
  /** Keeps a state; a store that cannot outlive the process does not ask for it. */
  saveState(name: string, state: () => string): void;
  close(): void;
}

/** The file of a store is not the one that was opened any more: what is read of it is of no use, either. */
export class FileGone extends Error {}

/** Between two samples that are further apart nothing was sampled: the slowest pace is five minutes. */
const PAUSE_SECONDS = 600;

/** The time that instants later than one cover, without pauses. @param at epoch seconds, ascending */
export function sampledSeconds(at: readonly number[], after: number): number {
  return at.reduce((sum, each, index) => {
    const step = each - (at[index - 1] ?? each);
    return each > after && step <= PAUSE_SECONDS ? sum + step : sum;
  }, 0);
}

/** The figures over time that a source keeps, see {@link HistoryStore}. */
export interface FigureReads extends Pick<HistoryStore, 'keys' | 'read' | 'oldest'> {
  /** Until when (epoch seconds) of the samples of a minute one is kept; `null` where all are. Absent where all are, ever. */
  thinnedUntil?(): number | null;
  /** `null` where the history is in memory. */
  parts?(scope: HistoryScope, figure: string, from: number, to: number, only: string): Promise<Parts[] | null>;
}

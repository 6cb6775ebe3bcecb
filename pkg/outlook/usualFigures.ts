import { LRUCache } from 'lru-cache';
import type { HistoryFigure } from '../series/figures';
import { gridOf } from '../series/grid';
import { gapSecondsOf, readOnGrid, type Wanted } from '../series/readOnGrid';
import type { FigureReads } from '../series/store';
import type { Turns } from '../turns';
import { anyZone, UTC } from '../sidekiq/schedule/zone';
import { Usual } from './usual';
import type { Slots } from './slots';

/** Lengths of slots, seconds; what is usual for a mean depends on how long the mean is over. */
export const SLOT_SECONDS = [300, 600, 900, 1200, 1800, 3600] as const;

/** So much of the past is looked at. */
const LOOK_BACK_SECONDS = 42 * 86_400;
/** What was learnt is used for so long. */
const FRESH_SECONDS = 3600;
const FEWEST_SAMPLES = 3;
/** Models kept of one history, of some 300 kB each. */
const MODELS_KEPT = 50;

/** How a history is sampled, and by whose clock work repeats. */
export interface Rhythm {
  readonly sampleSeconds: number;
  /** A name of the IANA database; UTC where it is empty. */
  readonly timeZone: string;
}

/** The slot length for means over an interval: the shortest that is not shorter; `null` where none fits. */
export function slotSecondsFor(
  intervalSeconds: number,
  { sampleSeconds }: Pick<Rhythm, 'sampleSeconds'>
): number | null {
  const least = Math.max(intervalSeconds, FEWEST_SAMPLES * sampleSeconds);
  return SLOT_SECONDS.find((seconds) => seconds >= least) ?? null;
}

const models = new WeakMap<FigureReads, LRUCache<string, Promise<Usual>>>();

/**
 * What is usual for a series, learnt from the six weeks before an instant, and kept for an hour.
 *
 * @param slotSeconds one of {@link SLOT_SECONDS}
 * @param to epoch seconds
 */
export function usualFor(
  reads: FigureReads,
  wanted: Wanted,
  slotSeconds: number,
  to: number,
  rhythm: Rhythm,
  turns?: Turns
): Promise<Usual> {
  const until = Math.floor(to / FRESH_SECONDS) * FRESH_SECONDS;
  const { figure, scope, key } = wanted;
  const known = models.get(reads) ?? new LRUCache<string, Promise<Usual>>({ max: MODELS_KEPT });
  models.set(reads, known);
  const name = JSON.stringify([scope, figure.name, key, slotSeconds, until, rhythm.timeZone]);
  const before = known.get(name);
  if (before) {
    return before;
  }
  const learning = newUsualFor(reads, wanted, slotSeconds, until, rhythm, turns);
  known.set(name, learning);
  learning.catch(() => known.delete(name));
  return learning;
}

/** A band is at least so wide: one job, one second, one execution. @param seconds that a value is the mean of */
export function leastWidthOf({ unit, leastWidth }: HistoryFigure, seconds: number): number {
  return leastWidth ?? (unit === 'suffix:jobs/s' ? 1 / seconds : unit === 'percentunit' ? 0.01 : 1);
}

/** The same, learnt anew. @param until epoch seconds, a multiple of the slot length */
export async function newUsualFor(
  reads: FigureReads,
  wanted: Wanted,
  seconds: number,
  until: number,
  rhythm: Rhythm,
  turns?: Turns
): Promise<Usual> {
  const slots = await slotsFor(reads, wanted, seconds, until, rhythm);
  return Usual.of(slots, anyZone(rhythm.timeZone) ?? UTC, wanted.figure.counter === true, turns);
}

/** The six weeks before an instant, or as much of them as there is. */
export async function slotsFor(
  reads: FigureReads,
  wanted: Wanted,
  seconds: number,
  until: number,
  { sampleSeconds }: Rhythm
): Promise<Slots> {
  const from = lookedBackTo(reads, until, seconds);
  const grid = gridOf(from, until - seconds, seconds);
  const sampled = { from, to: until, gapSeconds: gapSecondsOf(until - from, sampleSeconds), sampleSeconds };
  const [series] = await readOnGrid(reads, wanted, sampled, { grid, interval: seconds });
  const values = Float64Array.from(grid, (_, index) => series?.values[index] ?? NaN);
  return { startsAt: grid[0] ?? until, seconds, values };
}

/** Where the past that is learnt from begins, epoch seconds. @param seconds it is a multiple of */
export function lookedBackTo(reads: FigureReads, until: number, seconds: number): number {
  return Math.max(until - LOOK_BACK_SECONDS, Math.ceil((reads.oldest() ?? until) / seconds) * seconds);
}

import { PART_SECONDS, type Parts } from './chunk';
import { CLASS_SECONDS, countersOf, keptAs, type HistoryFigure, type HistoryScope } from './figures';
import {
  counterPoints,
  gaugeOnGrid,
  gaugePartsOnGrid,
  rateOnGrid,
  type Aggregate,
  type Gap,
  type GridSeries,
} from './grid';
import { GAP_SAMPLES, gapsOf, gapsOfParts, PACE_TOLD_STEPS, SLOWEST_PACE_SECONDS } from './pace';
import { hasBegunAnew, withoutLostWrites } from '../sidekiq/counters';
import type { FigureReads, Points } from './store';

/** Even instants, epoch seconds. */
export interface Grid {
  readonly grid: readonly number[];
  /** Seconds from one instant to the next. */
  readonly interval: number;
}

/** A range of samples, epoch seconds, and how they were taken. */
export interface SampledRange {
  readonly from: number;
  readonly to: number;
  /** Samples further apart have a gap between them. */
  readonly gapSeconds: number;
  /** Of the settings as they are now. */
  readonly sampleSeconds: number;
}

/** One series of one figure. */
export interface Wanted {
  readonly figure: HistoryFigure;
  readonly scope: HistoryScope;
  readonly key: string;
}

export interface SeriesOnGrid extends GridSeries, Grid {
  /** Of a quotient: of how many each value is the mean. */
  weights?: readonly number[];
}

/** In memory samples older than this are a minute apart. */
const FULL_PACE_SECONDS = 6 * 3600;
export const THINNED_SECONDS = 60;

/** Seconds between two samples that are a gap. @param ageSeconds of the oldest sample that is asked for */
export function gapSecondsOf(ageSeconds: number, sampleSeconds: number): number {
  return GAP_SAMPLES * (ageSeconds > FULL_PACE_SECONDS ? Math.max(sampleSeconds, THINNED_SECONDS) : sampleSeconds);
}

/**
 * Reads a series as values on a grid: means (or the largest, the smallest) of a gauge, rates of a counter. None where the
 * series has no points in the range. Intervals of whole five minutes are made of parts where the store has them.
 */
export async function readOnGrid(
  reads: FigureReads,
  { figure, scope, key }: Wanted,
  asked: SampledRange,
  grid: Grid,
  aggregate: Aggregate = 'mean'
): Promise<SeriesOnGrid[]> {
  if (figure.quotient) {
    const counters: Array<SeriesOnGrid | undefined> = [];
    for (const counter of countersOf(figure, figure.quotient)) {
      counters.push((await readOnGrid(reads, { figure: counter, scope, key }, asked, grid))[0]);
    }
    return quotients(counters);
  }
  const name = keptAs(figure);
  const gapSeconds = isSlow(figure, scope) ? Math.max(asked.gapSeconds, GAP_SAMPLES * CLASS_SECONDS) : asked.gapSeconds;
  const sampled = { ...asked, gapSeconds };
  // The first interval begins before the range, and is told whole.
  const from = Math.min(sampled.from, grid.grid[0] ?? sampled.from);
  const wide = grid.interval % PART_SECONDS === 0 && sampled.gapSeconds < PART_SECONDS;
  const parts = wide ? await reads.parts?.(scope, name, from, sampled.to, key) : undefined;
  const series: Array<Points | Parts> = parts ?? reads.read(scope, name, from, sampled.to, key);
  return series.map((each) =>
    onGrid({ figure, scope }, each, sampled, gapOf(reads, each, { ...sampled, from }), grid, aggregate)
  );
}

/** The gaps of a series: it may have been sampled at another pace than it is now. */
function gapOf(reads: FigureReads, series: Points | Parts, { from, to, gapSeconds }: SampledRange): Gap {
  if (isParts(series)) {
    return gapsOfParts(series, gapSeconds);
  }
  if (!series.at.some((at, index) => index > 0 && at - series.at[index - 1]! > gapSeconds)) {
    return gapSeconds;
  }
  // A figure that is seldom known has few points as well: what the whole store has is the pace of the sampler.
  return gapsOf(samplesOf(reads, from - PACE_TOLD_STEPS * SLOWEST_PACE_SECONDS, to) ?? series.at, gapSeconds);
}

function isParts(series: Points | Parts): series is Parts {
  return 'count' in series;
}

/** Figures of the whole installation of which each sample has at least one. */
const ALWAYS_KNOWN = ['enqueued', 'processes'];

/** Instants of the samples of a store; `null` where that is not known. */
function samplesOf(reads: FigureReads, from: number, to: number): readonly number[] | null {
  for (const figure of ALWAYS_KNOWN) {
    const [points] = reads.read('total', figure, from, to, '');
    if (points) {
      return points.at;
    }
  }
  return null;
}

function counterOf({ countedByEach }: HistoryFigure, scope: HistoryScope, series: Points | Parts): Points {
  const points = isParts(series) ? counterPoints(series) : series;
  if (countedByEach) {
    return asOneCounter(points);
  }
  // The counters of the whole installation are those of Redis, all others are counted here.
  return scope === 'total' ? { ...points, values: withoutLostWrites(points.values) } : points;
}

/** The counters of several processes, which lie close together, as the one that is ahead. */
function asOneCounter({ key, at, values }: Points): Points {
  let highest = 0;
  const raised = values.map((value) => (highest = hasBegunAnew(value, highest) ? value : Math.max(highest, value)));
  return { key, at, values: raised };
}

/** The mean of a gauge, or the rate of a counter, over the last seconds before an instant; `null` where too little is known. */
export function readLatest(
  reads: FigureReads,
  { figure, scope, key }: Wanted,
  now: number,
  seconds: number,
  sampleSeconds: number
): number | null {
  if (figure.quotient) {
    const [of = null, ...by] = countersOf(figure, figure.quotient).map((counter) =>
      readLatest(reads, { figure: counter, scope, key }, now, seconds, sampleSeconds)
    );
    const weight = weightOf(by);
    return of === null || weight === 0 ? null : of / weight;
  }
  const every = paceOf({ figure, scope }, sampleSeconds);
  const [points] = reads.read(scope, keptAs(figure), now - seconds - every, now, key);
  const last = points?.at.at(-1);
  if (!points || last === undefined || last < now - GAP_SAMPLES * every) {
    return null;
  }
  const sampled = { from: last - seconds, to: last, gapSeconds: GAP_SAMPLES * every, sampleSeconds: every };
  const grid = { grid: [last - seconds], interval: seconds };
  return onGrid({ figure, scope }, points, sampled, gapOf(reads, points, sampled), grid, 'mean').values[0] ?? null;
}

/** Seconds between two samples of a figure. */
export function paceOf({ figure, scope }: Omit<Wanted, 'key'>, sampleSeconds: number): number {
  return isSlow(figure, scope) ? Math.max(CLASS_SECONDS, sampleSeconds) : sampleSeconds;
}

function isSlow({ slow }: HistoryFigure, scope: HistoryScope): boolean {
  return slow === true || scope === 'class';
}

/** The first counter divided by the second, less the third. */
function quotients([of, ...by]: ReadonlyArray<SeriesOnGrid | undefined>): SeriesOnGrid[] {
  if (!of) {
    return [];
  }
  const weights = of.values.map((_, index) => weightOf(by.map((each) => each?.values[index] ?? null)));
  const values = of.values.map((value, index) =>
    value === null || weights[index] === 0 ? null : value / weights[index]!
  );
  return [{ ...of, values, weights }];
}

/** Rates closer than this are the same one, computed in another order. */
const ROUNDING = 1e-9;

/** How many by which is divided; 0 where that is not known. */
function weightOf([all = null, less = 0]: ReadonlyArray<number | null>): number {
  const weight = (all ?? 0) - (less ?? 0);
  return weight > ROUNDING ? weight : 0;
}

function onGrid(
  { figure, scope }: Omit<Wanted, 'key'>,
  series: Points | Parts,
  { to, gapSeconds, sampleSeconds }: SampledRange,
  gap: Gap,
  { grid, interval }: Grid,
  aggregate: Aggregate
): SeriesOnGrid {
  const times = figure.derived?.times ?? 1;
  const least = Math.min(interval, Math.max(interval / 2, 3 * sampleSeconds));
  const { key, values } = figure.counter
    ? rateOnGrid(counterOf(figure, scope, series), grid, interval, gap, least)
    : isParts(series)
      ? gaugePartsOnGrid(series, grid, interval, aggregate)
      : gaugeOnGrid(series, grid, interval, gap, aggregate);
  // The interval that has not ended is left out: a rule that takes the last value takes that of a whole one.
  let { length } = grid;
  while (
    figure.counter &&
    length > 0 &&
    values[length - 1] === null &&
    grid[length - 1]! + interval > to - gapSeconds
  ) {
    length -= 1;
  }
  return {
    key,
    grid: grid.slice(0, length),
    interval,
    values: values.slice(0, length).map((value) => value && value * times),
  };
}

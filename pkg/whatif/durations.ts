import type { Dice } from '../engine/dice';
import { HISTOGRAM_BOUNDS_MS } from '../sidekiq/jobMetrics';
import { firstAbove } from './firstAbove';
import type { DurationModel } from './model';

/** Executions above the last bound: only "more" is known. */
const LAST_FACTOR = 2;
/** Of an assumed lognormal distribution. */
const ASSUMED_SIGMA = 1;
/** Its buckets reach to so many standard deviations. */
const ASSUMED_REACH = 4;
const ASSUMED_BUCKETS = 40;

/**
 * Run times by Sidekiq's 26 buckets: within a bucket evenly spread on a scale of logarithms, in the first one evenly; all
 * of it scaled so that its mean is the measured one.
 *
 * @param counts executions by bucket; `null` where there are none
 */
export function durationsOf(counts: readonly number[], meanSeconds: number): DurationModel | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0 || !(meanSeconds > 0)) {
    return null;
  }
  const bounds = counts.map((_, index): readonly [number, number] => {
    const lower = index === 0 ? 0 : HISTOGRAM_BOUNDS_MS[index - 1]! / 1000;
    const upper = HISTOGRAM_BOUNDS_MS[index]! / 1000;
    return [lower, Number.isFinite(upper) ? upper : lower * LAST_FACTOR];
  });
  return modelOf(
    counts.map((count) => count / total),
    bounds,
    meanSeconds
  );
}

/** Run times of which only the mean is known: lognormal, as those of jobs mostly are. */
export function assumedDurations(meanSeconds: number): DurationModel {
  const width = (2 * ASSUMED_REACH) / ASSUMED_BUCKETS;
  const at = (index: number) => -ASSUMED_REACH + index * width;
  const density = Array.from({ length: ASSUMED_BUCKETS }, (_, index) => Math.exp(-((at(index) + width / 2) ** 2) / 2));
  const sum = density.reduce((total, each) => total + each, 0);
  const bounds = density.map((_, index): readonly [number, number] => [
    Math.exp(ASSUMED_SIGMA * at(index)),
    Math.exp(ASSUMED_SIGMA * at(index + 1)),
  ]);
  return modelOf(
    density.map((each) => each / sum),
    bounds,
    Math.max(meanSeconds, 1e-6)
  );
}

/** The same, so many times as long. */
export function scaled(model: DurationModel, factor: number): DurationModel {
  return { ...model, scale: model.scale * factor, meanSeconds: model.meanSeconds * factor };
}

/** Draws a run time in seconds. */
export function drawDuration({ cumulative, bounds, logs, scale }: DurationModel, dice: Dice): number {
  const drawn = dice.between(0, 1);
  const low = firstAbove(cumulative, drawn);
  // Where within the bucket: the rest of the same number.
  const below = low === 0 ? 0 : cumulative[low - 1]!;
  const within = (drawn - below) / (cumulative[low]! - below);
  const [lower, upper] = bounds[low]!;
  const log = logs[low]!;
  return scale * (log === 0 ? lower + within * (upper - lower) : lower * Math.exp(within * log));
}

/**
 * Draws how long a job that is found running still takes: long ones are found more often, at any point of their time. Within a
 * bucket that is even on a scale of logarithms the length of the one that is found is even.
 */
export function drawRest({ cumulativeTime, bounds, scale }: DurationModel, dice: Dice): number {
  const bucket = firstAbove(cumulativeTime, dice.between(0, 1));
  const [lower, upper] = bounds[bucket]!;
  const within = dice.between(0, 1);
  const length = lower === 0 ? upper * Math.sqrt(within) : lower + within * (upper - lower);
  return scale * length * dice.between(0, 1);
}

function modelOf(
  shares: readonly number[],
  bounds: ReadonlyArray<readonly [number, number]>,
  meanSeconds: number
): DurationModel {
  let sum = 0;
  let mean = 0;
  let square = 0;
  const means: number[] = [];
  const cumulative = shares.map((share, index) => {
    const [lower, upper] = bounds[index]!;
    const log = Math.log(upper / lower);
    mean += share * (lower === 0 ? upper / 2 : (upper - lower) / log);
    means.push(mean);
    square += share * (lower === 0 ? upper ** 2 / 3 : (upper ** 2 - lower ** 2) / (2 * log));
    return (sum += share);
  });
  cumulative[cumulative.length - 1] = 1;
  const cumulativeTime = means.map((each) => each / mean);
  const logs = bounds.map(([lower, upper]) => (lower === 0 ? 0 : Math.log(upper / lower)));
  return {
    cumulative,
    cumulativeTime,
    bounds,
    logs,
    scale: meanSeconds / mean,
    meanSeconds,
    variation: square / mean ** 2 - 1,
  };
}

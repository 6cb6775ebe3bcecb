import { expect, test } from 'vitest';
import { Dice } from '../../../pkg/engine/dice';
import { assumedDurations, drawDuration, drawRest, durationsOf, scaled } from '../../../pkg/whatif/durations';
import type { DurationModel } from '../../../pkg/whatif/model';
import { HISTOGRAM_BOUNDS_MS, noCounts } from '../../../pkg/sidekiq/jobMetrics';

function drawn(model: DurationModel, count = 50_000): number[] {
  const dice = new Dice(4);
  return Array.from({ length: count }, () => drawDuration(model, dice)).sort((a, b) => a - b);
}

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What Sidekiq writes of some durations in seconds: executions by bucket. */
function bucketsOf(seconds: readonly number[]): number[] {
  const counts = noCounts();
  for (const each of seconds) {
    counts[HISTOGRAM_BOUNDS_MS.findIndex((bound) => each * 1000 < bound)]! += 1;
  }
  return counts;
}

test.each<[string, () => DurationModel]>([
  // 1 in 100 in the last bucket, 1 in 10 in one of 25 s to 38 s, and none so long.
  [
    'one in a hundred is long',
    () =>
      durationsOf(
        noCounts().map((_, index) => (index === 3 ? 99 : Number(index === 25))),
        3
      )!,
  ],
  [
    'one in ten is long',
    () =>
      durationsOf(
        noCounts().map((_, index) => (index === 3 ? 90 : index === 17 ? 10 : 0)),
        3
      )!,
  ],
  ['lognormal', () => assumedDurations(1)],
  [
    'within the first bucket',
    () =>
      durationsOf(
        noCounts().map((_, index) => Number(index === 0)),
        0.01
      )!,
  ],
])('a job that is found running still takes E[X²] / 2 E[X] on average: %s', (_, make) => {
  const model = make();
  const all = drawn(model, 400_000);
  const expected = mean(all.map((each) => each * each)) / (2 * mean(all));
  const dice = new Dice(5);
  const rests = Array.from({ length: 100_000 }, () => drawRest(model, dice));
  expect(mean(rests) / expected).toBeGreaterThan(0.96);
  expect(mean(rests) / expected).toBeLessThan(1.04);
});

test.each([
  ['lognormal around 0.2 s', () => lognormal(0.145, 0.8)],
  ['lognormal around 40 s', () => lognormal(30, 0.6)],
  ['all within the first bucket', () => Array.from({ length: 5000 }, (_, index) => 0.001 + (index % 10) / 10_000)],
  ['two kinds', () => [...lognormal(0.05, 0.3), ...lognormal(8, 0.2).slice(0, 3000)]],
])('draws run times with the mean that was measured and about the same quantiles: %s', (_, make) => {
  const real = make().sort((a, b) => a - b);
  const model = durationsOf(bucketsOf(real), mean(real))!;
  const ours = drawn(model);
  expect(mean(ours) / mean(real)).toBeGreaterThan(0.97);
  expect(mean(ours) / mean(real)).toBeLessThan(1.03);
  // Within the first bucket nothing but the mean is known.
  for (const q of real.at(-1)! < 0.02 ? [] : [0.5, 0.9, 0.99]) {
    const at = (values: readonly number[]) => values[Math.floor(q * values.length)]!;
    // Bounds of buckets lie about 1.5 times apart.
    expect(at(ours) / at(real)).toBeGreaterThan(0.7);
    expect(at(ours) / at(real)).toBeLessThan(1.4);
  }
});

function lognormal(median: number, sigma: number): number[] {
  const dice = new Dice(8);
  return Array.from({ length: 5000 }, () => dice.duration(median, sigma));
}

test('without a histogram run times are lognormal around their mean', () => {
  const ours = drawn(assumedDurations(2));
  expect(mean(ours)).toBeCloseTo(2, 1);
  // The median of a lognormal of sigma 1 is its mean by the square root of e.
  expect(ours[25_000]! / (2 / Math.sqrt(Math.E))).toBeGreaterThan(0.9);
  expect(ours[25_000]! / (2 / Math.sqrt(Math.E))).toBeLessThan(1.1);
});

test('a factor changes every run time', () => {
  const model = assumedDurations(2);
  const [one, other] = [drawn(model, 100), drawn(scaled(model, 3), 100)];
  one.forEach((seconds, index) => expect(other[index]! / seconds).toBeCloseTo(3, 9));
});

test('there are none of nothing', () => {
  expect(durationsOf(noCounts(), 1)).toBeNull();
  expect(durationsOf(bucketsOf([1]), 0)).toBeNull();
});

import { expect, test } from 'vitest';
import {
  addCounts,
  HISTOGRAM_BOUNDS_MS,
  HISTOGRAM_SATURATION,
  noCounts,
  quantile,
  sumCounts,
  sumDurations,
} from '../../../pkg/sidekiq/jobMetrics';
import { aMinute } from '../../support/state';

function countsOf(counts: Record<number, number>): number[] {
  return noCounts().map((_, index) => counts[index] ?? 0);
}

// The worked example of Sidekiq's histograms: p50 = 458.75 ms, p90 = 1030 ms, p99 "> 335 s".
test('quantiles are interpolated in their bucket, and open at the end', () => {
  const counts = countsOf({ 8: 8, 9: 2, 10: 1, 25: 1 });
  // Rank 6 of 12 lies at 6/8 of the bucket from 335 to 500 ms.
  expect(quantile(0.5, counts)).toEqual({
    seconds: expect.closeTo(0.45875, 9),
    lowerSeconds: 0.335,
    upperSeconds: 0.5,
  });
  // Rank 10.8: 0.8 of the bucket from 750 to 1100 ms.
  expect(quantile(0.9, counts)).toEqual({ seconds: expect.closeTo(1.03, 9), lowerSeconds: 0.75, upperSeconds: 1.1 });
  expect(quantile(0.99, counts)).toEqual({ seconds: 335, lowerSeconds: 335, upperSeconds: Infinity });
});

test('the first bucket begins at 0, and one execution is interpolated too', () => {
  expect(quantile(0.5, countsOf({ 0: 4 }))).toEqual({ seconds: 0.01, lowerSeconds: 0, upperSeconds: 0.02 });
  expect(quantile(1, countsOf({ 0: 4 }))).toMatchObject({ seconds: 0.02 });
  expect(quantile(0.5, countsOf({ 1: 1 }))!.seconds).toBeCloseTo(0.025, 9);
  // Exactly at the end of a bucket the quantile is its bound.
  expect(quantile(0.5, countsOf({ 0: 2, 4: 2 }))).toMatchObject({ seconds: 0.02, upperSeconds: 0.02 });
  expect(quantile(0.75, countsOf({ 0: 2, 4: 2 }))!.seconds).toBeCloseTo(0.0825, 9);
});

test('without an execution there is no quantile', () => {
  expect(quantile(0.5, noCounts())).toBeNull();
});

test('Sidekiq has 26 duration buckets, the last without a bound', () => {
  expect(HISTOGRAM_BOUNDS_MS).toEqual([
    20,
    30,
    45,
    65,
    100,
    150,
    225,
    335,
    500,
    750,
    1100,
    1700,
    2500,
    3800,
    5750,
    8500,
    13000,
    20000,
    30000,
    45000,
    65000,
    100000,
    150000,
    225000,
    335000,
    Infinity,
  ]);
  expect(HISTOGRAM_SATURATION).toBe(2 ** 16 - 1);
  expect(noCounts()).toEqual(new Array(26).fill(0));
});

test('counts add up by class and by bucket', () => {
  expect(sumCounts([aMinute(0, { A: [1, 2, 3], B: [4, 5, 6] }), aMinute(60, { A: [10, 20, 30] })])).toEqual(
    new Map([
      ['A', { processed: 11, failed: 22, milliseconds: 33 }],
      ['B', { processed: 4, failed: 5, milliseconds: 6 }],
    ])
  );
  expect(addCounts([1, 2, 3], [10, 20])).toEqual([11, 22, 3]);
  expect(sumDurations([countsOf({ 0: 1 }), countsOf({ 0: 2, 25: 3 })])).toEqual(countsOf({ 0: 3, 25: 3 }));
  expect(sumDurations([])).toEqual(noCounts());
});

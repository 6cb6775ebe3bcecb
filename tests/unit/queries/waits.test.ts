import { expect, test } from 'vitest';
import { WAIT_BOUNDS_MS, type Waits } from '../../../pkg/observe/jobWaits';
import { waits } from '../../../pkg/queries/waits';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { aState } from '../../support/state';

const waited = (queue: string, buckets: Record<number, number>, sumSeconds: number): Waits => ({
  queue,
  class: 'A',
  metricsClass: 'A',
  counts: WAIT_BOUNDS_MS.map((_, index) => buckets[index] ?? 0),
  sumSeconds,
  maxSeconds: Infinity,
});

test('has jobs, mean and quantiles by queue and class, the longest mean first', async () => {
  const state = aState({
    jobWaits: [waited('short', { 0: 2, 1: 2 }, 0.6), waited('long', { [WAIT_BOUNDS_MS.length - 1]: 1 }, 20_000)],
  });
  const rows = await rowsOfState(waits, state);
  expect(rows).toEqual([
    // Above three hours only "more" is known.
    {
      queue: 'long',
      class: 'A',
      metricsClass: 'A',
      jobs: 1,
      mean: 20_000,
      p50: 10_800,
      p90: 10_800,
      p95: 10_800,
      p99: 10_800,
    },
    {
      queue: 'short',
      class: 'A',
      metricsClass: 'A',
      jobs: 4,
      mean: expect.closeTo(0.15, 9),
      // Rank 2 of 4 is the end of the first bucket.
      p50: 0.1,
      // Ranks 3.6, 3.8 and 3.96: that part of the two in the bucket from 100 to 250 ms.
      p90: expect.closeTo(0.1 + (1.6 / 2) * 0.15, 9),
      p95: expect.closeTo(0.1 + (1.8 / 2) * 0.15, 9),
      p99: expect.closeTo(0.1 + (1.96 / 2) * 0.15, 9),
    },
  ]);
  expect(Object.keys(rows[0]!)).toEqual(waits.columns.map(({ name }) => name));
});

test('says that it is a sample', async () => {
  expect(noticesOf(await askState(waits, aState()))[0]).toMatch(/^A sample: /);
});

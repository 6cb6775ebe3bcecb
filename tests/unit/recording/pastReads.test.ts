import { expect, test } from 'vitest';
import type { Past } from '../../../pkg/recording/block';
import { PastReads } from '../../../pkg/recording/pastReads';
import type { Recordings } from '../../../pkg/recording/recordings';
import { noCounts, type Durations } from '../../../pkg/sidekiq/jobMetrics';
import { aMinute, aState, listed, MINUTE } from '../../support/state';

const took = (startsAt: number, jobClass: string, count: number): Durations => ({
  startsAt,
  jobClass,
  counts: [count, ...noCounts().slice(1)],
});

// Asked for 13 seconds into a minute, of which is recorded what it came to hold.
test('a minute that went on at an instant holds what had run by then', async () => {
  const snapshot = {
    at: MINUTE + 13,
    minutes: listed(aMinute(MINUTE, { A: [2, 0, 200] }), aMinute(MINUTE - 60, { A: [9, 0, 900] })),
    durations: [took(MINUTE, 'A', 2)],
  };
  const past = { state: aState({ snapshot }), beside: null } as unknown as Past;
  const recorded = {
    minutes: [
      aMinute(MINUTE - 600, { A: [7, 0, 700] }),
      aMinute(MINUTE - 60, { A: [10, 0, 1000] }),
      aMinute(MINUTE, { A: [30, 0, 3000], Later: [5, 5, 0] }),
    ],
    durations: [took(MINUTE - 600, 'A', 7), took(MINUTE, 'A', 30), took(MINUTE, 'Later', 5)],
  };
  const recordings = { minutes: () => Promise.resolve(recorded) } as unknown as Recordings;
  const reads = new PastReads(past, {
    recordings,
    history: () => Promise.reject(new Error('not asked')),
    failuresAt: () => Promise.resolve(null),
  });
  const { buckets } = await reads.buckets({ from: MINUTE - 600, to: MINUTE + 13 });
  expect(
    buckets.map(({ startsAt, classes }) => [startsAt - MINUTE, [...classes.keys()], classes.get('A')!.processed])
  ).toEqual([
    [-600, ['A'], 7],
    // It had ended: what processes wrote of it later belongs to it.
    [-60, ['A'], 10],
    [0, ['A'], 2],
  ]);
  const { durations } = await reads.durations(['A', 'Later'], buckets);
  expect(durations.map(({ startsAt, jobClass, counts }) => [startsAt - MINUTE, jobClass, counts[0]])).toEqual([
    [-600, 'A', 7],
    [0, 'A', 2],
  ]);
});

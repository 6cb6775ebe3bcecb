import { describe, expect, test } from 'vitest';
import { JobWaits, WAIT_BOUNDS_MS } from '../../../pkg/observe/jobWaits';
import { waits } from '../../../pkg/queries/waits';
import { noticesOf, askState, rowsOfState } from '../../support/ask';
import { aSnapshot, aState, listed, NOW, partial, someWork } from '../../support/state';

const running = (jid: string, waited: number | null, part: Parameters<typeof someWork>[0] = {}) =>
  someWork({ jid, runAt: NOW, enqueuedAt: waited === null ? null : NOW - waited, ...part });
const observe = (...snapshots: Array<Parameters<typeof aSnapshot>[0]>) => {
  const observer = new JobWaits();
  snapshots.forEach((part) => observer.observe(aSnapshot(part)));
  return observer.view();
};
const jobs = (counts: readonly number[]) =>
  counts.flatMap((count, index) => (count > 0 ? [[WAIT_BOUNDS_MS[index], count]] : []));

describe('waits of running jobs', () => {
  test('count once for each job, however often it is seen', () => {
    const view = observe(
      { work: listed(running('a', 0.05), running('b', 7)) },
      { work: listed(running('a', 0.05), running('c', 7)) },
      { work: listed(running('d', 20_000)) }
    );
    expect(view).toHaveLength(1);
    expect(view[0]).toMatchObject({ queue: 'default', class: 'AJob' });
    expect(view[0]!.sumSeconds).toBeCloseTo(0.05 + 7 + 7 + 20_000, 6);
    expect(jobs(view[0]!.counts)).toEqual([
      [100, 1],
      [10_000, 2],
      [Infinity, 1],
    ]);
  });

  test('are by queue and class, on the bound in the lower bucket, and never below zero', () => {
    const view = observe({
      work: listed(running('a', 0.5), running('b', 0.5, { queue: 'other' }), running('c', -3, { class: 'B' })),
    });
    expect(view.map(({ queue, class: name, counts, sumSeconds }) => [queue, name, jobs(counts), sumSeconds])).toEqual(
      expect.arrayContaining([
        ['default', 'AJob', [[500, 1]], 0.5],
        ['other', 'AJob', [[500, 1]], 0.5],
        ['default', 'B', [[100, 1]], 0],
      ])
    );
  });

  test('are not counted where a time is missing, nor twice where a snapshot was not whole', () => {
    expect(observe({ work: listed(running('a', null), running('b', 1, { runAt: null })) })).toEqual([]);
    const view = observe({ work: listed(running('a', 1)) }, { work: partial() }, { work: listed(running('a', 1)) });
    expect(jobs(view[0]!.counts)).toEqual([[1000, 1]]);
  });

  test('leave a former view as it was', () => {
    const observer = new JobWaits();
    observer.observe(aSnapshot({ work: listed(running('a', 1)) }));
    const before = observer.view();
    observer.observe(aSnapshot({ work: listed(running('a', 1)) }));
    expect(observer.view()).toBe(before);
    observer.observe(aSnapshot({ work: listed(running('b', 1)) }));
    expect(jobs(before[0]!.counts)).toEqual([[1000, 1]]);
  });

  test('of a simulated month of ever new classes stay within their bound', () => {
    const observer = new JobWaits();
    for (let hour = 0; hour < 720; hour += 1) {
      const work = Array.from({ length: 20 }, (_, index) =>
        running(`${hour}-${index}`, 1, { class: `C${hour}-${index}` })
      );
      observer.observe(aSnapshot({ work: listed(...work) }));
    }
    expect(observer.view()).toHaveLength(5000);
    expect(observer.view().map((each) => each.class)).toContain('C719-19');
  });
});

test('the query has the quantiles of each queue and class, the longest waits first, and says that it is a sample', async () => {
  // Ten jobs: nine within a tenth of a second, one within a minute.
  const counts = WAIT_BOUNDS_MS.map((bound) => (bound === 100 ? 9 : bound === 60_000 ? 1 : 0));
  const slow = WAIT_BOUNDS_MS.map((bound) => (bound === Infinity ? 4 : 0));
  const state = aState({
    jobWaits: [
      { queue: 'q', class: 'A', counts, sumSeconds: 50 },
      { queue: 'q', class: 'B', counts: slow, sumSeconds: 80_000 },
    ],
  });
  const rows = await rowsOfState(waits, state);
  expect(rows[0]).toMatchObject({ class: 'B', jobs: 4, mean: 20_000, p50: 10_800, p99: 10_800 });
  expect(rows[1]).toEqual({
    queue: 'q',
    class: 'A',
    jobs: 10,
    mean: 5,
    // Rank 5 of the 9 in the first bucket.
    p50: expect.closeTo((5 / 9) * 0.1, 9),
    p90: expect.closeTo(0.1, 9),
    // Rank 9.5: half of the bucket from 30 to 60 s.
    p95: expect.closeTo(45, 6),
    p99: expect.closeTo(57, 6),
  });
  expect(noticesOf(await askState(waits, state)).join()).toMatch(/^A sample: each job/);
});

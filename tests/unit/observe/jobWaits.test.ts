import { describe, expect, test } from 'vitest';
import { JobWaits, WAIT_BOUNDS_MS } from '../../../pkg/observe/jobWaits';
import { aSnapshot, listed, NOW, partial, someWork } from '../../support/state';

/** As a client of Redis writes them that knows fractions of seconds. */
const BEGAN = NOW + 0.25;
const running = (jid: string, waited: number | null, part: Parameters<typeof someWork>[0] = {}) =>
  someWork({ jid, runAt: BEGAN, enqueuedAt: waited === null ? null : BEGAN - waited, ...part });
const observe = (...snapshots: Array<Parameters<typeof aSnapshot>[0]>) => {
  const observer = new JobWaits();
  snapshots.forEach((part) => observer.observe(aSnapshot(part)));
  return observer.view();
};
const jobs = (counts: readonly number[]) =>
  counts.flatMap((count, index) => (count > 0 ? [[WAIT_BOUNDS_MS[index], count]] : []));

describe('waits of running jobs', () => {
  test('are right on average, though Sidekiq cuts the time at which a job began off to a second', () => {
    // A hundred that waited 0.4 s each, enqueued ten milliseconds apart.
    const work = Array.from({ length: 100 }, (_, index) => {
      const enqueuedAt = NOW - 10 + index / 100 + 0.003;
      return someWork({ jid: `j${index}`, enqueuedAt, runAt: Math.floor(enqueuedAt + 0.4) });
    });
    const [view] = observe({ work: listed(...work) });
    expect(view!.sumSeconds / 100).toBeGreaterThan(0.38);
    expect(view!.sumSeconds / 100).toBeLessThan(0.42);
  });

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

  test('remember 50,000 running jobs at most while the work is not whole, the newest ones', () => {
    const observer = new JobWaits();
    const seen = () => observer.view().reduce((sum, { counts }) => sum + counts.reduce((a, b) => a + b, 0), 0);
    const batches = Array.from({ length: 60 }, (_, batch) =>
      Array.from({ length: 1000 }, (__, index) => running(`${batch}-${index}`, 1))
    );
    batches.forEach((jobs) => observer.observe(aSnapshot({ work: partial(...jobs) })));
    expect(seen()).toBe(60_000);
    // Those of the last fifty are known still; the ten before were forgotten, and count as new ones.
    observer.observe(aSnapshot({ work: partial(...batches[10]!, ...batches[59]!) }));
    expect(seen()).toBe(60_000);
    observer.observe(aSnapshot({ work: partial(...batches[9]!) }));
    expect(seen()).toBe(61_000);
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

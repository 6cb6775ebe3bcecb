import { describe, expect, test } from 'vitest';
import { HISTORY_FIGURES, HISTORY_SCOPES, seriesOf, SeriesTaker, type SeriesValue } from '../../../pkg/series/figures';
import { noCounts, noExecutions } from '../../../pkg/sidekiq/jobMetrics';
import { aCapsule, aProcess, aQueueState, aState, listed, NOW } from '../../support/state';

const find = (values: ReturnType<typeof seriesOf>, scope: string, key: string) =>
  Object.fromEntries(
    values.filter((each) => each.scope === scope && each.key === key).map(({ figure, value }) => [figure, value])
  );

const full = {
  totals: {
    enqueued: 1,
    latencyMaxSeconds: 2,
    busy: 3,
    threads: 4,
    readyThreads: 5,
    utilisation: 0.6,
    processes: 7,
    quietProcesses: 8,
    processed: 9,
    failed: 10,
  },
  snapshot: { totals: { scheduled: 11, retry: 12, dead: 13, deadLastHour: 14 } },
};
const figures = (part: object) => ({
  size: 1,
  waitSeconds: 2,
  busy: 3,
  threads: 4,
  readyThreads: 5,
  inRate: 6,
  outRate: 7,
  objectiveSeconds: 60,
  ...part,
});

test('the total has every figure of its own', () => {
  expect(find(seriesOf(aState(full)), 'total', '')).toEqual({
    enqueued: 1,
    latency: 2,
    busy: 3,
    threads: 4,
    readyThreads: 5,
    utilisation: 0.6,
    processes: 7,
    quietProcesses: 8,
    processedRate: 9,
    failedRate: 10,
    scheduled: 11,
    retry: 12,
    dead: 13,
    deadLastHour: 14,
  });
});

test('what is not known makes a gap, not a zero', () => {
  const values = seriesOf(
    aState({
      totals: { enqueued: null, processed: null, busy: 0 },
      queues: [aQueueState('a', { size: null, waitSeconds: null })],
    })
  );
  expect(Object.keys(find(values, 'total', ''))).not.toContain('enqueued');
  expect(find(values, 'total', '')).toMatchObject({ busy: 0 });
  expect(find(values, 'queue', 'a')).toEqual({ busy: 0, threads: 0, readyThreads: 0, objective: 300 });
});

test('a queue has its own figures', () => {
  expect(find(seriesOf(aState({ queues: [aQueueState('a', figures({}))] })), 'queue', 'a')).toEqual({
    enqueued: 1,
    latency: 2,
    busy: 3,
    threads: 4,
    readyThreads: 5,
    objective: 60,
    inRate: 6,
    outRate: 7,
  });
});

// Sizes, busy threads and rates add up; latency, threads and objective are those of the highest.
test('queues of a worker type add up, and share its threads', () => {
  const values = seriesOf(
    aState({
      queues: [
        aQueueState('a', figures({ workerType: 'T' })),
        aQueueState(
          'b',
          figures({
            workerType: 'T',
            size: 10,
            waitSeconds: 20,
            busy: 30,
            threads: 2,
            readyThreads: 50,
            inRate: null,
            objectiveSeconds: 90,
          })
        ),
        aQueueState('c', figures({ workerType: '' })),
      ],
      snapshot: {
        processes: listed(
          aProcess('a:1:x', { capsules: [aCapsule(4, { a: 0 }), aCapsule(7, { c: 0 })] }),
          aProcess('b:1:x', { capsules: [aCapsule(5, { b: 0, a: 0 })] }),
          aProcess('c:1:x', { capsules: [aCapsule(5, { b: 0 })], quiet: true })
        ),
      },
    })
  );
  expect(find(values, 'workerType', 'T')).toEqual({
    enqueued: 11,
    latency: 20,
    busy: 33,
    // Of the processes: each thread once, whatever it serves.
    threads: 14,
    readyThreads: 9,
    objective: 90,
    inRate: 6,
    outRate: 14,
  });
  expect(new Set(values.filter(({ scope }) => scope === 'workerType').map(({ key }) => key))).toEqual(new Set(['T']));
});

test('a worker type with a part that is not known has no sum', () => {
  const values = seriesOf(
    aState({
      queues: [
        aQueueState('a', figures({ workerType: 'T' })),
        aQueueState('b', figures({ workerType: 'T', size: null, inRate: null, outRate: null })),
      ],
    })
  );
  const type = find(values, 'workerType', 'T');
  expect(type).not.toHaveProperty('enqueued');
  expect(type).toMatchObject({ latency: 2, inRate: 6, outRate: 7 });
});

test('every figure that is kept is declared for its scope, and the other way round', () => {
  const classTotals = new Map([['A', { ...noExecutions(), durations: noCounts(), lastRunAt: NOW }]]);
  const queues = [aQueueState('a', figures({ workerType: 'T' }))];
  const values = new SeriesTaker().take(aState({ ...full, queues, classTotals }));
  for (const scope of HISTORY_SCOPES) {
    const declared = HISTORY_FIGURES.filter(({ scopes, derived }) => scopes.includes(scope) && !derived).flatMap(
      ({ name, quotient }) => (quotient ? [quotient.of, ...quotient.by] : [name])
    );
    expect(
      values
        .filter((each) => each.scope === scope)
        .map(({ figure }) => figure)
        .sort(),
      scope
    ).toEqual([...new Set(declared)].sort());
  }
  const derived = HISTORY_FIGURES.filter((figure) => figure.derived);
  expect(derived).toMatchObject([
    { name: 'processedPerHour', counter: true, derived: { from: 'processedRate', times: 3600 } },
  ]);
  expect(HISTORY_FIGURES.filter(({ counter }) => counter).map(({ name }) => name)).toEqual([
    'processedRate',
    'processedPerHour',
    'failedRate',
    'load',
  ]);
});

describe('job classes', () => {
  const total = (processed: number) => ({
    processed,
    failed: 1,
    milliseconds: 2500,
    durations: noCounts(),
    lastRunAt: NOW,
  });
  const at = (now: number, classTotals = new Map([['A', total(7)]])) => aState({ now, classTotals });
  const classesOf = (values: SeriesValue[]) => values.filter(({ scope }) => scope === 'class');

  test('are taken once in five minutes, with their counts and seconds of work', () => {
    const taker = new SeriesTaker();
    const start = Math.floor(NOW / 300) * 300;
    const taken = [0, 10, 299, 300, 310, 3000].map((seconds) => classesOf(taker.take(at(start + seconds))).length);
    expect(taken).toEqual([5, 0, 0, 5, 0, 5]);
    expect(classesOf(new SeriesTaker().take(at(NOW)))).toEqual([
      { scope: 'class', key: 'A', figure: 'processedRate', value: 7 },
      { scope: 'class', key: 'A', figure: 'failedRate', value: 1 },
      { scope: 'class', key: 'A', figure: 'load', value: 2.5 },
      { scope: 'class', key: 'A', figure: 'begun', value: 0 },
      { scope: 'class', key: 'A', figure: 'waited', value: 0 },
    ]);
  });

  test('and queues, types and all have what jobs had waited, by those that were seen to run', () => {
    const waits = (queue: string, metricsClass: string, jobs: number, sumSeconds: number) => ({
      ...{ queue, class: `shown ${metricsClass}`, metricsClass, maxSeconds: 9 },
      counts: [jobs - 1, 1],
      sumSeconds,
    });
    const jobWaits = [waits('a', 'A', 3, 6), waits('b', 'A', 2, 1), waits('gone', 'B', 5, 50)];
    const queues = [aQueueState('a', { workerType: 'T' }), aQueueState('b', { workerType: 'T' }), aQueueState('c')];
    const values = new SeriesTaker().take({ ...at(NOW), queues, jobWaits });
    const told = values.flatMap(({ scope, key, figure, value }) =>
      figure === 'begun' || figure === 'waited' ? [`${scope} ${key} ${figure} ${value}`] : []
    );
    expect(told.sort()).toEqual([
      'class A begun 5',
      'class A waited 7',
      'queue a begun 3',
      'queue a waited 6',
      'queue b begun 2',
      'queue b waited 1',
      'queue c begun 0',
      'queue c waited 0',
      'total  begun 10',
      'total  waited 57',
      'workerType T begun 5',
      'workerType T waited 7',
    ]);
  });

  test('are those that ran most, where there are very many', () => {
    const many = new Map(Array.from({ length: 2000 }, (_, index) => [`C${index}`, total(index)]));
    const keys = new Set(classesOf(new SeriesTaker().take(at(NOW, many))).map(({ key }) => key));
    expect(keys.size).toBe(500);
    expect([keys.has('C1500'), keys.has('C1499')]).toEqual([true, false]);
  });
});

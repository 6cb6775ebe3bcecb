import { describe, expect, test } from 'vitest';
import type { State } from '../../../pkg/watch/state';
import { rowsOf } from '../../../pkg/frames/frame';
import type { Reads } from '../../../pkg/source/reads';
import { jobMetrics } from '../../../pkg/queries/jobMetrics';
import { noCounts, noExecutions } from '../../../pkg/sidekiq/jobMetrics';
import { metricKeys } from '../../../pkg/sidekiq/keys';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import { askState, noticesOf, rowsOfState, type Asked } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { aMinute, aQueueState, aState, listed, MINUTE, NOW } from '../../support/state';
import { sendPacket } from '../../support/statsd';

const minute = (ago: number) => `hgetall ${metricKeys.minute(MINUTE - ago)}`;
const histogram = (name: string, ago: number) => `get ${metricKeys.histogram(name, MINUTE - ago)}`;
/** Counters of the duration buckets, as they are stored. */
const stored = (counts: Record<number, number>) => {
  const bytes = Buffer.alloc(52);
  Object.entries(counts).forEach(([index, count]) => bytes.writeUInt16BE(count, 2 * Number(index)));
  return bytes;
};

// In the hour before: A ran 10 times in two minutes, failed twice, took 16 s; B ran once and failed; C took long.
const ANSWERS = {
  [minute(0)]: ['A|p', '4', 'A|f', '1', 'A|ms', '6000'],
  [minute(600)]: ['A|p', '6', 'A|f', '1', 'A|ms', '10000', 'B|p', '1', 'B|f', '1', 'C|p', '2', 'C|ms', '700000'],
  // Of eight successes four took up to 20 ms, four between 500 and 750 ms.
  [histogram('A', 0)]: stored({ 0: 3 }),
  [histogram('A', 600)]: stored({ 0: 1, 9: 4 }),
  [histogram('C', 600)]: stored({ 25: 2 }),
};
const ask = (asked: Asked = {}, state: State = aState()) => askState(jobMetrics, state, { answers: ANSWERS, ...asked });
const rows = (asked: Asked = {}, state: State = aState()) =>
  rowsOfState(jobMetrics, state, { answers: ANSWERS, ...asked });
const lastMinutes = { range: { from: NOW - 150, to: NOW } };
const lastHour = { range: { from: MINUTE - 3600, to: NOW } };

describe('as a table', () => {
  test('tells what a class costs a month where a thread-hour has a price', async () => {
    const priced = aState({ options: { threadHourPrice: 0.02 } });
    const [row] = await rows({ query: { figures: ['costPerMonth'] }, request: lastHour }, priced);
    // C: 700 s of work in an hour, 730 hours, two cents.
    expect(row).toEqual({ class: 'C', costPerMonth: expect.closeTo((700 / 3600) * 730 * 0.02, 9) });
  });

  test('says what a cost needs where it is asked for without a price', async () => {
    const told = async (figures: string[]) => noticesOf(await ask({ query: { figures }, request: lastHour })).join();
    expect(await told(['executions', 'costPerMonth'])).toContain('set "threadHourPrice"');
    expect(await told([])).not.toContain('threadHourPrice');
  });

  test('has every figure of a class', async () => {
    const [, row] = await rows({ request: lastHour });
    expect(row).toEqual({
      class: 'A',
      executions: 10,
      failures: 2,
      failureRate: 0.2,
      // Six in the hour; the four of the minute that runs still are counted and make no rate.
      rate: 6 / 3600,
      totalTime: 16,
      // Ten seconds of work of the minutes that have ended, over an hour.
      threads: expect.closeTo(10 / 3600, 9),
      costPerMonth: null,
      // 16 s of eight successes.
      meanTime: 2,
      // Rank 4 of 8 is the end of the first bucket.
      p50: 0.02,
      // Rank 7.2: 3.2 of the 4 in the bucket from 500 to 750 ms.
      p90: expect.closeTo(0.7, 9),
      // Rank 7.6: 3.6 of 4.
      p95: expect.closeTo(0.725, 9),
      // Rank 7.92: 3.92 of 4.
      p99: expect.closeTo(0.745, 9),
      p99Lower: 0.5,
      p99Upper: 0.75,
    });
    const others = ['workerType', 'queue'];
    expect(Object.keys(row!)).toEqual(
      jobMetrics.columns.map(({ name }) => name).filter((name) => !others.includes(name))
    );
  });

  test('knows no mean and no quantile where nothing succeeded, no bound above 335 s', async () => {
    const found = await rows();
    const of = (name: string) => found.find((row) => row['class'] === name);
    expect(of('B')).toMatchObject({
      executions: 1,
      failures: 1,
      failureRate: 1,
      meanTime: null,
      p50: null,
      p99Lower: null,
      p99Upper: null,
    });
    expect(of('C')).toMatchObject({ p50: 335, p99: 335, p99Lower: 335, p99Upper: null });
  });

  test.each([
    ['totalTime', ['C', 'A', 'B']],
    ['executions', ['A', 'C', 'B']],
    ['rate', ['A', 'C', 'B']],
    ['failures', ['A', 'B', 'C']],
    ['failureRate', ['B', 'A', 'C']],
    ['meanTime', ['C', 'A', 'B']],
  ])('is ranked by %s', async (sortBy, order) => {
    expect((await rows({ query: { sortBy } })).map((row) => row['class'])).toEqual(order);
  });

  test('is cut to the first classes, and says so', async () => {
    const frames = await ask({ query: { top: 2 } });
    expect(frames[0]!.fields[0]!.values).toEqual(['C', 'A']);
    expect(noticesOf(frames)).toEqual([
      'The first 2 of 3 classes by totalTime are shown. Raise "Top" or add a filter.',
    ]);
    expect(noticesOf(await ask({ query: { top: 3 } }))).toEqual([]);
  });

  test('is filtered by class before it is cut', async () => {
    const found = await rows({ query: { top: 1, filters: [{ field: 'class', operator: '=~', values: ['[AB]'] }] } });
    expect(found.map((row) => row['class'])).toEqual(['A']);
  });

  describe('by queue and worker type', () => {
    // A runs from two queues, three quarters of its work from the first; of C it was not seen where it runs.
    const placed = aState({
      options: { threadHourPrice: 0.02 },
      queues: [
        aQueueState('default', { workerType: 'Default Worker' }),
        aQueueState('critical', { workerType: 'Default Worker' }),
        aQueueState('mailers'),
      ],
      classQueues: new Map([
        ['A', 'default'],
        ['B', 'mailers'],
      ]),
      classShares: new Map([
        [
          'A',
          [
            ['default', 0.75],
            ['critical', 0.25],
          ],
        ],
      ]),
    });
    const figures = ['executions', 'failures', 'totalTime', 'threads', 'costPerMonth', 'meanTime', 'p50'];

    test('divides classes by the work that each queue has of them, with what it costs', async () => {
      const found = await rows({ query: { by: 'queue', figures }, request: lastHour }, placed);
      const cost = (seconds: number): unknown => expect.closeTo((seconds / 3600) * 730 * 0.02, 9);
      const threads = (seconds: number): unknown => expect.closeTo(seconds / 3600, 9);
      // Of A ten executions with 16 s, of which 10 s in minutes that have ended; half of the successes took up to 20 ms.
      expect(found).toEqual([
        {
          ...{ workerType: '', queue: '', executions: 2, failures: 0, totalTime: 700 },
          ...{ threads: threads(700), costPerMonth: cost(700), meanTime: 350, p50: 335 },
        },
        {
          ...{ workerType: 'Default Worker', queue: 'default', executions: 8, failures: 2, totalTime: 12 },
          ...{ threads: threads(7.5), costPerMonth: cost(7.5), meanTime: 2, p50: 0.02 },
        },
        {
          ...{ workerType: 'Default Worker', queue: 'critical', executions: 3, failures: 1, totalTime: 4 },
          ...{ threads: threads(2.5), costPerMonth: cost(2.5), meanTime: 2, p50: 0.02 },
        },
        {
          ...{ workerType: '', queue: 'mailers', executions: 1, failures: 1, totalTime: 0 },
          ...{ threads: threads(0), costPerMonth: cost(0), meanTime: null, p50: null },
        },
      ]);
    });

    test('loses nothing: worker types and queues add up to what the classes have', async () => {
      const total = async (by: string) =>
        (await rows({ query: { by, figures: ['totalTime'] } }, placed)).reduce(
          (sum, row) => sum + Number(row['totalTime']),
          0
        );
      expect([await total('queue'), await total('workerType')]).toEqual([await total('class'), await total('class')]);
      const names = (await rows({ query: { by: 'workerType' } }, placed)).map((row) => row['workerType']);
      expect(names).toEqual(['', 'Default Worker', 'other: mailers']);
    });

    test('says what is an estimate, and what has no queue', async () => {
      expect(noticesOf(await ask({ query: { by: 'queue' } }, placed))).toEqual([
        'Sidekiq counts by class. The work of 1 class with several queues is divided by the threads that each queue was seen to keep busy, so that figures by queue are estimates.',
        'The queue of 1 class was not seen; the executions are in the row without a name.',
      ]);
    });

    test.each([
      ['of a queue', { field: 'queue', operator: '=', values: ['critical'] }, [['A', 4]]],
      ['of a worker type', { field: 'workerType', operator: '=', values: ['Default Worker'] }, [['A', 16]]],
      [
        'of queues without a worker type',
        { field: 'workerType', operator: '=', values: ['other: mailers'] },
        [['B', 0]],
      ],
      [
        'not of a queue',
        { field: 'queue', operator: '!=', values: ['default', 'mailers'] },
        [
          ['C', 700],
          ['A', 4],
        ],
      ],
    ] as const)('by class is the part %s', async (_, filter, expected) => {
      const found = await rows({ query: { filters: [filter], figures: ['totalTime'] } }, placed);
      expect(found.map((row) => [row['class'], row['totalTime']])).toEqual(expected);
    });

    test('goes by the queues of the end of the range, and says where those were not recorded', async () => {
      const before = { range: { from: MINUTE - 3600, to: MINUTE - 300 } };
      const then = aState({ ...placed, classQueues: new Map([['A', 'old']]), classShares: new Map() });
      const query = {
        by: 'queue',
        figures: ['totalTime'],
        filters: [{ field: 'class', operator: '=', values: ['A'] }],
      };
      const of = async (request: object) => {
        const frames = await ask({ query, request }, placed);
        return [
          frames.flatMap(rowsOf).map((row) => row['queue']),
          noticesOf(frames).filter((text) => text.includes('as now')),
        ];
      };
      expect(await of({ ...before, then })).toEqual([['old'], []]);
      expect(await of(before)).toEqual([
        ['default', 'critical'],
        ['From which queues classes ran at the end of the time range was not recorded: they are divided as now.'],
      ]);
    });

    test('is a series a queue over time, in which those without a name are told', async () => {
      const frames = await ask({ query: { by: 'queue', show: 'series', figures: ['failures'] } }, placed);
      const field = (name: string) => frames.find((frame) => frame.name === name)!.fields[1]!;
      expect(frames.map(({ fields }) => [fields[1]!.labels, fields[1]!.config?.displayNameFromDS])).toEqual([
        [{ queue: '' }, 'unknown queue'],
        [{ queue: 'default' }, 'default'],
        [{ queue: 'critical' }, 'critical'],
        [{ queue: 'mailers' }, 'mailers'],
      ]);
      expect(field('default').values.filter(Boolean)).toEqual([1]);
    });
  });

  test('reads durations only for figures that need them', async () => {
    const answers = { ...ANSWERS, get: noPermission('get') };
    for (const key of [histogram('A', 0), histogram('A', 600), histogram('C', 600)]) {
      delete (answers as Record<string, unknown>)[key];
    }
    expect(noticesOf(await ask({ answers, query: { figures: ['executions'] } }))).toEqual([]);
    expect(noticesOf(await ask({ answers, query: { figures: ['p99Lower'] } }))[0]).toMatch(/^No job durations: /);
    expect(noticesOf(await ask({ answers }))[0]).toMatch(/^No job durations: /);
  });

  test('tells of a duration bucket that is full', async () => {
    const full = { ...ANSWERS, [histogram('A', 600)]: stored({ 3: 65_535 }) };
    expect(noticesOf(await ask({ answers: full }))).toEqual([
      'A duration bucket is full (65,535 a minute) for A: quantiles may be off there.',
    ]);
    const almost = { ...ANSWERS, [histogram('A', 600)]: stored({ 3: 65_534 }), [histogram('A', 0)]: stored({ 3: 5 }) };
    expect(noticesOf(await ask({ answers: almost }))).toEqual([]);
  });

  test('takes a range of less than a minute as a minute', async () => {
    const [row] = await rows({ request: { range: { from: NOW - 5, to: NOW } } });
    // The minute runs still, so that no rate can be told.
    expect(row).toMatchObject({ class: 'A', executions: 4, rate: null });
  });

  test('has the rate of whole minutes where the range begins and ends within one', async () => {
    // From 11:30 before the minute to 9:30 before it: three minutes are counted, and both executions of one minute.
    const found = await rows({ request: { range: { from: MINUTE - 690, to: MINUTE - 570 } } });
    expect(found.find((row) => row['class'] === 'A')).toMatchObject({ executions: 6, rate: 6 / 180 });
  });

  test('ends with the asked range', async () => {
    const found = await rows({ request: { range: { from: MINUTE - 660, to: MINUTE - 540 } } });
    expect(found.find((row) => row['class'] === 'A')).toMatchObject({ executions: 6, rate: 6 / 120 });
  });
});

describe('over more than eight hours', () => {
  const range = { from: NOW - 24 * 3600, to: NOW };
  const ten = `hgetall ${metricKeys.tenMinutes(MINUTE - 9 * 3600)}`;

  test('comes per ten minutes, without quantiles, and says so', async () => {
    const answers = { [ten]: ['A|p', '60', 'A|ms', '600000'] };
    const [row] = await rows({ answers, request: { range } });
    expect(row).toMatchObject({ executions: 60, meanTime: 10, p50: null });
    expect(noticesOf(await ask({ answers, request: { range } }))).toEqual([
      'Sidekiq keeps durations for 8 hours, so there are no quantiles for this time range.',
    ]);
  });

  test('has what Sidekiq before 8.0 wrote, which has no counters of ten minutes, of the last eight hours', async () => {
    const answers = {
      [ten]: ['A|p', '60', 'A|ms', '600000'],
      [`hgetall ${metricKeys.oldMinute(MINUTE - 7200)}`]: ['A|p', '7', 'A|f', '2', 'A|ms', '500'],
      // Sidekiq 8 writes both; each execution counts once.
      [minute(7200)]: ['A|p', '5', 'A|ms', '100'],
      [`hgetall ${metricKeys.tenMinutes(MINUTE - 7200)}`]: ['A|p', '5', 'A|ms', '100'],
    };
    const [row] = await rows({ answers, request: { range } });
    expect(row).toMatchObject({ executions: 72, failures: 2, totalTime: 600.6 });
    expect(noticesOf(await ask({ answers, request: { range } }))[0]).toMatch(
      /^Before 2026-\d\d-\d\d \d\d:\d0:00 UTC executions by Sidekiq older than 8\.0 are not known: it keeps its job metrics for 8 hours\.$/
    );
  });

  /** Sidekiq 7.3 alone: sixty executions of half a second each minute, of which Redis keeps the last eight hours. */
  const old = Object.fromEntries(
    Array.from({ length: 480 }, (_, index) => [
      `hgetall ${metricKeys.oldMinute(MINUTE - 60 * index)}`,
      ['A|p', '60', 'A|ms', '30000'],
    ])
  );

  test.each([9, 24, 48])('of Sidekiq before 8.0, %i hours have the rate of the hours that are known', async (hours) => {
    const request = { range: { from: NOW - hours * 3600, to: NOW } };
    const [row] = await rows({ answers: old, request });
    expect(row!['rate']).toBeCloseTo(1, 9);
    expect(row!['threads']).toBeCloseTo(0.5, 9);
    const query = { show: 'series', figures: ['rate'] };
    const [frame] = await ask({ answers: old, query, request: { ...request, intervalSeconds: 600 } });
    const values = frame!.fields[1]!.values;
    expect(new Set(values)).toEqual(new Set([null, 1]));
    expect(values.slice(0, 6)).toEqual([null, null, null, null, null, null].slice(0, Math.min(6, 6 * (hours - 8))));
    expect(noticesOf([frame!])).toContain('Rates and means are of the time that is known.');
  });

  test('of Sidekiq 7.3 beside 8.1, counters of ten minutes tell a part, of which there is no rate', async () => {
    // Each executes half a job a second; the older one writes no counters of ten minutes.
    const both = Array.from({ length: 480 }, (_, index) => [
      [`hgetall ${metricKeys.oldMinute(MINUTE - 60 * index)}`, ['A|p', '30', 'A|ms', '15000']],
      [minute(60 * index), ['A|p', '30', 'A|ms', '15000']],
    ]).flat();
    const tens = Array.from({ length: 150 }, (_, index) => [
      `hgetall ${metricKeys.tenMinutes(Math.floor(MINUTE / 600) * 600 - 600 * index)}`,
      ['A|p', '300', 'A|ms', '150000'],
    ]);
    const answers = Object.fromEntries([...both, ...tens]);
    const [row] = await rows({ answers, request: { range } });
    expect(row!['rate']).toBeCloseTo(1, 9);
    expect(row!['threads']).toBeCloseTo(0.5, 9);
    // What the newer one counted is told.
    expect(row!['executions']).toBeGreaterThan(28_000);
    const query = { show: 'series', figures: ['rate'] };
    const [frame] = await ask({ answers, query, request: { range, intervalSeconds: 600 } });
    expect(new Set(frame!.fields[1]!.values)).toEqual(new Set([null, 1]));
  });

  test('minutes that Redis refuses are no time in which nothing ran', async () => {
    const isRefused = (index: number) => index >= 60 && index < 90 && index % 3 === 0;
    const minutes = Array.from({ length: 480 }, (_, index) => [
      minute(60 * index),
      isRefused(index) ? noPermission('hgetall') : ['A|p', '60', 'A|ms', '30000'],
    ]);
    const tens = Array.from({ length: 30 }, (_, index) => [
      `hgetall ${metricKeys.tenMinutes(Math.floor(MINUTE / 600) * 600 - 600 * (47 + index))}`,
      ['A|p', '600', 'A|ms', '300000'],
    ]);
    const request = { range: { from: NOW - 10 * 3600, to: NOW } };
    const [row] = await rows({ answers: Object.fromEntries([...minutes, ...tens]), request });
    expect(row!['rate']).toBeCloseTo(1, 9);
    expect(row!['threads']).toBeCloseTo(0.5, 9);
  });

  test('of Sidekiq before 8.0, minutes that were not recorded are no time in which nothing ran', async () => {
    const from = MINUTE - 12 * 3600;
    // Every third minute is missing.
    const recorded = Array.from({ length: 12 * 60 }, (_, index) => index).filter((index) => index % 3 !== 0);
    const reads = {
      minutesKeptSeconds: 8 * 3600,
      recordedMinutes: async (asked: { to: number }) => ({
        minutes: recorded
          .map((index) => aMinute(from + 60 * index, { A: [60, 0, 30_000] }))
          .filter(({ startsAt }) => startsAt <= asked.to),
        durations: [],
        missing: 80,
      }),
      buckets: async (asked: { from: number; to: number }, seconds: number) => ({
        buckets: Array.from({ length: Math.ceil((asked.to - asked.from) / seconds) }, (_, index) => ({
          ...aMinute(asked.from + seconds * index, seconds === 60 ? { A: [60, 0, 30_000] } : {}),
          shapes: new Map(seconds === 60 ? [['A', ['old']]] : []),
        })),
        notices: [],
      }),
      durations: async () => ({ durations: [], notices: [] }),
    } as unknown as Reads;
    const request = { range: { from, to: NOW }, intervalSeconds: 600, alerting: false };
    const ask = (query: object) => jobMetrics.run({ queryType: 'job_metrics', ...query }, aState(), request, reads);
    const [row] = rowsOf((await ask({}))[0]!);
    expect([row!['rate'], row!['threads']]).toEqual([expect.closeTo(1, 9), expect.closeTo(0.5, 9)]);
    const [executions] = await ask({ show: 'series', figures: ['executions'] });
    expect(new Set(executions!.fields[1]!.values)).toEqual(new Set([null, 600]));
    const [rate] = await ask({ show: 'series', figures: ['rate'] });
    expect(new Set(rate!.fields[1]!.values)).toEqual(new Set([1]));
  });

  test('ends with ten whole minutes where the range ends within them', async () => {
    // Noon and some seconds: two hours ago ends at 10:02, which has minutes until 10:10.
    const request = { range: { from: NOW - 20 * 3600, to: NOW - 2 * 3600 + 120 }, intervalSeconds: 600 };
    const [frame] = await ask({ answers: old, query: { show: 'series', figures: ['executions'] }, request });
    expect(frame!.fields[1]!.values.at(-1)).toBe(600);
    const [rate] = await ask({ answers: old, query: { show: 'series', figures: ['rate'] }, request });
    expect(rate!.fields[1]!.values.at(-1)).toBe(1);
  });

  test('has recorded minutes before that where they tell of more', async () => {
    const reads = {
      minutesKeptSeconds: 8 * 3600,
      recordedMinutes: async () => ({
        minutes: [
          aMinute(MINUTE - 9 * 3600, { A: [10, 1, 9000], B: [3, 0, 10] }),
          aMinute(MINUTE - 10 * 3600, { A: [4, 0, 1] }),
        ],
        durations: [],
        missing: 500,
      }),
      buckets: async (_: unknown, seconds: number) => ({
        buckets:
          seconds === 600
            ? [aMinute(Math.floor((MINUTE - 9 * 3600) / 600) * 600, { A: [12, 0, 9000], B: [1, 0, 5] })]
            : [],
        notices: [],
      }),
      durations: async () => ({ durations: [], notices: [] }),
    } as unknown as Reads;
    const request = { range: { from: NOW - 11 * 3600, to: NOW }, intervalSeconds: 60, alerting: false };
    const [frame] = await jobMetrics.run({ queryType: 'job_metrics' }, aState(), request, reads);
    expect(rowsOf(frame!).map((row) => [row['class'], row['executions']])).toEqual([
      ['A', 16],
      ['B', 3],
    ]);
  });

  test('comes by the minute from what was recorded, with quantiles, and from Redis what it still keeps', async () => {
    const old = aMinute(MINUTE - 9 * 3600, { A: [10, 1, 9000] });
    const recent = aMinute(MINUTE - 120, { A: [2, 0, 1000] });
    const counts = Array.from({ length: 26 }, (_, bucket) => (bucket === 9 ? 9 : 0));
    const asked: unknown[] = [];
    const reads = {
      minutesKeptSeconds: 8 * 3600,
      recordedMinutes: async (of: unknown) => {
        asked.push(of);
        return { minutes: [old], durations: [{ startsAt: old.startsAt, jobClass: 'A', counts }], missing: 0 };
      },
      buckets: async (of: unknown) => {
        asked.push(of);
        return { buckets: [recent], notices: [] };
      },
      durations: async () => ({ durations: [], notices: [] }),
    } as unknown as Reads;
    const request = { range: { from: NOW - 9 * 3600, to: NOW }, intervalSeconds: 60, alerting: false };
    const [frame] = await jobMetrics.run({ queryType: 'job_metrics' }, aState(), request, reads);
    expect(rowsOf(frame!)[0]).toMatchObject({ executions: 12, failures: 1, totalTime: 10, p50: 0.625 });
    // Redis keeps minutes for eight hours; five minutes of them are spare.
    const from = MINUTE - 8 * 3600 + 300;
    expect(asked).toEqual([
      { from: NOW - 9 * 3600, to: from - 1 },
      { from, to: NOW },
    ]);
    expect(noticesOf([frame!])).toEqual(['Minutes that Sidekiq no longer keeps come from the recording.']);
  });

  test('says where Sidekiq keeps nothing from', async () => {
    expect(noticesOf(await ask({ request: { range: { from: NOW - 100 * 3600, to: NOW } } }))[0]).toBe(
      'Sidekiq keeps its job metrics for 72 hours (per ten minutes, since Sidekiq 8.0); there is nothing from before.'
    );
    expect(noticesOf(await ask({ request: { range: { from: NOW - 8 * 3600 - 30, to: NOW } } }))).toEqual([
      'Sidekiq keeps its job metrics for 8 hours; there is nothing from before.',
    ]);
    expect(noticesOf(await ask({ request: { range: { from: NOW - 8 * 3600, to: NOW } } }))).toEqual([]);
  });
});

describe('as time series', () => {
  const series = (asked: Asked = {}) => ask({ ...asked, query: { show: 'series', ...asked.query } });

  test('has a frame per class with the rate, by minute', async () => {
    const frames = await series({ request: { range: { from: MINUTE - 660, to: NOW } } });
    expect(frames.map(({ name }) => name)).toEqual(['C', 'A', 'B']);
    const [time, rate] = frames[1]!.fields;
    expect(time).toMatchObject({ name: 'time', kind: 'time', config: { displayName: 'Time' } });
    expect(time!.values).toEqual(Array.from({ length: 11 }, (_, index) => (MINUTE - 660 + index * 60) * 1000));
    expect(rate).toMatchObject({
      name: 'rate',
      labels: { class: 'A' },
      config: {
        displayNameFromDS: 'A',
        unit: 'suffix:jobs/s',
        description: 'Executions per second, over the minutes that have ended.',
      },
    });
    // 6 in a minute; the minute that has not ended is left out: half a minute after its begin it says nothing reliable.
    expect(rate!.values).toEqual([0, 6 / 60, ...new Array(9).fill(0)]);
    expect(frames[1]!.meta).toEqual({
      type: 'timeseries-multi',
      typeVersion: [0, 1],
      preferredVisualisationType: 'graph',
    });
  });

  test('has whole buckets per point, those of the interval or the next longer', async () => {
    const [, frame] = await series({
      query: { figures: ['executions'] },
      request: { range: { from: MINUTE - 600, to: NOW }, intervalSeconds: 61 },
    });
    const [time, executions] = frame!.fields;
    expect((time!.values[1] as number) - (time!.values[0] as number)).toBe(120_000);
    expect(executions!.values).toEqual([6, 0, 0, 0, 0]);
  });

  test('has no sum where a point lacks a part of its time, and a rate of the part that is there', async () => {
    // The points begin at multiples of 240 s; the first lacks its first three minutes, the last its fourth.
    const request = { range: { from: MINUTE - 600, to: NOW }, intervalSeconds: 240 };
    const [, sums] = await series({ query: { figures: ['executions'] }, request });
    const [, rates] = await series({ query: { figures: ['rate'] }, request });
    const starts = sums!.fields[0]!.values as number[];
    const minutes = starts.map(
      (at) => [0, 60, 120, 180].filter((part) => at / 1000 + part >= MINUTE - 600 && at / 1000 + part < MINUTE).length
    );
    expect(sums!.fields[1]!.values).toEqual(minutes.map((count, index) => (count < 4 ? null : index === 0 ? 6 : 0)));
    expect(rates!.fields[1]!.values[0]).toBeCloseTo(6 / (minutes[0]! * 60), 9);
  });

  test('leaves out the minute that has not ended', async () => {
    const frames = await series({ request: { range: { from: MINUTE, to: NOW } } });
    expect(frames.find(({ name }) => name === 'A')!.fields[1]!.values).toEqual([]);
  });

  test('has quantiles from the durations of each step', async () => {
    const [, frame] = await series({
      query: { figures: ['p50'] },
      request: { range: { from: MINUTE - 600, to: NOW }, intervalSeconds: 300 },
    });
    // 1 of 5 up to 20 ms: rank 2.5 is 1.5 of the 4 from 500 to 750 ms.
    expect(frame!.fields[1]!.values).toEqual([0.5 + (1.5 / 4) * 0.25, null]);
  });

  test('without an execution is one frame without fields', async () => {
    const frames = await series({ answers: {} });
    expect(frames).toEqual([
      { name: 'job_metrics', fields: [], meta: { type: 'timeseries-multi', typeVersion: [0, 1], notices: [] } },
    ]);
  });

  test('carries the notices of the state and of the reading', async () => {
    const state = aState({ notices: [{ severity: 'warning', text: 'Of the state.' }] });
    const frames = await askState(jobMetrics, state, {
      answers: { ...ANSWERS, [minute(60)]: noPermission('hgetall') },
      query: { show: 'series' },
    });
    expect(noticesOf(frames.slice(0, 1)).map((text) => text.slice(0, 14))).toEqual(['Of the state.', 'No job metrics']);
  });
});

describe('as a heatmap', () => {
  test('has a row per duration bucket, fastest first', async () => {
    const [frame] = await ask({
      query: { show: 'heatmap' },
      request: { range: { from: MINUTE - 600, to: NOW }, intervalSeconds: 600 },
    });
    expect(frame!.meta).toEqual({
      type: 'heatmap-rows',
      typeVersion: [0, 1],
      preferredVisualisationPluginId: 'heatmap',
    });
    expect(frame!.fields).toHaveLength(27);
    const [time, first] = frame!.fields;
    expect(time!.values).toEqual([(MINUTE - 600) * 1000]);
    expect(first).toMatchObject({
      name: '0.02',
      labels: { le: '0.02' },
      values: [1],
      config: { unit: 'short', displayNameFromDS: '0.02' },
    });
    expect(frame!.fields[10]).toMatchObject({ name: '0.75', values: [4] });
    expect(frame!.fields[26]).toMatchObject({ name: '+Inf', values: [2] });
    const told = await ask({ query: { show: 'heatmap', top: 1 } });
    expect(noticesOf(told)).toHaveLength(1);
  });

  test('has no column where nothing ran: Grafana draws a scale without numbers then', async () => {
    const [frame] = await ask({
      query: { show: 'heatmap', filters: [{ field: 'class', operator: '=', values: ['Nope'] }] },
    });
    expect(frame!.fields).toHaveLength(27);
    expect(frame!.fields.every(({ values }) => values.length === 0)).toBe(true);
  });
});

describe('what is asked', () => {
  test.each(['table', 'series', 'heatmap'])('must be a figure that exists, as %s', async (show) => {
    await expect(ask({ query: { show, figures: ['p75'] } })).rejects.toMatchObject({
      kind: 'query',
      message: 'There is no figure "p75".',
      remedy: expect.stringContaining('executions, failures'),
    });
    await expect(ask({ query: { show, figures: ['class'] } })).rejects.toThrow('There is no figure "class".');
  });

  test.each(['table', 'series', 'heatmap'])('must be ranked by a figure that exists, as %s', async (show) => {
    await expect(ask({ query: { show, sortBy: 'p99' } })).rejects.toThrow(/"sortBy" is not valid/);
  });

  test.each(['table', 'series', 'heatmap'])('must be one figure in an alert rule, as %s', async (show) => {
    const alerting = { request: { alerting: true } };
    await expect(ask({ ...alerting, query: { show } })).rejects.toThrow(
      'An alert rule needs one figure, and none is chosen.'
    );
    await expect(ask({ ...alerting, query: { show, figures: ['rate', 'p99'] } })).rejects.toThrow('and 2 are chosen');
  });

  test('must not be a heatmap in an alert rule', async () => {
    await expect(
      ask({ request: { alerting: true }, query: { show: 'heatmap', figures: ['rate'] } })
    ).rejects.toMatchObject({
      kind: 'query',
      message: 'A heatmap has no single figure to alert on.',
    });
  });

  test('as one figure answers an alert rule', async () => {
    const [frame] = await ask({ request: { alerting: true }, query: { figures: ['failures'] } });
    expect(frame!.fields.map(({ name }) => name)).toEqual(['class', 'failures']);
    const frames = await ask({ request: { alerting: true }, query: { show: 'series', figures: ['failures'] } });
    expect(frames.every(({ fields }) => fields.length === 2)).toBe(true);
  });
});

describe('with DogStatsD', () => {
  /** Executions of 50 ms that arrived at the given instants. */
  function arrived(...instants: number[]): State {
    const statsd = new StatsdIntake({ series: 10, expireSeconds: 600 });
    instants.forEach((at) => sendPacket(statsd, 'a.jobs.count:1|c|#worker:A\na.jobs.perform:50|ms|#worker:A', at));
    return aState({ statsd });
  }
  const executions = async (state: State, query: object = {}, range = { from: MINUTE - 3600, to: NOW }) =>
    (await rows({ query: { figures: ['executions'], ...query }, request: { range } }, state)).find(
      (row) => row['class'] === 'A'
    )?.['executions'];

  test('comes from Redis while nothing arrives, or has stopped to for ten minutes', async () => {
    expect(await executions(aState())).toBe(10);
    expect(await executions(arrived(NOW - 3000, NOW - 600))).toBe(10);
    expect(await executions(arrived(NOW - 3000, NOW - 599))).not.toBe(10);
  });

  test('comes from DogStatsD from its first whole minute on, from Redis before', async () => {
    // First arrival 12 minutes ago: whole minutes from eleven and a half on. Redis has 6 ten minutes ago, in that time.
    const state = arrived(NOW - 720, NOW - 300, NOW - 10);
    expect(await executions(state)).toBe(2);
    expect(noticesOf(await ask({ request: lastHour }, state))).toEqual([
      'From Sidekiq’s metrics in Redis until 11:49 UTC, then from Sidekiq Pro by DogStatsD.',
    ]);
    const later = arrived(NOW - 400, NOW - 10);
    // Six of Redis from before its first whole minute, one since.
    expect(await executions(later)).toBe(7);
    expect(noticesOf(await ask({ request: { range: { from: NOW - 60, to: NOW } } }, later))).toEqual([
      'From Sidekiq Pro by DogStatsD.',
    ]);
  });

  test('comes from Redis alone where that is asked, or over more than eight hours', async () => {
    const state = arrived(NOW - 720, NOW - 10);
    expect(await executions(state, { origin: 'redis' })).toBe(10);
    expect(noticesOf(await ask({ request: { range: { from: NOW - 24 * 3600, to: NOW } } }, state))[0]).toMatch(
      /^Sidekiq keeps durations for 8 hours/
    );
  });

  test('comes from DogStatsD alone where that is asked, however old', async () => {
    expect(await executions(arrived(NOW - 3000, NOW - 700), { origin: 'statsd' })).toBe(1);
    expect(noticesOf(await ask({ query: { origin: 'statsd' } }, arrived(NOW - 720, NOW - 10)))).toEqual([
      'From Sidekiq Pro by DogStatsD.',
    ]);
    const frames = await ask({ query: { origin: 'statsd' } });
    expect(frames[0]!.meta!.notices).toEqual([
      {
        severity: 'warning',
        text: 'Nothing has arrived by DogStatsD. Set "statsdListen" and send Sidekiq Pro’s metrics there.',
      },
    ]);
    expect(frames[0]!.fields[0]!.values).toEqual([]);
  });

  test('divides the time by the executions that are timed, failed ones included where they are', async () => {
    const statsd = new StatsdIntake({ series: 10, expireSeconds: 600 });
    const send = (line: string, times: number) =>
      Array.from({ length: times }, () => sendPacket(statsd, `a.jobs.${line}|#worker:A`, NOW - 100));
    sendPacket(statsd, 'a.jobs.count:1|c|#worker:A', NOW - 200);
    send('count:1|c', 100);
    send('perform:1000|ms', 100);
    send('failure:1|c', 90);
    const frames = await ask({ query: { figures: ['meanTime'] }, request: lastMinutes }, aState({ statsd }));
    expect(rowsOf(frames[0]!)).toMatchObject([{ class: 'A', meanTime: 1 }]);
    expect(noticesOf(frames)).toEqual(['From Sidekiq Pro by DogStatsD. Times there include failed executions.']);
    // Sidekiq Pro from 8.0.2 on: ten of them are timed.
    const newer = new StatsdIntake({ series: 10, expireSeconds: 600 });
    sendPacket(newer, 'a.jobs.count:1|c|#worker:A', NOW - 200);
    sendPacket(newer, 'a.jobs.count:100|c|#worker:A\na.jobs.failure:90|c|#worker:A', NOW - 100);
    Array.from({ length: 10 }, () => sendPacket(newer, 'a.jobs.perform:2000|ms|#worker:A', NOW - 100));
    const told = await ask({ query: { figures: ['meanTime'] }, request: lastMinutes }, aState({ statsd: newer }));
    expect(rowsOf(told[0]!)).toMatchObject([{ meanTime: 2 }]);
    expect(noticesOf(told)).toEqual(['From Sidekiq Pro by DogStatsD.']);
  });

  describe('takes from Redis the classes', () => {
    const ran = (lastRunAt: number) => ({ ...noExecutions(), durations: noCounts(), lastRunAt });
    const figures = ['executions'];
    const asked = async (state: State, query: object = {}) => {
      const frames = await ask({ query: { figures, ...query }, request: lastHour }, state);
      return [rowsOf(frames[0]!).map((row) => [row['class'], row['executions']]), noticesOf(frames)];
    };

    test('of which nothing arrives though they run', async () => {
      const state = arrived(NOW - 3000, NOW - 10);
      const told = await asked({
        ...state,
        classTotals: new Map([
          ['A', ran(MINUTE)],
          ['B', ran(MINUTE - 60)],
        ]),
      });
      const inRedis = (await rows({ query: { figures, origin: 'redis' }, request: lastHour }, state)).find(
        (row) => row['class'] === 'B'
      )!['executions'];
      expect(told[0]).toContainEqual(['B', inRedis]);
      expect(told[0]).toContainEqual(['A', 1]);
      expect(told[1]).toEqual([
        expect.stringMatching(/One class does not arrive there, or in part, and comes from Redis: B\.$/),
      ]);
    });

    test('but those that ran before anything arrived', async () => {
      const state = arrived(NOW - 3000, NOW - 10);
      const [, notices] = await asked({ ...state, classTotals: new Map([['B', ran(NOW - 3000)]]) });
      expect(notices).toEqual([expect.not.stringContaining('Redis: B')]);
    });

    // What arrived is kept for eight hours.
    test('of neither nightly ones that arrived before that, nor of ranges that are longer', async () => {
      const hours = Array.from({ length: 700 }, (_, minute) => NOW - 42_000 + minute * 60);
      const state = arrived(...hours);
      const nightly = { ...state, classTotals: new Map([['Nightly', ran(NOW - 36_000)]]) };
      expect((await asked(nightly))[1]).toEqual(['From Sidekiq Pro by DogStatsD.']);
      const long = await ask({ request: { range: { from: NOW - 36_000, to: NOW } } }, nightly);
      expect(noticesOf(long)[0]).toMatch(/^Sidekiq keeps durations for 8 hours/);
    });

    test('that arrived later than others, until then', async () => {
      const state = arrived(...Array.from({ length: 120 }, (_, minute) => NOW - 7200 + minute * 60));
      // B has arrived for two minutes; it ran once in Redis ten minutes ago.
      sendPacket(state.statsd as StatsdIntake, 'a.jobs.count:1|c|#worker:B\na.jobs.perform:5|ms|#worker:B', NOW - 100);
      const [rowsTold, notices] = await asked(state);
      expect(rowsTold).toContainEqual(['B', 2]);
      expect(notices).toEqual(['From Sidekiq Pro by DogStatsD.']);
    });

    test('of which a part arrives', async () => {
      const state = arrived(NOW - 3000, ...Array.from({ length: 13 }, () => MINUTE - 100));
      const minutes = listed(
        aMinute(MINUTE, {}),
        aMinute(MINUTE - 60, {}),
        aMinute(MINUTE - 120, { A: [20, 0, 1000] })
      );
      const withMinutes = (given: State): State => ({ ...given, snapshot: { ...given.snapshot, minutes } });
      expect((await asked(withMinutes(state)))[1]).toEqual([expect.stringContaining('comes from Redis: A.')]);
      const most = arrived(NOW - 3000, ...Array.from({ length: 14 }, () => MINUTE - 100), NOW - 10);
      expect((await asked(withMinutes(most)))[1]).toEqual([expect.not.stringContaining('comes from Redis')]);
    });
  });

  test('has durations of both', async () => {
    const [row] = await rows(
      { query: { filters: [{ field: 'class', operator: '=', values: ['A'] }] }, request: lastHour },
      arrived(NOW - 400, NOW - 10)
    );
    // Redis: 1 up to 20 ms, 4 from 500 to 750; DogStatsD: 1 from 45 to 65. Rank 3 of 6: the first of the four.
    expect(row!['p50']).toBeCloseTo(0.5 + 0.25 / 4, 9);
  });
});

import { describe, expect, test } from 'vitest';
import { busy } from '../../../pkg/queries/busy';
import { lost } from '../../../pkg/queries/lost';
import { overview } from '../../../pkg/queries/overview';
import { processes } from '../../../pkg/queries/processes';
import { queues } from '../../../pkg/queries/queues';
import type { QueryType } from '../../../pkg/queries/queryType';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { aCapsule, aProcess, aQueueState, aState, listed, MINUTE, NOW, someWork } from '../../support/state';

/** Every column of a type is in the expected row, so that none is left unproved. */
function expectEveryColumn(type: QueryType, row: object): void {
  expect(Object.keys(row)).toEqual(type.columns.map(({ name }) => name));
}

test('overview has every figure of the state', async () => {
  const [row] = await rowsOfState(
    overview,
    aState({
      queues: [
        aQueueState('brief', { workerType: 'Fast', latencySeconds: 5, busy: 1 }),
        aQueueState('late', { workerType: 'Slow', latencySeconds: 33.5, busy: 2 }),
      ],
      totals: {
        processed: 1001,
        failed: 102,
        failureRate: 0.25,
        ratedExecutions: 40,
        busy: 3,
        threads: 12,
        readyThreads: 9,
        utilisation: 0.25,
        processes: 4,
        quietProcesses: 1,
        ghosts: 2,
        enqueued: 77,
        latencyMaxSeconds: 33.5,
        oldestHeartbeatSeconds: 8,
      },
      snapshot: {
        processes: listed(
          aProcess('fast:1:x', {
            concurrency: 5,
            queues: ['brief'],
            capsules: [aCapsule(5, { brief: 0 })],
          }),
          aProcess('slow:1:x', {
            concurrency: 4,
            queues: ['late'],
            capsules: [aCapsule(4, { late: 0 })],
          })
        ),
        totals: {
          scheduled: 5,
          retry: 6,
          dead: 250,
          deadLastHour: 7,
          activeJobRetries: 8,
          overdueScheduled: 9,
          overdueRetry: 10,
          lateScheduled: 21,
          lateRetry: 22,
          processedToday: 11,
          failedToday: 12,
        },
      },
      options: { deadMaxJobs: 1000 },
    })
  );
  expect(row).toEqual({
    processed: 1001,
    failed: 102,
    failureRate: 0.25,
    ratedExecutions: 40,
    busy: 3,
    threads: 12,
    readyThreads: 9,
    utilisation: 0.25,
    // 2 of 4 threads; of the other type 1 of 5.
    utilisationMax: 0.5,
    busiestWorkerType: 'Slow',
    processes: 4,
    quietProcesses: 1,
    ghosts: 2,
    enqueued: 77,
    scheduled: 5,
    retry: 6,
    dead: 250,
    // 250 of 1000.
    deadFill: 0.25,
    deadLastHour: 7,
    activeJobRetries: 8,
    overdueScheduled: 9,
    overdueRetry: 10,
    lateScheduled: 21,
    lateRetry: 22,
    latencyMax: 33.5,
    longestWaitQueue: 'late',
    breachIn: null,
    breachQueue: '',
    oldestHeartbeat: 8,
    processedToday: 11,
    failedToday: 12,
  });
  expectEveryColumn(overview, row!);
});

test('a chosen figure brings what it is of, for people and not for alert rules', async () => {
  const state = aState({ queues: [aQueueState('late', { latencySeconds: 33.5 })] });
  const ask = async (alerting: boolean) => {
    const figures = { query: { figures: ['latencyMax'] }, request: { alerting } };
    return (await askState(overview, state, figures))[0]!.fields.map(({ name, values }) => [name, values[0]]);
  };
  expect(await ask(false)).toEqual([
    ['latencyMax', state.totals.latencyMaxSeconds],
    ['longestWaitQueue', 'late'],
  ]);
  expect(await ask(true)).toEqual([['latencyMax', state.totals.latencyMaxSeconds]]);
});

test('where the wait of a queue is not known, no other one is said to wait longest', async () => {
  const queues = [aQueueState('known', { latencySeconds: 33.5 }), aQueueState('odd', { latencySeconds: null })];
  const [row] = await rowsOfState(overview, aState({ queues, totals: { latencyMaxSeconds: null } }));
  expect(row).toMatchObject({ latencyMax: null, longestWaitQueue: '' });
});

test('overview shows nothing where nothing is known', async () => {
  const [row] = await rowsOfState(
    overview,
    aState({ totals: { enqueued: null, busy: null }, snapshot: { totals: { dead: null } } })
  );
  expect(row).toMatchObject({ enqueued: null, busy: null, dead: null, deadFill: null });
});

test('queues has every fact of each queue', async () => {
  const [row, unknown] = await rowsOfState(
    queues,
    aState({
      queues: [
        aQueueState('billing', {
          workerType: 'Billing Worker',
          size: 11,
          waitSeconds: 12.5,
          latencySeconds: -99,
          paused: true,
          threads: 13,
          readyThreads: 14,
          processes: 15,
          busy: 16,
          longestRunSeconds: 17,
          inRate: 1.5,
          outRate: 2.5,
          drainSeconds: 18,
          unserved: true,
          starved: true,
        }),
        aQueueState('odd', { size: null, waitSeconds: null, paused: null, unserved: null, starved: null }),
      ],
    })
  );
  expect(row).toEqual({
    queue: 'billing',
    state: 'unserved',
    workerType: 'Billing Worker',
    size: 11,
    latency: 12.5,
    paused: true,
    threads: 13,
    readyThreads: 14,
    processes: 15,
    busy: 16,
    longestRun: 17,
    inRate: 1.5,
    outRate: 2.5,
    drainTime: 18,
    // It is paused.
    breach: '',
    breachIn: null,
    breachInMost: null,
    breachesSoon: false,
    unserved: true,
    starved: true,
  });
  expectEveryColumn(queues, row!);
  expect(unknown).toMatchObject({
    size: null,
    latency: null,
    paused: null,
    unserved: null,
    starved: null,
    drainTime: null,
    state: 'unknown',
  });
});

test('queues stand in the order of their need: by state, then by wait, then by size', async () => {
  const waits = { size: 5, latencySeconds: 400, objectiveSeconds: 300 };
  const rows = await rowsOfState(
    queues,
    aState({
      queues: [
        aQueueState('idle'),
        aQueueState('longer', { size: 9 }),
        aQueueState('on time', { size: 1, latencySeconds: 300, objectiveSeconds: 300 }),
        aQueueState('unknown', { size: null, latencySeconds: null }),
        aQueueState('paused', { ...waits, paused: true }),
        aQueueState('late', waits),
        aQueueState('later', { ...waits, latencySeconds: 500 }),
        aQueueState('starved', { ...waits, starved: true }),
        aQueueState('unserved', { ...waits, unserved: true }),
      ],
    })
  );
  expect(rows.map(({ queue, state }) => `${String(queue)}: ${String(state)}`)).toEqual([
    'unserved: unserved',
    'later: late',
    'late: late',
    'starved: starved',
    'paused: paused',
    'unknown: unknown',
    'on time: ok',
    'longer: ok',
    'idle: ok',
  ]);
});

test('processes has every fact of each process', async () => {
  const capsules = [
    aCapsule(5, { a: 3, b: 1 }, 'weighted'),
    { ...aCapsule(2, { c: 0, d: 0 }), name: 'one' },
    { ...aCapsule(null, { e: 1, f: 1 }, 'random'), name: 'two' },
  ];
  const process = aProcess('web-1:7:abc', {
    pid: 7,
    tag: 'shop',
    labels: ['fast', 'eu'],
    version: '8.1.7',
    startedAt: NOW - 100,
    quiet: true,
    embedded: true,
    beatAgeSeconds: 3,
    busy: 2,
    concurrency: 8,
    rssBytes: 2048,
    rttSeconds: 0.0005,
    queues: ['a', 'b', 'c', 'd'],
    capsules,
  });
  const queuesOf = [
    ['a', 'Fast'],
    ['b', 'Slow'],
    ['c', 'Fast'],
    ['elsewhere', 'Other'],
  ].map(([name = '', workerType = '']) => aQueueState(name, { workerType }));
  const state = aState({
    queues: queuesOf,
    snapshot: { processes: listed(process, aProcess('b:1:x')), leader: 'web-1:7:abc' },
  });
  const [row, other] = await rowsOfState(processes, state);
  expect(row).toEqual({
    process: 'web-1:7:abc',
    host: 'web-1',
    pid: 7,
    tag: 'shop',
    labels: 'fast, eu',
    version: '8.1.7',
    startedAt: (NOW - 100) * 1000,
    state: 'quiet',
    quiet: true,
    beatAge: 3,
    concurrency: 8,
    busy: 2,
    // 2 of 8 threads.
    utilisation: 0.25,
    rss: 2048,
    rtt: 0.0005,
    queues: 'default (5) weighted: a,3 b,1 | one (2) strict: c > d | two (?) random: e f',
    workerType: 'Fast, Slow',
    capsules: 3,
    embedded: true,
    leader: true,
  });
  expectEveryColumn(processes, row!);
  expect(other).toMatchObject({
    state: 'running',
    quiet: false,
    queues: 'strict: default',
    leader: false,
    utilisation: 0,
  });
  const named = async (field: string, value: string) =>
    (await rowsOfState(processes, state, { query: { filters: [{ field, operator: '=', values: [value] }] } })).map(
      (each) => each['process']
    );
  expect(await named('queues', 'c')).toEqual(['web-1:7:abc']);
  expect(await named('labels', 'eu')).toEqual(['web-1:7:abc']);
  expect(await named('labels', 'fast, eu')).toEqual([]);
});

test.each([
  [{ busy: null }, null],
  [{ concurrency: null }, null],
  [{ busy: 0, concurrency: 0 }, 0],
])('the utilisation of a process with %o is %o', async (part, utilisation) => {
  const state = aState({ snapshot: { processes: listed(aProcess('a:1:x', part)), leader: null } });
  expect((await rowsOfState(processes, state))[0]).toMatchObject({ utilisation, leader: null });
});

test('busy has every fact of each running job', async () => {
  const work = [
    someWork({
      process: 'web-1:7:abc',
      thread: 't9',
      queue: 'billing',
      class: 'BillJob',
      jid: 'j7',
      runAt: NOW - 30,
      enqueuedAt: NOW - 90,
    }),
    someWork({ process: 'gone:1:x', runAt: null, enqueuedAt: NOW - 5 }),
    someWork({ runAt: NOW + 5, enqueuedAt: NOW + 9 }),
    someWork({ enqueuedAt: null }),
  ];
  const rows = await rowsOfState(
    busy,
    aState({
      queues: [
        aQueueState('billing', { workerType: 'Billing Worker' }),
        aQueueState('default', { workerType: 'Default Worker' }),
      ],
      snapshot: { processes: listed(aProcess('web-1:7:abc')), work: listed(...work) },
    }),
    // As Sidekiq 7.3 and 8.1 keep an IterableJob.
    { query: { iteration: true }, answers: { 'hgetall it-j7': ['ex', '2', 'c', '{"id":500}', 'rt', '61.25'] } }
  );
  expect(rows[0]).toEqual({
    process: 'web-1:7:abc',
    host: 'web-1',
    thread: 't9',
    queue: 'billing',
    workerType: 'Billing Worker',
    class: 'BillJob',
    metricsClass: 'AJob',
    jid: 'j7',
    startedAt: (NOW - 30) * 1000,
    runTime: 30,
    waited: 60,
    iterationCursor: 'hidden: the data source does not allow arguments',
    iterationRuns: 2,
    iterationTime: 61.25,
  });
  expectEveryColumn(busy, rows[0]!);
  // It is not known since when it runs.
  expect(rows[3]).toMatchObject({
    host: '',
    workerType: 'Default Worker',
    startedAt: null,
    runTime: null,
    waited: null,
    iterationCursor: '',
    iterationRuns: null,
  });
  expect(rows[2]).toMatchObject({ runTime: 0, waited: 0 });
  expect(rows[1]).toMatchObject({ runTime: 10, waited: null });
});

describe('lost', () => {
  const job = (jid: string, recovered = false, runAt: number | null = NOW - 100) => ({
    ...someWork({ jid, class: 'C', queue: 'q', runAt }),
    recovered,
    usualSeconds: null,
  });
  const vanished = (
    identity: string,
    jobs: Array<ReturnType<typeof job>>,
    lastBeatAt = NOW - 70,
    noticedAt = NOW - 10
  ) => ({
    process: aProcess(identity),
    lastBeatAt,
    beatAt: null,
    noticedAt,
    returnedAt: null as number | null,
    confirmed: true,
    jobs,
  });
  const log = (...entries: Array<ReturnType<typeof vanished>>) =>
    aState({
      processLog: { since: NOW - 3600, vanished: entries, events: [], vanishedByHost: new Map(), lostJobsTotal: 0 },
    });

  test('says that one who has just begun to watch cannot know', async () => {
    const state = log();
    const notices = async (since: number | null) =>
      noticesOf(await askState(lost, { ...state, processLog: { ...state.processLog, since } }));
    expect(await notices(NOW - 60)).toEqual([]);
    expect((await notices(NOW - 59)).join()).toMatch(/a process that watches; this one began 59 s ago.*history file/);
    expect((await notices(null)).join()).toMatch(/began 0 s ago/);
  });

  test('has a row for each job that ran in a vanished process', async () => {
    const rows = await rowsOfState(
      lost,
      log(vanished('web-1:7:abc', [job('1'), job('2', true), job('3')]), vanished('b:1:x', []))
    );
    expect(rows[0]).toEqual({
      process: 'web-1:7:abc',
      host: 'web-1',
      lastBeat: (NOW - 70) * 1000,
      noticed: (NOW - 10) * 1000,
      jid: '1',
      class: 'C',
      queue: 'q',
      // Started 100 s ago, last heard of 70 s ago.
      runTime: 30,
      outcome: 'lost',
      vanished: 1,
      // Of three jobs one was seen again.
      jobs: 2,
      lost: true,
    });
    expectEveryColumn(lost, rows[0]!);
    expect(rows.map((row) => [row['jid'], row['jobs'], row['lost']])).toEqual([
      ['1', 2, true],
      ['2', 0, false],
      ['3', 2, true],
      ['', 0, false],
    ]);
    expect(rows[3]).toMatchObject({ process: 'b:1:x', class: '', queue: '', runTime: null });
  });

  test('knows no run time of a job of unknown start, and none below zero', async () => {
    const rows = await rowsOfState(lost, log(vanished('a:1:x', [job('1', false, null), job('2', false, NOW)])));
    expect(rows.map((row) => row['runTime'])).toEqual([null, 0]);
  });

  test('keeps to the asked range: from the last heartbeat until it was noticed', async () => {
    const state = log(vanished('a:1:x', [], NOW - 70, NOW - 10));
    const inRange = async (from: number, to: number) =>
      (await rowsOfState(lost, state, { request: { range: { from, to } } })).length;
    expect(await inRange(NOW - 10, NOW)).toBe(1);
    expect(await inRange(NOW - 9, NOW)).toBe(0);
    expect(await inRange(NOW - 200, NOW - 70)).toBe(1);
    expect(await inRange(NOW - 200, NOW - 71)).toBe(0);
  });
});

describe('every table', () => {
  const state = aState({
    queues: [
      aQueueState('a', { size: 1, paused: true }),
      aQueueState('b', { size: 2 }),
      aQueueState('c', { size: 3, paused: null }),
    ],
    notices: [{ severity: 'warning', text: 'Something is missing.' }],
  });

  test('is made once for a question and a state', async () => {
    const dataSource = { uid: 'u', name: 'n' };
    const ask = async (query: object, request: object = {}, of = state) =>
      (await askState(queues, of, { query: { ...query }, request: { dataSource, ...request } }))[0];
    const first = await ask({});
    expect(await ask({ refId: 'B' }, { range: { from: NOW - 60, to: NOW - 1 } })).toBe(first);
    const others = [
      await ask({ limit: 1 }),
      await ask({ filters: [{ field: 'queue', operator: '=', values: ['a'] }] }),
      await ask({}, { dataSource: { uid: 'other', name: 'n' } }),
      await ask({}, {}, { ...state }),
      await ask({ figures: ['size'] }),
      await ask({ figures: ['size'] }, { alerting: true }),
    ];
    expect(new Set([first, ...others]).size).toBe(1 + others.length);
    expect(others[0]!.fields[0]!.values).toHaveLength(1);
  });

  test('has titles, units, kinds and descriptions as field configuration, and the notices of the state', async () => {
    const [frame] = await askState(queues, state);
    expect(frame!.name).toBe('queues');
    expect(frame!.meta).toEqual({
      notices: [{ severity: 'warning', text: 'Something is missing.' }],
      preferredVisualisationType: 'table',
    });
    const field = (name: string) => frame!.fields.find((each) => each.name === name)!;
    expect(field('latency')).toMatchObject({
      kind: 'number',
      config: { displayName: 'Latency', unit: 's', description: 'Wait of the oldest job.' },
    });
    expect(field('paused')).toMatchObject({
      kind: 'boolean',
      // The paused one first, then the one that is not known.
      values: [true, null, false],
      config: { mappings: [{ type: 'value', options: { true: { text: 'yes' }, false: { text: 'no' } } }] },
    });
    expect(field('queue').config).not.toHaveProperty('unit');
    expect(field('queue').config).not.toHaveProperty('links');
  });

  test('gives chosen figures in the order of the choice behind what identifies a row, booleans as numbers', async () => {
    const [frame] = await askState(queues, state, { query: { figures: ['paused', 'size'] } });
    expect(frame!.fields.map(({ name, kind, values }) => [name, kind, values])).toEqual([
      ['queue', 'string', ['a', 'c', 'b']],
      ['paused', 'number', [1, null, 0]],
      ['size', 'number', [1, 3, 2]],
    ]);
    expect(frame!.fields[2]!.config).not.toHaveProperty('mappings');
    expect(frame!.meta).toMatchObject({ type: 'numeric-long', typeVersion: [0, 1] });
  });

  test('gives an alert rule its one figure, and refuses none or several', async () => {
    const alerting = { request: { alerting: true, dataSource: { uid: 'u', name: 'Sidekiq' } } };
    const [frame] = await askState(queues, state, { ...alerting, query: { figures: ['size'] } });
    expect(frame!.fields.map(({ name }) => name)).toEqual(['queue', 'size']);
    expect(frame!.fields[0]!.config).not.toHaveProperty('links');
    await expect(askState(queues, state, alerting)).rejects.toThrow(
      'An alert rule needs one figure, and none is chosen.'
    );
    await expect(askState(queues, state, { ...alerting, query: { figures: ['size', 'busy'] } })).rejects.toThrow(
      'and 2 are chosen'
    );
  });

  test('refuses a figure that it has not, and names those it has', async () => {
    const work = askState(queues, state, { query: { figures: ['queue'] } });
    await expect(work).rejects.toMatchObject({
      kind: 'query',
      message: 'There is no figure "queue".',
      remedy: expect.stringMatching(
        /^Choose from: size, latency, paused, threads, Ready threads \(readyThreads\), .*starved\.$/
      ),
    });
  });

  test.each([
    [queues, 'As of 2026-11-25 12:00:30 UTC.'],
    [lost, undefined],
  ])('of a recorded instant says of which, one of a range does not', async (type, expected) => {
    const told = async (recorded: boolean) => noticesOf(await askState(type, aState({ recorded }))).at(-1);
    expect(await told(true)).toBe(expected);
    expect(await told(false)).toBeUndefined();
  });

  test('is filtered and cut, and says how much is left out', async () => {
    const [frame] = await askState(queues, state, {
      query: { limit: 1, filters: [{ field: 'queue', operator: '!=', values: ['a'] }] },
    });
    expect(frame!.fields[0]!.values).toEqual(['c']);
    expect(frame!.meta!.notices!.at(-1)).toEqual({
      severity: 'info',
      text: '1 of 2 rows are shown. Raise "Limit" or add a filter to see the others.',
    });
  });

  test('links to other queries of the same data source in Explore', async () => {
    const [frame] = await askState(queues, state, { request: { dataSource: { uid: 'u1', name: 'Sidekiq' } } });
    expect(frame!.fields[0]!.config!.links).toEqual([
      {
        title: 'Jobs of this queue',
        url: '',
        internal: {
          query: { queryType: 'jobs', source: 'queue', queue: '${__value.raw}' },
          datasourceUid: 'u1',
          datasourceName: 'Sidekiq',
        },
      },
    ]);
    const [work] = await askState(busy, state, { request: { dataSource: { uid: 'u1', name: 'Sidekiq' } } });
    expect(work!.fields.find(({ name }) => name === 'class')!.config!.links).toMatchObject([
      {
        title: 'Metrics of this class',
        internal: {
          query: {
            queryType: 'job_metrics',
            filters: [{ field: 'class', operator: '=', values: ['${__data.fields.metricsClass}'] }],
          },
        },
      },
    ]);
  });

  test('without notices has none', async () => {
    const [frame] = await askState(queues, aState());
    expect(frame!.meta).toEqual({ preferredVisualisationType: 'table' });
    expect(MINUTE).toBeLessThan(NOW);
  });
});

test('whether a queue breaches soon is unknown where its latency is', async () => {
  const state = aState({ queues: [aQueueState('q', { size: 3, latencySeconds: null, waitSeconds: null })] });
  expect((await rowsOfState(queues, state))[0]).toMatchObject({ breachesSoon: null, breachIn: null });
});

describe('a table without rows', () => {
  const ask = async (request: object, query: Record<string, unknown> = {}) =>
    (await askState(busy, aState(), { request, query }))[0]!;

  test('says so in a sentence to a person, and whether filters apply', async () => {
    expect((await ask({ reader: true })).fields).toEqual([
      {
        name: 'message',
        kind: 'string',
        values: ['No job is running.'],
        config: { displayName: 'Result', custom: { wrapText: true } },
      },
    ]);
    const filters = [{ field: 'queue', operator: '=', values: ['a'] }];
    // Nothing runs at all, whatever the filter.
    expect((await ask({ reader: true }, { filters })).fields[0]!.values).toEqual(['No job is running.']);
    const running = aState({ snapshot: { work: listed(someWork({ queue: 'b' })) } });
    const [other] = await askState(busy, running, { request: { reader: true }, query: { filters } });
    expect(other!.fields[0]!.values).toEqual(['No row matches the filters: queue = a.']);
    const several = [
      { field: 'queue', operator: '=~', values: ['a', 'c', 'd', 'e', 'f'] },
      { field: 'host', operator: '!=', values: ['h'.repeat(200)] },
      { field: 'unknown', operator: '=', values: ['x'], adhoc: true },
    ];
    const [many] = await askState(busy, running, { request: { reader: true }, query: { filters: several } });
    const unset = await askState(busy, running, {
      query: { filters: [{ field: 'queue', operator: '=~', values: ['^$'] }] },
      request: { reader: true },
    });
    expect(unset[0]!.fields[0]!.values).toEqual(['No queue is chosen.']);
    const text = `No row matches the filters: queue =~ a, c, d and 2 more; host != ${'h'.repeat(80)}….`;
    expect(many!.fields[0]!.values).toEqual([text]);
    // As with a variable that stands for all.
    const all = [{ field: 'queue', operator: '=', values: [] }];
    expect((await ask({ reader: true }, { filters: all })).fields[0]!.values).toEqual(['No job is running.']);
  });

  test('denies nothing that Redis refused to tell', async () => {
    const text = 'No running jobs: The Redis user may not do this. Grant it.';
    const state = aState({
      notices: [
        { severity: 'warning', text },
        { severity: 'warning', text: 'Clocks differ.' },
      ],
    });
    const [frame] = await askState(busy, state, { request: { reader: true } });
    expect(frame!.fields[0]!.values).toEqual([`Nothing was found, but not everything is known. ${text}`]);
    const clocks = aState({ notices: [{ severity: 'warning', text: 'Clocks differ.' }] });
    expect((await askState(busy, clocks, { request: { reader: true } }))[0]!.fields[0]!.values).toEqual([
      'No job is running.',
    ]);
  });

  test('has its columns for an alert rule, an expression, the command line and a chosen figure', async () => {
    const columns = busy.columns.map(({ name }) => name);
    for (const request of [{}, { alerting: true }]) {
      const figures = 'alerting' in request ? { figures: ['runTime'] } : {};
      expect(columns).toEqual(expect.arrayContaining((await ask(request, figures)).fields.map(({ name }) => name)));
    }
    expect((await ask({ reader: true }, { figures: ['runTime'] })).fields.map(({ name }) => name)).toContain('runTime');
  });
});

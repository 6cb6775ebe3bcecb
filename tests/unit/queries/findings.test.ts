import { describe, expect, test } from 'vitest';
import { Fault } from '../../../pkg/faults/fault';
import { rowsOf } from '../../../pkg/frames/frame';
import type { Evidence, Found, RecurringRow } from '../../../pkg/findings/rule';
import { applyRules, FINDING_RULES } from '../../../pkg/findings/table';
import { countText, durationText, shareText } from '../../../pkg/findings/texts';
import type { MissingClass, MissingQueue, UsualFigure, UsualView } from '../../../pkg/outlook/usualView';
import { findings, pathOf } from '../../../pkg/queries/findings';
import { aLock, aProcess, aQueueState, aState, listed, NOW, partial, someWork } from '../../support/state';

type StatePart = Parameters<typeof aState>[0];

function evidence(state: StatePart = {}, more: Partial<Omit<Evidence, 'state'>> = {}): Evidence {
  return { state: aState(state), info: null, recurring: null, ...more };
}

/** Findings of one rule as `severity subject: text (since seconds ago) evidence`. */
function found(id: string, given: Evidence): string[] {
  const rule = FINDING_RULES.find((each) => each.id === id)!;
  const line = ({ severity, subject, text, since, evidence: shown }: Found) =>
    `${severity ?? rule.severity} ${subject}: ${text}${since === null ? '' : ` (${NOW - since} s)`} [${shown}]`;
  return rule.find(given).map(line);
}

const late = { size: 340, latencySeconds: 720, objectiveSeconds: 300, readyThreads: 5, processes: 1, busy: 5 };
const entry = (part: Partial<RecurringRow>): RecurringRow => ({
  source: 'sidekiq-cron',
  name: 'bill',
  prefix: '',
  class: 'BillJob',
  queue: '',
  schedule: '10 * * * *',
  enabled: true,
  lastAt: null,
  nextAt: null,
  lateFrom: part.nextAt ?? null,
  unreadable: false,
  zoneKnown: true,
  now: NOW,
  ...part,
});
const info = (lines: Record<string, string>) => ({ info: new Map(Object.entries(lines)) });

const filling = {
  ...late,
  size: 1200,
  waitSeconds: 60,
  latencySeconds: 60,
  inRate: 20,
  outRate: 10,
};
const usual = (
  figures: UsualFigure[],
  missing: MissingClass[] = [],
  missingQueues: MissingQueue[] = []
): UsualView => ({
  at: NOW,
  basis: 'week',
  figures,
  missing,
  missingQueues,
  ahead: [],
});
const of = (scope: UsualFigure['scope'], key: string, figure: string): UsualFigure => ({
  ...{ scope, key, figure },
  ...{ value: 0, usual: 1, lower: 0.5, upper: 1.5, deviation: 0, sudden: null },
});

/** Rule, what makes it fire, its findings, and what is just not enough. */
const CASES: Array<[rule: string, fires: Evidence, findings: string[], silent: Evidence]> = [
  [
    'partsRefused',
    evidence({ snapshot: { refused: new Map([['queue sizes', 3]]) } }),
    ['critical Redis: Redis refuses to give queue sizes. [3 commands refused in the last reading]'],
    evidence(),
  ],
  [
    'noSidekiq',
    evidence({ snapshot: { hasSidekiq: false } }),
    ['critical Redis: This database holds no Sidekiq. [no queue, no process and no counter]'],
    // Not everything may be read.
    evidence({ snapshot: { hasSidekiq: null } }),
  ],
  [
    'nothingRuns',
    evidence({ totals: { readyThreads: 0, enqueued: 1, processes: 2, quietProcesses: 2 } }),
    ['critical Sidekiq: No process takes jobs; 1 job waits. [2 processes, 2 quiet]'],
    evidence({ totals: { readyThreads: 0, enqueued: 0 } }),
  ],
  [
    'queueUnserved',
    evidence({
      totals: { readyThreads: 5 },
      queues: [aQueueState('q', { size: 7, unserved: true, latencySeconds: 90 })],
    }),
    ['critical q: No process serves q; 7 jobs wait. (90 s) [7 jobs, 0 of 0 threads working on it]'],
    // Where nothing runs at all, that is the finding.
    evidence({ totals: { readyThreads: 0 }, queues: [aQueueState('q', { size: 7, unserved: true })] }),
  ],
  [
    'queueStarved',
    evidence({ queues: [aQueueState('q', { size: 1, starved: true, latencySeconds: 61, readyThreads: 5 })] }),
    ['warning q: q is starved; 1 job waits. (61 s) [1 job, 0 of 5 threads working on it]'],
    evidence({ queues: [aQueueState('q', { size: 1, starved: null })] }),
  ],
  [
    'queueLate',
    evidence({ queues: [aQueueState('q', { ...late, drainSeconds: 3700 })] }),
    // It became late when its oldest job had waited for 300 of its 720 seconds.
    [
      'critical q: q is late: its oldest job has waited 12 min, the objective is 5 min. (420 s) [340 jobs, 5 of 5 threads working on it, drained in 1 h 1 min at this rate]',
    ],
    evidence({
      queues: [
        aQueueState('on-time', { ...late, latencySeconds: 300 }),
        aQueueState('paused', { ...late, paused: true }),
        aQueueState('unserved', { ...late, unserved: true }),
        aQueueState('unknown', { ...late, latencySeconds: null }),
      ],
    }),
  ],
  [
    'queuePaused',
    evidence({ queues: [aQueueState('q', { size: 2, paused: true, latencySeconds: 10, readyThreads: 1 })] }),
    ['info q: q is paused; 2 jobs wait. (10 s) [2 jobs, 0 of 1 thread working on it]'],
    evidence({ queues: [aQueueState('q', { size: 0, paused: true }), aQueueState('r', { size: 2, paused: null })] }),
  ],
  [
    'jobsDying',
    evidence({
      snapshot: { totals: { deadLastHour: 101, dead: 500 } },
      totals: {
        lastHour: new Map([
          ['Fine', { processed: 900, failed: 0, milliseconds: 0 }],
          ['Pay', { processed: 300, failed: 249, milliseconds: 0 }],
          ['Mail', { processed: 300, failed: 3, milliseconds: 0 }],
        ]),
      },
    }),
    ['critical Sidekiq: 101 jobs died within the last hour. [500 jobs in the dead set]'],
    evidence({ snapshot: { totals: { deadLastHour: 0, dead: 500 } } }),
  ],
  [
    'classFailing',
    evidence({
      totals: {
        recent: new Map([
          ['A', { processed: 100, failed: 6, milliseconds: 0, seconds: 900 }],
          ['B', { processed: 100, failed: 7, milliseconds: 0, seconds: 3600 }],
        ]),
      },
    }),
    [
      'warning A: 6% of the executions of A failed within the last 15 minutes. [6 of 100 executions]',
      'warning B: 7% of the executions of B failed within the last hour. [7 of 100 executions]',
    ],
    evidence({
      totals: {
        recent: new Map([
          ['at the limit', { processed: 100, failed: 5, milliseconds: 0, seconds: 900 }],
          ['too few', { processed: 19, failed: 19, milliseconds: 0, seconds: 3600 }],
        ]),
      },
    }),
  ],
  [
    'jobStuck',
    evidence({ snapshot: { work: listed(someWork({ runAt: NOW - 3601, jid: 'x', process: 'a:1:x' })) } }),
    ['warning AJob: A job of AJob has run for 1 h. (3601 s) [job x of default in a:1:x]'],
    evidence({ snapshot: { work: listed(someWork({ runAt: NOW - 3600 }), someWork({ runAt: null })) } }),
  ],
  [
    'saturated',
    evidence({
      // What is paused or unserved waits whatever the threads do.
      queues: [
        aQueueState('q', { size: 9, latencySeconds: 61 }),
        aQueueState('held', { size: 5, latencySeconds: 600, paused: true }),
        aQueueState('alone', { size: 5, latencySeconds: 600, unserved: true }),
      ],
      totals: { busyReadyThreads: 5, readyThreads: 5, enqueued: 19 },
    }),
    ['warning Sidekiq: All 5 threads are busy. [9 jobs waiting, the longest for 1 min 1 s]'],
    evidence({
      queues: [aQueueState('q', { latencySeconds: 61 })],
      // Eight are busy, three of them in a process that shuts down.
      totals: { busy: 8, busyThreads: 7, busyReadyThreads: 4, readyThreads: 5, enqueued: 9 },
    }),
  ],
  [
    'processVanished',
    evidence({
      processLog: {
        since: NOW - 3600,
        vanished: [
          {
            process: aProcess('web-1:1:a'),
            lastBeatAt: NOW - 90,
            beatAt: null,
            noticedAt: NOW - 30,
            returnedAt: null,
            confirmed: true,
            jobs: [
              { ...someWork({ jid: 'gone' }), recovered: false, usualSeconds: null },
              { ...someWork({ jid: 'back' }), recovered: true, usualSeconds: null },
            ],
          },
        ],
        events: [],
        vanishedByHost: new Map(),
        lostJobsTotal: 1,
      },
    }),
    ['critical web-1: A process on web-1 vanished with 1 job. (90 s) [AJob gone]'],
    evidence({
      processLog: {
        since: NOW - 3600,
        vanished: [
          {
            process: aProcess('web-1:1:a'),
            lastBeatAt: NOW - 3700,
            beatAt: null,
            noticedAt: NOW - 3601,
            returnedAt: null,
            confirmed: true,
            jobs: [],
          },
          {
            process: aProcess('web-1:1:b'),
            lastBeatAt: NOW - 90,
            beatAt: null,
            noticedAt: NOW - 30,
            returnedAt: NOW - 10,
            confirmed: false,
            jobs: [{ ...someWork({ jid: 'goes on' }), recovered: false, usualSeconds: null }],
          },
        ],
        events: [],
        vanishedByHost: new Map(),
        lostJobsTotal: 0,
      },
    }),
  ],
  [
    'heartbeatLate',
    evidence({
      snapshot: {
        processes: listed(aProcess('h:1:a', { beatAgeSeconds: 31 }), aProcess('h:2:b', { beatAgeSeconds: 45 })),
      },
    }),
    ['warning h: No heartbeat from h for 45 s. (45 s) [h:1:a, h:2:b]'],
    evidence({
      snapshot: {
        processes: listed(aProcess('h:1:a', { beatAgeSeconds: 30 }), aProcess('i:1:a', { beatAgeSeconds: null })),
      },
    }),
  ],
  [
    'queueBreachesSoon',
    // 1,200 jobs came evenly in a minute, 20 a second; 10 a second are taken. When those 1,200 are, in two minutes, the
    // oldest is a minute older. From then on it grows by half a second in each: 180 s more take 360 s. So 480 s.
    // With rates by the root of their counts off, 20.41 and 9.71 or 19.59 and 10.29, it is 460 and 503 s.
    evidence({ queues: [aQueueState('q', filling)] }),
    [
      'warning q: q will exceed its objective of 5 min in 7 min 40 s to 8 min 23 s. [1,200 jobs, 5 of 5 threads working on it, not draining at this rate]',
    ],
    evidence({
      queues: [
        aQueueState('drains', { ...filling, inRate: 9 }),
        aQueueState('late', { ...filling, waitSeconds: 301, latencySeconds: 301 }),
        aQueueState('unserved', { ...filling, unserved: true }),
        aQueueState('may not', { ...filling, inRate: 10.2 }),
      ],
    }),
  ],
  [
    'unusual',
    evidence({
      usual: usual([
        {
          scope: 'class',
          key: 'Pay',
          figure: 'processedRate',
          value: 3.1,
          usual: 1,
          lower: 0.6,
          upper: 1.5,
          deviation: 1.8,
          sudden: null,
        },
        { ...of('class', 'Ship', 'runTime'), value: 12, usual: 0.15, lower: 0.01, upper: 2.5, deviation: 3.5 },
      ]),
    }),
    [
      'info Pay: Pay runs 3.1 times as often as usual on a Wednesday at 12:00 UTC. [190 a minute; usual 60 a minute, from 36 a minute to 90 a minute]',
      'warning Ship: Executions of Ship take 12 s on average; up to 2.5 s is usual on a Wednesday at 12:00 UTC. [12 s; usual 150 ms, from 10 ms to 2.5 s]',
    ],
    evidence({
      queues: [aQueueState('q', late)],
      usual: usual([
        { ...of('class', 'Pay', 'processedRate'), value: 1.9, deviation: 0.99 },
        // It is late, and that is told.
        { ...of('queue', 'q', 'enqueued'), value: 340, usual: 5, deviation: 9 },
        // Fewer jobs wait than usual.
        { ...of('queue', 'other', 'enqueued'), value: 0, usual: 500, deviation: -3 },
        { ...of('total', '', 'enqueued'), value: 19, usual: 0, deviation: 5 },
        // Less than twice as long, only milliseconds longer, and faster than usual.
        { ...of('class', 'Slow', 'runTime'), value: 3.9, usual: 2, deviation: 9 },
        { ...of('class', 'Quick', 'runTime'), value: 0.06, usual: 0.02, deviation: 9 },
        { ...of('class', 'Mended', 'runTime'), value: 0.1, usual: 4, deviation: -2 },
      ]),
    }),
  ],
  [
    'missing',
    evidence({
      totals: { readyThreads: 5 },
      classQueues: new Map([
        ['Close', 'billing'],
        ['Open', 'billing'],
        ['Alone', 'mail'],
      ]),
      usual: usual(
        [],
        ['Close', 'Open', 'Alone'].map((name) => ({ class: name, lastRunAt: NOW - 1800, expected: 20, perHour: 40 })),
        ['billing', 'mail', 'old'].map((queue) => ({ queue, lastSeenAt: NOW - 3600, expected: 2.24, perHour: 1.2 }))
      ),
    }),
    [
      'warning billing: No job seen in billing for 1 h; usually jobs would have been seen there 2 times. (3600 s) [last job seen at 2026-11-25 11:00 UTC, jobs usual in 2.2 five-minute intervals since; 2 classes of it missing, Close among them]',
      'warning old: No job seen in old for 1 h; usually jobs would have been seen there 2 times. (3600 s) [last job seen at 2026-11-25 11:00 UTC, jobs usual in 2.2 five-minute intervals since]',
      'warning Alone: No execution of Alone for 30 min; usually it runs 40 times in this hour. (1800 s) [last run at 2026-11-25 11:30 UTC, 20 executions usual since]',
    ],
    // Nothing runs, or its jobs wait: those are findings of their own.
    evidence({
      totals: { readyThreads: 5 },
      queues: [aQueueState('q', { size: 1 })],
      classQueues: new Map([['Close', 'q']]),
      usual: usual([], [{ class: 'Close', lastRunAt: NOW - 1800, expected: 20, perHour: 40 }]),
    }),
  ],
  [
    'lockStuck',
    evidence({
      locks: {
        locks: [
          aLock({ place: 'nowhere', nowhereSince: NOW - 60 }),
          aLock({ jid: 'b2', digest: 'uniquejobs:2', place: 'dead', since: NOW - 7200 }),
          aLock({ jid: 'p1', class: 'Pay', place: 'dead' }),
          aLock({
            gem: 'sidekiq-throttled',
            digest: 'throttled:Crawl',
            class: 'Crawl',
            kind: 'concurrency',
            since: null,
            jid: 'c',
            place: 'nowhere',
            nowhereSince: NOW - 90,
          }),
        ],
        digests: 3,
        notices: [],
      },
    }),
    [
      'warning Bill: 2 locks of Bill are held by jobs that are dead or no longer exist. (7200 s) [uniquejobs:2, job b2, held for 2 h]',
      'warning Pay: A lock of Pay is held by a dead job. (600 s) [uniquejobs:1, job p1, held for 10 min]',
      'warning Crawl: A lock of Crawl is held by a job that no longer exists. (90 s) [throttled:Crawl, job c]',
    ],
    evidence({
      locks: {
        locks: [
          aLock({ place: 'nowhere', nowhereSince: NOW - 59 }),
          aLock({ place: 'unseen' }),
          aLock({ place: 'unknown' }),
          // It outlives its job.
          aLock({ kind: 'until_expired', place: 'nowhere', nowhereSince: NOW - 600 }),
          aLock({ gem: 'activejob-uniqueness', kind: '', place: 'nowhere', nowhereSince: NOW - 600 }),
        ],
        digests: 5,
        notices: [],
      },
    }),
  ],
  [
    'redisSlow',
    evidence({ snapshot: { processes: listed(aProcess('h:1:a', { rttSeconds: 0.08 })) } }),
    ['warning h: Redis is slow for h: the round-trip time is 80 ms. [h:1:a]'],
    evidence({ snapshot: { processes: listed(aProcess('h:1:a', { rttSeconds: 0.05 })) } }),
  ],
  [
    'versionsMixed',
    evidence({
      snapshot: { processes: listed(aProcess('h:1:a', { version: '7.3.10' }), aProcess('h:2:b', { version: '' })) },
    }),
    ['info Sidekiq: 2 versions of Sidekiq run: 7.3.10, before 7.0.2. [2 processes]'],
    evidence({ snapshot: { processes: listed(aProcess('h:1:a'), aProcess('h:2:b')) } }),
  ],
  [
    'pollerBehind',
    evidence({ snapshot: { totals: { lateScheduled: 30, lateRetry: 21 } } }),
    ['warning Sidekiq: 51 jobs have been due for more than 1 min and are not enqueued. [30 scheduled, 21 retries]'],
    // Due for seconds is how Sidekiq’s poller works, however many there are.
    evidence({
      snapshot: { totals: { overdueScheduled: 5000, overdueRetry: 300, lateScheduled: 0, lateRetry: null } },
    }),
  ],
  [
    'recurringLate',
    evidence({}, { recurring: [entry({ nextAt: NOW - 301 })] }),
    ['warning bill: bill has not run as scheduled: it is late by 5 min 1 s. (301 s) [10 * * * *, BillJob]'],
    evidence({}, { recurring: [entry({ nextAt: NOW - 300 }), entry({ nextAt: null, enabled: false })] }),
  ],
  [
    'evictionPolicy',
    evidence({}, info({ maxmemory_policy: 'allkeys-lru', maxmemory: '100', maxmemory_human: '100B' })),
    [
      'critical Redis: Redis may delete jobs: its eviction policy is allkeys-lru. [maxmemory-policy allkeys-lru, maxmemory 100B]',
    ],
    // Without a limit nothing is evicted.
    evidence({}, info({ maxmemory_policy: 'allkeys-lru', maxmemory: '0' })),
  ],
  [
    'memoryFullSoon',
    evidence({ redisMemory: { usedBytes: 750, limitBytes: 1000, full: { earliest: 3600, latest: 6 * 3600 } } }),
    ['warning Redis: The memory of Redis is full in 1 h to 6 h at this rate. [75% of maxmemory are used]'],
    evidence({ redisMemory: { usedBytes: 750, limitBytes: 1000, full: { earliest: 60, latest: 6 * 3600 + 1 } } }),
  ],
  [
    'memoryNearlyFull',
    evidence({}, info({ used_memory: '91', maxmemory: '100' })),
    ['warning Redis: Redis is nearly full: 91% of its memory is used. [91 of 100]'],
    evidence({}, info({ used_memory: '90', maxmemory: '100' })),
  ],
  [
    'replicaCutOff',
    evidence(
      { totals: { readyThreads: 0, enqueued: 1 } },
      info({ role: 'slave', master_link_status: 'down', master_link_down_since_seconds: '136' })
    ),
    [
      'critical Redis: The replica that is read has had no link to its master for 2 min 16 s. [master_link_status:down]',
    ],
    evidence({}, info({ role: 'slave', master_link_status: 'up', master_link_down_since_seconds: '136' })),
  ],
  [
    'scheduleUnreadable',
    evidence({}, { recurring: [entry({ schedule: '61 * * * *', unreadable: true })] }),
    ['warning bill: bill does not run: sidekiq-cron cannot read its schedule. [61 * * * *]'],
    evidence({}, { recurring: [entry({ enabled: false, unreadable: true }), entry({})] }),
  ],
  [
    'deadSetNearlyFull',
    evidence({ snapshot: { totals: { dead: 91 } }, options: { deadMaxJobs: 100 } }),
    ['warning Sidekiq: The dead set is nearly full: 91%. [91 of 100 jobs]'],
    evidence({ snapshot: { totals: { dead: 90 } }, options: { deadMaxJobs: 100 } }),
  ],
];

describe('throughput in total', () => {
  const total = (part: Partial<UsualFigure>) =>
    FINDING_RULES.find(({ id }) => id === 'unusual')!
      .find(
        evidence({
          usual: usual([{ ...of('total', '', 'processedRate'), usual: 1, lower: 0.5, upper: 4, ...part }]),
        })
      )
      .map(({ text, evidence: shown }) => [text, shown]);

  test('is unusual within its band after a sudden change', () => {
    expect(total({ value: 3, deviation: 0, sudden: true })).toEqual([
      [
        'Sidekiq runs 3 times as often as usual on a Wednesday at 12:00 UTC.',
        '180 a minute; usual 60 a minute, from 30 a minute to 240 a minute; changed suddenly within the last hour',
      ],
    ]);
    expect(total({ value: 0.6, deviation: 0, sudden: true })[0]![0]).toContain('0.6 times as often');
  });

  test('is unusual without a sudden change from one and a half times the width of its band on', () => {
    expect(total({ value: 9, deviation: 1.49, sudden: false })).toEqual([]);
    expect(total({ value: 9.3, deviation: 1.5, sudden: false })).toHaveLength(1);
    expect(total({ value: 9, deviation: 1, sudden: null })).toHaveLength(1);
  });
});

describe('throughput of a class', () => {
  const found = (missing: string[]) =>
    FINDING_RULES.flatMap(({ find }) =>
      find(
        evidence({
          totals: { readyThreads: 5 },
          usual: usual(
            [{ ...of('class', 'Close', 'processedRate'), value: 0, usual: 1, lower: 0.5, deviation: -1, sudden: true }],
            missing.map((name) => ({ class: name, lastRunAt: NOW - 1800, expected: 20, perHour: 40 }))
          ),
        })
      )
    ).map(({ text }) => text);

  test('is told once where it stopped: as unusual, and as missing from its longest pause on', () => {
    expect(found([])).toEqual(['Close runs 0 times as often as usual on a Wednesday at 12:00 UTC.']);
    expect(found(['Close'])).toEqual(['No execution of Close for 30 min; usually it runs 40 times in this hour.']);
  });
});

describe('throughput and failures in total, beside classes that are unusual', () => {
  const told = (
    total: Partial<UsualFigure>,
    jobClass: Partial<UsualFigure>,
    figure = 'processedRate',
    totals: NonNullable<StatePart>['totals'] = {}
  ) =>
    FINDING_RULES.find(({ id }) => id === 'unusual')!
      .find(
        evidence({
          totals,
          usual: usual([
            { ...of('total', '', figure), lower: 0, upper: 1, deviation: 5, ...total },
            { ...of('class', 'Small', figure), lower: 0, upper: 1, deviation: 5, ...jobClass },
          ]),
        })
      )
      .map(({ subject }) => subject);
  const fall = { value: 20, usual: 200, lower: 150, upper: 250, deviation: -1.6 };
  const burst = { value: 60, usual: 1 };

  test('are told beside a class that went the other way', () => {
    expect(told(fall, { value: 0.5, usual: 0.1 })).toEqual(['Sidekiq', 'Small']);
  });

  test('are told beside a class that is a small part of it', () => {
    expect(told(burst, { value: 0.2, usual: 0.01, deviation: 9 }, 'failedRate')).toEqual(['Sidekiq', 'Small']);
  });

  test('are not told beside the class that explains it, of whose hour it is the last five minutes', () => {
    // Sixty a second for five minutes are five a second over the hour.
    expect(told(burst, { value: 5, usual: 0.01 }, 'failedRate')).toEqual(['Small']);
    expect(told(fall, { value: 15, usual: 195, lower: 150, upper: 250, deviation: -1.6 })).toEqual(['Small']);
  });

  test('are told beside a class that has a twentieth more for an hour, and not beside one that begins', () => {
    /** Executions a second of the class in the last quarter of an hour, by Sidekiq's own metrics. */
    const at = (perSecond: number) => ({
      recent: new Map([['Small', { processed: 900 * perSecond, failed: 0, milliseconds: 0, seconds: 900 }]]),
    });
    const surge = { value: 200, usual: 100, lower: 90, upper: 110 };
    expect(told(surge, { value: 6, usual: 1 }, 'processedRate', at(6))).toEqual(['Sidekiq', 'Small']);
    // Seventy more in five minutes are 23 more in fifteen.
    expect(told(surge, { value: 6, usual: 1 }, 'processedRate', at(24))).toEqual(['Small']);
  });
});

describe('a backlog that is unusual', () => {
  const queues = [
    aQueueState('a', { workerType: 'Default' }),
    aQueueState('b', { workerType: 'Default' }),
    aQueueState('c', { workerType: 'Other' }),
  ];
  const backlog = (scope: UsualFigure['scope'], key: string): UsualFigure => ({
    ...of(scope, key, 'enqueued'),
    ...{ value: 400, usual: 100, lower: 50, upper: 200, deviation: 1.3 },
  });
  const ofThem = (figures: UsualFigure[], given: StatePart = {}) =>
    FINDING_RULES.find(({ id }) => id === 'unusual')!
      .find(evidence({ queues, usual: usual(figures), ...given }))
      .map(({ kind, subject, text }) => [kind, subject, text]);
  const sentence = (name: string) => `400 jobs wait in ${name}, 4 times as many as usual on a Wednesday at 12:00 UTC.`;
  const total = backlog('total', '');
  const type = backlog('workerType', 'Default');

  test('is told of a worker type where none of its queues explains it, and then not in total', () => {
    expect(ofThem([total, type])).toEqual([['worker type', 'Default', sentence('Default')]]);
    expect(ofThem([total, type, backlog('queue', 'c')])).toEqual([
      ['worker type', 'Default', sentence('Default')],
      ['queue', 'c', sentence('c')],
    ]);
  });

  test('is told of the queue that explains it', () => {
    expect(ofThem([total, type, backlog('queue', 'b')])).toEqual([['queue', 'b', sentence('b')]]);
    // Of another figure it explains nothing.
    const latency = { ...backlog('queue', 'b'), figure: 'latency' };
    expect(ofThem([type, latency]).map(([kind]) => kind)).toEqual(['worker type', 'queue']);
  });

  test('is told of both where the queue is a small part of it', () => {
    const small = { ...backlog('queue', 'b'), value: 130, usual: 5 };
    expect(ofThem([total, type, small]).map(([kind]) => kind)).toEqual(['worker type', 'queue']);
    const half = { ...backlog('queue', 'b'), value: 160, usual: 5 };
    expect(ofThem([total, type, half]).map(([kind]) => kind)).toEqual(['queue']);
  });

  test('is told beside a paused queue of the worker type that is empty', () => {
    expect(
      ofThem([type], { queues: [...queues, aQueueState('d', { paused: true, workerType: 'Default' })] })
    ).toHaveLength(1);
  });

  test('is not told beside a queue of the worker type that is late', () => {
    expect(ofThem([type], { queues: [...queues, aQueueState('d', { ...late, workerType: 'Default' })] })).toEqual([]);
  });

  test('leads to the worker type', () => {
    const path = pathOf({ kind: 'worker type', subject: 'A & B', rule: 'unusual' });
    expect(path).toBe('/d/sidekiq-processes?var-workerType=A%20%26%20B');
  });
});

test('locks whose class nobody tells are one finding, however many they are', () => {
  const locks = Array.from({ length: 200 }, (_, index) =>
    aLock({ class: '', digest: `uniquejobs:${index}`, jid: `j${index}`, place: 'nowhere', nowhereSince: NOW - 90 })
  );
  expect(found('lockStuck', evidence({ locks: { locks, digests: 200, notices: [] } }))).toEqual([
    'warning sidekiq-unique-jobs: 200 locks of sidekiq-unique-jobs are held by jobs that no longer exist. (90 s) [uniquejobs:0, job j0, held for 10 min]',
  ]);
});

describe('a rule', () => {
  test.each(CASES)(
    '%s fires with its evidence, and is silent just below its limit',
    (rule, fires, expected, silent) => {
      expect(found(rule, fires)).toEqual(expected);
      expect(found(rule, silent)).toEqual([]);
    }
  );

  test('tells once of a Redis that is nearly full and will soon be', () => {
    const memory = info({ used_memory: '91', maxmemory: '100' });
    const full = { earliest: 60, latest: 3600 };
    const found = applyRules(evidence({ redisMemory: { usedBytes: 91, limitBytes: 100, full } }, memory));
    expect(found.map(({ rule }) => rule.id)).toEqual(['memoryFullSoon']);
  });

  test('has a case here, whichever it is', () => {
    expect(CASES.map(([rule]) => rule).sort()).toEqual(FINDING_RULES.map(({ id }) => id).sort());
  });

  test('never fires on what is not known', () => {
    const unknown = evidence({
      totals: { readyThreads: null, busy: null, enqueued: null, latencyMaxSeconds: null, lastHour: null, recent: null },
      queues: [
        aQueueState('q', {
          size: null,
          latencySeconds: null,
          unserved: null,
          starved: null,
          paused: null,
          readyThreads: null,
        }),
      ],
      snapshot: {
        processes: partial(aProcess('h:1:a', { beatAgeSeconds: null, rttSeconds: null })),
        totals: { dead: null, deadLastHour: null, overdueScheduled: null, overdueRetry: null },
      },
    });
    expect(applyRules(unknown)).toEqual([]);
  });
});

// Its oldest job may have waited while it was served, in a queue that was late.
test.each([
  ['its service ended', 3600, NOW - 120, NOW - 120],
  ['its oldest job waits', 60, NOW - 120, NOW - 60],
  ['its oldest job waits, where it was not seen to be served', 3600, null, NOW - 3600],
])('a queue is unserved since %s', (_, waitSeconds, endedAt, since) => {
  const serviceEnds = new Map(endedAt === null ? [] : [['q', endedAt]]);
  const queues = [aQueueState('q', { size: 1, unserved: true, latencySeconds: waitSeconds, waitSeconds })];
  const rule = FINDING_RULES.find((each) => each.id === 'queueUnserved')!;
  expect(rule.find(evidence({ totals: { readyThreads: 1 }, queues, serviceEnds }))).toMatchObject([{ since }]);
});

const causesOf = (id: string, given: Evidence) =>
  FINDING_RULES.find((each) => each.id === id)!
    .find(given)
    .map(({ cause }) => cause);

test.each<[rule: string, given: Evidence, cause: string]>([
  ['nothingRuns', evidence({ totals: { readyThreads: 0, enqueued: 2, processes: 0 } }), 'No Sidekiq process is alive.'],
  [
    'nothingRuns',
    evidence({ totals: { readyThreads: 0, enqueued: 2, processes: 1 } }),
    'All processes are quiet: they shut down.',
  ],
  [
    'queueUnserved',
    evidence({ totals: { readyThreads: 1 }, queues: [aQueueState('q', { size: 1, unserved: true, processes: 0 })] }),
    'No process is configured for this queue.',
  ],
  [
    'queueUnserved',
    evidence({ totals: { readyThreads: 1 }, queues: [aQueueState('q', { size: 1, unserved: true, processes: 1 })] }),
    'The processes that serve the queue are quiet.',
  ],
  ['queueLate', evidence({ queues: [aQueueState('q', late)] }), 'All threads that serve it are working on it.'],
  [
    'queueLate',
    evidence({ queues: [aQueueState('q', { ...late, busy: 4, inRate: 2, outRate: 1 })] }),
    'More jobs arrive than are taken.',
  ],
  [
    'queueLate',
    evidence({ queues: [aQueueState('q', { ...late, busy: 4, inRate: 1, outRate: 1 })] }),
    'The threads that serve it are busy with other queues, or it catches up.',
  ],
  [
    'queueLate',
    evidence({ queues: [aQueueState('q', { ...late, readyThreads: 8, threads: 8, busy: 2, readyIdle: 6 })] }),
    '6 of the threads that serve it run nothing: a limit, as of sidekiq-throttled or sidekiq-limit_fetch, may hold its jobs back, and more threads do not help then.',
  ],
  [
    'queueLate',
    evidence({
      queues: [
        aQueueState('q', { ...late, readyThreads: 8, threads: 8, busy: 2, readyIdle: 6, inRate: 900, outRate: 400 }),
      ],
    }),
    'More jobs arrive than are taken.',
  ],
  [
    'queueLate',
    evidence({ queues: [aQueueState('q', { ...late, busy: null, readyBusy: null, inRate: 2, outRate: 1 })] }),
    'It is not known what the threads that serve it do.',
  ],
])('%s tells the cause as far as the figures do (%#)', (rule, given, cause) => {
  expect(causesOf(rule, given)).toEqual([cause]);
});

test('jobs that run in quiet processes are told beside a queue that nobody serves', () => {
  const queue = aQueueState('q', { ...late, unserved: true, readyThreads: 0, threads: 5, busy: 2, readyBusy: 0 });
  expect(found('queueUnserved', evidence({ totals: { readyThreads: 1 }, queues: [queue] }))[0]).toContain(
    '2 jobs running in processes that take no new ones'
  );
});

test('a queue of which little is known is told with what is known', () => {
  const queue = aQueueState('q', { ...late, size: 1, busy: null, readyThreads: null, drainSeconds: 60 });
  expect(found('queueLate', evidence({ queues: [queue] }))).toEqual([
    'critical q: q is late: its oldest job has waited 12 min, the objective is 5 min. (420 s) [1 job, drained in 1 min at this rate]',
  ]);
  const weights = (part: Partial<typeof queue>) =>
    FINDING_RULES.find(({ id }) => id === 'queuePaused')!
      .find(evidence({ queues: [{ ...queue, paused: true, ...part }] }))
      .map(({ weight }) => weight);
  expect([
    weights({ waitSeconds: 5 }),
    weights({ waitSeconds: null }),
    weights({ waitSeconds: null, size: null }),
  ]).toEqual([[5], [1], [0]]);
});

test('saturation is told only of ready threads, and once the wait is longer than a minute', () => {
  const full = { busyReadyThreads: 5, readyThreads: 5, enqueued: 9 };
  const saturated = (totals: object, queue: object = { latencySeconds: 61 }) =>
    found('saturated', evidence({ totals, queues: [aQueueState('q', { size: 9, ...queue })] })).length;
  expect(saturated(full)).toBe(1);
  expect(saturated({ ...full, busyReadyThreads: 6 })).toBe(1);
  expect(saturated({ ...full, busyReadyThreads: 4 })).toBe(0);
  expect(saturated({ ...full, busyReadyThreads: null })).toBe(0);
  expect(saturated({ ...full, readyThreads: 0, busyReadyThreads: 0 })).toBe(0);
  expect(saturated(full, { latencySeconds: 60 })).toBe(0);
  expect(saturated(full, { latencySeconds: null })).toBe(0);
  // These wait whatever the threads do.
  expect(saturated(full, { latencySeconds: 61, paused: true })).toBe(0);
  expect(saturated(full, { latencySeconds: 61, unserved: true })).toBe(0);
});

test('the worst comes first: by severity, then the longest wait', () => {
  const rows = applyRules(
    evidence({
      totals: { readyThreads: 5 },
      queues: [
        aQueueState('paused', { size: 1, paused: true }),
        aQueueState('late', { ...late, latencySeconds: 400 }),
        aQueueState('later', { ...late, latencySeconds: 4000 }),
        aQueueState('starved', { size: 1, starved: true, latencySeconds: 9000 }),
      ],
    })
  );
  expect(rows.map(({ severity, subject }) => `${severity} ${subject}`)).toEqual([
    'critical later',
    'critical late',
    'warning starved',
    'info paused',
  ]);
});

describe('the query', () => {
  const refused = () => Promise.reject(new Fault({ kind: 'permission', message: 'No.', remedy: 'Grant it.' }));
  const reads = { info: refused, recurring: refused } as unknown as Parameters<typeof findings.run>[2 | 3] as never;
  const request = { range: { from: NOW - 60, to: NOW }, intervalSeconds: 1, alerting: false };
  const ask = async (query: object, state: StatePart) =>
    rowsOf((await findings.run({ queryType: 'findings', ...query }, aState(state), request, reads))[0]!);

  test('says that nothing is wrong in one row, with the figures', async () => {
    const state = { totals: { latencyMaxSeconds: 3, busy: 2, threads: 10 }, queues: [aQueueState('q')] };
    expect(await ask({}, state)).toEqual([
      {
        severity: 'ok',
        finding: 'Nothing is wrong.',
        since: null,
        action: '',
        cause: '',
        evidence: '1 queue, longest wait 3 s, 2 of 10 threads busy',
        kind: 'Sidekiq',
        subject: 'Sidekiq',
        rule: 'none',
        path: '/d/sidekiq-processes?',
        pathSince: '',
        level: 0,
      },
    ]);
  });

  test.each([
    [-600, -600],
    [-1, null],
  ])('dates a finding that the log knows for %i s by the earlier instant', async (beganAt, expected) => {
    const queues = [aQueueState('q', late)];
    const [plain] = await ask({}, { queues });
    const shown = plain!['since'] as number;
    const logged = {
      rule: plain!['rule'] as string,
      kind: 'queue' as const,
      subject: 'q',
      severity: 'critical' as const,
    };
    const open = [{ ...logged, text: '', beganAt: NOW + beganAt, endedAt: null }];
    const [row] = await ask({}, { queues, findingLog: { open, ended: [] } });
    expect(row!['since']).toBe(expected === null ? shown : (NOW + expected) * 1000);
    expect(shown).toBeLessThan((NOW - 1) * 1000);
    expect(shown).toBeGreaterThan((NOW - 600) * 1000);
  });

  test('does not know since when it is so, where it was so when the watch began', async () => {
    const part = { snapshot: { totals: { deadLastHour: 150, dead: 500 } } };
    const of = { rule: 'jobsDying', kind: 'Sidekiq' as const, subject: 'Sidekiq' };
    const open = [{ ...of, severity: 'critical' as const, text: '', beganAt: NOW - 600, endedAt: null }];
    const since = async (watched: number) => {
      const processLog = { ...aState().processLog, since: watched };
      return (await ask({}, { ...part, processLog, findingLog: { open, ended: [] } }))[0]!['since'];
    };
    expect(await since(NOW - 600)).toBeNull();
    expect(await since(NOW - 900)).toBe((NOW - 600) * 1000);
  });

  test('leaves out what is below the asked severity', async () => {
    const state = { queues: [aQueueState('p', { size: 1, paused: true }), aQueueState('q', late)] };
    expect((await ask({}, state)).map(({ level }) => level)).toEqual([3, 1]);
    expect((await ask({ severity: 'warning' }, state)).map(({ subject }) => subject)).toEqual(['q']);
    expect((await ask({ severity: 'critical' }, { queues: [state.queues[0]!] })).map(({ rule }) => rule)).toEqual([
      'none',
    ]);
  });

  test('gives an alert rule a level for each subject', async () => {
    const [frame] = await findings.run(
      { queryType: 'findings', figures: ['level'] },
      aState({ queues: [aQueueState('q', late)] }),
      { ...request, alerting: true },
      reads
    );
    expect(rowsOf(frame!)).toEqual([{ subject: 'q', rule: 'queueLate', level: 3 }]);
  });

  test('names its data source, and leads to its dashboards, in a table of several', async () => {
    const several = { ...request, dataSource: { uid: 'a b', name: 'EU & US' } };
    const state = aState({ queues: [aQueueState('q', late)] });
    const query = { queryType: 'findings', installation: true };
    const [frame] = await findings.run(query, state, several, reads);
    expect(rowsOf(frame!)).toMatchObject([
      {
        installation: 'EU & US',
        path: '/d/sidekiq-queue?var-queue=q&var-datasource=a%20b',
        pathSince: expect.stringMatching(/^\/d\/sidekiq-incident\?from=\d+&to=\d+&var-datasource=a%20b$/),
      },
    ]);
    const fault = new Fault({ kind: 'connection', message: 'Nothing listens at h:1.', remedy: 'Start it.' });
    const kept = { now: NOW, options: aState().options, notices: [], fault, last: null };
    expect(rowsOf((await findings.runFromKept!(query, kept, several, reads))[0]!)).toMatchObject([
      { installation: 'EU & US', path: '/d/sidekiq-processes?&var-datasource=a%20b' },
    ]);
  });

  test('says while Redis cannot be read what is the matter', async () => {
    const fault = new Fault({ kind: 'connection', message: 'Nothing listens at h:1.', remedy: 'Start it.' });
    const kept = { now: NOW, options: aState().options, notices: [], fault, last: null };
    const [frame] = await findings.runFromKept!({ queryType: 'findings' }, kept, request, reads);
    expect(rowsOf(frame!)).toMatchObject([
      { severity: 'critical', finding: 'Nothing listens at h:1.', action: 'Start it.', rule: 'unreachable', level: 3 },
    ]);
  });
});

test.each([
  ['queue', 'a b', 'queueLate', '/d/sidekiq-queue?var-queue=a%20b'],
  ['class', 'A::B', 'jobStuck', '/d/sidekiq-job-class?var-class=A%3A%3AB'],
  ['host', 'web-1', 'redisSlow', '/d/sidekiq-processes?var-host=web-1'],
  ['Sidekiq', 'Sidekiq', 'jobsDying', '/d/sidekiq-errors?'],
  ['Redis', 'Redis', 'evictionPolicy', '/d/sidekiq-processes?'],
])('a finding on a %s leads to its dashboard', (kind, subject, rule, path) => {
  expect(pathOf({ kind, subject, rule })).toBe(path);
});

test('numbers in sentences', () => {
  expect([countText(1, 'job'), countText(1200, 'job'), countText(null, 'process', 'processes')]).toEqual([
    '1 job',
    '1,200 jobs',
    '? processes',
  ]);
  expect([0, 59.4, 60, 3599, 3600, 7500, 90_000, 172_800].map(durationText)).toEqual([
    '0 s',
    '59 s',
    '1 min',
    '59 min 59 s',
    '1 h',
    '2 h 5 min',
    '1 d 1 h',
    '2 d',
  ]);
  expect([0.05, 0.1234, 1].map(shareText)).toEqual(['5%', '12%', '100%']);
});

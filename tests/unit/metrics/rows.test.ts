import { describe, expect, test } from 'vitest';
import { renderOpenMetrics, renderText } from '../../../pkg/metrics/exposition';
import {
  labelValue,
  readFamilies,
  type Metric,
  type MetricState,
  type NumberSample,
  type Sample,
} from '../../../pkg/metrics/metric';
import { DURATION_BOUNDS, receiverMetrics } from '../../../pkg/metrics/statsdMetrics';
import { metricTable } from '../../../pkg/metrics/table';
import type { RecurringEntry } from '../../../pkg/sidekiq/browse/recurring';
import { HISTOGRAM_BOUNDS_MS, noCounts } from '../../../pkg/sidekiq/jobMetrics';
import { PART_NAMES } from '../../../pkg/sidekiq/refusals';
import { StatsdIntake } from '../../../pkg/statsd/intake';
import { VERSION } from '../../../pkg/version';
import { aCapsule, aLock, aProcess, aQueueState, aState, listed, NOW, partial, someWork } from '../../support/state';
import { sendPacket } from '../../support/statsd';

const stateOf = (part: Parameters<typeof aState>[0] = {}, more: Partial<MetricState> = {}): MetricState => ({
  ...aState(part),
  arrivedBy: NOW,
  droppedSeries: new Map(),
  loopDelaySeconds: 0.25,
  ...more,
});

/** A metric's samples as a line each, without its name: `{name="a"} 5`. */
function read(name: string, state: MetricState): string[] | null {
  const metric = metricTable(['lago_api']).find((each) => each.name === name);
  const samples = metric!.read(state, Infinity);
  return samples && linesOf(samples);
}
/** The lines of samples without the name of their metric. */
function linesOf(samples: Sample[]): string[] {
  return renderText([{ name: 'm', type: 'gauge', help: '', samples }])
    .split('\n')
    .slice(2, -1)
    .map((line) => line.slice(1).replace(/^ /, ''));
}

function anEntry(source: RecurringEntry['source'], name: string, part: Partial<RecurringEntry>): RecurringEntry {
  return {
    source,
    name,
    prefix: '',
    class: '',
    queue: '',
    schedule: '',
    enabled: true,
    lastAt: null,
    nextAt: null,
    lateFrom: part.nextAt ?? null,
    unreadable: false,
    zoneKnown: true,
    ...part,
  };
}

/** The state that every row is read off at least once. */
const FULL = stateOf(
  {
    historyFile: false,
    locks: {
      locks: [
        aLock(),
        aLock({ place: 'nowhere', nowhereSince: NOW - 60 }),
        aLock({ gem: 'sidekiq-throttled', kind: 'threshold', jid: '', place: 'none' }),
        aLock({ gem: 'sidekiq-throttled', class: 'Crawl', kind: 'concurrency', place: 'running' }),
      ],
      digests: 42,
      notices: [],
    },
    totals: {
      processed: 1001,
      failed: 102,
      busy: 3,
      busyThreads: 4,
      threads: 12,
      readyThreads: 9,
      processes: 4,
      ghosts: 2,
      enqueued: 77,
      lastHour: new Map([
        ['A', { processed: 5, failed: 1, milliseconds: 2345 }],
        ['B', { processed: 2, failed: 0, milliseconds: 0 }],
      ]),
    },
    snapshot: {
      totals: {
        processNames: 6,
        scheduled: 5,
        retry: 8,
        dead: 250,
        deadLastHour: 7,
        activeJobRetries: 21,
        overdueScheduled: 22,
        overdueRetry: 23,
        lateScheduled: 31,
        lateRetry: 32,
      },
      processes: listed(
        aProcess('web-1:1:a', {
          busy: 2,
          concurrency: 5,
          rssBytes: 1000,
          rttSeconds: 0.002,
          beatAgeSeconds: 3,
          queues: ['q', 'r'],
          capsules: [aCapsule(5, { q: 0, r: 0 })],
          startedAt: NOW - 100.7,
          version: '8.1.7',
          tag: 'shop',
        }),
        aProcess('web-2:1:b', {
          busy: 1,
          concurrency: 7,
          rssBytes: null,
          beatAgeSeconds: null,
          queues: ['r'],
          quiet: true,
          version: '',
          tag: '',
        }),
        aProcess('web-1:2:c', { busy: 4, concurrency: 2, rssBytes: 500, queues: [], quiet: true })
      ),
      leader: 'web-1:1:a',
      recurring: listed(
        anEntry('sidekiq-cron', 'bill', { class: 'BillJob', lastAt: NOW - 7230, nextAt: NOW - 3630 }),
        anEntry('sidekiq-scheduler', 'sync', { class: 'SyncJob', lastAt: NOW - 150, nextAt: NOW + 30 }),
        anEntry('sidekiq-scheduler', 'new', { class: 'NewJob', nextAt: null }),
        anEntry('sidekiq-scheduler', 'off', { class: 'OffJob', enabled: false, lastAt: NOW - 600, nextAt: null })
      ),
      work: listed(
        someWork({ queue: 'r', runAt: NOW - 50.9 }),
        someWork({ queue: 'q', runAt: NOW - 20 }),
        someWork({ queue: 'r', runAt: NOW - 10 }),
        someWork({ queue: 'u', runAt: null })
      ),
      marks: listed({ at: NOW - 900, label: 'a' }, { at: NOW - 600, label: 'b' }),
      refused: new Map([['queue sizes', 3]]),
      cost: { roundTrips: 2, commands: 158, bytesIn: 4096, milliseconds: 12.5 },
    },
    jobWaits: [
      { queue: 'q', class: 'A', metricsClass: 'A', counts: [2, 0, 1], sumSeconds: 0.6, maxSeconds: 0.4 },
      { queue: 'q', class: 'B', metricsClass: 'B', counts: [1, 0, 0], sumSeconds: 0.3, maxSeconds: 0.3 },
    ],
    queues: [
      aQueueState('q', {
        size: 3,
        latencySeconds: 4.56789,
        workerType: 'T',
        objectiveSeconds: 60,
        readyThreads: 5,
        busy: 1,
        unserved: true,
        starved: true,
        drainSeconds: 30,
      }),
      aQueueState('r', { size: 0, latencySeconds: -0.25, paused: true }),
      aQueueState('served', { known: false, workerType: 'S' }),
      aQueueState('odd', {
        size: null,
        latencySeconds: null,
        readyThreads: null,
        busy: null,
        paused: null,
        unserved: null,
        starved: null,
      }),
    ],
    redisMemory: { usedBytes: 900, limitBytes: 1000, full: { earliest: 1200, latest: 5400.5 } },
    classTotals: new Map([
      [
        'A',
        {
          processed: 10,
          failed: 4,
          milliseconds: 1500,
          durations: noCounts().map((_, index) => (index < 2 ? 3 : 0)),
          lastRunAt: NOW - 90,
        },
      ],
    ]),
    processLog: {
      since: NOW - 3600,
      vanished: [],
      events: [],
      vanishedByHost: new Map([
        ['web-1', 2],
        ['gone', 1],
      ]),
      lostJobsTotal: 9,
    },
    notices: [{ severity: 'warning', text: 'x' }],
    usual: {
      at: NOW,
      basis: 'day',
      figures: [
        ...['processedRate', 'failedRate', 'enqueued', 'latency'].map((figure, index) => ({
          scope: 'total' as const,
          ...{ key: '', figure, value: 9, usual: 2 + 10 * index, lower: 1, upper: 3 },
          deviation: index - 0.5,
          sudden: null,
        })),
        {
          scope: 'queue',
          key: 'q',
          figure: 'enqueued',
          value: 9,
          usual: 5,
          lower: 4,
          upper: 6,
          deviation: 1.5,
          sudden: null,
        },
        {
          scope: 'queue',
          key: 'q',
          figure: 'latency',
          value: 9,
          usual: 8,
          lower: 7,
          upper: 9,
          deviation: 0,
          sudden: null,
        },
        {
          scope: 'class',
          key: 'A',
          figure: 'processedRate',
          value: 9,
          usual: 8,
          lower: 7,
          upper: 9,
          deviation: -2,
          sudden: null,
        },
      ],
      missing: [{ class: 'A', lastRunAt: NOW - 9, expected: 2.5, perHour: 40 }],
      missingQueues: [],
      ahead: [],
    },
    options: { deadMaxJobs: 1000, cadences: [{ class: 'Clock', everySeconds: 300 }] },
  },
  { droppedSeries: new Map([['sidekiq_job_failed', 4]]) }
);

/** The lines of a histogram of waits: its first buckets, and all further ones as the last of them. */
function waitLines(labels: string, first: number[], sum: number): string[] {
  const bounds = '0.1 0.25 0.5 1 2.5 5 10 30 60 120 300 600 1800 3600 10800 +Inf'.split(' ');
  const last = first.at(-1)!;
  return [
    ...bounds.map((bound, index) => `_bucket${labels},le="${bound}"} ${first[index] ?? last}`),
    `_sum${labels}} ${sum}`,
    `_count${labels}} ${last}`,
  ];
}

const perProcess = (...values: Array<string | null>) =>
  ['host="web-1",process="web-1:1:a"', 'host="web-2",process="web-2:1:b"', 'host="web-1",process="web-1:2:c"'].flatMap(
    (labels, index) => (values[index] === null ? [] : [`{${labels}} ${values[index]}`])
  );

const EXPECTED: Record<string, string[]> = {
  sidekiq_processed_jobs_total: ['1001'],
  sidekiq_failed_jobs_total: ['102'],
  sidekiq_workers: ['12'],
  sidekiq_processes: ['6'],
  // By host in the order of first appearance, then by whether they are quiet.
  sidekiq_host_processes: [
    '{host="web-1",quiet="false"} 1',
    '{host="web-1",quiet="true"} 1',
    '{host="web-2",quiet="true"} 1',
  ],
  sidekiq_host_processes_memory_usage_bytes: ['{host="web-1"} 1500', '{host="web-2"} 0'],
  sidekiq_busy_workers: ['4'],
  sidekiq_enqueued_jobs: ['77'],
  sidekiq_scheduled_jobs: ['5'],
  sidekiq_retry_jobs: ['8'],
  sidekiq_dead_jobs: ['250'],
  // To the millisecond, below zero as Ruby has it; only queues that were pushed to, and whose latency is known.
  sidekiq_queue_latency_seconds: ['{name="q"} 4.568', '{name="r"} 0.000'],
  sidekiq_queue_enqueued_jobs: ['{name="q"} 3', '{name="r"} 0'],
  // Whole seconds of the job that runs longest.
  sidekiq_queue_max_processing_time_seconds: ['{name="r"} 50', '{name="q"} 20'],
  // Every process counts whole for each of its queues.
  sidekiq_queue_workers: ['{name="q"} 5', '{name="r"} 12'],
  sidekiq_queue_processes: ['{name="q"} 1', '{name="r"} 2'],
  sidekiq_queue_busy_workers: ['{name="q"} 2', '{name="r"} 3'],
  // Time.now.utc.to_i - process['started_at'] of standard.rb, by format('%d').
  sidekiq_leader_lifetime_seconds: ['100'],
  // `q` has one busy thread of five ready, and its classes have not run: what its 3 jobs take is not known.
  sidekiq_threads_needed: ['{worker_type="other: r"} 0', '{worker_type="S"} 0'],
  // Of the ready threads: those of web-1:1:a serve q (of T) and r, which has no worker type; nobody serves S.
  sidekiq_supply_threads: [
    '{worker_type="T"} 5',
    '{worker_type="other: r"} 5',
    '{worker_type="S"} 0',
    '{worker_type="other: odd"} 0',
  ],
  sidekiq_headroom_threads: ['{worker_type="T"} 4', '{worker_type="other: r"} 5', '{worker_type="S"} 0'],
  // Of A two within 0.1 s and one within 0.5 s, of B one within 0.1 s.
  sidekiq_job_wait_seconds: [
    ...waitLines('{queue="q",class="A"', [2, 2, 3], 0.6),
    ...waitLines('{queue="q",class="B"', [1, 1, 1], 0.3),
  ],
  sidekiq_cron_jobs: ['1'],
  sidekiq_scheduler_jobs: ['3'],
  sidekiq_scheduler_enabled_jobs: ['2'],
  // 150 seconds are two whole minutes; what is off or never ran has none.
  sidekiq_scheduler_time_since_last_run_minutes: ['{name="sync"} 2'],
  sidekiq_recurring_last_run_timestamp_seconds: [
    `{source="sidekiq-cron",name="bill",class="BillJob"} ${NOW - 7230}`,
    `{source="sidekiq-scheduler",name="sync",class="SyncJob"} ${NOW - 150}`,
    `{source="sidekiq-scheduler",name="off",class="OffJob"} ${NOW - 600}`,
  ],
  sidekiq_recurring_next_run_timestamp_seconds: [
    `{source="sidekiq-cron",name="bill",class="BillJob"} ${NOW - 3630}`,
    `{source="sidekiq-scheduler",name="sync",class="SyncJob"} ${NOW + 30}`,
  ],
  sidekiq_recurring_late_seconds: [
    '{source="sidekiq-cron",name="bill",class="BillJob"} 3630',
    '{source="sidekiq-scheduler",name="sync",class="SyncJob"} 0',
  ],
  sidekiq_job_processed: ['{class="A"} 5', '{class="B"} 2'],
  sidekiq_job_failed: ['{class="A"} 1', '{class="B"} 0'],
  sidekiq_job_execution_time_seconds: ['{class="A"} 2.345', '{class="B"} 0.000'],
  sidekiq_live_processes: ['4'],
  sidekiq_ready_threads: ['9'],
  sidekiq_ghost_processes: ['2'],
  sidekiq_dead_jobs_last_hour: ['7'],
  sidekiq_dead_set_fill_ratio: ['0.25'],
  sidekiq_overdue_scheduled_jobs: ['22'],
  sidekiq_overdue_retry_jobs: ['23'],
  sidekiq_late_scheduled_jobs: ['31'],
  sidekiq_late_retry_jobs: ['32'],
  sidekiq_activejob_retries: ['21'],
  sidekiq_queue_info: [
    '{name="q",worker_type="T"} 1',
    '{name="r",worker_type=""} 1',
    '{name="served",worker_type="S"} 1',
    '{name="odd",worker_type=""} 1',
  ],
  sidekiq_queue_objective_seconds: ['{name="q"} 60', '{name="r"} 300', '{name="served"} 300', '{name="odd"} 300'],
  sidekiq_queue_ready_threads: ['{name="q"} 5', '{name="r"} 0', '{name="served"} 0'],
  sidekiq_queue_running_jobs: ['{name="q"} 1', '{name="r"} 0', '{name="served"} 0'],
  sidekiq_queue_paused: ['{name="q"} 0', '{name="r"} 1', '{name="served"} 0'],
  sidekiq_queue_unserved: ['{name="q"} 1', '{name="r"} 0', '{name="served"} 0'],
  sidekiq_queue_starved: ['{name="q"} 1', '{name="r"} 0', '{name="served"} 0'],
  sidekiq_queue_drain_seconds: ['{name="q"} 30'],
  sidekiq_process_threads: perProcess('5', '7', '2'),
  sidekiq_process_busy_threads: perProcess('2', '1', '4'),
  sidekiq_process_resident_memory_bytes: perProcess('1000', null, '500'),
  sidekiq_process_redis_rtt_seconds: perProcess('0.002', null, null),
  sidekiq_process_heartbeat_age_seconds: perProcess('3', null, '2'),
  sidekiq_process_info: [
    '{host="web-1",process="web-1:1:a",version="8.1.7",tag="shop",leader="true"} 1',
    '{host="web-2",process="web-2:1:b",version="",tag="",leader="false"} 1',
    '{host="web-1",process="web-1:2:c",version="8.1.7",tag="shop",leader="false"} 1',
  ],
  sidekiq_process_worker_type_info: [
    '{host="web-1",process="web-1:1:a",worker_type="T"} 1',
    '{host="web-1",process="web-1:1:a",worker_type=""} 1',
    '{host="web-2",process="web-2:1:b",worker_type=""} 1',
    '{host="web-1",process="web-1:2:c",worker_type=""} 1',
  ],
  sidekiq_job_executions_total: ['{class="A"} 10'],
  sidekiq_job_failures_total: ['{class="A"} 4'],
  sidekiq_job_duration_seconds: [
    // Three up to 20 ms and three more up to 30 ms.
    ...HISTOGRAM_BOUNDS_MS.map(
      (bound, index) => `_bucket{class="A",le="${bound === Infinity ? '+Inf' : bound / 1000}"} ${index === 0 ? 3 : 6}`
    ),
    '_sum{class="A"} 1.5',
    '_count{class="A"} 6',
  ],
  sidekiq_job_last_run_timestamp_seconds: [`{class="A"} ${NOW - 90}`],
  sidekiq_job_cadence_seconds: ['{class="Clock"} 300'],
  sidekiq_last_deploy_timestamp_seconds: [String(NOW - 600)],
  // Hosts without a loss are there with 0.
  sidekiq_vanished_processes_total: ['{host="web-1"} 2', '{host="web-2"} 0', '{host="gone"} 1'],
  sidekiq_lost_jobs_total: ['9'],
  // Nobody serves it, and it has waited 4.56789 of its 60 s.
  sidekiq_redis_memory_full_seconds: ['{bound="earliest"} 1200', '{bound="latest"} 5400.5'],
  sidekiq_queue_breach_seconds: ['{name="q",bound="earliest"} 55.43211', '{name="q",bound="latest"} 55.43211'],
  // 4.57 of 60 s, 0 of 300; of a queue whose latency is not known nothing is told.
  sidekiq_objective_met: ['{worker_type="T"} 1', '{worker_type="other: r"} 1', '{worker_type="S"} 1'],
  sidekiq_objective_target_ratio: [
    '{worker_type="T"} 0.99',
    '{worker_type="other: r"} 0.99',
    '{worker_type="S"} 0.99',
    '{worker_type="other: odd"} 0.99',
  ],
  sidekiq_usual_processed_jobs_per_second: ['{bound="lower"} 1', '{bound="usual"} 2', '{bound="upper"} 3'],
  sidekiq_usual_failed_jobs_per_second: ['{bound="lower"} 1', '{bound="usual"} 12', '{bound="upper"} 3'],
  sidekiq_usual_enqueued_jobs: ['{bound="lower"} 1', '{bound="usual"} 22', '{bound="upper"} 3'],
  sidekiq_usual_latency_seconds: ['{bound="lower"} 1', '{bound="usual"} 32', '{bound="upper"} 3'],
  sidekiq_usual_queue_enqueued_jobs: [
    '{name="q",bound="lower"} 4',
    '{name="q",bound="usual"} 5',
    '{name="q",bound="upper"} 6',
  ],
  sidekiq_usual_queue_latency_seconds: [
    '{name="q",bound="lower"} 7',
    '{name="q",bound="usual"} 8',
    '{name="q",bound="upper"} 9',
  ],
  sidekiq_usual_deviation: [
    '{figure="processedRate"} -0.5',
    '{figure="failedRate"} 0.5',
    '{figure="enqueued"} 1.5',
    '{figure="latency"} 2.5',
  ],
  sidekiq_usual_queue_deviation: ['{name="q",figure="enqueued"} 1.5', '{name="q",figure="latency"} 0'],
  sidekiq_unique_locks: ['42'],
  sidekiq_lock_holders: [
    '{gem="sidekiq-unique-jobs",place="waiting"} 1',
    ...['running', 'scheduled', 'retry', 'dead', 'unseen'].map(
      (place) => `{gem="sidekiq-unique-jobs",place="${place}"} 0`
    ),
    '{gem="sidekiq-unique-jobs",place="nowhere"} 1',
    '{gem="sidekiq-unique-jobs",place="unknown"} 0',
    '{gem="sidekiq-throttled",place="waiting"} 0',
    '{gem="sidekiq-throttled",place="running"} 1',
    ...['scheduled', 'retry', 'dead', 'unseen', 'nowhere', 'unknown'].map(
      (place) => `{gem="sidekiq-throttled",place="${place}"} 0`
    ),
  ],
  sidekiq_stuck_locks: ['{class="Bill"} 1'],
  sidekiq_missing_executions: ['{class="A"} 2.5'],
  jobwatch_scrape_round_trips: ['2'],
  jobwatch_scrape_commands: ['158'],
  jobwatch_scrape_received_bytes: ['4096'],
  jobwatch_scrape_duration_seconds: ['0.0125'],
  jobwatch_scrape_notices: ['1'],
  jobwatch_refused_commands: PART_NAMES.map((part) => `{part="${part}"} ${part === 'queue sizes' ? 3 : 0}`),
  jobwatch_history_file_up: ['0'],
  jobwatch_dropped_series_total: ['{metric="sidekiq_job_failed"} 4'],
  jobwatch_event_loop_delay_max_seconds: ['0.25'],
  jobwatch_build_info: [`{version="${VERSION}"} 1`],
};

/** All that is read off Redis; those of the receiver have tests of their own. */
const OF_REDIS = metricTable(['p']).filter(({ name }) => !receiverMetrics(['p']).some((each) => each.name === name));

test('threads that are needed and to spare are told by worker type', () => {
  const state = stateOf({
    queues: [
      aQueueState('a', { workerType: 'T', size: 0, busy: 2, readyThreads: 5 }),
      aQueueState('b', { workerType: 'T', size: 0, busy: 1, readyThreads: 5 }),
      aQueueState('c', { size: 0, busy: null, readyThreads: 5 }),
    ],
    snapshot: { processes: listed(aProcess('a:1:x', { capsules: [aCapsule(5, { a: 0, b: 0 })] })) },
  });
  // a and b share five threads, three of which are busy.
  expect(read('sidekiq_threads_needed', state)).toEqual(['{worker_type="T"} 3']);
  expect(read('sidekiq_headroom_threads', state)).toEqual(['{worker_type="T"} 2']);
  expect(read('sidekiq_threads_needed', stateOf({ snapshot: { queues: partial() } }))).toBeNull();
});

test.each(OF_REDIS.map(({ name }) => name))('%s is read off the state', (name) => {
  expect(EXPECTED[name], 'has an expected value').toBeDefined();
  expect(read(name, FULL)).toEqual(EXPECTED[name]);
});

test('labels of each metric are those it declares', () => {
  for (const { name, labels, read: readOff, type } of OF_REDIS) {
    const [sample] = readOff(FULL, Infinity)!;
    const found = [...(sample!.labels ?? []).map(([label]) => label), ...('quantiles' in sample! ? ['quantile'] : [])];
    expect(found, name).toEqual(labels);
    expect('bounds' in sample!, name).toBe(type === 'histogram');
  }
});

test('a job of a host whose clock is ahead has run for no time, never for less', () => {
  const work = listed(someWork({ queue: 'q', runAt: NOW + 500 }));
  expect(read('sidekiq_queue_max_processing_time_seconds', stateOf({ snapshot: { work } }))).toEqual(['{name="q"} 0']);
});

describe('what is not known has no sample, never a zero:', () => {
  const nothing = stateOf({
    totals: {
      processed: null,
      failed: null,
      busy: null,
      busyThreads: null,
      threads: null,
      readyThreads: null,
      processes: null,
      ghosts: null,
      enqueued: null,
      lastHour: null,
      recent: null,
    },
    snapshot: {
      totals: {
        processNames: null,
        scheduled: null,
        retry: null,
        dead: null,
        deadLastHour: null,
        activeJobRetries: null,
        overdueScheduled: null,
        overdueRetry: null,
      },
      processes: partial(aProcess('a:1:x', { rssBytes: 5 })),
      work: partial(someWork()),
      marks: partial({ at: NOW, label: 'x' }),
      leader: null,
    },
  });

  test.each([
    'sidekiq_processed_jobs_total',
    'sidekiq_failed_jobs_total',
    'sidekiq_workers',
    'sidekiq_processes',
    'sidekiq_busy_workers',
    'sidekiq_enqueued_jobs',
    'sidekiq_scheduled_jobs',
    'sidekiq_retry_jobs',
    'sidekiq_dead_jobs',
    'sidekiq_live_processes',
    'sidekiq_ready_threads',
    'sidekiq_ghost_processes',
    'sidekiq_dead_jobs_last_hour',
    'sidekiq_dead_set_fill_ratio',
    'sidekiq_overdue_scheduled_jobs',
    'sidekiq_overdue_retry_jobs',
    'sidekiq_activejob_retries',
    'sidekiq_last_deploy_timestamp_seconds',
  ])('%s', (name) => expect(read(name, nothing)).toEqual([]));

  test.each([
    'sidekiq_host_processes',
    'sidekiq_host_processes_memory_usage_bytes',
    'sidekiq_queue_max_processing_time_seconds',
    'sidekiq_queue_workers',
    'sidekiq_queue_processes',
    'sidekiq_queue_busy_workers',
    'sidekiq_leader_lifetime_seconds',
    'sidekiq_job_processed',
    'sidekiq_job_failed',
    'sidekiq_job_execution_time_seconds',
  ])('%s as a whole family', (name) => expect(read(name, nothing)).toBeNull());

  test('a process that is known keeps its own series', () => {
    expect(read('sidekiq_process_threads', nothing)).toEqual(['{host="a",process="a:1:x"} 5']);
    expect(read('sidekiq_process_info', nothing)![0]).toContain('leader=""');
  });

  test('a queue whose processes do not all say their threads', () => {
    const state = stateOf({
      snapshot: {
        processes: listed(
          aProcess('a:1:x', { concurrency: null, busy: 1, queues: ['q'] }),
          aProcess('b:1:x', { concurrency: 3, queues: ['q', 'r'] })
        ),
      },
    });
    expect(read('sidekiq_queue_workers', state)).toEqual(['{name="r"} 3']);
    expect(read('sidekiq_queue_processes', state)).toEqual(['{name="q"} 2', '{name="r"} 1']);
  });

  test('memory where no version writes it', () => {
    expect(
      read('sidekiq_host_processes_memory_usage_bytes', stateOf({ snapshot: { processes: listed(aProcess('a:1:x')) } }))
    ).toBeNull();
  });

  test('the leader that is no live process, or does not say when it booted', () => {
    const led = (part: object) =>
      stateOf({ snapshot: { leader: 'a:1:x', processes: listed(aProcess('a:1:x', part)) } });
    expect(read('sidekiq_leader_lifetime_seconds', led({ startedAt: null }))).toBeNull();
    expect(read('sidekiq_leader_lifetime_seconds', led({ identity: 'b:1:x' }))).toBeNull();
  });
});

test('names of any length make labels of a bounded one, valid as UTF-8', () => {
  expect(labelValue('x'.repeat(500))).toBe('x'.repeat(500));
  // 491 characters, the ellipsis and 8 of a digest; a character of two code units is not cut in the middle.
  expect(labelValue('x'.repeat(501))).toMatch(/^x{491}…[0-9a-f]{8}$/);
  expect(labelValue(`${'x'.repeat(490)}🚀${'x'.repeat(20)}`)).toMatch(/^x{490}…[0-9a-f]{8}$/);
  // Prometheus refuses a scrape in which one series stands twice.
  expect(labelValue(`${'x'.repeat(600)}a`)).not.toBe(labelValue(`${'x'.repeat(600)}b`));
  const long = 'q'.repeat(1_000_000);
  const state = stateOf({
    queues: [aQueueState(long, { size: 1, latencySeconds: 1, drainSeconds: 1 })],
    snapshot: {
      processes: listed(
        aProcess(`${long}:1:x`, { host: long, queues: [long], tag: long, capsules: [aCapsule(1, { [long]: 0 })] })
      ),
      work: listed(someWork({ queue: long })),
    },
    classTotals: new Map([[long, { processed: 1, failed: 0, milliseconds: 0, durations: noCounts(), lastRunAt: NOW }]]),
    totals: { lastHour: new Map([[long, { processed: 1, failed: 0, milliseconds: 0 }]]) },
  });
  const text = renderText(readFamilies(metricTable([]), state, 1000, new Map()));
  expect(Math.max(...text.split('\n').map(({ length }) => length))).toBeLessThan(3000);
});

describe('DogStatsD', () => {
  function received(...lines: string[]): MetricState {
    const statsd = new StatsdIntake({ series: 2, expireSeconds: 600 }, 'lago_api');
    statsd.listening.push('127.0.0.1:9125');
    sendPacket(statsd, lines.join('\n'), NOW);
    return stateOf({ statsd });
  }
  const state = received(
    'jobs.count:2|c|#queue:q,worker:A',
    'jobs.perform:20:100|ms|#worker:A',
    'sidekiq.queue.size:7|g|#queue:q',
    'rubbish',
    'other:1|c',
    'datadog.dogstatsd.client.bytes_dropped:40|c',
    'jobs.success:1|c|#worker:1',
    'jobs.success:1|c|#worker:2',
    'jobs.success:1|c|#worker:3'
  );

  test('counters, gauges and timings have the operator’s prefix, whoever sends them', () => {
    expect(read('lago_api_jobs_count', state)).toEqual(['{queue="q",worker="A"} 2']);
    expect(read('lago_api_queue_size', state)).toEqual(['{queue="q"} 7']);
    expect(read('lago_api_jobs_perform', state)).toEqual([
      expect.stringMatching(/^\{worker="A",quantile="0\.5"\} 0\.0(1|2)/),
      expect.stringMatching(/^\{worker="A",quantile="0\.9"\} 0\.(0|1)/),
      expect.stringMatching(/^\{worker="A",quantile="0\.95"\} 0\.(0|1)/),
      expect.stringMatching(/^\{worker="A",quantile="0\.99"\} 0\.(0|1)/),
      '_sum{worker="A"} 0.12000000000000001',
      '_count{worker="A"} 2',
    ]);
    const buckets = read('lago_api_jobs_perform_seconds', state)!;
    // Inclusive bounds: 20 ms and 100 ms are within their buckets.
    expect(buckets.slice(0, 5)).toEqual(
      [1, 1, 1, 1, 2].map((count, index) => `_bucket{worker="A",le="${HISTOGRAM_BOUNDS_MS[index]! / 1000}"} ${count}`)
    );
    expect(buckets.slice(-2)).toEqual(['_sum{worker="A"} 0.12000000000000001', '_count{worker="A"} 2']);
  });

  test('each sender has metrics of its own namespace', () => {
    const statsd = new StatsdIntake({ series: 9, expireSeconds: 600 });
    const lines = ['lago-api.jobs.count:2', 'shop.sidekiq.jobs.count:3', '9.jobs.count:4', 'jobs.count:5'];
    sendPacket(statsd, lines.map((line) => `${line}|c|#worker:A`).join('\n'), NOW);
    const families = readFamilies(
      receiverMetrics(statsd.registry.namespaces),
      { statsd, arrivedBy: NOW },
      100,
      new Map()
    );
    expect(
      families
        .filter(({ name }) => !name.startsWith('jobwatch'))
        .map(({ name, samples }) => [name, (samples[0] as NumberSample).value])
    ).toEqual([
      ['lago_api_jobs_count', 2],
      ['shop_jobs_count', 3],
      ['_9_jobs_count', 4],
      ['sidekiq_jobs_count', 5],
    ]);
  });

  test('a sender whose namespace would make a name of ours twice is left out', () => {
    const names = metricTable(['sidekiq_job', 'x']).map(({ name }) => name);
    // `sidekiq_job_processed` is a gauge of the Ruby exporter.
    expect(names.filter((name) => name === 'sidekiq_job_processed')).toHaveLength(1);
    expect(names).toContain('x_processed');
    expect(new Set(names).size).toBe(names.length);
  });

  test('families of which nothing arrived are left out', () => {
    expect(read('lago_api_jobs_failure', state)).toBeNull();
    expect(read('lago_api_batch_duration', state)).toBeNull();
    expect(read('lago_api_batch_duration_seconds', state)).toBeNull();
  });

  test('the receiver tells how receiving goes, where it runs', () => {
    const own = Object.fromEntries(
      metricTable([])
        .filter(({ name }) => name.startsWith('jobwatch_statsd_'))
        .map(({ name }) => [name, read(name, state)])
    );
    expect(own).toEqual({
      jobwatch_statsd_packets_total: ['1'],
      jobwatch_statsd_lines_total: ['9'],
      jobwatch_statsd_malformed_lines_total: ['1'],
      jobwatch_statsd_unused_lines_total: ['2'],
      jobwatch_statsd_dropped_lines_total: ['1'],
      jobwatch_statsd_cut_lines_total: ['0'],
      jobwatch_statsd_memory_bytes: [expect.stringMatching(/^\d{4}$/)],
      jobwatch_statsd_memory_limit_bytes: [String(96 * 1024 * 1024)],
      jobwatch_statsd_sender_dropped_bytes_total: ['40'],
      jobwatch_statsd_series: ['5'],
    });
    expect(read('jobwatch_statsd_lines_total', stateOf())).toBeNull();
  });

  test('types and labels are declared', () => {
    const of = (name: string) => metricTable(['p']).find((each) => each.name === name)!;
    expect(of('p_jobs_count')).toMatchObject({
      type: 'counter',
      labels: ['queue', 'worker'],
      source: 'DogStatsD jobs.count',
    });
    expect(of('p_busy')).toMatchObject({ type: 'gauge', labels: [] });
    expect(of('p_jobs_perform')).toMatchObject({ type: 'summary', labels: ['queue', 'worker', 'quantile'] });
    expect(of('p_jobs_perform_seconds')).toMatchObject({
      type: 'histogram',
      unit: 'seconds',
      labels: ['queue', 'worker'],
      help: 'Duration of executions. As a histogram, in Sidekiq’s buckets.',
    });
    expect(of('jobwatch_statsd_series')).toMatchObject({ type: 'gauge' });
    expect(of('jobwatch_statsd_lines_total')).toMatchObject({ type: 'counter' });
  });
});

test('a histogram adds up from bucket to bucket', () => {
  const counts = noCounts().map((_, index) => index);
  const lines = linesOf([{ labels: [['a', 'b']], bounds: DURATION_BOUNDS, counts, sum: 9.5 }]);
  expect(lines).toHaveLength(28);
  expect(lines[0]).toBe('_bucket{a="b",le="0.02"} 0');
  expect(lines[25]).toBe('_bucket{a="b",le="+Inf"} 325');
  expect(lines.slice(26)).toEqual(['_sum{a="b"} 9.5', '_count{a="b"} 325']);
});

describe('the limit on series', () => {
  const metric = (type: Metric['type'], sets: number): Metric => ({
    name: `m_${type}`,
    type,
    help: '',
    labels: [],
    source: '',
    read: () => Array.from({ length: sets }, (_, value) => ({ value })),
  });

  test('cuts lines over it, by whole label sets, and counts what is left out', () => {
    const dropped = new Map<string, number>([['m_gauge', 1]]);
    const families = readFamilies(
      [metric('gauge', 93), metric('histogram', 4), metric('summary', 15)],
      FULL,
      90,
      dropped
    );
    // 90 lines are three histograms of 28 and fifteen summaries of 6.
    expect(families.map(({ samples }) => samples.length)).toEqual([90, 3, 15]);
    expect([...dropped]).toEqual([
      ['m_gauge', 4],
      ['m_histogram', 1],
    ]);
  });

  test('asks for no more label sets than are printed, where they are counted', () => {
    const dropped = new Map<string, number>();
    const counted = { ...metric('histogram', 1), labelSets: () => 10_000 };
    readFamilies(
      [{ ...counted, read: (_, most) => (expect(most).toBe(2), counted.read(FULL, most)) }],
      FULL,
      60,
      dropped
    );
    expect(dropped.get('m_histogram')).toBe(9998);
  });

  test('leaves out families that are null', () => {
    expect(readFamilies([{ ...metric('gauge', 1), read: () => null }], FULL, 3, new Map())).toEqual([]);
  });
});

describe('exposition', () => {
  const family = (part: object) => ({
    name: 'a_total',
    type: 'counter' as const,
    help: 'Help.',
    samples: [{ value: 1 }],
    ...part,
  });

  test('as text has help, type and samples of each family', () => {
    expect(
      renderText([
        family({ help: 'Two\nlines \\ and "quotes".' }),
        family({
          name: 'b',
          type: 'gauge',
          samples: [
            { labels: [['x', 'a"\\\nb']], value: '0.500' },
            {
              labels: [
                ['x', ''],
                ['y', '1'],
              ],
              value: Infinity,
            },
            { labels: [], value: -Infinity },
            { value: NaN },
          ],
        }),
        family({ name: 'c', samples: [] }),
      ])
    ).toBe(
      '# HELP a_total Two\\nlines \\\\ and "quotes".\n# TYPE a_total counter\na_total 1\n' +
        '# HELP b Help.\n# TYPE b gauge\nb{x="a\\"\\\\\\nb"} 0.500\nb{x="",y="1"} +Inf\nb -Inf\nb NaN\n' +
        '# HELP c Help.\n# TYPE c counter\n'
    );
  });

  test('as OpenMetrics names counters without their ending, and units', () => {
    expect(
      renderOpenMetrics([
        family({ unit: 'seconds' }),
        family({ name: 'b_seconds', type: 'gauge', unit: 'seconds' }),
        family({ name: 'lago_api_jobs_count' }),
        family({ name: 'c_seconds_total', unit: 'seconds' }),
      ])
    ).toBe(
      '# TYPE a counter\n# HELP a Help.\na_total 1\n' +
        '# TYPE b_seconds gauge\n# UNIT b_seconds seconds\n# HELP b_seconds Help.\nb_seconds 1\n' +
        '# TYPE lago_api_jobs_count unknown\n# HELP lago_api_jobs_count Help.\nlago_api_jobs_count 1\n' +
        '# TYPE c_seconds counter\n# UNIT c_seconds seconds\n# HELP c_seconds Help.\nc_seconds_total 1\n' +
        '# EOF\n'
    );
  });
});

import type { ClassCounts } from '../sidekiq/jobMetrics';
import { groupBy } from '../sidekiq/groupBy';
import { runningByQueue } from '../sidekiq/queueFacts';
import type { Process } from '../sidekiq/model';
import { classLabels, hostLabels, labelValue, queueLabels, type Metric, type Sample } from './metric';
import { counter, perKnownQueue, single, type Labelled } from './metricRows';

const BY_NAME: Labelled<string> = { names: ['name'], of: queueLabels };

/**
 * The metrics of the Ruby exporter that users have today (Strech/sidekiq-prometheus-exporter 0.4.0), name by name and
 * value by value, its quirks included, so that existing dashboards and rules go on working. What is not known has no
 * sample. Where a value misleads, jobwatchMetrics.ts has a correct one under a new name. One difference: counters do not fall
 * where a master has lost its last writes.
 */
export const EXPORTER_METRICS: readonly Metric[] = [
  counter(
    'sidekiq_processed_jobs_total',
    'Finished executions in total, failures included.',
    'stat:processed',
    ({ redisCounters }) => redisCounters.processed
  ),
  counter(
    'sidekiq_failed_jobs_total',
    'Executions that raised, in total.',
    'stat:failed',
    ({ redisCounters }) => redisCounters.failed
  ),
  single(
    'sidekiq_workers',
    'Threads of all processes, quiet ones included.',
    'concurrency of each process',
    ({ totals }) => totals.threads
  ),
  single(
    'sidekiq_processes',
    'Names in the set of processes; crashed processes are counted until the set is cleaned up.',
    'SCARD processes',
    ({ snapshot }) => snapshot.totals.processNames
  ),
  {
    name: 'sidekiq_host_processes',
    type: 'gauge',
    help: 'Live processes per host and by whether they are quiet.',
    labels: ['host', 'quiet'],
    source: 'hash of each process',
    read: ({ snapshot: { processes } }) =>
      processes.whole
        ? [...groupBy(processes.items, ({ host }) => host)].flatMap(([host, members]) =>
            countBy(members, ({ quiet }) => String(quiet)).map(([quiet, value]) => ({
              labels: [
                ['host', labelValue(host)],
                ['quiet', quiet],
              ] as const,
              value,
            }))
          )
        : null,
  },
  {
    name: 'sidekiq_host_processes_memory_usage_bytes',
    type: 'gauge',
    help: 'Resident memory of the processes of a host.',
    unit: 'bytes',
    labels: ['host'],
    source: 'rss of each process, in KiB',
    read({ snapshot: { processes } }) {
      if (!processes.whole || processes.items.every(({ rssBytes }) => rssBytes === null)) {
        return null;
      }
      return [...groupBy(processes.items, ({ host }) => host)].map(([host, members]) => ({
        labels: hostLabels(host),
        value: members.reduce((sum, { rssBytes }) => sum + (rssBytes ?? 0), 0),
      }));
    },
  },
  single(
    'sidekiq_busy_workers',
    'Threads that run a job as of the last heartbeats.',
    'busy of each process',
    ({ totals }) => totals.busyThreads
  ),
  single('sidekiq_enqueued_jobs', 'Jobs waiting in all queues.', 'LLEN of each queue', ({ totals }) => totals.enqueued),
  single(
    'sidekiq_scheduled_jobs',
    'Jobs to be enqueued later.',
    'ZCARD schedule',
    ({ snapshot }) => snapshot.totals.scheduled
  ),
  single(
    'sidekiq_retry_jobs',
    'Failed jobs that wait for their next attempt.',
    'ZCARD retry',
    ({ snapshot }) => snapshot.totals.retry
  ),
  single(
    'sidekiq_dead_jobs',
    'Jobs that ran out of retries and are kept.',
    'ZCARD dead',
    ({ snapshot }) => snapshot.totals.dead
  ),
  perKnownQueue(
    'sidekiq_queue_latency_seconds',
    'Time since the oldest job of the queue was enqueued.',
    'enqueued_at of the last list element',
    BY_NAME,
    ({ waitSeconds }) => waitSeconds?.toFixed(3) ?? null,
    'seconds'
  ),
  perKnownQueue(
    'sidekiq_queue_enqueued_jobs',
    'Jobs waiting in the queue.',
    'LLEN of the queue',
    BY_NAME,
    ({ size }) => size
  ),
  {
    name: 'sidekiq_queue_max_processing_time_seconds',
    type: 'gauge',
    help: 'How long the longest running job of the queue has run.',
    unit: 'seconds',
    labels: ['name'],
    source: 'run_at of the work records',
    read({ snapshot }) {
      return snapshot.work.whole
        ? [...runningByQueue(snapshot)].flatMap(([name, { longestSeconds }]) =>
            longestSeconds === null ? [] : [{ labels: queueLabels(name), value: Math.trunc(longestSeconds) }]
          )
        : null;
    },
  },
  perServedQueue(
    'sidekiq_queue_workers',
    'Threads of the processes that serve the queue; a process counts whole for each of its queues.',
    'concurrency and queues of each process',
    ({ concurrency }) => concurrency
  ),
  perServedQueue('sidekiq_queue_processes', 'Processes that serve the queue.', 'queues of each process', () => 1),
  perServedQueue(
    'sidekiq_queue_busy_workers',
    'Busy threads of the processes that serve the queue, whatever queue they are busy with.',
    'busy and queues of each process',
    ({ busy }) => busy
  ),
  {
    name: 'sidekiq_leader_lifetime_seconds',
    type: 'gauge',
    help: 'Time since the leader booted (Sidekiq Enterprise).',
    unit: 'seconds',
    labels: [],
    source: 'dear-leader and started_at of that process',
    read({ snapshot }) {
      const leader = snapshot.processes.items.find(({ identity }) => identity === snapshot.leader);
      return leader?.startedAt == null ? null : [{ value: Math.trunc(Math.trunc(snapshot.at) - leader.startedAt) }];
    },
  },
  perClass(
    'sidekiq_job_processed',
    'Executions of the class within the last hour, failures included.',
    ({ processed }) => processed
  ),
  perClass('sidekiq_job_failed', 'Failed executions of the class within the last hour.', ({ failed }) => failed),
  {
    ...perClass(
      'sidekiq_job_execution_time_seconds',
      'Time spent in successful executions of the class within the last hour.',
      ({ milliseconds }) => (milliseconds / 1000).toFixed(3)
    ),
    unit: 'seconds',
  },
];

function perServedQueue(
  name: string,
  help: string,
  source: string,
  value: (process: Process) => number | null
): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['name'],
    source,
    read({ snapshot: { processes } }) {
      if (!processes.whole) {
        return null;
      }
      const sums = new Map<string, number | null>();
      for (const process of processes.items) {
        const own = value(process);
        for (const queue of process.queues) {
          const sum = sums.get(queue) ?? 0;
          sums.set(queue, own === null || sums.get(queue) === null ? null : sum + own);
        }
      }
      return [...sums].flatMap(([queue, sum]) => (sum === null ? [] : [{ labels: queueLabels(queue), value: sum }]));
    },
  };
}

function perClass(name: string, help: string, value: (counts: ClassCounts) => number | string): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['class'],
    source: 'job metrics of the last 60 minutes (Sidekiq ≥ 7.0)',
    read: ({ totals }): Sample[] | null =>
      totals.lastHour &&
      [...totals.lastHour].map(([jobClass, counts]) => ({
        labels: classLabels(jobClass),
        value: value(counts),
      })),
  };
}

function countBy<T>(items: readonly T[], key: (item: T) => string): Array<[string, number]> {
  const counts = new Map<string, number>();
  for (const item of items) {
    counts.set(key(item), (counts.get(key(item)) ?? 0) + 1);
  }
  return [...counts];
}

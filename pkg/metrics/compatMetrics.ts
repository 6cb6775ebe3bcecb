import type { QueueState } from '../observe/queueState';
import type { Process } from '../sidekiq/model';
import { labelValue, labelsOfName, type Metric, type MetricState } from './metric';
import { single } from './metricRows';

/** Labels of a queue as prometheus_exporter and yabeda-sidekiq name it. */
const queueOnly = labelsOfName('queue');

/** A gauge of each queue in the set of queues. */
function ofQueue(
  name: string,
  help: string,
  source: string,
  value: (queue: QueueState) => number | string | null,
  unit?: Metric['unit']
): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['queue'],
    source,
    ...(unit && { unit }),
    read: ({ queues }) =>
      queues.flatMap((queue) => {
        const found = queue.known ? value(queue) : null;
        return found === null ? [] : [{ labels: queueOnly(queue.name), value: found }];
      }),
  };
}

/** A gauge of each process, with the labels of prometheus_exporter's collector of processes. */
function ofProcess(name: string, help: string, value: (process: Process) => number | null): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['labels', 'queues', 'quiet', 'tag', 'hostname', 'identity'],
    source: 'hash of each process',
    read: ({ snapshot: { processes } }) =>
      processes.items.flatMap((process) => {
        const found = value(process);
        return found === null
          ? []
          : [
              {
                labels: [
                  ['labels', labelValue([...process.labels].sort().join(','))],
                  ['queues', labelValue([...process.queues].sort().join(','))],
                  ['quiet', String(process.quiet)],
                  ['tag', labelValue(process.tag)],
                  ['hostname', labelValue(process.host)],
                  ['identity', labelValue(process.identity)],
                ],
                value: found,
              },
            ];
      }),
  };
}

const processed = ({ totals }: MetricState) => totals.processed;
const failed = ({ totals }: MetricState) => totals.failed;
const enqueued = ({ totals }: MetricState) => totals.enqueued;
const busy = ({ totals }: MetricState) => totals.busyThreads;
const scheduled = ({ snapshot }: MetricState) => snapshot.totals.scheduled;
const retry = ({ snapshot }: MetricState) => snapshot.totals.retry;
const dead = ({ snapshot }: MetricState) => snapshot.totals.dead;
const processes = ({ snapshot }: MetricState) => snapshot.totals.processNames;

const SIZE = 'LLEN of the queue';
const LATENCY = 'enqueued_at of the last list element';

/**
 * Names that prometheus_exporter (instrumentation of stats, queues and processes) and yabeda-sidekiq (its cluster metrics)
 * give the whole installation, with their labels and values. What they count within each process has no source in Redis.
 *
 * `sidekiq_queue_latency_seconds` is a name of prometheus_exporter and of the Ruby exporter: it has the labels of both.
 */
export const COMPAT_METRICS: readonly Metric[] = [
  {
    name: 'sidekiq_queue_latency_seconds',
    type: 'gauge',
    help: 'Time since the oldest job of the queue was enqueued.',
    unit: 'seconds',
    labels: ['name', 'queue'],
    source: LATENCY,
    read: ({ queues }) =>
      queues.flatMap(({ name, known, latencySeconds }) =>
        known && latencySeconds !== null
          ? [
              {
                labels: [
                  ['name', labelValue(name)],
                  ['queue', labelValue(name)],
                ],
                value: latencySeconds.toFixed(3),
              },
            ]
          : []
      ),
  },
  ofQueue('sidekiq_queue_backlog', 'Jobs waiting in the queue.', SIZE, ({ size }) => size),
  ofProcess('sidekiq_process_busy', 'Jobs that the process runs.', (process) => process.busy),
  ofProcess('sidekiq_process_concurrency', 'Threads of the process.', (process) => process.concurrency),
  single('sidekiq_stats_dead_size', 'Jobs that ran out of retries and are kept.', 'ZCARD dead', dead),
  single('sidekiq_stats_enqueued', 'Jobs waiting in all queues.', 'LLEN of each queue', enqueued),
  single('sidekiq_stats_failed', 'Executions that raised, in total.', 'stat:failed', failed),
  single('sidekiq_stats_processed', 'Finished executions in total, failures included.', 'stat:processed', processed),
  single('sidekiq_stats_processes_size', 'Names in the set of processes.', 'SCARD processes', processes),
  single('sidekiq_stats_retry_size', 'Failed jobs that wait for their next attempt.', 'ZCARD retry', retry),
  single('sidekiq_stats_scheduled_size', 'Jobs to be enqueued later.', 'ZCARD schedule', scheduled),
  single('sidekiq_stats_workers_size', 'Threads that run a job.', 'busy of each process', busy),
  ofQueue('sidekiq_jobs_waiting_count', 'Jobs waiting in the queue.', SIZE, ({ size }) => size),
  ofQueue(
    'sidekiq_queue_latency',
    'Seconds since the oldest job of the queue was enqueued.',
    LATENCY,
    ({ latencySeconds }) => latencySeconds
  ),
  single('sidekiq_active_workers_count', 'Threads that run a job.', 'busy of each process', busy),
  single('sidekiq_jobs_scheduled_count', 'Jobs to be enqueued later.', 'ZCARD schedule', scheduled),
  single('sidekiq_jobs_retry_count', 'Failed jobs that wait for their next attempt.', 'ZCARD retry', retry),
  single('sidekiq_jobs_dead_count', 'Jobs that ran out of retries and are kept.', 'ZCARD dead', dead),
  single('sidekiq_active_processes', 'Names in the set of processes.', 'SCARD processes', processes),
  {
    name: 'sidekiq_running_job_runtime_seconds',
    type: 'gauge',
    help: 'How long the longest running job of the queue and class has run, whichever process runs it.',
    unit: 'seconds',
    labels: ['queue', 'worker'],
    source: 'run_at of the work records',
    read({ snapshot: { work, at } }) {
      const longest = new Map<string, { queue: string; worker: string; seconds: number }>();
      for (const { queue, metricsClass, runAt } of work.items) {
        const key = `${queue}\0${metricsClass}`;
        const seconds = runAt === null ? null : Math.max(0, at - runAt);
        if (seconds !== null && seconds >= (longest.get(key)?.seconds ?? 0)) {
          longest.set(key, { queue, worker: metricsClass, seconds });
        }
      }
      return [...longest.values()].map(({ queue, worker, seconds }) => ({
        labels: [
          ['queue', labelValue(queue)],
          ['worker', labelValue(worker)],
        ],
        value: seconds.toFixed(3),
      }));
    },
  },
];

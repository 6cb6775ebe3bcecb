import type { QueuePart } from '../observe/classQueueTotals';
import type { Labels } from '../statsd/labels';
import { labelValue, labelsOfName, type Metric, type MetricState, type Sample } from './metric';
import { perKnownQueue, perProcess, single, type Labelled } from './metricRows';
import { DURATION_BOUNDS } from './statsdMetrics';
import type { Process } from '../sidekiq/model';
import { runTimesOf } from '../sidekiq/clocks';

/** Labels of a queue as prometheus_exporter and yabeda-sidekiq name it. */
const BY_QUEUE: Labelled<string> = { names: ['queue'], of: labelsOfName('queue') };

/** Those and the one of the Ruby exporter. */
const BY_NAME_AND_QUEUE: Labelled<string> = {
  names: ['name', 'queue'],
  of: (name) => [
    ['name', labelValue(name)],
    ['queue', labelValue(name)],
  ],
};

/** Labels of prometheus_exporter's collector of processes. */
const BY_PROCESS: Labelled<Process> = {
  names: ['labels', 'queues', 'quiet', 'tag', 'hostname', 'identity'],
  of: ({ labels, queues, quiet, tag, host, identity }) => [
    ['labels', labelValue([...labels].sort().join(','))],
    ['queues', labelValue([...queues].sort().join(','))],
    ['quiet', String(quiet)],
    ['tag', labelValue(tag)],
    ['hostname', labelValue(host)],
    ['identity', labelValue(identity)],
  ],
};

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

const CLASSES =
  'growth of the job metrics’ minutes (Sidekiq ≥ 7.0), divided by the queues that the class was seen to run from in the last minutes';

/**
 * A metric at each class and queue that it was seen to run from; no label `queue` of what ran before. Each process of the other
 * exporters counts what it executes itself; here the whole installation is counted once.
 */
function perClassAndQueue(
  metric: Pick<Metric, 'name' | 'type' | 'help' | 'unit'>,
  classLabel: string,
  sample: (total: QueuePart, labels: Labels) => Sample
): Metric {
  return {
    ...metric,
    labels: ['queue', classLabel],
    source: CLASSES,
    labelSets: ({ classQueueTotals }) => [...classQueueTotals.values()].reduce((sum, { size }) => sum + size, 0),
    read: ({ classQueueTotals }, most) =>
      [...classQueueTotals]
        .flatMap(([jobClass, queues]) => [...queues].map(([queue, counts]) => ({ jobClass, queue, counts })))
        .slice(0, most)
        .map(({ jobClass, queue, counts }) =>
          sample(counts, [
            ['queue', labelValue(queue)],
            [classLabel, labelValue(jobClass)],
          ])
        ),
  };
}

const raised = ({ failed: some }: QueuePart) => Math.round(some);
const succeeded = ({ processed: all, failed: some }: QueuePart) => Math.round(all - some);

// Of shares, whole numbers that add up and only grow.
const executions = (name: string, classLabel: string): Metric =>
  perClassAndQueue(
    { name, type: 'counter', help: 'Executions, failures included, since this exporter began to count.' },
    classLabel,
    (total, labels) => ({ labels, value: raised(total) + succeeded(total) })
  );

const failures = (name: string, classLabel: string): Metric =>
  perClassAndQueue(
    { name, type: 'counter', help: 'Executions that raised, since this exporter began to count.' },
    classLabel,
    (total, labels) => ({ labels, value: raised(total) })
  );

/** prometheus_exporter's instrumentation of stats, queues, processes and executions, as its client sends it. */
const PROMETHEUS_EXPORTER: readonly Metric[] = [
  perKnownQueue('sidekiq_queue_backlog', 'Jobs waiting in the queue.', SIZE, BY_QUEUE, ({ size }) => size),
  perProcess('sidekiq_process_busy', 'Jobs that the process runs.', ({ busy: jobs }) => jobs, undefined, BY_PROCESS),
  perProcess(
    'sidekiq_process_concurrency',
    'Threads of the process.',
    ({ concurrency }) => concurrency,
    undefined,
    BY_PROCESS
  ),
  single('sidekiq_stats_dead_size', 'Jobs that ran out of retries and are kept.', 'ZCARD dead', dead),
  single('sidekiq_stats_enqueued', 'Jobs waiting in all queues.', 'LLEN of each queue', enqueued),
  single('sidekiq_stats_failed', 'Executions that raised, in total.', 'stat:failed', failed),
  single('sidekiq_stats_processed', 'Finished executions in total, failures included.', 'stat:processed', processed),
  single('sidekiq_stats_processes_size', 'Names in the set of processes.', 'SCARD processes', processes),
  single('sidekiq_stats_retry_size', 'Failed jobs that wait for their next attempt.', 'ZCARD retry', retry),
  single('sidekiq_stats_scheduled_size', 'Jobs to be enqueued later.', 'ZCARD schedule', scheduled),
  single('sidekiq_stats_workers_size', 'Threads that run a job.', 'busy of each process', busy),
  executions('sidekiq_jobs_total', 'job_name'),
];

/** prometheus_exporter puts this before each name unless it is told otherwise (`PrometheusExporter::DEFAULT_PREFIX`). */
const DEFAULT_PREFIX = 'ruby_';

/** What has another meaning here, or other labels, under its name without the prefix. */
const ONLY_WITH_PREFIX: readonly Metric[] = [
  perKnownQueue(
    'sidekiq_queue_latency_seconds',
    'Time since the oldest job of the queue was enqueued.',
    LATENCY,
    BY_QUEUE,
    ({ waitSeconds }) => waitSeconds?.toFixed(3) ?? null,
    'seconds'
  ),
  failures('sidekiq_failed_jobs_total', 'job_name'),
  perClassAndQueue(
    {
      name: 'sidekiq_job_duration_seconds',
      type: 'summary',
      help: 'Duration of the executions that succeeded, since this exporter began to count; without quantiles.',
      unit: 'seconds',
    },
    'job_name',
    ({ processed: all, failed: some, milliseconds }, labels) => ({
      labels,
      quantiles: [],
      sum: milliseconds / 1000,
      count: Math.round(all - some),
    })
  ),
];

/**
 * Names that prometheus_exporter and yabeda-sidekiq give what Redis tells of the whole installation, with their labels and
 * values, and `sidekiq_queue_size`, which home-made exporters have. Pushes, deaths and restarts have no source in Redis.
 *
 * `sidekiq_queue_latency_seconds` is a name of prometheus_exporter and of the Ruby exporter: it has the labels of both.
 */
export const COMPAT_METRICS: readonly Metric[] = [
  perKnownQueue(
    'sidekiq_queue_latency_seconds',
    'Time since the oldest job of the queue was enqueued.',
    LATENCY,
    BY_NAME_AND_QUEUE,
    ({ waitSeconds }) => waitSeconds?.toFixed(3) ?? null,
    'seconds'
  ),
  ...PROMETHEUS_EXPORTER,
  ...[...PROMETHEUS_EXPORTER, ...ONLY_WITH_PREFIX].map((metric) => ({
    ...metric,
    name: `${DEFAULT_PREFIX}${metric.name}`,
  })),
  perKnownQueue('sidekiq_queue_size', 'Jobs waiting in the queue.', SIZE, BY_NAME_AND_QUEUE, ({ size }) => size),
  perKnownQueue('sidekiq_jobs_waiting_count', 'Jobs waiting in the queue.', SIZE, BY_QUEUE, ({ size }) => size),
  perKnownQueue(
    'sidekiq_queue_latency',
    'Seconds since the oldest job of the queue was enqueued.',
    LATENCY,
    BY_QUEUE,
    ({ waitSeconds }) => waitSeconds
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
    read({ snapshot }) {
      const { work } = snapshot;
      if (!work.whole) {
        return null;
      }
      const ranFor = runTimesOf(snapshot);
      const longest = new Map<string, { queue: string; worker: string; seconds: number }>();
      for (const job of work.items) {
        const { queue, metricsClass: worker } = job;
        const key = `${queue}\0${worker}`;
        const seconds = ranFor(job);
        if (seconds !== null) {
          longest.set(key, { queue, worker, seconds: Math.max(0, longest.get(key)?.seconds ?? 0, seconds) });
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
  executions('sidekiq_jobs_executed_total', 'worker'),
  failures('sidekiq_jobs_failed_total', 'worker'),
  perClassAndQueue(
    {
      name: 'sidekiq_jobs_success_total',
      type: 'counter',
      help: 'Executions that succeeded, since this exporter began to count.',
    },
    'worker',
    (total, labels) => ({ labels, value: succeeded(total) })
  ),
  perClassAndQueue(
    {
      name: 'sidekiq_job_runtime_seconds',
      type: 'histogram',
      help: 'Duration of the executions that succeeded, since this exporter began to count, in Sidekiq’s buckets.',
      unit: 'seconds',
    },
    'worker',
    ({ durations, milliseconds }, labels) => ({
      labels,
      bounds: DURATION_BOUNDS,
      counts: durations.map(Math.round),
      sum: milliseconds / 1000,
    })
  ),
];

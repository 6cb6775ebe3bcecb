import { warnFrom, type DashboardSpec, type Panel } from './panel';
import { BY_QUEUE, byQueue, QUEUE, stat, STATSD, TO_CLASS, TO_HOST } from './queries';

const now = (title: string, name: string, description: string, expr: string, more: Partial<Panel> = {}): Panel =>
  stat(title, description, { queryType: 'queues', figures: [name], filters: [BY_QUEUE] }, expr, more);

/** One queue, or a few: how late, why, who serves it, what waits there, and when it will be empty. */
export const queueDetail: DashboardSpec = {
  id: 'sidekiq-queue',
  title: 'Sidekiq queue detail',
  description: 'One queue: latency and its cause, serving processes, waiting jobs and drain time.',
  variables: [{ ...QUEUE, multi: false }, STATSD],
  rows: [
    {
      title: 'Now',
      panels: [
        now('Waiting', 'size', 'Jobs waiting.', 'sidekiq_queue_enqueued_jobs{name=~"$queue"}', { width: 3 }),
        now(
          'Oldest job',
          'latency',
          'How long the oldest job has waited.',
          'sidekiq_queue_latency_seconds{name=~"$queue"}',
          { unit: 's', colored: true, steps: warnFrom(60, 300) }
        ),
        now('Running', 'busy', 'Jobs of the queue in progress.', 'sidekiq_queue_running_jobs{name=~"$queue"}'),
        now(
          'Ready threads',
          'readyThreads',
          'Threads that may take a job of the queue; other queues may keep them busy.',
          'sidekiq_queue_ready_threads{name=~"$queue"}',
          {
            width: 5,
            colored: true,
            steps: [
              { from: null, color: 'red' },
              { from: 1, color: 'text' },
            ],
          }
        ),
        now(
          'Drain time',
          'drainTime',
          'Time until the queue is empty at the present rates.',
          'sidekiq_queue_drain_seconds{name=~"$queue"}',
          { unit: 's', noValue: 'Not in sight' }
        ),
        now(
          'Longest run',
          'longestRun',
          'How long the longest running job of the queue has run.',
          'sidekiq_queue_max_processing_time_seconds{name=~"$queue"}',
          { unit: 's', noValue: 'Nothing runs' }
        ),
      ],
    },
    {
      title: 'Over time',
      panels: [
        {
          title: 'Latency',
          description: 'Wait of the oldest job, and the latency objective of the worker type.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          clock: true,
          min: 0,
          direct: [{ queryType: 'history', by: 'queue', figures: ['latency', 'objective'], filters: [BY_QUEUE] }],
          prometheus: [
            { expr: 'sidekiq_queue_latency_seconds{name=~"$queue"}', legend: '{{name}}' },
            { expr: 'sidekiq_queue_objective_seconds{name=~"$queue"}', legend: 'objective' },
          ],
        },
        {
          title: 'Waiting jobs',
          description: 'Jobs waiting in the queue.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'short',
          min: 0,
          direct: byQueue('enqueued'),
          prometheus: [{ expr: 'sidekiq_queue_enqueued_jobs{name=~"$queue"}', legend: '{{name}}' }],
        },
        {
          title: 'In and out',
          description:
            'Jobs pushed and taken per second, estimated from the length of the queue and the age of the oldest job. A queue without waiting jobs shows nothing.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'suffix: jobs/s',
          min: 0,
          direct: [{ queryType: 'history', by: 'queue', figures: ['inRate', 'outRate'], filters: [BY_QUEUE] }],
          prometheus: [
            { expr: 'sum by (queue) (rate(${statsd}_jobs_count{queue=~"$queue"}[$__rate_interval]))', legend: 'Out' },
          ],
          noValue: 'Nothing has waited here.',
          prometheusNoValue: 'Sidekiq keeps no counter per queue: this needs what Sidekiq Pro sends by DogStatsD.',
        },
        {
          title: 'Running jobs and ready threads',
          description: 'Jobs of the queue in progress against the threads that may take one.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'short',
          min: 0,
          direct: [{ queryType: 'history', by: 'queue', figures: ['busy', 'readyThreads'], filters: [BY_QUEUE] }],
          prometheus: [
            { expr: 'sidekiq_queue_running_jobs{name=~"$queue"}', legend: 'Running' },
            { expr: 'sidekiq_queue_ready_threads{name=~"$queue"}', legend: 'Ready threads' },
          ],
        },
      ],
    },
    {
      title: 'Waiting and running jobs',
      panels: [
        {
          title: 'Waiting jobs by class',
          description: 'Jobs by class: counted in a short queue, estimated from both ends of a long one.',
          kind: 'table',
          width: 24,
          height: 7,
          noValue: 'Nothing waits.',
          direct: [{ queryType: 'backlog', filters: [BY_QUEUE] }],
          columns: ['class', 'jobs', 'share', 'oldest', 'bytes'],
          hidden: ['queue'],
          sortBy: 'Jobs',
          links: { Class: TO_CLASS },
          gauges: { Share: 1 },
        },
        {
          title: 'Next jobs',
          description: 'The jobs that wait, the next one first. Arguments only where the data source allows them.',
          kind: 'table',
          width: 12,
          height: 10,
          noValue: 'Nothing waits.',
          direct: [{ queryType: 'jobs', source: 'queue', queue: '$queue', limit: 50 }],
          columns: ['class', 'enqueued', 'age', 'retryCount', 'tags', 'jid'],
          hidden: [
            'queue',
            'created',
            'at',
            'executions',
            'errorClass',
            'errorMessage',
            'failedAt',
            'retriedAt',
            'batch',
            'bytes',
            'context',
            'arguments',
          ],
          links: { Class: TO_CLASS },
          widths: { Class: 230, Enqueued: 160 },
        },
        {
          title: 'Running now',
          description: 'Jobs of the queue in progress, the longest running first.',
          kind: 'table',
          width: 12,
          height: 10,
          noValue: 'Nothing runs.',
          direct: [{ queryType: 'busy', limit: 50, filters: [BY_QUEUE] }],
          columns: ['class', 'runTime', 'host', 'waited', 'jid'],
          hidden: ['process', 'thread', 'queue', 'workerType', 'startedAt'],
          links: { Class: TO_CLASS, Host: TO_HOST },
          widths: { Class: 240 },
          warnings: { 'Run time': warnFrom(300, 3600) },
        },
        {
          title: 'Capacity',
          description:
            'Demand of the last ten minutes against ready threads, and the threads that the objective needs.',
          kind: 'table',
          width: 24,
          height: 5,
          direct: [{ queryType: 'capacity', by: 'queue', filters: [BY_QUEUE] }],
          columns: [
            'queue',
            'workerType',
            'state',
            'demand',
            'supply',
            'utilisation',
            'headroom',
            'latency',
            'objective',
            'drainTime',
            'threadsNeeded',
          ],
          hidden: ['size', 'late', 'inRate', 'outRate', 'unserved', 'starved'],
          gauges: { Utilisation: 1 },
          states: ['State'],
          widths: {
            State: 85,
            Demand: 75,
            Supply: 70,
            Utilisation: 120,
            Headroom: 85,
            Latency: 85,
            Objective: 80,
            'Drain time': 95,
            'Threads needed': 125,
          },
        },
      ],
    },
  ],
};

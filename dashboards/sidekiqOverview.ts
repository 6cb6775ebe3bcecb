import { NEUTRAL, warnFrom, type DashboardSpec, type DirectQuery, type Panel } from './panel';

const BY_QUEUE = { field: 'queue', operator: '=' as const, values: ['$queue'] };
const BY_TYPE = { field: 'workerType', operator: '=' as const, values: ['$workerType'] };

const total = (...figures: string[]): DirectQuery[] => [{ queryType: 'history', by: 'total', figures } as DirectQuery];
const byQueue = (figure: string): DirectQuery[] => [
  { queryType: 'history', by: 'queue', figures: [figure], filters: [BY_QUEUE] } as DirectQuery,
];
const now = (figure: string): DirectQuery[] => [{ queryType: 'overview', figures: [figure] }];

const figure = (title: string, name: string, description: string, expr: string, more: Partial<Panel> = {}): Panel => ({
  title,
  description,
  kind: 'stat',
  width: 3,
  height: 4,
  unit: 'short',
  steps: NEUTRAL,
  direct: now(name),
  prometheus: [{ expr, instant: true }],
  ...more,
});

/** The first dashboard: the seed's five rows, working without Sidekiq Pro. */
export const sidekiqOverview: DashboardSpec = {
  id: 'sidekiq-overview',
  title: 'Sidekiq overview',
  description:
    'Are the queues keeping up, what runs, what fails, and is there room: one Sidekiq installation at a glance.',
  variables: [
    {
      name: 'workerType',
      label: 'Worker type',
      direct: { queryType: 'queues', field: 'workerType' },
      multi: true,
    },
    {
      name: 'queue',
      label: 'Queue',
      direct: { queryType: 'queues', field: 'queue', filters: [BY_TYPE] },
      prometheus: 'label_values(sidekiq_queue_enqueued_jobs, name)',
      multi: true,
    },
  ],
  rows: [
    {
      title: 'Overview',
      panels: [
        figure(
          'Processed',
          'processed',
          'Jobs finished since ever, failures included.',
          'sidekiq_processed_jobs_total'
        ),
        figure(
          'Failure rate',
          'failureRate',
          'Failed share of the executions of the last hour.',
          'rate(sidekiq_failed_jobs_total[1h]) / rate(sidekiq_processed_jobs_total[1h])',
          {
            colored: true,
            unit: 'percentunit',
            min: 0,
            max: 0.2,
            decimals: 1,
            steps: warnFrom(0.05, 0.1),
          }
        ),
        figure(
          'Busy of all threads',
          'busy',
          'Jobs in progress, of the threads of all live processes.',
          'sidekiq_busy_workers',
          {
            named: true,
            width: 5,
            direct: [{ queryType: 'overview', figures: ['busy', 'threads'] }],
            prometheus: [
              { expr: 'sidekiq_busy_workers', legend: 'Busy', instant: true },
              { expr: 'sidekiq_workers', legend: 'Threads', instant: true },
            ],
          }
        ),
        figure('Enqueued', 'enqueued', 'Jobs waiting in all queues.', 'sidekiq_enqueued_jobs'),
        figure(
          'Longest wait',
          'latencyMax',
          'Age of the oldest waiting job of any queue.',
          'max(sidekiq_queue_latency_seconds)',
          {
            unit: 's',
            decimals: 0,
            colored: true,
            steps: warnFrom(60, 300),
          }
        ),
        figure('Retries', 'retry', 'Failed jobs that wait for their next attempt.', 'sidekiq_retry_jobs'),
        figure(
          'Died in the last hour',
          'deadLastHour',
          'Jobs that ran out of retries within the last hour.',
          'sidekiq_dead_jobs_last_hour',
          { width: 4, colored: true, steps: warnFrom(1, 100) }
        ),
      ],
    },
    {
      title: 'Queue health',
      panels: [
        {
          title: 'Latency by queue',
          description: 'How long the oldest job of each queue has waited.',
          kind: 'timeseries',
          width: 12,
          height: 9,
          unit: 's',
          min: 0,
          direct: byQueue('latency'),
          prometheus: [{ expr: 'sidekiq_queue_latency_seconds{name=~"$queue"}', legend: '{{name}}' }],
        },
        {
          title: 'Enqueued by queue',
          description: 'Jobs waiting in each queue, stacked.',
          kind: 'timeseries',
          width: 12,
          height: 9,
          unit: 'short',
          min: 0,
          stacked: true,
          direct: byQueue('enqueued'),
          prometheus: [{ expr: 'sidekiq_queue_enqueued_jobs{name=~"$queue"}', legend: '{{name}}' }],
        },
        {
          title: 'Queues now',
          description:
            'Backlog, who serves each queue, and how long until it drains. Red: jobs wait and nobody serves them.',
          kind: 'table',
          width: 24,
          height: 11,
          direct: [{ queryType: 'queues', filters: [BY_QUEUE, BY_TYPE] }],
          columns: [
            'queue',
            'workerType',
            'size',
            'latency',
            'busy',
            'longestRun',
            'readyThreads',
            'processes',
            'inRate',
            'outRate',
            'drainTime',
            'paused',
            'unserved',
            'starved',
          ],
          hidden: ['threads'],
          sortBy: 'Size',
          widths: { Queue: 180, 'Worker type': 190, 'Drain time': 150 },
          warnings: { Latency: warnFrom(60, 300) },
        },
        {
          title: 'Throughput by queue',
          description:
            'Jobs taken from each queue per second, estimated from its length and the age of its oldest job. Queues that never wait show nothing.',
          kind: 'timeseries',
          width: 24,
          height: 8,
          unit: 'cps',
          min: 0,
          direct: byQueue('outRate'),
        },
      ],
    },
    {
      title: 'Worker health',
      panels: [
        {
          title: 'Processes',
          description: 'Live processes by host: heartbeat, load and memory.',
          kind: 'table',
          width: 14,
          height: 9,
          direct: [{ queryType: 'processes' }],
          columns: [
            'host',
            'pid',
            'tag',
            'version',
            'state',
            'beatAge',
            'busy',
            'concurrency',
            'utilisation',
            'rss',
            'rtt',
            'startedAt',
            'queues',
          ],
          hidden: ['process', 'labels', 'quiet', 'capsules', 'embedded', 'leader'],
          gauges: { Utilisation: 1 },
          warnings: { 'Beat age': warnFrom(20, 30), 'Redis RTT': warnFrom(0.02, 0.05) },
        },
        {
          title: 'Busy and ready threads',
          description: 'Jobs in progress against the threads that may take one.',
          kind: 'timeseries',
          width: 10,
          height: 9,
          unit: 'short',
          min: 0,
          direct: total('busy', 'readyThreads'),
          prometheus: [
            { expr: 'sidekiq_busy_workers', legend: 'Busy' },
            { expr: 'sidekiq_workers', legend: 'Threads' },
          ],
        },
        {
          title: 'Processes and quiet processes',
          description: 'Live processes, and those that finish their jobs and take no new ones.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'short',
          min: 0,
          direct: total('processes', 'quietProcesses'),
          prometheus: [
            { expr: 'sum(sidekiq_host_processes)', legend: 'Processes' },
            { expr: 'sum(sidekiq_host_processes{quiet="true"}) or vector(0)', legend: 'Quiet processes' },
          ],
        },
        {
          title: 'Longest running jobs',
          description: 'Jobs in progress, the longest running first.',
          kind: 'table',
          width: 12,
          height: 8,
          noValue: 'No job runs.',
          direct: [{ queryType: 'busy', limit: 20, filters: [BY_QUEUE] }],
          columns: ['class', 'queue', 'runTime', 'host', 'jid', 'waited'],
          hidden: ['process', 'thread', 'workerType', 'startedAt'],
          widths: { Class: 210, JID: 210 },
          warnings: { 'Run time': warnFrom(300, 3600) },
        },
      ],
    },
    {
      title: 'Job performance',
      panels: [
        {
          title: 'Slowest job classes',
          description: 'Classes by total time, with their quantiles, interpolated in Sidekiq’s own duration buckets.',
          kind: 'table',
          width: 14,
          height: 10,
          noValue: 'Sidekiq keeps job metrics since 7.0.',
          direct: [{ queryType: 'job_metrics', top: 20 } as DirectQuery],
          columns: ['class', 'executions', 'failures', 'failureRate', 'meanTime', 'p50', 'p90', 'p99', 'totalTime'],
          hidden: ['p99Lower', 'p99Upper', 'rate'],
          sortBy: 'Total time',
          widths: { Class: 230 },
          warnings: { 'Failure rate': warnFrom(0.05, 0.1) },
        },
        {
          title: 'p99 by class',
          description: '99 % of the successful executions took no longer.',
          kind: 'timeseries',
          width: 10,
          height: 10,
          unit: 's',
          min: 0,
          direct: [
            { queryType: 'job_metrics', show: 'series', figures: ['p99'], top: 10, sortBy: 'totalTime' } as DirectQuery,
          ],
        },
        {
          title: 'Executions by class',
          description: 'Executions per second, failures included.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'cps',
          min: 0,
          stacked: true,
          direct: [
            {
              queryType: 'job_metrics',
              show: 'series',
              figures: ['rate'],
              top: 10,
              sortBy: 'executions',
            } as DirectQuery,
          ],
        },
        {
          title: 'Failure rate by class',
          description: 'Failed share of the executions of each class.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'percentunit',
          min: 0,
          direct: [
            {
              queryType: 'job_metrics',
              show: 'series',
              figures: ['failureRate'],
              top: 10,
              sortBy: 'failures',
            } as DirectQuery,
          ],
        },
      ],
    },
    {
      title: 'Capacity planning',
      panels: [
        {
          title: 'Throughput',
          description: 'Jobs finished and failed per second.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'cps',
          min: 0,
          direct: total('processedRate', 'failedRate'),
          prometheus: [
            { expr: 'rate(sidekiq_processed_jobs_total[$__rate_interval])', legend: 'Processed' },
            { expr: 'rate(sidekiq_failed_jobs_total[$__rate_interval])', legend: 'Failed' },
          ],
        },
        {
          title: 'Queue depth',
          description: 'Jobs waiting, in retry and scheduled.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'short',
          min: 0,
          direct: total('enqueued', 'retry', 'scheduled'),
          prometheus: [
            { expr: 'sidekiq_enqueued_jobs', legend: 'Enqueued' },
            { expr: 'sidekiq_retry_jobs', legend: 'Retries' },
            { expr: 'sidekiq_scheduled_jobs', legend: 'Scheduled' },
          ],
        },
        {
          title: 'Utilisation',
          description: 'Busy share of all threads. Above 80 % for long, add threads.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'percentunit',
          min: 0,
          max: 1,
          direct: total('utilisation'),
          prometheus: [{ expr: 'sidekiq_busy_workers / sidekiq_workers', legend: 'Utilisation' }],
        },
      ],
    },
  ],
};

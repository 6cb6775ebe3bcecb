import { warnFrom, type DashboardSpec, type Panel } from './panel';
import { BY_CLASS, byClass, CLASS, stat, STATSD, TO_HOST, TO_QUEUE } from './queries';

const IN_RANGE = '{class=~"$class"}[$__range]';
const quantile = (q: number, range: string) =>
  `histogram_quantile(${q}, sum by (le, class) (rate(sidekiq_job_duration_seconds_bucket{class=~"$class"}[${range}])))`;

const inRange = (title: string, name: string, description: string, expr: string, more: Partial<Panel> = {}): Panel =>
  stat(title, description, { queryType: 'job_metrics', figures: [name], filters: [BY_CLASS] }, expr, {
    noValue: 'Did not run',
    ...more,
  });

/** One job class: how often, how long, how often it fails and why, and what runs or waits right now. */
export const jobClassDetail: DashboardSpec = {
  id: 'sidekiq-job-class',
  title: 'Sidekiq job class detail',
  description: 'One job class: rate, duration, failures and their causes.',
  variables: [{ ...CLASS, multi: false }, STATSD],
  rows: [
    {
      title: 'Selected time range',
      panels: [
        inRange(
          'Executions',
          'executions',
          'Executions within the time range, failures included.',
          `sum(increase(sidekiq_job_executions_total${IN_RANGE}))`
        ),
        inRange(
          'Failure rate',
          'failureRate',
          'Failed share of them.',
          `sum(increase(sidekiq_job_failures_total${IN_RANGE})) / sum(increase(sidekiq_job_executions_total${IN_RANGE}))`,
          { unit: 'percentunit', decimals: 1, colored: true, steps: warnFrom(0.05, 0.1) }
        ),
        inRange(
          'Mean',
          'meanTime',
          'Mean duration of those that succeeded.',
          `sum(increase(sidekiq_job_duration_seconds_sum${IN_RANGE})) / sum(increase(sidekiq_job_duration_seconds_count${IN_RANGE}))`,
          { unit: 's' }
        ),
        inRange('p50', 'p50', 'Half of them took no longer.', quantile(0.5, '$__range'), { unit: 's', width: 3 }),
        inRange('p90', 'p90', 'Nine of ten took no longer.', quantile(0.9, '$__range'), { unit: 's', width: 3 }),
        inRange('p95', 'p95', '19 of 20 took no longer.', quantile(0.95, '$__range'), { unit: 's', width: 3 }),
        inRange('p99', 'p99', '99 of a hundred took no longer.', quantile(0.99, '$__range'), { unit: 's', width: 3 }),
      ],
    },
    {
      title: 'Over time',
      panels: [
        {
          title: 'Durations',
          description: 'Successful executions by duration, in Sidekiq’s own 26 buckets.',
          kind: 'heatmap',
          width: 24,
          height: 10,
          unit: 's',
          direct: [{ queryType: 'job_metrics', show: 'heatmap', filters: [BY_CLASS] }],
          prometheus: [
            {
              expr: 'sum by (le) (increase(sidekiq_job_duration_seconds_bucket{class=~"$class"}[$__rate_interval]))',
              legend: '{{le}}',
            },
          ],
        },
        {
          title: 'Executions per second',
          description: 'Executions per second, failures included.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'suffix: jobs/s',
          min: 0,
          direct: byClass('rate', 'executions', [BY_CLASS]),
          prometheus: [
            {
              expr: 'sum by (class) (rate(sidekiq_job_executions_total{class=~"$class"}[$__rate_interval]))',
              legend: '{{class}}',
            },
          ],
        },
        {
          title: 'p99 over time',
          description: '99 % of the executions that succeeded took no longer.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 's',
          min: 0,
          direct: byClass('p99', 'executions', [BY_CLASS]),
          prometheus: [{ expr: quantile(0.99, '$__rate_interval'), legend: '{{class}}' }],
        },
        {
          title: 'Failures over time',
          description: 'Failed share of the executions.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'percentunit',
          min: 0,
          direct: byClass('failureRate', 'executions', [BY_CLASS]),
          prometheus: [
            {
              expr: 'sum by (class) (rate(sidekiq_job_failures_total{class=~"$class"}[5m])) / sum by (class) (rate(sidekiq_job_executions_total{class=~"$class"}[5m]) > 0)',
              legend: '{{class}}',
            },
          ],
        },
      ],
    },
    {
      title: 'Now',
      panels: [
        {
          title: 'Errors',
          description: 'Why jobs of the class wait for a retry or died, by kind of failure.',
          kind: 'table',
          width: 24,
          height: 8,
          noValue: 'No jobs in retry or in the dead set.',
          direct: [{ queryType: 'errors', groupBy: ['fingerprint', 'queue'], limit: 50, filters: [BY_CLASS] }],
          columns: ['errorClass', 'message', 'queue', 'count', 'retry', 'dead', 'trend', 'first', 'last'],
          hidden: ['pattern', 'share', 'rate', 'classes', 'queues'],
          prometheus: [
            {
              expr: 'sort_desc(sum by (error_type, queue) (increase(${statsd}_jobs_failure{worker=~"$class"}[$__range])) > 0)',
              column: 'Failures',
            },
          ],
          labels: { error_type: 'Error class', queue: 'Queue' },
          prometheusNoValue: 'By error type only Sidekiq Pro counts, by DogStatsD.',
          sortBy: { direct: 'Jobs', prometheus: 'Failures' },
          links: { Queue: TO_QUEUE },
          widths: { Message: 420, Error: 240, 'Error class': 240, Queue: 150, First: 160, Last: 160 },
        },
        {
          title: 'Running',
          description: 'Jobs of the class in progress, the longest running first.',
          kind: 'table',
          width: 12,
          height: 8,
          noValue: 'None runs.',
          direct: [{ queryType: 'busy', limit: 50, filters: [BY_CLASS] }],
          columns: ['runTime', 'queue', 'host', 'waited', 'jid'],
          hidden: ['class', 'process', 'thread', 'workerType', 'startedAt'],
          links: { Queue: TO_QUEUE, Host: TO_HOST },
          warnings: { 'Run time': warnFrom(300, 3600) },
        },
        {
          title: 'Waiting for a retry',
          description: 'Failed jobs of the class, the next attempt first.',
          kind: 'table',
          width: 12,
          height: 8,
          noValue: 'No job waits for a retry.',
          direct: [{ queryType: 'jobs', source: 'retry', limit: 50, filters: [BY_CLASS] }],
          columns: ['at', 'retryCount', 'errorClass', 'errorMessage', 'queue', 'jid'],
          hidden: [
            'class',
            'enqueued',
            'created',
            'age',
            'executions',
            'failedAt',
            'retriedAt',
            'tags',
            'batch',
            'bytes',
            'context',
            'arguments',
          ],
          links: { Queue: TO_QUEUE },
          widths: { 'Due or died': 160, Retries: 80 },
        },
      ],
    },
  ],
};

import { TITLE_OF_SCORE } from '../pkg/queries/jobs';
import { errorsOfClass } from './jobPanels';
import { warnFrom, type DashboardSpec, type Panel } from './panel';
import {
  BY_CLASS,
  byClass,
  CLASS,
  figures,
  STATSD,
  THEN,
  TO_ERROR_OF_CLASS,
  TO_HOST,
  TO_JOB_OF_CLASS,
  TO_QUEUE,
} from './queries';

const IN_RANGE = '{class=~"$class"}[$__range]';
const quantile = (q: number, range: string) =>
  `histogram_quantile(${q}, sum by (le, class) (rate(sidekiq_job_duration_seconds_bucket{class=~"$class"}[${range}])))`;

/** One job class: how often, how long, how often it fails and why, and what runs or waits right now. */
export const jobClassDetail: DashboardSpec = {
  id: 'sidekiq-job-class',
  title: 'Sidekiq job class detail',
  description: 'One job class: rate, duration, failures and their causes.',
  detail: 'Job class',
  variables: [{ ...CLASS, multi: false }, STATSD],
  rows: [
    {
      title: 'Selected time range',
      panels: [
        figures(
          'Executions of $class',
          { queryType: 'job_metrics', filters: [BY_CLASS] },
          [
            { name: 'executions', expr: `round(sum(increase(sidekiq_job_executions_total${IN_RANGE})))` },
            {
              name: 'failureRate',
              expr: `sum(increase(sidekiq_job_failures_total${IN_RANGE})) / sum(increase(sidekiq_job_executions_total${IN_RANGE}))`,
              unit: 'percentunit',
              steps: warnFrom(0.05, 0.1),
            },
            {
              name: 'meanTime',
              expr: `sum(increase(sidekiq_job_duration_seconds_sum${IN_RANGE})) / sum(increase(sidekiq_job_duration_seconds_count${IN_RANGE}))`,
              unit: 's',
            },
            ...(
              [
                ['p50', 0.5],
                ['p90', 0.9],
                ['p95', 0.95],
                ['p99', 0.99],
              ] as const
            ).map(([name, q]) => ({
              name,
              expr: quantile(q, '$__range'),
              unit: 's',
            })),
          ],
          { noValue: 'No executions found' }
        ),
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
          noValue: 'No execution of the class succeeded in this time range.',
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
          unit: 'suffix:jobs/s',
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
          description: '99% of the executions that succeeded took no longer.',
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
        {
          title: 'Run time beside the usual',
          prometheusTitle: 'Run time',
          description:
            'Mean duration of the executions that succeeded. The data source Sidekiq adds the band that holds 95% of the values at this hour; it takes two days of history, in which the class runs most of the time.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 's',
          min: 0,
          direct: [{ queryType: 'history', by: 'class', figures: ['runTime'], band: 'usual', filters: [BY_CLASS] }],
          prometheus: [
            {
              expr: 'sum by (class) (rate(sidekiq_job_duration_seconds_sum{class=~"$class"}[5m])) / sum by (class) (rate(sidekiq_job_duration_seconds_count{class=~"$class"}[5m]) > 0)',
              legend: '{{class}}',
            },
          ],
        },
        {
          title: 'Wait in the queue',
          description: 'Mean time that jobs of the class had waited when they were seen to run: a sample.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 's',
          min: 0,
          direct: [{ queryType: 'history', by: 'class', figures: ['wait'], filters: [BY_CLASS] }],
          prometheus: [
            {
              expr: 'sum by (class) (rate(sidekiq_job_wait_seconds_sum{class=~"$class"}[5m])) / sum by (class) (rate(sidekiq_job_wait_seconds_count{class=~"$class"}[5m]) > 0)',
              legend: '{{class}}',
            },
          ],
          prometheusNoValue:
            'Waits of mails are kept by mailer: choose one. Of another class no job was seen to start in this time range.',
        },
      ],
    },
    {
      title: THEN,
      panels: [
        errorsOfClass({
          title: 'Errors',
          description: 'Why jobs of the class wait for a retry or died, by kind of failure.',
          height: 8,
          counted: true,
          direct: [{ queryType: 'errors', groupBy: ['fingerprint'], limit: 50, filters: [BY_CLASS] }],
          prometheus: [
            {
              expr: 'sort_desc(round(sum by (error_type, queue) (increase(${statsd}_jobs_failure{worker=~"$class"}[$__range]))) > 0)',
              column: 'Failures',
            },
          ],
          labels: { error_type: 'Error class', queue: 'Queue' },
          prometheusNoValue: 'Errors by type need Sidekiq Pro (DogStatsD).',
          sortBy: { prometheus: 'Failures' },
          links: { Error: TO_ERROR_OF_CLASS, Queue: TO_QUEUE },
          minWidths: { Error: 225, Message: 170 },
        }),
        {
          title: 'Running',
          description: 'Jobs of the class in progress, the longest running first.',
          kind: 'table',
          width: 24,
          height: 7,
          counted: true,
          direct: [{ queryType: 'busy', limit: 50, filters: [BY_CLASS] }],
          columns: ['jid', 'runTime', 'waited', 'queue', 'host', 'thread'],
          hidden: ['class', 'process', 'workerType', 'startedAt'],
          links: { Queue: TO_QUEUE, Host: TO_HOST, JID: TO_JOB_OF_CLASS },
          widths: { JID: 220, 'Run time': 120, Waited: 120, Thread: 110 },
          minWidths: { Queue: 160, Host: 160 },
          warnings: { 'Run time': warnFrom(300, 3600) },
        },
        ...(['retry', 'dead'] as const).map((source): Panel => {
          const isRetry = source === 'retry';
          return {
            title: isRetry ? 'Waiting for a retry' : 'Dead jobs',
            description: isRetry
              ? 'Failed jobs of the class, the next attempt first.'
              : 'Jobs of the class that ran out of retries, or have none, the latest first.',
            kind: 'table',
            width: 24,
            height: 8,
            counted: true,
            direct: [{ queryType: 'jobs', source, limit: 50, filters: [BY_CLASS] }],
            columns: ['jid', 'at', 'retryCount', 'errorClass', 'errorMessage', 'queue'],
            hidden: [
              ...['class', 'enqueued', 'created', 'age', 'executions', 'failedAt', 'retriedAt', 'tags', 'batch'],
              ...['bytes', 'context', 'arguments'],
            ],
            links: { Queue: TO_QUEUE, JID: TO_JOB_OF_CLASS, Error: TO_ERROR_OF_CLASS },
            wrapped: ['Error', 'Message'],
            widths: { JID: 220, [TITLE_OF_SCORE[source]]: 160, Retries: 80, Queue: 130 },
            minWidths: { Error: 225, Message: 200 },
          };
        }),
      ],
    },
    {
      title: 'Locks and throttles of the class',
      closed: true,
      panels: [
        {
          title: 'Locks',
          description:
            'Locks of sidekiq-unique-jobs and activejob-uniqueness and throttles of sidekiq-throttled on the class: those whose job is dead or no longer exists are first.',
          kind: 'table',
          width: 24,
          height: 8,
          counted: true,
          direct: [{ queryType: 'locks', limit: 50, filters: [BY_CLASS] }],
          columns: ['digest', 'stuck', 'place', 'age', 'jid'],
          hidden: ['class', 'queue', 'since', 'kind', 'expires', 'held', 'queued', 'gem'],
          links: { JID: TO_JOB_OF_CLASS },
          wrapped: ['Lock'],
          alarms: ['Stuck'],
          widths: { Stuck: 80, 'Job is': 100, Age: 110, JID: 220 },
          minWidths: { Lock: 300 },
        },
      ],
    },
  ],
};

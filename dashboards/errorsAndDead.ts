import { warnFrom, type DashboardSpec } from './panel';
import {
  BY_CLASS,
  BY_QUEUE,
  byClass,
  CLASS,
  diedInTheLastHour,
  failureRate,
  figure,
  QUEUE,
  STATSD,
  TO_CLASS,
  TO_QUEUE,
  total,
} from './queries';

const JOB_COLUMNS_HIDDEN = ['enqueued', 'created', 'executions', 'tags', 'context', 'batch', 'bytes', 'arguments'];

/** What fails, why, since when, and what is lost for good. */
export const errorsAndDead: DashboardSpec = {
  id: 'sidekiq-errors',
  title: 'Sidekiq errors and dead jobs',
  description: 'What fails and why, what waits for a retry, and what died.',
  variables: [QUEUE, CLASS, STATSD],
  rows: [
    {
      title: 'Now',
      panels: [
        failureRate(),
        figure('Retries', 'retry', 'Failed jobs that wait for their next attempt.', 'sidekiq_retry_jobs'),
        figure(
          'ActiveJob retries',
          'activeJobRetries',
          'Scheduled jobs that are retries of ActiveJob, which Sidekiq counts as successes. Estimated from the next ones due.',
          'sidekiq_activejob_retries',
          { width: 5 }
        ),
        figure('Dead', 'dead', 'Jobs that ran out of retries and are kept.', 'sidekiq_dead_jobs', { width: 3 }),
        diedInTheLastHour(),
        figure(
          'Dead set fill',
          'deadFill',
          'When the set is full, Sidekiq deletes the oldest dead jobs.',
          'sidekiq_dead_set_fill_ratio',
          { unit: 'percentunit', decimals: 0, colored: true, steps: warnFrom(0.8, 0.95) }
        ),
      ],
    },
    {
      title: 'Over time',
      panels: [
        {
          title: 'Failures',
          description: 'Executions that raised per second.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'suffix: jobs/s',
          min: 0,
          direct: total('failedRate'),
          prometheus: [{ expr: 'rate(sidekiq_failed_jobs_total[$__rate_interval])', legend: 'Failed' }],
        },
        {
          title: 'Failures by class',
          description: 'Executions that raised, per interval and class.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'short',
          min: 0,
          stacked: true,
          direct: byClass('failures', 'failures', [BY_CLASS]),
          prometheus: [
            {
              expr: 'topk(10, sum by (class) (increase(sidekiq_job_failures_total{class=~"$class"}[$__rate_interval])) > 0)',
              legend: '{{class}}',
            },
          ],
          links: { class: TO_CLASS },
        },
        {
          title: 'Retries and dead jobs',
          description: 'Jobs in the retry set, and jobs that died within the previous hour.',
          kind: 'timeseries',
          width: 8,
          height: 8,
          unit: 'short',
          min: 0,
          direct: total('retry', 'deadLastHour'),
          prometheus: [
            { expr: 'sidekiq_retry_jobs', legend: 'Retries' },
            { expr: 'sidekiq_dead_jobs_last_hour', legend: 'Died in the last hour' },
          ],
        },
      ],
    },
    {
      title: 'Causes',
      panels: [
        {
          title: 'Errors',
          description:
            'Jobs in retry and in the dead set by kind of failure, class and queue, with the failures of the last twelve hours.',
          kind: 'table',
          width: 24,
          height: 11,
          noValue: 'No jobs in retry or in the dead set.',
          direct: [
            {
              queryType: 'errors',
              groupBy: ['fingerprint', 'class', 'queue'],
              filters: [BY_QUEUE, BY_CLASS],
              limit: 200,
            },
          ],
          columns: ['errorClass', 'message', 'class', 'queue', 'count', 'dead', 'trend', 'last'],
          hidden: ['retry', 'rate', 'first', 'pattern', 'share', 'classes', 'queues'],
          wrapped: ['Message'],
          minWidths: { Message: 230 },
          prometheus: [
            {
              expr: 'sort_desc(sum by (error_type, worker, queue) (increase(${statsd}_jobs_failure{queue=~"$queue",worker=~"$class"}[$__range])) > 0)',
              column: 'Failures',
            },
          ],
          labels: { error_type: 'Error class', worker: 'Class', queue: 'Queue' },
          prometheusNoValue: 'By error type only Sidekiq Pro counts, by DogStatsD.',
          sortBy: { direct: 'Jobs', prometheus: 'Failures' },
          links: { Class: TO_CLASS, Queue: TO_QUEUE },
          widths: {
            Error: 175,
            'Error class': 170,
            Class: 165,
            Queue: 125,
            Jobs: 75,
            Dead: 60,
            'Last 12 hours': 110,
            Last: 140,
          },
        },
        {
          title: 'Latest dead jobs',
          description:
            'Jobs that ran out of retries, the latest first. Retry them in Sidekiq’s Web UI once the cause is gone.',
          kind: 'table',
          width: 24,
          height: 9,
          noValue: 'No dead jobs.',
          direct: [{ queryType: 'jobs', source: 'dead', filters: [BY_QUEUE, BY_CLASS], limit: 50 }],
          columns: ['at', 'class', 'errorClass', 'errorMessage', 'queue', 'jid'],
          hidden: [...JOB_COLUMNS_HIDDEN, 'age', 'failedAt', 'retriedAt', 'retryCount'],
          wrapped: ['Message'],
          minWidths: { Message: 230 },
          links: { Class: TO_CLASS, Queue: TO_QUEUE },
          widths: { 'Due or died': 140, Class: 170, Error: 145, Queue: 125, JID: 215 },
        },
        {
          title: 'Next retries',
          description: 'Failed jobs, the next attempt first.',
          kind: 'table',
          width: 24,
          height: 9,
          noValue: 'No job waits for a retry.',
          direct: [{ queryType: 'jobs', source: 'retry', filters: [BY_QUEUE, BY_CLASS], limit: 50 }],
          columns: ['at', 'class', 'errorClass', 'errorMessage', 'queue', 'jid'],
          hidden: [...JOB_COLUMNS_HIDDEN, 'age', 'failedAt', 'retriedAt', 'retryCount'],
          wrapped: ['Message'],
          minWidths: { Message: 230 },
          links: { Class: TO_CLASS, Queue: TO_QUEUE },
          widths: { 'Due or died': 140, Class: 170, Error: 145, Queue: 125, JID: 215 },
        },
      ],
    },
  ],
};

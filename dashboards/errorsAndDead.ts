import { TITLE_OF_SCORE } from '../pkg/queries/jobs';
import { warnFrom, type DashboardSpec, type DashboardTarget, type Panel } from './panel';
import {
  BY_CLASS,
  BY_ERROR,
  BY_QUEUE,
  byClass,
  CLASS,
  DIED_LAST_HOUR,
  ERROR_CLASS,
  FAILURE_RATE,
  figures,
  QUEUE,
  STATSD,
  TO_CLASS,
  TO_ERROR,
  TO_JOB,
  TO_QUEUE,
  total,
} from './queries';

const HIDDEN = [
  ...['enqueued', 'created', 'executions', 'tags', 'context', 'batch', 'bytes', 'arguments'],
  ...['age', 'failedAt', 'retriedAt', 'retryCount', 'queue'],
];

const jobsTable = (title: string, source: 'retry' | 'dead', description: string): Panel => ({
  title,
  description,
  kind: 'table',
  width: 24,
  height: 9,
  counted: true,
  direct: [{ queryType: 'jobs', source, filters: [BY_QUEUE, BY_CLASS, BY_ERROR], limit: 50 }],
  columns: ['jid', 'at', 'class', 'errorClass', 'errorMessage'],
  hidden: HIDDEN,
  wrapped: ['Class', 'Error', 'Message'],
  links: { JID: TO_JOB, Class: TO_CLASS, Error: TO_ERROR_HERE },
  widths: { JID: 222, [TITLE_OF_SCORE[source]]: 160 },
  minWidths: { Class: 200, Error: 230, Message: 170 },
});

/** What else is chosen stays chosen. */
const TO_ERROR_HERE: DashboardTarget = { ...TO_ERROR, more: '&${queue:queryparam}&${class:queryparam}' };

/** What fails, why, since when, and what is lost for good. */
export const errorsAndDead: DashboardSpec = {
  id: 'sidekiq-errors',
  title: 'Sidekiq errors and dead jobs',
  description: 'What fails and why, what waits for a retry, and what died.',
  variables: [QUEUE, CLASS, ERROR_CLASS, STATSD],
  rows: [
    {
      title: 'Whole installation, not filtered',
      panels: [
        figures('All failures', { queryType: 'overview' }, [
          { ...FAILURE_RATE, link: undefined },
          { name: 'retry', expr: 'sidekiq_retry_jobs' },
          { name: 'activeJobRetries', expr: 'sidekiq_activejob_retries' },
          { name: 'dead', expr: 'sidekiq_dead_jobs' },
          { ...DIED_LAST_HOUR, link: undefined },
          { name: 'deadFill', expr: 'sidekiq_dead_set_fill_ratio', unit: 'percentunit', steps: warnFrom(0.8, 0.95) },
        ]),
        {
          title: 'Failures per second',
          description: 'Executions that raised per second.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'suffix:jobs/s',
          min: 0,
          direct: total('failedRate'),
          prometheus: [{ expr: 'rate(sidekiq_failed_jobs_total[$__rate_interval])', legend: 'Failed' }],
        },
        {
          title: 'Retries and dead jobs',
          description: 'Jobs in the retry set, and jobs that died within the previous hour.',
          kind: 'timeseries',
          width: 12,
          height: 8,
          unit: 'short',
          decimals: 0,
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
      title: 'Causes, filtered',
      panels: [
        {
          title: 'Failures by class',
          description:
            'Executions that raised, per interval and class. The variables "Queue" and "Error" do not apply: Sidekiq counts by class alone.',
          kind: 'timeseries',
          width: 24,
          height: 8,
          unit: 'short',
          min: 0,
          stacked: true,
          direct: byClass('failures', 'failures', [BY_CLASS]),
          prometheus: [
            {
              expr: 'round(topk(10, sum by (class) (increase(sidekiq_job_failures_total{class=~"$class"}[$__rate_interval])) > 0))',
              legend: '{{class}}',
            },
          ],
          links: { class: TO_CLASS },
        },
        {
          title: 'Errors',
          description:
            'Jobs in retry and in the dead set by kind of failure and class, with the failures of the last twelve hours.',
          kind: 'table',
          width: 24,
          height: 11,
          counted: true,
          noValue: 'No job is in the retry set or in the dead set.',
          direct: [
            {
              queryType: 'errors',
              groupBy: ['fingerprint', 'class'],
              filters: [BY_QUEUE, BY_CLASS, BY_ERROR],
              limit: 200,
            },
          ],
          columns: ['errorClass', 'message', 'class', 'retry', 'dead', 'trend', 'last'],
          hidden: ['count', 'rate', 'first', 'pattern', 'share', 'classes', 'queues', 'frame'],
          wrapped: ['Error', 'Message', 'Class'],
          prometheus: [
            {
              expr: 'sort_desc(round(sum by (error_type, worker, queue) (increase(${statsd}_jobs_failure{queue=~"$queue",worker=~"$class"}[$__range]))) > 0)',
              column: 'Failures',
            },
          ],
          labels: { error_type: 'Error class', worker: 'Class', queue: 'Queue' },
          prometheusNoValue: 'Errors by type need Sidekiq Pro (DogStatsD).',
          sortBy: { prometheus: 'Failures' },
          links: { Error: TO_ERROR_HERE, Class: TO_CLASS, Queue: TO_QUEUE },
          widths: { Error: 232, 'In retry': 80, Dead: 65, 'Last 12 hours': 138, Last: 160 },
          minWidths: { Message: 170, Class: 205, Queue: 115 },
        },
        jobsTable(
          'Latest dead jobs',
          'dead',
          'Jobs that ran out of retries, the latest first. Retry them in Sidekiq’s Web UI once the cause is fixed.'
        ),
        jobsTable('Next retries', 'retry', 'Failed jobs, the next attempt first.'),
      ],
    },
  ],
};

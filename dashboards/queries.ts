import type { JobMetricsQuery } from '../pkg/queries/jobMetrics';
import { NEUTRAL, warnFrom, type DashboardTarget, type DirectQuery, type Panel, type Variable } from './panel';

/** Filters by the variables that dashboards share. */
export const BY_QUEUE = { field: 'queue', operator: '=' as const, values: ['$queue'] };
export const BY_TYPE = { field: 'workerType', operator: '=' as const, values: ['$workerType'] };
export const BY_CLASS = { field: 'class', operator: '=' as const, values: ['$class'] };
export const BY_HOST = { field: 'host', operator: '=' as const, values: ['$host'] };

export const WORKER_TYPE: Variable = {
  name: 'workerType',
  label: 'Worker type',
  direct: { queryType: 'queues', field: 'workerType' },
  prometheus: 'label_values(sidekiq_queue_info, worker_type)',
  multi: true,
};
export const QUEUE: Variable = {
  name: 'queue',
  label: 'Queue',
  direct: { queryType: 'queues', field: 'queue' },
  prometheus: 'label_values(sidekiq_queue_enqueued_jobs, name)',
  multi: true,
};
/** Who sends by DogStatsD: the namespace begins the names of the sender's metrics. */
export const STATSD: Variable = {
  name: 'statsd',
  label: 'DogStatsD namespace',
  prometheus: 'label_values({__name__=~".+_jobs_count", worker!=""}, __name__)',
  regex: '/(.+)_jobs_count/',
  multi: false,
};
export const CLASS: Variable = {
  name: 'class',
  label: 'Class',
  direct: { queryType: 'job_metrics', field: 'class' },
  prometheus: 'label_values(sidekiq_job_executions_total, class)',
  multi: true,
};
export const HOST: Variable = {
  name: 'host',
  label: 'Host',
  direct: { queryType: 'processes', field: 'host' },
  prometheus: 'label_values(sidekiq_host_processes, host)',
  multi: true,
};

export const TO_QUEUE: DashboardTarget = { dashboard: 'sidekiq-queue', variable: 'queue' };
export const TO_CLASS: DashboardTarget = { dashboard: 'sidekiq-job-class', variable: 'class' };
export const TO_HOST: DashboardTarget = { dashboard: 'sidekiq-processes', variable: 'host' };

/** Figures of the whole installation over time. */
export const total = (...figures: string[]): DirectQuery[] => [{ queryType: 'history', by: 'total', figures }];
/** A figure per queue over time. */
export const byQueue = (figure: string): DirectQuery[] => [
  { queryType: 'history', by: 'queue', figures: [figure], filters: [BY_QUEUE] },
];
/** A figure per worker type over time. */
export const byWorkerType = (figure: string): DirectQuery[] => [
  { queryType: 'history', by: 'workerType', figures: [figure], filters: [BY_TYPE] },
];
/** A figure per job class over time. */
export const byClass = (
  figure: string,
  sortBy: NonNullable<JobMetricsQuery['sortBy']>,
  filters: DirectQuery['filters'] = []
): DirectQuery[] => [{ queryType: 'job_metrics', show: 'series', figures: [figure], top: 10, sortBy, filters }];

/** A metric of queues by worker type. @param how they add up: `sum`, or `max` for what queues share */
export const promByWorkerType = (how: 'sum' | 'max', metric: string): string =>
  `${how} by (worker_type) (${metric} * on (instance, job, name) group_left (worker_type) sidekiq_queue_info{worker_type=~"$workerType"})`;

/** One number. */
export const stat = (
  title: string,
  description: string,
  direct: DirectQuery,
  expr: string,
  more: Partial<Panel> = {}
): Panel => ({
  title,
  description,
  kind: 'stat',
  width: 4,
  height: 4,
  unit: 'short',
  steps: NEUTRAL,
  direct: [direct],
  prometheus: [{ expr, instant: true }],
  ...more,
});

/** One number of the whole installation. */
export const figure = (
  title: string,
  name: string,
  description: string,
  expr: string,
  more: Partial<Panel> = {}
): Panel => stat(title, description, { queryType: 'overview', figures: [name] }, expr, more);

/** The share of executions that failed within the last hour. */
export const failureRate = (more: Partial<Panel> = {}): Panel =>
  figure(
    'Failure rate',
    'failureRate',
    'Failed share of the executions of the last hour.',
    'rate(sidekiq_failed_jobs_total[1h]) / rate(sidekiq_processed_jobs_total[1h])',
    { unit: 'percentunit', decimals: 1, colored: true, steps: warnFrom(0.05, 0.1), ...more }
  );

export const diedInTheLastHour = (more: Partial<Panel> = {}): Panel =>
  figure(
    'Died last hour',
    'deadLastHour',
    'Jobs that ran out of retries within the last hour.',
    'sidekiq_dead_jobs_last_hour',
    { colored: true, steps: warnFrom(1, 100), ...more }
  );

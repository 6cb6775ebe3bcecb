import { FEWEST_EXECUTIONS } from '../pkg/sidekiq/totals';
import type { JobMetricsQuery } from '../pkg/queries/jobMetrics';
import { queryType } from '../pkg/queries/registry';
import {
  NEUTRAL,
  warnFrom,
  type DashboardTarget,
  type DirectQuery,
  type FigureLink,
  type Panel,
  type Step,
  type Variable,
} from './panel';

/** Filters by the variables that dashboards share. */
export const BY_QUEUE = { field: 'queue', operator: '=' as const, values: ['$queue'] };
export const BY_TYPE = { field: 'workerType', operator: '=' as const, values: ['$workerType'] };
export const BY_CLASS = { field: 'class', operator: '=' as const, values: ['$class'] };
export const BY_ERROR = { field: 'errorClass', operator: '=' as const, values: ['$errorClass'] };
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
/** The queues of the chosen worker types. */
export const QUEUE_OF_TYPE: Variable = {
  ...QUEUE,
  direct: { queryType: 'queues', field: 'queue', filters: [BY_TYPE] },
  prometheus: 'label_values(sidekiq_queue_info{worker_type=~"$workerType"}, name)',
  narrowed: true,
};
/** Of which share of the executions a duration is told. */
export const QUANTILE: Variable = {
  name: 'quantile',
  label: 'Quantile',
  choice: ['p95 : 0.95', 'p50 : 0.5', 'p90 : 0.9', 'p99 : 0.99'],
  multi: false,
};
/** Who sends by DogStatsD: the namespace begins the names of the sender's metrics. */
export const STATSD: Variable = {
  name: 'statsd',
  label: 'DogStatsD',
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
export const ERROR_CLASS: Variable = {
  name: 'errorClass',
  label: 'Error',
  direct: { queryType: 'errors', field: 'errorClass' },
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
/** From a dashboard that is narrowed by worker type. */
export const TO_HOST_OF_TYPE: DashboardTarget = { ...TO_HOST, more: '&${workerType:queryparam}' };
/** From a table with the column "Class", and from a dashboard of one class. */
export const TO_JOB: DashboardTarget = {
  dashboard: 'sidekiq-job',
  variable: 'jid',
  more: '&var-jobClass=${__data.fields["Class"]:percentencode}',
};
export const TO_JOB_OF_CLASS: DashboardTarget = { ...TO_JOB, more: '&var-jobClass=${class:percentencode}' };
export const TO_ERROR: DashboardTarget = { dashboard: 'sidekiq-errors', variable: 'errorClass' };
/** From a table with the column "Class". */
export const TO_ERROR_OF_ROW: DashboardTarget = {
  ...TO_ERROR,
  more: '&var-class=${__data.fields["Class"]:percentencode}',
};
/** From a dashboard of one class. */
export const TO_ERROR_OF_CLASS: DashboardTarget = { ...TO_ERROR, more: '&var-class=${class:percentencode}' };

/** Figures of the whole installation over time. */
export const total = (...figures: string[]): DirectQuery[] => [{ queryType: 'history', by: 'total', figures }];
/** A figure per queue over time. */
export const byQueue = (figure: string): DirectQuery[] => [
  { queryType: 'history', by: 'queue', figures: [figure], filters: [BY_QUEUE] },
];
/** The same, narrowed by worker type too. */
export const byQueueAndType = (figure: string): DirectQuery[] => [
  { queryType: 'history', by: 'queue', figures: [figure], filters: [BY_QUEUE, BY_TYPE] },
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

/** Of the chosen worker types. */
export const OF_TYPES = '{worker_type=~"$workerType"}';

/** @param info the queues with their worker types, as PromQL */
const byTypeOf = (how: 'sum' | 'max', metric: string, info: string): string =>
  `${how} by (worker_type) (${metric} * on (instance, job, name) group_left (worker_type) ${info})`;

/**
 * A metric of queues by worker type; those without one are together.
 *
 * @param how they add up: `sum`, or `max` for what queues share
 */
export const promByWorkerType = (how: 'sum' | 'max', metric: string): string => {
  // A series without a label is named "Value" by Grafana.
  const info = `label_replace(sidekiq_queue_info${OF_TYPES}, "worker_type", "other queues", "worker_type", "")`;
  return byTypeOf(how, metric, info);
};

/** The same where a queue without a worker type stands for itself, as in metrics of worker types. */
export const promByNamedType = (how: 'sum' | 'max', metric: string): string => {
  const of = (more: string) => `sidekiq_queue_info{worker_type=~"$workerType", worker_type${more}}`;
  const alone = `label_replace(${of('=""')}, "worker_type", "other: $1", "name", "(.*)")`;
  const info = `(${of('!=""')} or ${alone})`;
  return byTypeOf(how, metric, info);
};

/** Threads that the work keeps busy, by worker type. @param types a selector with its braces, or `''` */
export function demandOfType(types: string): string {
  return `(sidekiq_supply_threads${types} - sidekiq_headroom_threads${types})`;
}

/** Demand over supply, by worker type. */
export function utilisationOfType(types: string): string {
  return `${demandOfType(types)} / (sidekiq_supply_threads${types} > 0)`;
}

/** Columns that tell when a queue will exceed its objective, where a table has no room for them. */
export const BREACH_COLUMNS = ['breach', 'breachIn', 'breachInMost', 'breachesSoon'];

/** Age of the oldest waiting job of the latest queues. */
export const latencyByQueue = (description: string): Panel => ({
  title: 'Latency by queue',
  description,
  kind: 'timeseries',
  width: 24,
  height: 8,
  unit: 's',
  min: 0,
  direct: [{ queryType: 'history', by: 'queue', figures: ['latency'], limit: 10, filters: [BY_QUEUE] }],
});

/** A figure of a panel that shows several. */
export interface Figure {
  /** The column of the query. */
  name: string;
  expr: string;
  unit?: string;
  steps?: Step[];
  link?: FigureLink | undefined;
  /** The title in the Prometheus flavour, where the metric is not quite the column. */
  legend?: string;
}

/**
 * The title of a row whose panels show the end of the time range alone. It names no instant: Grafana formats that of a
 * variable in the zone of the browser, whatever the zone of the dashboard.
 */
export const THEN = 'At the end of the time range';

/** Figures side by side: on a phone they are one panel, and a notice cuts none of their titles. */
export function figures(title: string, query: DirectQuery, shown: readonly Figure[], more: Partial<Panel> = {}): Panel {
  const { columns } = queryType(query.queryType);
  const column = ({ name }: Figure) => columns.find((each) => each.name === name)!;
  const byTitle = <T>(value: (figure: Figure) => T | undefined): Record<string, T> =>
    Object.fromEntries(
      shown.flatMap((figure) => {
        const found = value(figure);
        const titles = [column(figure).title, ...(figure.legend === undefined ? [] : [figure.legend])];
        return found === undefined ? [] : titles.map((each) => [each, found]);
      })
    );
  return {
    title,
    description: shown.map((figure) => `**${column(figure).title}**: ${column(figure).description}`).join('\n\n'),
    kind: 'stat',
    width: 24,
    height: 6,
    steps: NEUTRAL,
    fieldSteps: byTitle(({ steps }) => steps),
    fieldLinks: byTitle(({ link }) => link),
    units: byTitle(({ unit }) => unit),
    direct: [{ ...query, figures: shown.map(({ name }) => name) }],
    prometheus: shown.map((figure) => ({
      expr: figure.expr,
      legend: figure.legend ?? column(figure).title,
      instant: true,
    })),
    ...more,
  };
}

const TO_ERRORS: FigureLink = { dashboard: 'sidekiq-errors' };

/** @param enough a comparison with executions */
export function failedShare(window: string, enough: string): string {
  return `increase(sidekiq_failed_jobs_total[${window}]) / (increase(sidekiq_processed_jobs_total[${window}]) ${enough})`;
}

/** The share of the last executions that failed, of a quarter of an hour or of an hour. */
export const FAILURE_RATE: Figure = {
  name: 'failureRate',
  expr: `${failedShare('15m', `>= ${FEWEST_EXECUTIONS}`)} or ${failedShare('1h', '> 0')}`,
  unit: 'percentunit',
  steps: warnFrom(0.05, 0.1),
  link: TO_ERRORS,
};
export const RETRIES: Figure = { name: 'retry', expr: 'sidekiq_retry_jobs', link: TO_ERRORS };
export const DIED_LAST_HOUR: Figure = {
  name: 'deadLastHour',
  expr: 'sidekiq_dead_jobs_last_hour',
  steps: [
    { from: null, color: 'text' },
    { from: 1, color: 'orange' },
    { from: 100, color: 'red' },
  ],
  link: TO_ERRORS,
};

/** The worker type that has the least to spare. */
export const BUSIEST_TYPE: Figure = {
  name: 'utilisationMax',
  expr: `topk(1, ${utilisationOfType('')})`,
  unit: 'percentunit',
  steps: warnFrom(0.8, 1),
  link: {
    dashboard: 'sidekiq-processes',
    variable: { name: 'workerType', field: 'Busiest worker type', label: 'worker_type' },
  },
};

/** What a panel says that has no executions by queue. */
export const NO_THROUGHPUT =
  'No figures in this time range. Throughput by queue needs Sidekiq Pro (DogStatsD): Sidekiq keeps no counter by queue.';

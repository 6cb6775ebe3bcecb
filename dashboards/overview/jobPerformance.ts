import { warnFrom, type Row } from '../panel';
import { byClass, TO_CLASS, TO_ERROR_OF_ROW } from '../queries';

const HOUR = '[1h]';
const successes = 'sum by (class) (rate(sidekiq_job_duration_seconds_count[1h]))';
const quantile = (q: number, range: string) =>
  `histogram_quantile(${q}, sum by (le, class) (rate(sidekiq_job_duration_seconds_bucket${range})))`;

const slowest = `topk(10, sum by (class) (rate(sidekiq_job_duration_seconds_sum${HOUR})) / (${successes} > 0))`;
/** A figure of the classes that are shown. */
const ofSlowest = (expr: string) => `(${expr}) and on (class) ${slowest}`;

/** The row "Job performance": from what Sidekiq Pro sends by DogStatsD, or from Sidekiq's own metrics. */
export const jobPerformance: Row = {
  title: 'Job classes of all queues, not filtered',
  panels: [
    {
      title: 'Top 10 slowest job classes',
      description:
        'Classes by mean time, with quantiles: from Sidekiq Pro if its metrics arrive, else interpolated in Sidekiq’s own duration buckets.',
      kind: 'table',
      width: 24,
      height: 10,
      noValue: 'No executions found in this time range. Sidekiq keeps job metrics since 7.0.',
      direct: [{ queryType: 'job_metrics', top: 10, sortBy: 'meanTime' }],
      columns: ['class', 'executions', 'failures', 'failureRate', 'meanTime', 'p50', 'p90', 'p95', 'p99', 'totalTime'],
      hidden: ['p99Lower', 'p99Upper', 'rate', 'threads', 'costPerMonth'],
      prometheus: [
        {
          expr: slowest,
          column: 'Mean time',
        },
        {
          expr: ofSlowest(`round(sum by (class) (increase(sidekiq_job_executions_total${HOUR})))`),
          column: 'Executions',
        },
        {
          expr: ofSlowest(
            `sum by (class) (rate(sidekiq_job_failures_total${HOUR})) / sum by (class) (rate(sidekiq_job_executions_total${HOUR}) > 0)`
          ),
          column: 'Failure rate',
        },
        { expr: ofSlowest(quantile(0.5, HOUR)), column: 'p50' },
        { expr: ofSlowest(quantile(0.9, HOUR)), column: 'p90' },
        { expr: ofSlowest(quantile(0.95, HOUR)), column: 'p95' },
        { expr: ofSlowest(quantile(0.99, HOUR)), column: 'p99' },
      ],
      labels: { class: 'Class' },
      units: {
        'Mean time': 's',
        'Failure rate': 'percentunit',
        p50: 's',
        p90: 's',
        p95: 's',
        p99: 's',
        Executions: 'short',
      },
      links: { Class: TO_CLASS },
      sortBy: 'Mean time',
      widths: {
        Executions: 95,
        Failures: 80,
        'Failure rate': 100,
        'Mean time': 110,
        p50: 78,
        p90: 80,
        p95: 80,
        p99: 78,
        'Total time': 95,
      },
      minWidths: { Class: 210 },
      warnings: { 'Failure rate': warnFrom(0.05, 0.1) },
    },
    {
      title: 'Duration by class: ${quantile:text}',
      description:
        'Durations that the chosen share of the successful executions did not exceed, of the classes that took most time. The axis is logarithmic.',
      kind: 'timeseries',
      width: 24,
      height: 9,
      unit: 's',
      logScale: true,
      direct: byClass('${quantile:text}', 'totalTime'),
      prometheus: [
        {
          expr: 'topk(10, histogram_quantile($quantile, sum by (le, class) (rate(sidekiq_job_duration_seconds_bucket[5m]))) > 0)',
          legend: '{{class}}',
        },
      ],
      links: { class: TO_CLASS },
    },
    {
      title: 'Executions by class',
      description: 'Executions per second, failures included.',
      kind: 'timeseries',
      width: 12,
      height: 9,
      unit: 'suffix:jobs/s',
      min: 0,
      stacked: true,
      direct: byClass('rate', 'executions'),
      prometheus: [
        {
          expr: 'topk(10, sum by (class) (rate(sidekiq_job_executions_total[$__rate_interval])))',
          legend: '{{class}}',
        },
      ],
      links: { class: TO_CLASS },
    },
    {
      title: 'Failure rate by class',
      description: 'Failed share of the executions of each class.',
      kind: 'timeseries',
      width: 12,
      height: 9,
      unit: 'percentunit',
      min: 0,
      direct: byClass('failureRate', 'failures'),
      prometheus: [
        {
          expr: 'topk(10, sum by (class) (rate(sidekiq_job_failures_total[5m])) / sum by (class) (rate(sidekiq_job_executions_total[5m]) > 0))',
          legend: '{{class}}',
        },
      ],
      links: { class: TO_CLASS },
    },
    {
      title: 'Errors by type',
      prometheusTitle: 'Failures by error type',
      description: 'Jobs in retry and in the dead set by error class and job class.',
      kind: 'table',
      width: 24,
      height: 9,
      counted: true,
      noValue: 'No job is in the retry set or in the dead set.',
      direct: [
        {
          queryType: 'errors',
          groupBy: ['errorClass', 'class'],
          limit: 50,
          figures: ['count', 'retry', 'dead'],
        },
      ],
      columns: ['errorClass', 'class', 'count', 'retry', 'dead'],
      hidden: ['queue', 'message', 'first', 'last', 'rate'],
      widths: { Jobs: 90, 'In retry': 100, Dead: 90 },
      minWidths: { Error: 250, Class: 250 },
      prometheus: [
        {
          expr: 'sort_desc(round(sum by (error_type) (increase(${statsd}_jobs_failure[1h]))) > 0)',
          column: 'Failures',
        },
      ],
      labels: { error_type: 'Error class' },
      prometheusNoValue: 'Errors by type need Sidekiq Pro (DogStatsD).',
      sortBy: { direct: 'Jobs', prometheus: 'Failures' },
      links: { Error: TO_ERROR_OF_ROW, Class: TO_CLASS },
    },
  ],
};

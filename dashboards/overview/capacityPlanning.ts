import type { Panel, Row } from '../panel';
import { total } from '../queries';
import { processesOverTime, threadsOverTime } from '../workerPanels';

/** A figure of five minutes with the band that holds 95% of its values at this hour. */
function besideUsual(
  title: string,
  figure: string,
  unit: string,
  { value, usual }: { value: string; usual: string }
): Panel {
  return {
    title,
    description:
      'Means of five minutes and the band that holds 95% of the values at this hour of the week, or of the day while there are less than three weeks of history. It takes two days.',
    kind: 'timeseries',
    width: 12,
    height: 8,
    unit,
    min: 0,
    direct: [{ queryType: 'history', by: 'total', figures: [figure], band: 'usual' }],
    prometheus: [
      { expr: value, legend: 'Measured' },
      { expr: `${usual}{bound="lower"}`, legend: 'Usual, lower bound' },
      { expr: `${usual}{bound="usual"}`, legend: 'Usual' },
      { expr: `${usual}{bound="upper"}`, legend: 'Usual, upper bound' },
    ],
  };
}

/** The row of the whole installation over time, whatever the variables choose. */
export const capacityPlanning: Row = {
  title: 'Whole installation over time, not filtered',
  panels: [
    {
      title: 'Throughput',
      description: 'Jobs finished and failed per second.',
      kind: 'timeseries',
      width: 12,
      height: 8,
      unit: 'suffix:jobs/s',
      min: 0,
      direct: total('processedRate', 'failedRate'),
      prometheus: [
        { expr: 'rate(sidekiq_processed_jobs_total[$__rate_interval])', legend: 'Processed' },
        { expr: 'rate(sidekiq_failed_jobs_total[$__rate_interval])', legend: 'Failed' },
      ],
    },
    {
      title: 'Processed per hour',
      description: 'Jobs finished within an hour, at the rate of each moment.',
      kind: 'timeseries',
      width: 12,
      height: 8,
      unit: 'short',
      min: 0,
      direct: total('processedPerHour'),
      prometheus: [{ expr: 'rate(sidekiq_processed_jobs_total[5m]) * 3600', legend: 'Processed per hour' }],
    },
    {
      title: 'Queue depth',
      description: 'Jobs waiting, in retry and scheduled.',
      kind: 'timeseries',
      width: 12,
      height: 8,
      unit: 'short',
      decimals: 0,
      min: 0,
      direct: total('enqueued', 'retry', 'scheduled'),
      prometheus: [
        { expr: 'sidekiq_enqueued_jobs', legend: 'Enqueued' },
        { expr: 'sidekiq_retry_jobs', legend: 'Retries' },
        { expr: 'sidekiq_scheduled_jobs', legend: 'Scheduled' },
      ],
    },
    besideUsual('Throughput beside the usual', 'processedRate', 'suffix:jobs/s', {
      value: 'rate(sidekiq_processed_jobs_total[5m])',
      usual: 'sidekiq_usual_processed_jobs_per_second',
    }),
    besideUsual('Waiting jobs beside the usual', 'enqueued', 'short', {
      value: 'avg_over_time(sidekiq_enqueued_jobs[5m])',
      usual: 'sidekiq_usual_enqueued_jobs',
    }),
    {
      title: 'Utilisation',
      description: 'Busy share of all threads. Above 80% for long, add threads.',
      kind: 'timeseries',
      width: 12,
      height: 8,
      unit: 'percentunit',
      min: 0,
      max: 1,
      direct: total('utilisation'),
      prometheus: [{ expr: 'sidekiq_busy_workers / sidekiq_workers', legend: 'Utilisation' }],
    },
    threadsOverTime(),
    processesOverTime(),
  ],
};

import { warnFrom, type Row } from '../panel';
import { figure } from '../queries';

/** The row "Overview". */
export const overview: Row = {
  title: 'Overview',
  panels: [
    figure('Processed', 'processed', 'Jobs finished since ever, failures included.', 'sidekiq_processed_jobs_total'),
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
};

import { warnFrom, type Row } from '../panel';
import { diedInTheLastHour, failureRate, figure } from '../queries';

/** The row "Overview". */
export const overview: Row = {
  title: 'Overview',
  panels: [
    figure(
      'Processed',
      'processed',
      'Jobs finished since the counters were last reset, failures included.',
      'sidekiq_processed_jobs_total',
      {
        width: 3,
      }
    ),
    failureRate({ width: 3, max: 0.2 }),
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
    figure('Enqueued', 'enqueued', 'Jobs waiting in all queues.', 'sidekiq_enqueued_jobs', { width: 3 }),
    figure(
      'Longest wait',
      'latencyMax',
      'Age of the oldest waiting job of any queue.',
      'max(sidekiq_queue_latency_seconds)',
      {
        width: 3,
        unit: 's',
        decimals: 1,
        colored: true,
        steps: warnFrom(60, 300),
      }
    ),
    figure('Retries', 'retry', 'Failed jobs that wait for their next attempt.', 'sidekiq_retry_jobs', { width: 3 }),
    diedInTheLastHour(),
  ],
};

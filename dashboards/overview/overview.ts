import { warnFrom, type Panel, type Row } from '../panel';
import { diedInTheLastHour, failureRate, figure } from '../queries';

/** The verdict: what is wrong, the worst first. By Prometheus that is what its rules say. */
const whatIsWrong: Panel = {
  title: 'What is wrong now',
  description:
    'Findings of the last reading, the worst first, with the next step. A click on a finding opens its dashboard.',
  kind: 'table',
  width: 24,
  height: 7,
  direct: [{ queryType: 'findings' }],
  columns: ['severity', 'finding', 'since', 'action', 'evidence', 'path'],
  hidden: ['kind', 'subject', 'rule', 'level', 'cause'],
  invisible: ['Path'],
  wrapped: ['Finding', 'What to do', 'Evidence'],
  widths: { Severity: 90, Since: 140 },
  minWidths: { Finding: 220, 'What to do': 220, Evidence: 180 },
  badges: ['Severity'],
  pathLinks: { Finding: 'Path' },
  prometheus: [{ expr: 'ALERTS{alertname=~"Sidekiq.*", alertstate="firing"}', column: 'Firing' }],
  prometheusNoValue: 'No alert of Sidekiq fires.',
  labels: { severity: 'Severity', alertname: 'Alert', name: 'Queue', class: 'Class', host: 'Host' },
};

/** The row "Overview". */
export const overview: Row = {
  title: 'Overview',
  panels: [
    whatIsWrong,
    figure(
      'Longest wait',
      'latencyMax',
      'Age of the oldest waiting job of any queue.',
      'max(sidekiq_queue_latency_seconds)',
      { unit: 's', decimals: 1, colored: true, steps: warnFrom(60, 300), opens: 'sidekiq-queue' }
    ),
    figure('Enqueued', 'enqueued', 'Jobs waiting in all queues.', 'sidekiq_enqueued_jobs', { opens: 'sidekiq-queue' }),
    figure('Utilisation', 'utilisation', 'Busy share of all threads.', 'sidekiq_busy_workers / sidekiq_workers', {
      unit: 'percentunit',
      colored: true,
      steps: warnFrom(0.8, 0.95),
      opens: 'sidekiq-processes',
    }),
    failureRate({ opens: 'sidekiq-errors' }),
    figure('Retries', 'retry', 'Failed jobs that wait for their next attempt.', 'sidekiq_retry_jobs', {
      opens: 'sidekiq-errors',
    }),
    diedInTheLastHour({ opens: 'sidekiq-errors' }),
  ],
};

import { warnFrom, type DashboardSpec } from './panel';
import { total } from './queries';

/** Many Sidekiq installations side by side: one data source each, or one scrape target each. */
export const fleet: DashboardSpec = {
  id: 'sidekiq-fleet',
  title: 'Sidekiq fleet',
  description: 'Many Sidekiq installations side by side: which one needs a look?',
  dataSources: 'several',
  variables: [],
  rows: [
    {
      title: 'Installations',
      panels: [
        {
          title: '$datasource',
          description: 'An installation at a glance.',
          kind: 'stat',
          named: true,
          width: 6,
          height: 6,
          repeated: true,
          colored: true,
          steps: [{ from: null, color: 'text' }],
          fieldSteps: {
            'Longest wait': warnFrom(60, 300),
            'Busiest worker type': warnFrom(0.8, 1),
            'Failure rate': warnFrom(0.05, 0.1),
            'Died in the last hour': warnFrom(1, 100),
          },
          direct: [
            {
              queryType: 'overview',
              figures: ['enqueued', 'latencyMax', 'utilisationMax', 'failureRate', 'retry', 'deadLastHour'],
            },
          ],
        },
        {
          title: 'Latency',
          description: 'Age of the oldest waiting job of any queue.',
          kind: 'timeseries',
          width: 6,
          height: 8,
          clock: true,
          min: 0,
          repeated: true,
          direct: total('latency'),
          prometheus: [
            { expr: 'max by (instance, job) (sidekiq_queue_latency_seconds)', legend: '{{job}} {{instance}}' },
          ],
        },
        {
          title: 'Enqueued',
          description: 'Jobs waiting in all queues.',
          kind: 'timeseries',
          width: 6,
          height: 8,
          unit: 'short',
          min: 0,
          repeated: true,
          direct: total('enqueued'),
          prometheus: [{ expr: 'sidekiq_enqueued_jobs', legend: '{{job}} {{instance}}' }],
        },
        {
          title: 'By target',
          description: 'Each scrape target of Prometheus that is a Sidekiq installation.',
          kind: 'table',
          width: 24,
          height: 9,
          prometheus: [
            { expr: 'sidekiq_up', column: 'Up' },
            { expr: 'sidekiq_enqueued_jobs', column: 'Enqueued' },
            { expr: 'max by (instance, job) (sidekiq_queue_latency_seconds)', column: 'Latency' },
            { expr: 'sidekiq_busy_workers / sidekiq_workers', column: 'Utilisation' },
            { expr: 'sidekiq_live_processes', column: 'Processes' },
            { expr: 'sidekiq_retry_jobs', column: 'Retries' },
            { expr: 'sidekiq_dead_jobs_last_hour', column: 'Died in the last hour' },
            { expr: 'sum by (instance, job) (sidekiq_queue_unserved)', column: 'Unserved queues' },
          ],
          labels: { job: 'Job', instance: 'Instance' },
          units: { Latency: 's', Utilisation: 'percentunit' },
          sortBy: 'Latency',
          gauges: { Utilisation: 1 },
          warnings: { Latency: warnFrom(60, 300), 'Unserved queues': warnFrom(1, 1) },
        },
      ],
    },
  ],
};

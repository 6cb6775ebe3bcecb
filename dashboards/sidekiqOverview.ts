import { capacityPlanning } from './overview/capacityPlanning';
import { jobPerformance } from './overview/jobPerformance';
import { overview } from './overview/overview';
import { queueHealth } from './overview/queueHealth';
import { workerHealth } from './overview/workerHealth';
import type { DashboardSpec } from './panel';
import { QUANTILE, QUEUE_OF_TYPE, STATSD, WORKER_TYPE } from './queries';

/** The first dashboard: five rows, without Sidekiq Pro. */
export const sidekiqOverview: DashboardSpec = {
  id: 'sidekiq-overview',
  title: 'Sidekiq overview',
  description: 'One Sidekiq installation at a glance: queues, running jobs, failures and capacity.',
  variables: [WORKER_TYPE, QUEUE_OF_TYPE, QUANTILE, STATSD],
  rows: [overview, queueHealth, workerHealth, jobPerformance, capacityPlanning],
};

import { capacityPlanning } from './overview/capacityPlanning';
import { jobPerformance } from './overview/jobPerformance';
import { overview } from './overview/overview';
import { queueHealth } from './overview/queueHealth';
import { workerHealth } from './overview/workerHealth';
import type { DashboardSpec } from './panel';
import { BY_TYPE, QUEUE, STATSD, WORKER_TYPE } from './queries';

/** The first dashboard: five rows, without Sidekiq Pro. */
export const sidekiqOverview: DashboardSpec = {
  id: 'sidekiq-overview',
  title: 'Sidekiq overview',
  description:
    'Are the queues keeping up, what runs, what fails, and is there room: one Sidekiq installation at a glance.',
  variables: [WORKER_TYPE, { ...QUEUE, direct: { ...QUEUE.direct!, filters: [BY_TYPE] } }, STATSD],
  rows: [overview, queueHealth, workerHealth, jobPerformance, capacityPlanning],
};

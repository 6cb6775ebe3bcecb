import { capacityPlanning } from './overview/capacityPlanning';
import { jobPerformance } from './overview/jobPerformance';
import { objectives } from './overview/objectives';
import { overview } from './overview/overview';
import { queueHealth } from './overview/queueHealth';
import { workerHealth } from './overview/workerHealth';
import { eventsTable } from './jobPanels';
import type { DashboardSpec, Row } from './panel';
import { QUANTILE, QUEUE_OF_TYPE, STATSD, WORKER_TYPE } from './queries';

/** What happened in the time range, by which the graphs are read. */
const whatHappened: Row = {
  title: 'Events, not filtered',
  panels: [
    eventsTable({
      title: 'What happened',
      description: 'Deploys, processes that started, stopped or vanished, and findings. A click opens that time.',
      height: 9,
      counted: true,
    }),
  ],
};

/** The first dashboard: seven rows, without Sidekiq Pro. */
export const sidekiqOverview: DashboardSpec = {
  id: 'sidekiq-overview',
  title: 'Sidekiq overview',
  description: 'One Sidekiq installation at a glance: queues, running jobs, failures and capacity.',
  variables: [WORKER_TYPE, QUEUE_OF_TYPE, QUANTILE, STATSD],
  rows: [overview, objectives, queueHealth, workerHealth, jobPerformance, capacityPlanning, whatHappened],
};

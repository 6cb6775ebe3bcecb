import { planning } from './planning';
import { deploy } from './deploy';
import { errorsAndDead } from './errorsAndDead';
import { fleet } from './fleet';
import { jobClassDetail } from './jobClassDetail';
import { jobDetail } from './jobDetail';
import { incident } from './incident';
import type { DashboardSpec } from './panel';
import { processesAndCapacity } from './processesAndCapacity';
import { queueDetail } from './queueDetail';
import { sidekiqOverview } from './sidekiqOverview';

/** All that are shipped, in the order of their first use. */
export const DASHBOARDS: readonly DashboardSpec[] = [
  sidekiqOverview,
  queueDetail,
  jobClassDetail,
  processesAndCapacity,
  errorsAndDead,
  jobDetail,
  incident,
  deploy,
  planning,
  fleet,
];

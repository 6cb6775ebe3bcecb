import { WAIT_BOUNDS_MS, type Waits } from '../observe/jobWaits';
import { remembered } from '../sidekiq/remembered';
import type { Labels } from '../statsd/labels';
import { labelValue, type Metric } from './metric';
import { boundsOf } from './statsdMetrics';

const BOUNDS = boundsOf(WAIT_BOUNDS_MS);

/** How long jobs wait, which Sidekiq itself does not count. */
export const WAIT_METRICS: readonly Metric[] = [
  {
    name: 'sidekiq_job_wait_seconds',
    type: 'histogram',
    help: 'Time that jobs waited in their queue before they ran, sampled from jobs seen running: short jobs are rare in the sample.',
    unit: 'seconds',
    labels: ['queue', 'class'],
    source: 'enqueued_at and run_at of the work records',
    read: ({ jobWaits }, most) =>
      jobWaits
        .slice(0, most)
        .map((waits) => ({ labels: labelsOf(waits), bounds: BOUNDS, counts: waits.counts, sum: waits.sumSeconds })),
    labelSets: ({ jobWaits }) => jobWaits.length,
  },
];

function labelsOf({ queue, class: jobClass }: Waits): Labels {
  return labelsOfQueue(queue)(jobClass);
}

/** The same list for the same names, by queue and class. */
const labelsOfQueue = remembered((queue: string) =>
  remembered((jobClass: string): Labels => [
    ['queue', labelValue(queue)],
    ['class', labelValue(jobClass)],
  ])
);

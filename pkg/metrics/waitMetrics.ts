import { WAIT_BOUNDS_MS } from '../observe/jobWaits';
import { groupBy } from '../sidekiq/groupBy';
import { addCounts } from '../sidekiq/jobMetrics';
import { labelsOfName, type Metric } from './metric';
import { boundLabels, histogramSamples } from './statsdMetrics';

const BOUNDS = boundLabels(WAIT_BOUNDS_MS);
const waitLabels = labelsOfName('queue');

/** How long jobs wait, which Sidekiq itself does not count. */
export const WAIT_METRICS: readonly Metric[] = [
  {
    name: 'sidekiq_job_wait_seconds',
    type: 'histogram',
    help: 'Time that jobs had waited in their queue when they began to run, of jobs that were seen running: a sample in which short jobs are rare.',
    unit: 'seconds',
    labels: ['queue'],
    source: 'enqueued_at and run_at of the work records',
    read: ({ jobWaits }, most) =>
      // By class too, these would be most lines of a scrape; the query "waits" has them.
      [...groupBy(jobWaits, ({ queue }) => queue)].slice(0, most).flatMap(([queue, sets]) =>
        histogramSamples(
          waitLabels(queue),
          sets.map(({ counts }) => counts).reduce(addCounts),
          sets.reduce((sum, { sumSeconds }) => sum + sumSeconds, 0),
          BOUNDS
        )
      ),
    labelSets: ({ jobWaits }) => new Set(jobWaits.map(({ queue }) => queue)).size,
  },
];

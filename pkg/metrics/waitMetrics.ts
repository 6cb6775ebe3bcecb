import { WAIT_BOUNDS_MS } from '../observe/jobWaits';
import { labelValue, type Metric } from './metric';
import { boundTexts, histogramSamples } from './statsdMetrics';

const BOUNDS = boundTexts(WAIT_BOUNDS_MS);

/** How long jobs wait, which Sidekiq itself does not count. */
export const WAIT_METRICS: readonly Metric[] = [
  {
    name: 'sidekiq_job_wait_seconds',
    type: 'histogram',
    help: 'Time that jobs had waited in their queue when they began to run, of jobs that were seen running: a sample in which short jobs are rare.',
    unit: 'seconds',
    labels: ['queue', 'class'],
    source: 'enqueued_at and run_at of the work records',
    read: ({ jobWaits }, most) =>
      jobWaits.slice(0, most).flatMap(({ queue, class: name, counts, sumSeconds }) =>
        histogramSamples(
          [
            ['queue', labelValue(queue)],
            ['class', labelValue(name)],
          ],
          counts,
          sumSeconds,
          BOUNDS
        )
      ),
    labelSets: ({ jobWaits }) => jobWaits.length,
  },
];

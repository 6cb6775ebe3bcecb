import { jobsOf, WAIT_BOUNDS_MS, type Waits } from '../observe/jobWaits';
import { quantile, QUANTILES } from '../sidekiq/jobMetrics';
import { count, jobClass, key, seconds } from './columns';
import { jobsOfQueue } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const COLUMNS: Array<Column<Waits>> = [
  key('queue', 'Queue', 'Queue in which the jobs had waited.', (row) => row.queue, { links: jobsOfQueue }),
  ...jobClass<Waits>(),
  count('jobs', 'Jobs', 'Jobs that were seen running since monitoring started: a sample.', jobsOf),
  seconds('mean', 'Mean wait', 'Mean time in the queue before the execution.', (row) => row.sumSeconds / jobsOf(row)),
  ...[...QUANTILES].map(([name, q]) =>
    seconds<Waits>(
      name,
      name,
      `${q * 100}% of them had waited no longer, interpolated in buckets. Above three hours only "more" is known.`,
      // No wait is longer than the longest: within the lowest bucket interpolation alone would say 50 ms.
      ({ counts, maxSeconds }) => {
        const found = quantile(q, counts, WAIT_BOUNDS_MS);
        return found && Math.min(found.seconds, maxSeconds);
      }
    )
  ),
];

/** How long running jobs had waited, by queue and class, the longest first. */
export const waits = tableQuery({
  id: 'waits',
  group: 'Jobs',
  title: 'Waits',
  description:
    'How long jobs waited in their queue before they ran, by queue and class, since monitoring started. Sidekiq writes in whole seconds when a job began: means are accurate, a single wait is accurate to half a second.',
  empty: 'No job has been seen running since monitoring started.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  example: '--figures p95',
  rows: ({ jobWaits }) => ({
    rows: [...jobWaits].sort((a, b) => b.sumSeconds / jobsOf(b) - a.sumSeconds / jobsOf(a)),
    notices: [
      {
        severity: 'info',
        text: 'A sample: each job that was seen running counts once. Jobs that are shorter than the pace of the readings are seen rarely.',
      },
    ],
  }),
});

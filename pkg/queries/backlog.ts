import { BACKLOG_END, type BacklogSample } from '../sidekiq/browse/backlog';
import { unreadable } from '../sidekiq/browse/storedJobs';
import type { Notice } from '../sidekiq/model';
import { bytes, count, jobClass, key, seconds, share } from './columns';
import { compileOwnFilters } from './filter';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

/** The longest queues that one query looks into. */
const QUEUES_CAP = 20;

interface Row {
  queue: string;
  class: string;
  metricsClass: string;
  jobs: number;
  share: number;
  oldestSeconds: number | null;
  meanBytes: number;
}

const COLUMNS: Array<Column<Row>> = [
  key('queue', 'Queue', 'Queue of the jobs.', (row) => row.queue),
  ...jobClass<Row>(),
  count(
    'jobs',
    'Jobs',
    `Jobs of the class that wait: counted in queues of up to ${2 * BACKLOG_END} jobs, estimated from both ends of longer ones.`,
    (row) => row.jobs
  ),
  share('share', 'Share', 'Share of the jobs of the queue.', (row) => row.share, { config: { min: 0, max: 1 } }),
  seconds('oldest', 'Oldest', 'Wait of the oldest job in the sample.', (row) => row.oldestSeconds),
  bytes('bytes', 'Mean size', 'Mean size of the payloads.', (row) => row.meanBytes),
];

/** What waits: the classes in each queue, by a look at both of its ends. */
export const backlog = tableQuery({
  id: 'backlog',
  group: 'Jobs',
  title: 'Backlog',
  description:
    'What waits in the queues, by job class: counted in short queues, estimated from both ends of long ones.',
  empty: 'No job is waiting.',
  cost: '100 jobs from both ends of each queue',
  schema: baseQuerySchema,
  columns: COLUMNS,
  example: '--filter queue=default',
  async rows(state, query, _request, reads) {
    const keepsQueue = compileOwnFilters(query.filters, ['queue']);
    const waiting = state.queues
      .filter(({ name, size }) => size !== 0 && keepsQueue(() => name))
      .sort((a, b) => (b.size ?? 0) - (a.size ?? 0));
    const looked = waiting.slice(0, QUEUES_CAP).map(({ name }) => name);
    const none = { samples: [], notices: [], at: undefined };
    const { samples, notices, at = state.now } = looked.length === 0 ? none : await reads.backlog(looked);
    return {
      // Of the past, queues were looked into some minutes before they were measured.
      ...(state.recorded &&
        looked.length > 0 && { empty: 'No job was waiting when the queues were last looked into.' }),
      rows: samples.flatMap((sample) => rowsOf(sample, at)).sort((a, b) => b.jobs - a.jobs),
      notices: [...notices, ...whatIsMissing(samples, waiting.length - looked.length)],
    };
  },
});

/** @param at when the queue was looked into, by which jobs have their age */
function rowsOf({ queue, size, classes, broken }: BacklogSample, at: number): Row[] {
  const looked = classes.reduce((sum, { jobs }) => sum + jobs, broken);
  return classes.map(({ class: name, metricsClass, jobs, oldestAt, bytes: all }) => ({
    queue,
    class: name,
    metricsClass,
    jobs: Math.round((jobs / looked) * size),
    share: jobs / looked,
    oldestSeconds: oldestAt === null ? null : Math.max(0, at - oldestAt),
    meanBytes: all / jobs,
  }));
}

function whatIsMissing(samples: readonly BacklogSample[], queuesLeft: number): Notice[] {
  const notices: Notice[] = [];
  const estimated = samples.filter(({ size }) => size > 2 * BACKLOG_END).map(({ queue }) => queue);
  if (estimated.length > 0) {
    notices.push({
      severity: 'info',
      text: `Estimated from the ${BACKLOG_END} oldest and ${BACKLOG_END} newest jobs: ${estimated.join(', ')}.`,
    });
  }
  if (queuesLeft > 0) {
    notices.push({ severity: 'info', text: `${queuesLeft} shorter queues were not looked into. Filter by queue.` });
  }
  return [...notices, ...unreadable(samples.reduce((sum, each) => sum + each.broken, 0))];
}

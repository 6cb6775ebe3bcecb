import { BACKLOG_END, sampleBacklog, type BacklogSample } from '../sidekiq/backlogReader';
import { queueFacts } from '../sidekiq/queueFacts';
import type { Notice } from '../sidekiq/snapshot';
import { classColumn } from './columns';
import { compileFilters } from './filter';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

/** The longest queues that one query looks into. */
const QUEUES_CAP = 20;

interface Row {
  queue: string;
  class: string;
  jobs: number;
  share: number;
  oldestSeconds: number | null;
  meanBytes: number;
}

const COLUMNS: Array<Column<Row>> = [
  {
    name: 'queue',
    title: 'Queue',
    kind: 'string',
    key: true,
    description: 'The queue they wait in.',
    value: (row) => row.queue,
  },
  classColumn(),
  {
    name: 'jobs',
    title: 'Jobs',
    kind: 'number',
    unit: 'short',
    description: `Jobs of the class that wait: counted in queues of up to ${2 * BACKLOG_END} jobs, estimated from both ends of longer ones.`,
    value: (row) => row.jobs,
  },
  {
    name: 'share',
    title: 'Share',
    kind: 'number',
    unit: 'percentunit',
    description: 'Its share of the queue.',
    config: { min: 0, max: 1 },
    value: (row) => row.share,
  },
  {
    name: 'oldest',
    title: 'Oldest',
    kind: 'number',
    unit: 's',
    description: 'How long its oldest job that was looked at has waited.',
    value: (row) => row.oldestSeconds,
  },
  {
    name: 'bytes',
    title: 'Mean size',
    kind: 'number',
    unit: 'bytes',
    description: 'Mean size of its payloads.',
    value: (row) => row.meanBytes,
  },
];

/** What waits: the classes in each queue, by a look at both of its ends. */
export const backlog = tableQuery({
  id: 'backlog',
  title: 'Backlog',
  description:
    'What waits in the queues, by job class: counted in short queues, estimated from both ends of long ones.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  async rows(context, query) {
    const snapshot = await context.snapshot();
    const keepsQueue = compileFilters(
      query.filters.filter(({ field }) => field === 'queue'),
      ['queue']
    );
    const waiting = queueFacts(snapshot)
      .filter(({ name, size }) => size > 0 && keepsQueue(() => name))
      .sort((a, b) => b.size - a.size);
    const looked = waiting.slice(0, QUEUES_CAP);
    const samples = looked.length === 0 ? [] : await sampleBacklog(context.redis, looked, context.signal);
    const rows = samples.flatMap((sample) => rowsOf(sample, snapshot.at)).sort((a, b) => b.jobs - a.jobs);
    return { rows, notices: [...snapshot.notices, ...whatIsMissing(samples, waiting.length - looked.length)] };
  },
});

function rowsOf({ queue, size, jobs }: BacklogSample, now: number): Row[] {
  const byClass = new Map<string, BacklogSample['jobs']>();
  for (const job of jobs) {
    byClass.set(job.class, [...(byClass.get(job.class) ?? []), job]);
  }
  return [...byClass].map(([jobClass, members]) => {
    const times = members.flatMap(({ enqueuedAt }) => enqueuedAt ?? []);
    return {
      queue,
      class: jobClass,
      jobs: Math.round((members.length / jobs.length) * size),
      share: members.length / jobs.length,
      oldestSeconds: times.length === 0 ? null : Math.max(0, now - Math.min(...times)),
      meanBytes: members.reduce((sum, { bytes }) => sum + bytes, 0) / members.length,
    };
  });
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
  const broken = samples.reduce((sum, each) => sum + each.broken, 0);
  if (broken > 0) {
    notices.push({ severity: 'warning', text: `${broken} entries are not what Sidekiq writes and were left out.` });
  }
  return notices;
}

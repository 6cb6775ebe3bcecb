import { z } from 'zod';
import { LOOK_CAP, readJobs, type StoredJob } from '../sidekiq/jobsReader';
import { text } from '../sidekiq/payload';
import { redact } from '../sidekiq/redact';
import type { Notice } from '../sidekiq/snapshot';
import { toEpochSeconds } from '../sidekiq/time';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  /** Which of error class, job class and queue make a row of their own. */
  groupBy: z.array(z.enum(['errorClass', 'class', 'queue'])).default(['errorClass', 'class', 'queue']),
});

/** An errors query as it is saved. */
export type ErrorsQuery = z.input<typeof schema>;

interface Row {
  errorClass: string;
  class: string;
  queue: string;
  retry: number;
  dead: number;
  lastHour: number;
  firstAt: number | null;
  lastAt: number | null;
  message: string;
}

const COLUMNS: Array<Column<Row>> = [
  {
    name: 'errorClass',
    title: 'Error',
    kind: 'string',
    key: true,
    description: 'Class of the error.',
    value: (row) => row.errorClass,
  },
  {
    name: 'class',
    title: 'Class',
    kind: 'string',
    key: true,
    description: 'Job class that raised it.',
    value: (row) => row.class,
  },
  {
    name: 'queue',
    title: 'Queue',
    kind: 'string',
    key: true,
    description: 'Queue of the jobs.',
    value: (row) => row.queue,
  },
  {
    name: 'count',
    title: 'Jobs',
    kind: 'number',
    unit: 'short',
    description: 'Jobs in retry and dead with this error.',
    value: (row) => row.retry + row.dead,
  },
  {
    name: 'retry',
    title: 'In retry',
    kind: 'number',
    unit: 'short',
    description: 'Of these, jobs to be tried again.',
    value: (row) => row.retry,
  },
  {
    name: 'dead',
    title: 'Dead',
    kind: 'number',
    unit: 'short',
    description: 'Of these, dead jobs.',
    value: (row) => row.dead,
  },
  {
    name: 'rate',
    title: 'Last hour',
    kind: 'number',
    unit: 'short',
    description: 'Of these, jobs whose latest failure is within the last hour.',
    value: (row) => row.lastHour,
  },
  {
    name: 'first',
    title: 'First',
    kind: 'time',
    description: 'Earliest first failure.',
    value: (row) => (row.firstAt === null ? null : row.firstAt * 1000),
  },
  {
    name: 'last',
    title: 'Last',
    kind: 'time',
    description: 'Latest failure.',
    value: (row) => (row.lastAt === null ? null : row.lastAt * 1000),
  },
  {
    name: 'message',
    title: 'Message',
    kind: 'string',
    description: 'Message of the latest, without what looks like a secret.',
    value: (row) => row.message,
  },
];

/** What fails: jobs in retry and dead, by error class, job class and queue. */
export const errors = tableQuery({
  id: 'errors',
  title: 'Errors',
  description:
    'What fails: jobs in retry and dead by error class, job class and queue, with first, last and a sample message.',
  schema,
  columns: COLUMNS,
  async rows(context, query) {
    const { at: now, notices } = await context.snapshot();
    const sources = ['retry', 'dead'] as const;
    const pages = await Promise.all(
      sources.map((source) =>
        readJobs(context.redis, {
          source,
          queue: '',
          limit: LOOK_CAP,
          keeps: () => true,
          ...(context.signal && { signal: context.signal }),
        })
      )
    );
    const rows = new Map<string, Row>();
    for (const job of pages.flatMap((page) => page.jobs)) {
      add(rows, job, query.groupBy, now);
    }
    const cut = pages.flatMap(({ looked, total }, index): Notice[] =>
      looked < total
        ? [
            {
              severity: 'info',
              text: `${looked.toLocaleString('en')} of ${total.toLocaleString('en')} ${sources[index] === 'retry' ? 'retries' : 'dead jobs'} looked at: the ${sources[index] === 'retry' ? 'next' : 'newest'} ones.`,
            },
          ]
        : []
    );
    const sorted = [...rows.values()].sort((a, b) => b.retry + b.dead - (a.retry + a.dead));
    return { rows: sorted, notices: [...notices, ...cut] };
  },
});

function add(rows: Map<string, Row>, job: StoredJob, groupBy: readonly string[], now: number): void {
  const errorClass = text(job.payload['error_class']) || 'unknown';
  const named = (field: string, value: string) => (groupBy.includes(field) ? value : '');
  const group = {
    errorClass: named('errorClass', errorClass),
    class: named('class', job.class),
    queue: named('queue', job.queue),
  };
  const key = JSON.stringify(group);
  const row = rows.get(key) ?? { ...group, retry: 0, dead: 0, lastHour: 0, firstAt: null, lastAt: null, message: '' };
  const firstAt = toEpochSeconds(job.payload['failed_at']);
  const lastAt = (job.source === 'dead' ? job.scoreAt : null) ?? toEpochSeconds(job.payload['retried_at']) ?? firstAt;
  row[job.source === 'dead' ? 'dead' : 'retry'] += 1;
  if (lastAt !== null && now - lastAt <= 3600) {
    row.lastHour += 1;
  }
  if (firstAt !== null && (row.firstAt === null || firstAt < row.firstAt)) {
    row.firstAt = firstAt;
  }
  if (lastAt !== null && (row.lastAt === null || lastAt > row.lastAt)) {
    row.lastAt = lastAt;
    row.message = redact(text(job.payload['error_message']));
  }
  rows.set(key, row);
}

import { z } from 'zod';
import { WHOLE_SET, type JobsPage } from '../sidekiq/browse/jobs';
import { unreadable, type StoredJob } from '../sidekiq/browse/storedJobs';
import type { Notice } from '../sidekiq/model';
import { text as textOf } from '../sidekiq/payload';
import { instantOf } from '../sidekiq/plausible';
import { redact } from '../sidekiq/redact';
import { count, instant, key, text } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const GROUPS = ['errorClass', 'class', 'queue'] as const;
const schema = baseQuerySchema.extend({
  /** Which of error class, job class and queue make a row of their own. */
  groupBy: z.array(z.enum(GROUPS)).default([...GROUPS]),
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
  key('errorClass', 'Error', 'Class of the error.', (row) => row.errorClass),
  key('class', 'Class', 'Job class that raised it.', (row) => row.class),
  key('queue', 'Queue', 'Queue of the jobs.', (row) => row.queue),
  count('count', 'Jobs', 'Jobs in retry and dead with this error.', (row) => row.retry + row.dead),
  count('retry', 'In retry', 'Of these, jobs to be tried again.', (row) => row.retry),
  count('dead', 'Dead', 'Of these, dead jobs.', (row) => row.dead),
  count('rate', 'Last hour', 'Of these, jobs whose latest failure is within the last hour.', (row) => row.lastHour),
  instant('first', 'First', 'Earliest first failure.', (row) => row.firstAt),
  instant('last', 'Last', 'Latest failure.', (row) => row.lastAt),
  text('message', 'Message', 'Message of the latest, without what looks like a secret.', (row) => row.message),
];

/** What fails: jobs in retry and dead, by error class, job class and queue. */
export const errors = tableQuery({
  id: 'errors',
  group: 'Jobs',
  title: 'Errors',
  description:
    'What fails: jobs in retry and dead by error class, job class and queue, with first, last and a sample message.',
  schema,
  columns: COLUMNS,
  example: '--figures count,dead',
  async rows({ now }, { groupBy }, _request, reads) {
    const rows = new Map<string, Row>();
    const keeps = (job: StoredJob) => {
      add(rows, job, groupBy, now);
      return false;
    };
    const read = (source: 'retry' | 'dead') => reads.jobs({ source, queue: '', limit: 1, keeps, most: WHOLE_SET });
    const retry = await read('retry');
    const dead = await read('dead');
    return {
      rows: [...rows.values()].sort((a, b) => b.retry + b.dead - (a.retry + a.dead)),
      notices: [
        ...partOf(retry, 'retries', 'the next ones'),
        ...partOf(dead, 'dead jobs', 'the newest ones'),
        ...unreadable(retry.broken + dead.broken),
      ],
    };
  },
});

function partOf({ looked, total }: JobsPage, what: string, which: string): Notice[] {
  return looked < total
    ? [
        {
          severity: 'info',
          text: `${looked.toLocaleString('en')} of ${total.toLocaleString('en')} ${what} looked at: ${which}.`,
        },
      ]
    : [];
}

function add(rows: Map<string, Row>, job: StoredJob, groupBy: readonly string[], now: number): void {
  const named = (field: (typeof GROUPS)[number], value: string) => (groupBy.includes(field) ? value : '');
  const group = {
    errorClass: named('errorClass', textOf(job.payload['error_class']) || 'unknown'),
    class: named('class', job.class),
    queue: named('queue', job.queue),
  };
  const name = JSON.stringify(group);
  const row = rows.get(name) ?? { ...group, retry: 0, dead: 0, lastHour: 0, firstAt: null, lastAt: null, message: '' };
  const isDead = job.source === 'dead';
  const firstAt = instantOf(job.payload['failed_at']);
  const lastAt = (isDead ? job.scoreAt : null) ?? instantOf(job.payload['retried_at']) ?? firstAt;
  row[isDead ? 'dead' : 'retry'] += 1;
  if (lastAt !== null && now - lastAt <= 3600) {
    row.lastHour += 1;
  }
  if (firstAt !== null && (row.firstAt === null || firstAt < row.firstAt)) {
    row.firstAt = firstAt;
  }
  if (row.message === '' || (lastAt !== null && (row.lastAt === null || lastAt > row.lastAt))) {
    row.lastAt = lastAt ?? row.lastAt;
    row.message = redact(textOf(job.payload['error_message']));
  }
  rows.set(name, row);
}

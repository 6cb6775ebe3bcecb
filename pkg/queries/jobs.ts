import { z } from 'zod';
import { JOB_SOURCES, LOOK_CAP, readJobs, type JobsPage, type StoredJob } from '../sidekiq/jobsReader';
import { activeJobOf, displayArguments, text } from '../sidekiq/payload';
import { redact } from '../sidekiq/redact';
import type { Notice } from '../sidekiq/snapshot';
import { toEpochSeconds } from '../sidekiq/time';
import { Fault } from '../faults/fault';
import { classColumn } from './columns';
import { compileFilters } from './filter';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  source: z.enum(JOB_SOURCES).default('queue'),
  queue: z.string().default('default'),
  cursor: z.string().optional(),
  minAgeSeconds: z.number().min(0).optional(),
  maxAgeSeconds: z.number().min(0).optional(),
  limit: z.number().int().min(1).max(LOOK_CAP).default(100),
});

/** A jobs query as it is saved. */
export type JobsQuery = z.input<typeof schema>;

interface Row extends StoredJob {
  now: number;
  showsArguments: boolean;
}

const milliseconds = (at: number | null) => (at === null ? null : at * 1000);
const instant = (row: Row, field: string) => milliseconds(toEpochSeconds(row.payload[field]));
const count = (value: unknown) => (typeof value === 'number' ? value : null);

const COLUMNS: Array<Column<Row>> = [
  { name: 'jid', title: 'JID', kind: 'string', key: true, description: 'Job id.', value: (row) => row.jid },
  classColumn(),
  {
    name: 'queue',
    title: 'Queue',
    kind: 'string',
    key: true,
    description: 'Queue it goes to.',
    value: (row) => row.queue,
  },
  {
    name: 'enqueued',
    title: 'Enqueued',
    kind: 'time',
    description: 'When it was last put in a queue.',
    value: (row) => milliseconds(row.enqueuedAt),
  },
  {
    name: 'created',
    title: 'Created',
    kind: 'time',
    description: 'When it was first pushed.',
    value: (row) => milliseconds(row.createdAt),
  },
  {
    name: 'at',
    title: 'Due or died',
    kind: 'time',
    description: 'When it is due (scheduled, retry) or died (dead).',
    value: (row) => milliseconds(row.scoreAt),
  },
  {
    name: 'age',
    title: 'Age',
    kind: 'number',
    unit: 's',
    description: 'Time since it was last enqueued, or created.',
    value: ageOf,
  },
  {
    name: 'retryCount',
    title: 'Retries',
    kind: 'number',
    unit: 'short',
    description: 'Retries so far; empty before the first failure.',
    value: (row) => count(row.payload['retry_count']),
  },
  {
    name: 'executions',
    title: 'ActiveJob attempts',
    kind: 'number',
    unit: 'short',
    description: 'Executions that ActiveJob itself has counted; above 0 it is an ActiveJob retry.',
    value: (row) => count(activeJobOf(row.payload)?.['executions']),
  },
  {
    name: 'errorClass',
    title: 'Error',
    kind: 'string',
    description: 'Class of its last error.',
    value: (row) => text(row.payload['error_class']),
  },
  {
    name: 'errorMessage',
    title: 'Message',
    kind: 'string',
    description: 'Message of its last error, without what looks like a secret.',
    value: (row) => redact(text(row.payload['error_message'])),
  },
  {
    name: 'failedAt',
    title: 'First failed',
    kind: 'time',
    description: 'Its first failure.',
    value: (row) => instant(row, 'failed_at'),
  },
  {
    name: 'retriedAt',
    title: 'Last failed',
    kind: 'time',
    description: 'Its latest failure, from the second on.',
    value: (row) => instant(row, 'retried_at'),
  },
  {
    name: 'tags',
    title: 'Tags',
    kind: 'string',
    description: 'Its tags.',
    value: (row) => tagsOf(row).join(', '),
    filterValues: tagsOf,
  },
  {
    name: 'batch',
    title: 'Batch',
    kind: 'string',
    description: 'Its batch (Sidekiq Pro).',
    value: (row) => text(row.payload['bid']),
  },
  {
    name: 'bytes',
    title: 'Payload',
    kind: 'number',
    unit: 'bytes',
    description: 'Size of its payload.',
    value: (row) => row.bytes,
  },
  {
    name: 'arguments',
    title: 'Arguments',
    kind: 'string',
    description: 'Its arguments, where the data source allows them; encrypted ones never.',
    value: argumentsOf,
  },
];

function ageOf({ now, enqueuedAt, createdAt }: Row): number | null {
  const since = enqueuedAt ?? createdAt;
  return since === null ? null : Math.max(0, now - since);
}

function tagsOf({ payload }: Row): string[] {
  return Array.isArray(payload['tags']) ? payload['tags'].map(text) : [];
}

function argumentsOf({ payload, showsArguments }: Row): string | null {
  return showsArguments ? JSON.stringify(displayArguments(payload)).slice(0, 2000) : null;
}

const FILTERABLE = COLUMNS.filter(({ kind }) => kind === 'string');

/** One row per stored job of a queue, or of the scheduled, retry or dead set. */
export const jobs = tableQuery({
  id: 'jobs',
  title: 'Jobs',
  description: 'Jobs that wait in a queue, are scheduled, to be retried, or dead: class, age, error, next run.',
  schema,
  columns: COLUMNS,
  async rows(context, query) {
    if (query.source === 'queue' && query.queue === '') {
      throw new Fault({ kind: 'query', message: 'The query names no queue.', remedy: 'Choose one under "Queue".' });
    }
    const { at: now, notices } = await context.snapshot();
    const dress = (job: StoredJob): Row => ({ ...job, now, showsArguments: context.options.allowArguments });
    const matches = compileFilters(
      query.filters,
      FILTERABLE.map(({ name }) => name)
    );
    const byName = new Map(FILTERABLE.map((column) => [column.name, column]));
    const page = await readJobs(context.redis, {
      source: query.source,
      queue: query.queue,
      limit: query.limit,
      ...(query.cursor && { cursor: query.cursor }),
      ...(context.signal && { signal: context.signal }),
      keeps(job) {
        const row = dress(job);
        const age = ageOf(row) ?? 0;
        const inAge = age >= (query.minAgeSeconds ?? 0) && age <= (query.maxAgeSeconds ?? Infinity);
        return (
          inAge &&
          matches((field) => byName.get(field)!.filterValues?.(row) ?? String(byName.get(field)!.value(row) ?? ''))
        );
      },
    });
    return {
      rows: page.jobs.map(dress),
      notices: [...notices, ...noticesOf(page)],
      custom: { total: page.total, looked: page.looked, cursor: page.cursor ?? null },
    };
  },
});

function noticesOf({ jobs: found, looked, total, broken, cursor }: JobsPage): Notice[] {
  const notices: Notice[] = [];
  if (looked < total) {
    const more = cursor === undefined ? '' : ` The next page begins at the cursor ${cursor}.`;
    notices.push({
      severity: 'info',
      text: `${looked.toLocaleString('en')} of ${total.toLocaleString('en')} jobs looked at, ${found.length} found.${more}`,
    });
  }
  if (broken > 0) {
    notices.push({ severity: 'warning', text: `${broken} entries are not what Sidekiq writes and were left out.` });
  }
  return notices;
}

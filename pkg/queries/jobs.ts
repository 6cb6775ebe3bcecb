import { z } from 'zod';
import { Fault } from '../faults/fault';
import { LOOK_CAP, type JobsPage } from '../sidekiq/browse/jobs';
import { JOB_SOURCES, unreadable, type StoredJob } from '../sidekiq/browse/storedJobs';
import type { Notice } from '../sidekiq/model';
import { activeJobOf, argumentsText, tagsOf, text as textOf } from '../sidekiq/payload';
import { instantOf, numberOf } from '../sidekiq/plausible';
import { currentAttributes } from '../sidekiq/jobDetails';
import { redact } from '../sidekiq/redact';
import { bytes, count, instant, jobClass, key, seconds, text } from './columns';
import { compileFilters } from './filter';
import { detailsOfJob } from './links';
import { formatOption } from './logs';
import { baseQuerySchema } from './model';
import { tableQuery, textsOf, type Column } from './table';

const schema = baseQuerySchema.extend({
  source: z.enum(JOB_SOURCES).default('queue'),
  queue: z.string().default('default'),
  cursor: z.string().optional(),
  minAgeSeconds: z.number().min(0).optional(),
  maxAgeSeconds: z.number().min(0).optional(),
  limit: z.number().int().min(1).max(LOOK_CAP).default(100),
  ...formatOption,
});

/** A jobs query as it is saved. */
export type JobsQuery = z.input<typeof schema>;

interface Row extends StoredJob {
  now: number;
  showsArguments: boolean;
}

const ARGUMENTS_SHOWN = 2000;

const field = (name: string) => (row: Row) => instantOf(row.payload[name]);

const COLUMNS: Array<Column<Row>> = [
  key('jid', 'JID', 'Job id.', (row) => row.jid, { links: detailsOfJob }),
  jobClass(),
  key('queue', 'Queue', 'Queue it goes to.', (row) => row.queue),
  instant('enqueued', 'Enqueued', 'When it was last put in a queue.', (row) => row.enqueuedAt),
  instant('created', 'Created', 'When it was first pushed.', (row) => row.createdAt),
  instant('at', 'Due or died', 'When it is due (scheduled, retry) or died (dead).', (row) => row.scoreAt),
  seconds('age', 'Age', 'Time since it was last enqueued, or created.', ageOf),
  count('retryCount', 'Retries', 'Retries so far; empty before the first failure.', (row) =>
    numberOf(row.payload['retry_count'])
  ),
  count(
    'executions',
    'ActiveJob attempts',
    'Executions that ActiveJob itself has counted; above 0 it is an ActiveJob retry.',
    (row) => numberOf(activeJobOf(row.payload)?.['executions'])
  ),
  text('errorClass', 'Error', 'Class of its last error.', (row) => textOf(row.payload['error_class'])),
  text('errorMessage', 'Message', 'Message of its last error, without what looks like a secret.', (row) =>
    redact(textOf(row.payload['error_message']))
  ),
  instant('failedAt', 'First failed', 'Its first failure.', field('failed_at')),
  instant('retriedAt', 'Last failed', 'Its latest failure, from the second on.', field('retried_at')),
  text('tags', 'Tags', 'Its tags.', ({ payload }) => tagsOf(payload).join(', '), {
    filterValues: ({ payload }) => tagsOf(payload),
  }),
  text(
    'context',
    'Context',
    'CurrentAttributes that came along with it, where the data source allows arguments; filter by name=value.',
    (row) => contextOf(row).join(', '),
    { filterValues: contextOf }
  ),
  text('batch', 'Batch', 'Its batch (Sidekiq Pro).', (row) => textOf(row.payload['bid'])),
  bytes('bytes', 'Payload', 'Size of its payload.', (row) => row.bytes),
  text(
    'arguments',
    'Arguments',
    'Its arguments, where the data source allows them; encrypted ones never.',
    ({ raw, showsArguments }) => (showsArguments ? argumentsText(raw).slice(0, ARGUMENTS_SHOWN) : null)
  ),
];

function ageOf({ now, enqueuedAt, createdAt }: Row): number | null {
  const since = enqueuedAt ?? createdAt;
  return since === null ? null : Math.max(0, now - since);
}

/** As `name=value`: attributes of a request name people and tenants, as arguments do. */
function contextOf({ payload, showsArguments }: Row): string[] {
  return showsArguments ? [...currentAttributes(payload)].map(([name, value]) => `${name}=${value}`) : [];
}

const FILTERABLE = new Map(COLUMNS.filter(({ kind }) => kind === 'string').map((column) => [column.name, column]));

/** One row per stored job of a queue, or of the scheduled, retry or dead set. */
export const jobs = tableQuery({
  id: 'jobs',
  group: 'Jobs',
  title: 'Jobs',
  description: 'Jobs that wait in a queue, are scheduled, to be retried, or dead: class, age, error, next run.',
  schema,
  columns: COLUMNS,
  logs: {
    time: ['retriedAt', 'failedAt', 'enqueued', 'created', 'at'],
    body: (of) =>
      [`${of('class') ?? ''} ${of('jid') ?? ''} (${of('queue') ?? ''})`, of('errorClass'), of('errorMessage')]
        .filter((part) => part !== null && part !== '')
        .join(': '),
    severity: (of) => (of('errorClass') === '' ? 'info' : 'error'),
  },
  example: '--option source=dead --limit 20',
  async rows({ now, options }, query, _request, reads) {
    if (query.source === 'queue' && query.queue === '') {
      throw new Fault({ kind: 'query', message: 'The query names no queue.', remedy: 'Choose one under "Queue".' });
    }
    const dress = (job: StoredJob): Row => ({ ...job, now, showsArguments: options.allowArguments });
    const matches = compileFilters(query.filters, [...FILTERABLE.keys()]);
    const { minAgeSeconds = 0, maxAgeSeconds = Infinity } = query;
    const page = await reads.jobs({
      source: query.source,
      queue: query.queue,
      limit: query.limit,
      ...(query.cursor !== undefined && { cursor: query.cursor }),
      keeps(job) {
        const row = dress(job);
        const age = ageOf(row) ?? 0;
        return age >= minAgeSeconds && age <= maxAgeSeconds && matches((name) => textsOf(FILTERABLE.get(name)!, row));
      },
    });
    return {
      rows: page.jobs.map(dress),
      notices: noticesOf(page),
      custom: { total: page.total, looked: page.looked, cursor: page.cursor ?? null },
    };
  },
});

function noticesOf({ jobs: found, looked, total, broken, implausible, moved, cursor }: JobsPage): Notice[] {
  const notices: Notice[] = [];
  if (looked < total) {
    const more = cursor === undefined ? '' : ` The next page begins at the cursor ${cursor}.`;
    notices.push({
      severity: 'info',
      text: `${looked.toLocaleString('en')} of ${total.toLocaleString('en')} jobs looked at, ${found.length} found.${more}`,
    });
  }
  if (moved) {
    notices.push({
      severity: 'info',
      text: 'The job at which the former page ended is gone; this page begins at its place and may repeat some jobs.',
    });
  }
  if (implausible > 0) {
    notices.push({
      severity: 'warning',
      text: `The score of ${implausible === 1 ? '1 entry is' : `${implausible} entries is`} no time between 2000 and 2100; "Due or died" is empty there.`,
    });
  }
  return [...notices, ...unreadable(broken)];
}

import { z } from 'zod';
import { longestWaiting } from '../observe/queueCondition';
import { LOOK_CAP, type JobsPage } from '../sidekiq/browse/jobs';
import { JOB_SOURCES, tooLarge, unreadable, type StoredJob } from '../sidekiq/browse/storedJobs';
import type { Notice } from '../sidekiq/model';
import { argumentsText, tagsOf, text as textOf, waitingSince } from '../sidekiq/payload';
import { instantOf, numberOf } from '../sidekiq/plausible';
import { activeJobAttempts, currentAttributes } from '../sidekiq/jobDetails';
import { redact } from '../sidekiq/redact';
import type { Iteration } from '../sidekiq/parts/iteration';
import {
  bytes,
  count,
  instant,
  ITERATION_COLUMNS,
  iterationColumns,
  iterationOption,
  jobClass,
  key,
  seconds,
  text,
} from './columns';
import { compileFilters } from './filter';
import { detailsOfJob } from './links';
import { formatOption } from './logs';
import { baseQuerySchema } from './model';
import { tableQuery, textsOf, type Column } from './table';

const schema = baseQuerySchema.extend({
  source: z.enum(JOB_SOURCES).default('queue').describe('Where the jobs lie.'),
  queue: z
    .string()
    .default('')
    .describe('The queue; where it is left out, the one whose oldest job has waited longest.'),
  cursor: z.string().optional().describe('Where the former page ended, by its notice.'),
  minAgeSeconds: z.number().min(0).optional().describe('Least age of a job.'),
  maxAgeSeconds: z.number().min(0).optional().describe('Largest age of a job.'),
  limit: z.number().int().min(1).max(LOOK_CAP).default(100),
  ...iterationOption,
  ...formatOption,
});

/** A jobs query as it is saved. */
export type JobsQuery = z.input<typeof schema>;

interface Row extends StoredJob {
  now: number;
  showsArguments: boolean;
  iteration: Iteration | null;
}

const ARGUMENTS_SHOWN = 2000;

/** What the score of a set is the time of; a queue has none. */
export const TITLE_OF_SCORE = { queue: '', scheduled: 'Due', retry: 'Next retry', dead: 'Died' };

const field = (name: string) => (row: Row) => instantOf(row.payload[name]);

const COLUMNS: Array<Column<Row>> = [
  key('jid', 'JID', 'Job id.', (row) => row.jid, { links: detailsOfJob }),
  ...jobClass<Row>(),
  key('queue', 'Queue', 'Queue of the job.', (row) => row.queue),
  instant('enqueued', 'Enqueued', 'Time of the last enqueue.', (row) => row.enqueuedAt),
  instant('created', 'Created', 'Time of the first push.', (row) => row.createdAt),
  instant('at', 'Due or died', 'Time at which the job is due (scheduled, retry) or died (dead).', (row) => row.scoreAt),
  seconds('age', 'Age', 'Time since the last enqueue, or since creation.', ageOf),
  count('retryCount', 'Retries', 'Retries so far; empty before the first failure.', (row) =>
    numberOf(row.payload['retry_count'])
  ),
  count(
    'executions',
    'ActiveJob attempts',
    'Failed attempts counted by ActiveJob, without the resumptions of a continuable job; above 0 the job is an ActiveJob retry.',
    (row) => activeJobAttempts(row.payload)
  ),
  text('errorClass', 'Error', 'Class of the last error.', (row) => textOf(row.payload['error_class'])),
  text('errorMessage', 'Message', 'Message of the last error, with secrets removed.', (row) =>
    redact(textOf(row.payload['error_message']))
  ),
  instant('failedAt', 'First failed', 'Time of the first failure.', field('failed_at')),
  instant('retriedAt', 'Last failed', 'Time of the latest failure, from the second failure on.', field('retried_at')),
  text('tags', 'Tags', 'Tags of the job.', ({ payload }) => tagsOf(payload).join(', '), {
    filterValues: ({ payload }) => tagsOf(payload),
  }),
  text(
    'context',
    'Context',
    'CurrentAttributes of the job, if the data source allows arguments; filter by name=value.',
    (row) => contextOf(row).join(', '),
    { filterValues: contextOf }
  ),
  text('batch', 'Batch', 'Batch of the job (Sidekiq Pro).', (row) => textOf(row.payload['bid'])),
  bytes('bytes', 'Payload', 'Size of the payload.', (row) => row.bytes),
  text(
    'arguments',
    'Arguments',
    'Arguments of the job, if the data source allows them; never encrypted arguments.',
    ({ raw, showsArguments }) => (showsArguments ? argumentsText(raw).slice(0, ARGUMENTS_SHOWN) : null)
  ),
  ...iterationColumns<Row>(),
];

function ageOf(row: Row): number | null {
  const since = waitingSince(row);
  return since === null ? null : Math.max(0, row.now - since);
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
  description: 'Jobs of a queue, or of the scheduled, retry or dead set: class, age, error, next run.',
  empty: 'No job found.',
  cost: 'one page of the queue or set; with filters up to 5,000 jobs',
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
  async rows({ now, options, queues }, query, _request, reads) {
    const unnamed = query.source === 'queue' && query.queue === '';
    const longest = unnamed ? longestWaiting(queues)?.name : undefined;
    // Of waits that are not known none is the longest.
    const queue = unnamed ? (longest ?? queues.find(({ size }) => size !== 0)?.name ?? '') : query.queue;
    if (query.source === 'queue' && queue === '') {
      return { rows: [], notices: [], custom: { total: 0, looked: 0, cursor: null } };
    }
    const isUnknown = query.source === 'queue' && !queues.some(({ name }) => name === queue);
    const dress = (job: StoredJob): Row => ({ ...job, now, showsArguments: options.allowArguments, iteration: null });
    const matches = compileFilters(query.filters, [...FILTERABLE.keys()]);
    const { minAgeSeconds = 0, maxAgeSeconds = Infinity } = query;
    const page = await reads.jobs({
      source: query.source,
      queue,
      limit: query.limit,
      ...(query.cursor !== undefined && { cursor: query.cursor }),
      keeps(job) {
        const row = dress(job);
        const age = ageOf(row) ?? 0;
        return age >= minAgeSeconds && age <= maxAgeSeconds && matches((name) => textsOf(FILTERABLE.get(name)!, row));
      },
    });
    const states = query.iteration ? await reads.iterations(page.jobs.map(({ jid }) => jid)) : null;
    return {
      ...(isUnknown && page.total === 0 && { empty: unknownQueue(queue) }),
      without: [...(query.iteration ? [] : ITERATION_COLUMNS), ...(query.source === 'queue' ? ['at'] : [])],
      titles: { at: TITLE_OF_SCORE[query.source] },
      rows: page.jobs.map((job) => ({ ...dress(job), iteration: states?.get(job.jid) ?? null })),
      notices: [...(longest === undefined ? [] : [chosen(longest)]), ...noticesOf(page, query.source)],
      custom: { total: page.total, looked: page.looked, cursor: page.cursor ?? null },
    };
  },
});

function unknownQueue(queue: string): string {
  return `There is no queue "${queue}". Choose one queue; a variable here must have a single value.`;
}

function chosen(queue: string): Notice {
  return { severity: 'info', text: `Queue ${queue}: its oldest job has waited longest. Choose another under "Queue".` };
}

function noticesOf(
  { jobs: found, looked, total, broken, implausible, oversized, moved, cursor }: JobsPage,
  source: keyof typeof TITLE_OF_SCORE
): Notice[] {
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
      text: 'The last job of the previous page is gone; this page begins at the same position and may repeat some jobs.',
    });
  }
  if (implausible > 0) {
    notices.push({
      severity: 'warning',
      text: `The score of ${implausible === 1 ? '1 entry is' : `${implausible} entries is`} no time between 2000 and 2100; "${TITLE_OF_SCORE[source]}" is empty there.`,
    });
  }
  return [...notices, ...tooLarge(oversized), ...unreadable(broken)];
}

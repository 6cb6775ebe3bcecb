import { z } from 'zod';
import { Fault } from '../faults/fault';
import { JOB_SOURCES } from '../sidekiq/browse/storedJobs';
import { key, text } from './columns';
import {
  batchRows,
  iterationRows,
  originRows,
  otherRows,
  runningRows,
  storedRows,
  vanishedRows,
  type Row,
} from './jobRows';
import { findJob, notFound } from './jobSearch';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  jid: z.string().trim().default('').describe('ID of the job.'),
  source: z
    .enum(JOB_SOURCES)
    .optional()
    .describe('Where the job lies; all places are looked at where that is left out.'),
  queue: z.string().default('').describe('Queue of the job, where it lies in one; all queues where that is left out.'),
});

/** A job query as it is saved. */
export type JobQuery = z.input<typeof schema>;

const COLUMNS: Array<Column<Row>> = [
  key(
    'group',
    'Group',
    'job, vanished process (in which it ran), error, context (CurrentAttributes), ActiveJob, iteration, batch (sidekiq-batch), or other.',
    (row) => row.group
  ),
  key('field', 'Field', 'Name of the field.', (row) => row.field),
  text('value', 'Value', 'Value of the field. Times are UTC.', (row) => row.value),
];

/** All that is known of one job, a row for each field. */
export const job = tableQuery({
  id: 'job',
  group: 'Jobs',
  title: 'Job',
  description: 'One job by ID: all fields, times, attempts, error and backtrace, context, ActiveJob and iteration.',
  empty: 'Enter the job ID under "JID".',
  cost: 'up to 5,000 jobs of each set and queue until the job is found, and a second more for copies of it; for a failed one what errors reads, and the deploy marks of a week',
  schema,
  columns: COLUMNS,
  example: '--option jid=aaaaaaaaaaaaaaaaaaaaaaaa',
  async rows(state, { jid, source, queue }, request, reads) {
    // A form that is not filled in yet is no mistake, as a command without an ID is.
    if (jid === '' && request.reader && request.dataSource) {
      return { rows: [] };
    }
    if (jid === '') {
      throw new Fault({ kind: 'query', message: 'The query names no job.', remedy: 'Enter the job ID under "JID".' });
    }
    const running = runningRows(state, jid);
    const gone = vanishedRows(state, jid);
    const isKnown = running.length > 0 || gone.length > 0;
    const found = await findJob(state, { jid, source, queue }, isKnown, reads);
    const iteration = found.job || running.length > 0 ? ((await reads.iterations([jid])).get(jid) ?? null) : null;
    if (!found.job && !isKnown) {
      const fault = notFound(jid, found.whole);
      if (request.reader && request.dataSource) {
        // A link leads to a job that has ended since: no mistake of who follows it.
        return { rows: [], empty: fault.explanation };
      }
      throw fault;
    }
    return {
      rows: [
        ...running,
        ...gone,
        ...(found.job ? storedRows(found.job, found.alsoIn, state) : []),
        ...(found.job ? await originRows(found.job, state, reads) : []),
        ...iterationRows(iteration, state),
        ...(found.job ? await batchRows(found.job, state, reads) : []),
        ...(found.job ? otherRows(found.job, state.options) : []),
      ],
    };
  },
});

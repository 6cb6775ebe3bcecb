import { z } from 'zod';
import { Fault } from '../faults/fault';
import { instantText } from '../source/instants';
import { NotRecorded } from '../source/notRecorded';
import { outcomeText } from './lost';
import type { Reads } from '../source/reads';
import { privateQueues } from '../watch/locksAsked';
import type { State } from '../watch/state';
import type { Options } from '../settings/model';
import { runTimesOf } from '../sidekiq/clocks';
import type { Place } from '../sidekiq/browse/findJob';
import { JOB_SOURCES, type StoredJob } from '../sidekiq/browse/storedJobs';
import {
  activeJobDetails,
  applicationFrame,
  backtraceOf,
  currentAttributes,
  cursorText,
  isContext,
} from '../sidekiq/jobDetails';
import { messagePattern } from '../sidekiq/fingerprint';
import type { Iteration } from '../sidekiq/parts/iteration';
import { argumentsText, tagsOf, text as textOf } from '../sidekiq/payload';
import { instantOf } from '../sidekiq/plausible';
import { redact, withoutCredentials } from '../sidekiq/redact';
import { key, text } from './columns';
import { countText, durationText } from '../findings/texts';
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

const PLACES = {
  queue: 'waits in a queue',
  scheduled: 'scheduled',
  retry: 'to be retried',
  dead: 'dead',
} as const;

const SETS = { scheduled: 'scheduled jobs', retry: 'retries', dead: 'dead jobs' } as const;

interface Row {
  group: string;
  field: string;
  value: string;
}

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
    const found = await find(state, { jid, source, queue }, isKnown, reads);
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
        ...(found.job ? rowsOf(found.job, found.alsoIn, state) : []),
        ...(found.job ? await originRows(found.job, state, reads) : []),
        ...rowsFrom('iteration', iterationFields(iteration, state)),
        ...(found.job ? rowsFrom('batch', await batchFields(found.job, state, reads)) : []),
        ...(found.job ? otherRows(found.job, state.options) : []),
      ],
    };
  },
});

function notFound(jid: string, whole: boolean): Fault {
  const told = jid.slice(0, 100);
  return new Fault({
    kind: 'query',
    message: whole
      ? `There is no job "${told}": it is not waiting, scheduled, to be retried, dead or running.`
      : `The job "${told}" was not found in the time for a query.`,
    remedy: whole
      ? 'The job ended, was deleted, or never existed, of which Sidekiq keeps no record; or super_fetch (Sidekiq Pro) keeps it for a process that is gone.'
      : 'Choose the set or the queue of the job under "Jobs of".',
  });
}

/** Of a job that ran in a process which vanished, what is known of that. */
function vanishedRows({ processLog, snapshot, now }: State, jid: string): Row[] {
  return processLog.vanished.flatMap((vanished) =>
    vanished.jobs
      .filter((job) => job.jid === jid)
      .flatMap((job) => {
        const { identity } = vanished.process;
        const runs = snapshot.work.items.some((work) => work.jid === jid && work.process === identity);
        return rowsFrom('vanished process', {
          Process: identity,
          'Last heartbeat': agoText(vanished.lastBeatAt, now),
          Class: job.class,
          Queue: job.queue,
          Started: agoText(job.runAt, now),
          Outcome: outcomeText(vanished, job, runs),
        });
      })
  );
}

/** Looks in the sets and queues; then, where it lies in none, in what super_fetch has taken for the processes that are known. */
async function find(
  state: State,
  { jid, source, queue }: { jid: string; source: Place['source'] | undefined; queue: string },
  isKnown: boolean,
  reads: Reads
): ReturnType<Reads['job']> {
  const found = await stored(reads.job(jid, placesOf(state, source, queue)), isKnown);
  if (found.job || !found.whole || (source ?? 'queue') !== 'queue') {
    return found;
  }
  const taken = privateQueues(state)
    .filter((name) => queue === '' || name.endsWith(`|${queue}`))
    .map((name): Place => ({ source: 'queue', queue: name }));
  return stored(reads.job(jid, taken), isKnown);
}

/** Of a job that ran then its process has told, though stored jobs are not recorded. */
async function stored(finding: ReturnType<Reads['job']>, isKnown: boolean): ReturnType<Reads['job']> {
  try {
    return await finding;
  } catch (error) {
    if (error instanceof NotRecorded && isKnown) {
      return { job: null, whole: false, alsoIn: [] };
    }
    throw error;
  }
}

/** The sets first: they are where one looks for a job; then the queues, the shortest first. */
function placesOf({ queues }: State, source: Place['source'] | undefined, queue: string): Place[] {
  const inQueues = [...queues]
    .filter(({ size, name }) => size !== 0 && (queue === '' || name === queue))
    .sort((a, b) => (a.size ?? Infinity) - (b.size ?? Infinity))
    .map(({ name }): Place => ({ source: 'queue', queue: name }));
  const all = [
    ...(['retry', 'dead', 'scheduled'] as const).map((each): Place => ({ source: each, queue: '' })),
    ...inQueues,
  ];
  return all.filter((place) => source === undefined || place.source === source);
}

function runningRows({ snapshot, now }: State, jid: string): Row[] {
  const ranFor = runTimesOf(snapshot);
  return snapshot.work.items
    .filter((work) => work.jid === jid)
    .flatMap((work) => {
      const seconds = ranFor(work);
      return rowsFrom('job', {
        Place: 'running',
        Class: work.class,
        Queue: work.queue,
        Process: work.process,
        Thread: work.thread,
        Enqueued: agoText(work.enqueuedAt, now),
        Started: agoText(seconds === null ? null : now - seconds, now),
      });
    });
}

/** Fields that have a row of their own; the others are shown as they are. */
const KNOWN = new Set(
  'jid class wrapped display_class queue args created_at enqueued_at at retry retry_count retried_at failed_at error_class error_message error_backtrace tags bid locale encrypt'.split(
    ' '
  )
);

/** A list of super_fetch: of which process, and of which queue. */
const PRIVATE = /^sq\|([^|]+)\|(.+)$/s;

function rowsOf(found: StoredJob, alsoIn: readonly Place[], { now, options, queues }: State): Row[] {
  const { payload } = found;
  // A queue may bear such a name, too.
  const taken = queues.some(({ name }) => name === found.queue) ? null : PRIVATE.exec(found.queue);
  const of = (name: string) => textOf(payload[name]);
  const at = (name: string) => agoText(instantOf(payload[name]), now);
  const backtrace = backtraceOf(payload);
  return [
    ...rowsFrom('job', {
      JID: found.jid,
      Place: taken ? 'taken by a process with super_fetch' : PLACES[found.source],
      'Also in': alsoIn.map(({ source, queue }) => (source === 'queue' ? `queue ${queue}` : SETS[source])).join(', '),
      Class: found.class,
      Queue: taken?.[2] ?? found.queue,
      Process: taken?.[1] ?? '',
      [found.source === 'dead' ? 'Died' : 'Due']: agoText(found.scoreAt, now),
      Enqueued: agoText(found.enqueuedAt, now),
      Created: agoText(found.createdAt, now),
      Retries: of('retry_count'),
      'Retries allowed': of('retry'),
      Tags: tagsOf(payload).join(', '),
      Batch: of('bid'),
      Payload: `${found.bytes.toLocaleString('en')} bytes`,
      Arguments: options.allowArguments ? argumentsText(found.raw) : '',
    }),
    ...rowsFrom('error', {
      Error: of('error_class'),
      Message: redact(of('error_message')),
      'First failed': at('failed_at'),
      'Last failed': at('retried_at'),
      'Application frame': options.allowBacktraces ? withoutCredentials(applicationFrame(backtrace) ?? '') : '',
      Backtrace: options.allowBacktraces ? (backtrace?.map(withoutCredentials).join('\n') ?? '') : hidden(backtrace),
    }),
    ...contextRows(found, options),
    ...rowsFrom('ActiveJob', activeJobDetails(payload, options.allowArguments) ?? {}),
  ];
}

/** How long before a failure deploys are looked for. */
const DEPLOYS_SECONDS = 7 * 86_400;

/** When this kind of error was first seen among the failed jobs that are kept, and the deploys before that and before this one. */
async function originRows({ payload }: StoredJob, { now }: State, reads: Reads): Promise<Row[]> {
  const errorClass = textOf(payload['error_class']);
  const failedAt = instantOf(payload['failed_at']);
  if (errorClass === '' || failedAt === null) {
    return [];
  }
  const pattern = messagePattern(redact(textOf(payload['error_message'])));
  const failures = await reads.failures(now);
  const same = [...failures.retry.failures, ...failures.dead.failures].filter(
    (each) => each.errorClass === errorClass && messagePattern(each.message) === pattern
  );
  // There may be 100,000 of them, more than a function takes as arguments.
  const first = same.reduce((least, { firstAt }) => Math.min(least, firstAt ?? Infinity), Infinity);
  const begins = Math.min(first, failedAt);
  const deployBefore = async (at: number) => {
    // By days, of which a range of months would have many.
    const mark = (await reads.deployMarks({ from: at - DEPLOYS_SECONDS, to: at }, now)).marks
      .filter((each) => each.at <= at)
      .at(-1);
    return mark ? `${mark.label}, ${agoText(mark.at, now)}` : '';
  };
  const beforeFirst = await deployBefore(begins);
  const beforeThis = begins === failedAt ? beforeFirst : await deployBefore(failedAt);
  return rowsFrom('error', {
    'First of this kind': Number.isFinite(first)
      ? `${agoText(first, now)} (${countText(same.length, 'job')} of all classes kept)`
      : '',
    'Deploy before the first failure': beforeFirst,
    'Deploy before the last failure': beforeThis === beforeFirst ? '' : beforeThis,
  });
}

/** That there is a backtrace, and who may show it. */
function hidden(backtrace: readonly string[] | null | undefined): string {
  return backtrace && backtrace.length > 0
    ? `${countText(backtrace.length, 'line')}, hidden. An administrator can show backtraces with "Show backtraces" in the settings of the data source.`
    : '';
}

/** Attributes of a request name people and tenants, as arguments do. */
function contextRows({ payload }: StoredJob, { allowArguments }: Options): Row[] {
  return allowArguments ? rowsFrom('context', Object.fromEntries(currentAttributes(payload))) : [];
}

/** What middleware of the application has added. */
function otherRows({ payload }: StoredJob, { allowArguments }: Options): Row[] {
  return allowArguments
    ? Object.entries(payload)
        .filter(([name]) => !KNOWN.has(name) && !isContext(name))
        .map(([field, value]) => ({ group: 'other', field, value: redact(textOf(value)) }))
    : [];
}

function iterationFields(state: Iteration | null, { now, options }: State): Record<string, string> {
  return state
    ? {
        Cursor: cursorText(state.cursor, options.allowArguments),
        Executions: state.executions === null ? '' : String(state.executions),
        // Sidekiq 7.3 does not write it where an execution raises.
        'Run time':
          state.runtimeSeconds === null || state.runtimeSeconds === 0 ? '' : durationText(state.runtimeSeconds),
        Cancelled: agoText(state.cancelledAt, now),
      }
    : {};
}

/** Of the gem sidekiq-batch. */
async function batchFields({ payload }: StoredJob, { now }: State, reads: Reads): Promise<Record<string, string>> {
  const bid = textOf(payload['bid']);
  const found = bid === '' ? null : await reads.batch(bid);
  return found
    ? {
        Jobs: String(found.total ?? ''),
        Pending: String(found.pending ?? ''),
        Failed: String(found.failed ?? ''),
        Children: found.children === 0 ? '' : String(found.children ?? ''),
        Parent: found.parent,
        Created: agoText(found.createdAt, now),
        Complete: found.complete ? 'yes' : 'no',
      }
    : {};
}

/** What is empty has no row. */
function rowsFrom(group: string, fields: Record<string, string>): Row[] {
  return Object.entries(fields)
    .filter(([, value]) => value !== '')
    .map(([field, value]) => ({ group, field, value }));
}

/** `2026-11-25 11:59:30 UTC, 1 min ago`. */
function agoText(at: number | null, now: number): string {
  if (at === null) {
    return '';
  }
  const when = instantText(at);
  return at > now ? `${when}, in ${durationText(at - now)}` : `${when}, ${durationText(now - at)} ago`;
}

import { countText, durationText } from '../findings/texts';
import type { Options } from '../settings/model';
import type { Place } from '../sidekiq/browse/findJob';
import type { StoredJob } from '../sidekiq/browse/storedJobs';
import { runTimesOf } from '../sidekiq/clocks';
import { messagePattern } from '../sidekiq/fingerprint';
import {
  activeJobDetails,
  applicationFrame,
  backtraceOf,
  currentAttributes,
  cursorText,
  isContext,
} from '../sidekiq/jobDetails';
import type { Iteration } from '../sidekiq/parts/iteration';
import { argumentsText, tagsOf, text as textOf } from '../sidekiq/payload';
import { instantOf } from '../sidekiq/plausible';
import { redact, withoutCredentials } from '../sidekiq/redact';
import { instantText } from '../source/instants';
import type { Reads } from '../source/reads';
import type { State } from '../watch/state';
import { outcomeText } from './lost';

/** One field of what is known of a job. */
export interface Row {
  group: string;
  field: string;
  value: string;
}

const PLACES = {
  queue: 'waits in a queue',
  scheduled: 'scheduled',
  retry: 'to be retried',
  dead: 'dead',
} as const;

const SETS = { scheduled: 'scheduled jobs', retry: 'retries', dead: 'dead jobs' } as const;

/** Of a job that ran in a process which vanished, what is known of that. */
export function vanishedRows({ processLog, snapshot, now }: State, jid: string): Row[] {
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

/** Of a job that runs. */
export function runningRows({ snapshot, now }: State, jid: string): Row[] {
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

/** Of a job that is stored. @param alsoIn where copies of it lie */
export function storedRows(found: StoredJob, alsoIn: readonly Place[], { now, options, queues }: State): Row[] {
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
export async function originRows({ payload }: StoredJob, { now }: State, reads: Reads): Promise<Row[]> {
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
export function otherRows({ payload }: StoredJob, { allowArguments }: Options): Row[] {
  return allowArguments
    ? Object.entries(payload)
        .filter(([name]) => !KNOWN.has(name) && !isContext(name))
        .map(([field, value]) => ({ group: 'other', field, value: redact(textOf(value)) }))
    : [];
}

/** Of a job that can be interrupted, how far it is. */
export function iterationRows(state: Iteration | null, { now, options }: State): Row[] {
  return state === null
    ? []
    : rowsFrom('iteration', {
        Cursor: cursorText(state.cursor, options.allowArguments),
        Executions: state.executions === null ? '' : String(state.executions),
        // Sidekiq 7.3 does not write it where an execution raises.
        'Run time':
          state.runtimeSeconds === null || state.runtimeSeconds === 0 ? '' : durationText(state.runtimeSeconds),
        Cancelled: agoText(state.cancelledAt, now),
      });
}

/** Of the batch of a job, by the gem sidekiq-batch. */
export async function batchRows({ payload }: StoredJob, { now }: State, reads: Reads): Promise<Row[]> {
  const bid = textOf(payload['bid']);
  const found = bid === '' ? null : await reads.batch(bid);
  return found === null
    ? []
    : rowsFrom('batch', {
        Jobs: String(found.total ?? ''),
        Pending: String(found.pending ?? ''),
        Failed: String(found.failed ?? ''),
        Children: found.children === 0 ? '' : String(found.children ?? ''),
        Parent: found.parent,
        Created: agoText(found.createdAt, now),
        Complete: found.complete ? 'yes' : 'no',
      });
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

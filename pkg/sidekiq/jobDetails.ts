import { inflateSync } from 'node:zlib';
import { parseJson } from './json';
import { activeJobOf, parsePayload, text, type JsonObject } from './payload';
import { escapedName } from './name';
import { numberOf } from './plausible';

/** Longest backtrace that is unpacked, in bytes: a small text may unpack to any size. */
const LARGEST_BACKTRACE = 1024 * 1024;

/**
 * The lines of a stored backtrace: a list (up to Sidekiq 5), or the list as JSON, deflated and in base64 (since 6.0:
 * `compress_backtrace` of job_retry.rb). `null` where none is stored or it cannot be read.
 */
export function backtraceOf({ error_backtrace: stored }: JsonObject): string[] | null {
  if (Array.isArray(stored)) {
    return stored.map(text);
  }
  if (typeof stored !== 'string' || stored === '') {
    return null;
  }
  try {
    const unpacked = inflateSync(Buffer.from(stored, 'base64'), { maxOutputLength: LARGEST_BACKTRACE });
    const lines = parseJson(unpacked.toString('utf8'));
    return Array.isArray(lines) ? lines.map(text) : null;
  } catch {
    // Some error handlers store lines as one text.
    return stored.includes('\n') ? stored.split('\n') : null;
  }
}

const OF_A_GEM = /\/gems\/|\/bundler\/|\/ruby\/\d|<internal:|^\(eval/;

/** The first line of the application itself: the first that lies in no gem and not in Ruby. */
export function applicationFrame(backtrace: readonly string[] | null): string | null {
  return backtrace?.find((line) => !OF_A_GEM.test(line)) ?? backtrace?.[0] ?? null;
}

/** True for the fields of a payload that hold CurrentAttributes. */
export function isContext(field: string): boolean {
  return /^cattr(_\d+)?$/.test(field);
}

/**
 * ActiveSupport's CurrentAttributes that came along with the job (`cattr`, and `cattr_1` and so on for further classes):
 * a plain object up to Sidekiq 7, since 8.0 the list that ActiveJob makes of one. In the order in which they stand.
 */
export function currentAttributes(payload: JsonObject): Map<string, string> {
  const found = new Map<string, string>();
  for (const [name, value] of Object.entries(payload)) {
    if (isContext(name)) {
      for (const [attribute, each] of attributesOf(value)) {
        found.set(attribute, shownValue(each));
      }
    }
  }
  return found;
}

/**
 * One field of the context: a CurrentAttribute, or else a field of the payload itself. `''` where it is missing, and where
 * it is a list or an object, which may hold anything.
 */
export function contextValue(payload: JsonObject, field: string): string {
  const attribute = currentAttributes(payload).get(field);
  const value = attribute ?? (Object.hasOwn(payload, field) ? payload[field] : undefined);
  const shown = typeof value === 'object' ? '' : text(value);
  return escapedName(/^[[{]/.test(shown) ? '' : shown.slice(0, LONGEST_CONTEXT));
}

const LONGEST_CONTEXT = 200;

/** ActiveJob serialises the pairs of a hash as a list of pairs, or the hash itself with marks of how its keys were. */
function attributesOf(value: unknown): Array<[string, unknown]> {
  if (Array.isArray(value)) {
    return value.flatMap((each: unknown) =>
      Array.isArray(each) && each.length === 2
        ? [[shownValue(each[0]), each[1]] as [string, unknown]]
        : attributesOf(each)
    );
  }
  return typeof value === 'object' && value !== null
    ? Object.entries(value).filter(([name]) => !name.startsWith('_aj_'))
    : [];
}

/** A record stands for itself by its GlobalID, a time or a symbol by its value. */
function shownValue(value: unknown): string {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    const marked = value as JsonObject;
    return text(marked['_aj_globalid'] ?? (marked['_aj_serialized'] === undefined ? value : marked['value']));
  }
  return text(value);
}

/** What ActiveJob itself wrote: its own id, attempts, locale, time zone, steps. `null` for other jobs. */
export function activeJobDetails(payload: JsonObject, allowArguments: boolean): Record<string, string> | null {
  const inner = activeJobOf(payload);
  return (
    inner && {
      'ActiveJob id': text(inner['job_id']),
      'ActiveJob executions': text(inner['executions']),
      'ActiveJob executions by error': [...(executionsByError(inner['exception_executions']) ?? [])]
        .map(([error, count]) => `${error}: ${count}`)
        .join(', '),
      ...stepsOf(inner, allowArguments),
      ...iterationOf(inner, allowArguments),
      Locale: text(inner['locale']),
      'Time zone': text(inner['timezone']),
      Priority: text(inner['priority']),
    }
  );
}

/** Of ActiveJob::Continuation (Rails 8.1 and later): `completed` steps, and the name and cursor of the `current` one. */
function stepsOf(inner: JsonObject, allowArguments: boolean): Record<string, string> {
  const continuation = parsePayload(inner['continuation']);
  if (continuation === null) {
    return {};
  }
  const { completed, current } = continuation;
  const [step, cursor] = Array.isArray(current) ? (current as unknown[]) : [];
  return {
    'Completed steps': (Array.isArray(completed) ? (completed as unknown[]) : []).map(stepName).join(', '),
    'Current step': step === undefined ? '' : stepName(step),
    'Step cursor': cursorText(text(cursor), allowArguments),
    Resumptions: text(inner['resumptions']),
  };
}

/** Of the gem job-iteration (Shopify), which writes them beside what ActiveJob does: `serialize` of lib/job-iteration/iteration.rb. */
function iterationOf(inner: JsonObject, allowArguments: boolean): Record<string, string> {
  const { cursor_position: cursor, times_interrupted: interruptions, total_time: seconds } = inner;
  if (interruptions === undefined) {
    return {};
  }
  return {
    Cursor: cursorText(text(cursor), allowArguments),
    'Times interrupted': text(interruptions),
    'Run time before (seconds)': text(seconds),
  };
}

/** Steps are named by the code; a text of another form is data. */
function stepName(value: unknown): string {
  const name = text(value);
  return /^\w{1,100}$/.test(name) ? name : HIDDEN;
}

const HIDDEN = 'hidden: the data source does not allow arguments';

/**
 * A cursor as it is shown: a position is shown always, anything else may be an argument.
 *
 * @param cursor as it is stored: JSON
 */
export function cursorText(cursor: string, allowArguments: boolean): string {
  return allowArguments || cursor === '' || /^(?:-?\d+|null)$/.test(cursor) ? cursor : HIDDEN;
}

/**
 * Failed attempts that ActiveJob counts: its executions. Those of a continuable job are interruptions too, which stand
 * among its `exception_executions` as what interrupted it (`resume_job` of active_job/continuable.rb); `resumptions` is
 * raised only when the job goes on. The gem job-iteration keeps its interruptions out of them, but for the first. `null`
 * for other jobs.
 */
export function activeJobAttempts(payload: JsonObject): number | null {
  const inner = activeJobOf(payload);
  const executions = numberOf(inner?.['executions']);
  if (inner === null || executions === null) {
    return null;
  }
  const isIterated = (numberOf(inner['times_interrupted']) ?? 0) > 0;
  if (inner['continuation'] === undefined && inner['resumptions'] === undefined && !isIterated) {
    return executions;
  }
  const byError = executionsByError(inner['exception_executions']);
  if (byError === null) {
    return Math.max(0, executions - (isIterated ? 1 : (numberOf(inner['resumptions']) ?? 0)));
  }
  return [...byError].reduce((sum, [error, count]) => sum + (error === INTERRUPTED ? 0 : count), 0);
}

const INTERRUPTED = 'interrupted';
/** The errors of a `retry_on`, as Ruby prints a list of classes. */
const ERROR_CLASSES = /^\[[A-Z][\w:]*(?:, [A-Z][\w:]*)*\]$/;
/** An error after which a continuable job goes on: the arguments of `resume_job` in Rails 8.1; later its message alone. */
const RESUMED = /^\{.*?#<([A-Z]\w*(?:::[A-Z]\w*)*)/s;

/**
 * Executions of ActiveJob by what ended them. Of errors the class alone is told: what stands beside it is their message, and
 * of an interruption the cursor. `null` where nothing is written.
 */
function executionsByError(value: unknown): Map<string, number> | null {
  const counted = parsePayload(value);
  if (counted === null) {
    return null;
  }
  const sums = new Map<string, number>();
  for (const [key, count] of Object.entries(counted)) {
    const error = ERROR_CLASSES.test(key) ? key : (RESUMED.exec(key)?.[1] ?? otherThanError(key));
    sums.set(error, (sums.get(error) ?? 0) + (numberOf(count) ?? 0));
  }
  return sums;
}

function otherThanError(key: string): string {
  return key.startsWith('Interrupted ') ? INTERRUPTED : 'other';
}

import { isLosslessNumber } from 'lossless-json';
import { jsonOf, parseAsWritten, parseJson } from './json';
import { escapedName } from './name';
import { instantOf } from './plausible';

export type JsonObject = Record<string, unknown>;

/** What Jobwatch keeps of a job's payload. Times are epoch seconds; arguments are never kept here. */
export interface Job {
  jid: string;
  /** The class as Sidekiq's Web UI shows it: ActiveJob and mailers unwrapped. */
  class: string;
  /** The class under which Sidekiq keeps metrics: `wrapped`, or the class itself. */
  metricsClass: string;
  queue: string;
  enqueuedAt: number | null;
  createdAt: number | null;
}

/** The ActiveJob wrapper up to Sidekiq 7.3 (and in Rails' own adapter), and since 8.0. */
const WRAPPERS = new Set(['ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper', 'Sidekiq::ActiveJob::Wrapper']);
/** ActionMailer's jobs; metrics of all mailers are kept under these. */
export const MAILERS: ReadonlySet<string> = new Set(['ActionMailer::DeliveryJob', 'ActionMailer::MailDeliveryJob']);

/** The payload as an object, or `null` when it is not one, see {@link parseJson}: Sidekiq itself keeps such entries around. */
export function parsePayload(raw: unknown): JsonObject | null {
  if (Buffer.isBuffer(raw)) {
    return parsePayload(raw.toString('utf8'));
  }
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) {
    return raw as JsonObject;
  }
  if (typeof raw !== 'string') {
    return null;
  }
  const value = parseJson(raw);
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : null;
}

/** A JSON object with its members in the order of the text; objects within are such maps too. */
export type Ordered = ReadonlyMap<string, unknown>;

/** A text in quotes, and the colon after it where it is the name of a member. */
const QUOTED = /"((?:[^"\\]|\\.)*)"(\s*:)?/g;

/**
 * The members of a JSON object in the order in which they stand. JavaScript moves names that look like numbers to the
 * front of an object, so they are made to look like none while the text is read.
 *
 * @returns no members where the text is no JSON object
 */
export function orderedEntries(raw: string): Ordered {
  const read = mapsOf(
    parseJson(raw.replace(QUOTED, (all, name: string, colon = '') => (colon ? `"_${name}"${colon}` : all)))
  );
  return read instanceof Map ? (read as Ordered) : new Map();
}

function mapsOf(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(mapsOf);
  }
  return typeof value === 'object' && value !== null
    ? new Map(Object.entries(value).map(([name, each]) => [name.slice(1), mapsOf(each)]))
    : value;
}

/**
 * Reads a payload's identity and times.
 *
 * @param queue in which the job waits: Sidekiq goes by the name of the list (`JobRecord#queue` of api.rb), as a payload may
 *   name none or another one
 */
export function jobOf(payload: JsonObject, queue = escapedName(text(payload['queue']))): Job {
  return {
    jid: text(payload['jid']),
    class: displayClass(payload),
    metricsClass: escapedName(wrappedClass(payload) || text(payload['class'])),
    queue,
    enqueuedAt: instantOf(payload['enqueued_at']),
    createdAt: instantOf(payload['created_at']),
  };
}

/** Since when a job waits. One without `enqueued_at` counts from its creation, as in Sidekiq ≥ 8.1.1. */
export function waitingSince({ enqueuedAt, createdAt }: Pick<Job, 'enqueuedAt' | 'createdAt'>): number | null {
  return enqueuedAt ?? createdAt;
}

/** True where the job was put in by ActiveJob. */
export function isActiveJob(payload: JsonObject): boolean {
  return WRAPPERS.has(text(payload['class']));
}

/** True where the class to show stands among the arguments: mailers, and jobs of producers that name no `wrapped`. */
export function needsArguments(payload: JsonObject): boolean {
  return isActiveJob(payload) && (wrappedClass(payload) === '' || MAILERS.has(wrappedClass(payload)));
}

/** The first argument of an ActiveJob payload: ActiveJob's own serialised job. */
export function activeJobOf(payload: JsonObject): JsonObject | null {
  const args = payload['args'];
  return isActiveJob(payload) && Array.isArray(args) ? parsePayload(args[0]) : null;
}

function displayClass(payload: JsonObject): string {
  const display = text(payload['display_class']);
  if (display !== '' || !isActiveJob(payload)) {
    return escapedName(display || text(payload['class']));
  }
  const inner = activeJobOf(payload);
  const jobClass = wrappedClass(payload) || constant(inner?.['job_class']) || constant(firstOf(payload['args']));
  if (MAILERS.has(jobClass)) {
    const [mailer, action] = Array.isArray(inner?.['arguments']) ? (inner['arguments'] as unknown[]) : [];
    return constant(mailer) !== '' && METHOD.test(text(action)) ? `${constant(mailer)}#${text(action)}` : jobClass;
  }
  return escapedName(jobClass || text(payload['class']));
}

/** Names of a Ruby class and of a method: what stands among arguments and is none of these may be anything. */
const CONSTANT = /^\p{Lu}[\p{L}\p{N}_]*(?:::\p{Lu}[\p{L}\p{N}_]*)*$/u;
const METHOD = /^[\p{L}_][\p{L}\p{N}_]*[?!]?$/u;

function constant(value: unknown): string {
  return typeof value === 'string' && value.length <= LONGEST_CONSTANT && CONSTANT.test(value) ? value : '';
}

const LONGEST_CONSTANT = 200;

/** ActiveJob's class; some producers store the serialised job instead of its class. */
function wrappedClass({ wrapped }: JsonObject): string {
  return typeof wrapped === 'string' ? wrapped : constant(parsePayload(wrapped)?.['job_class']);
}

/** The job's arguments as the Web UI shows them, with an encrypted last one replaced; what is no list is shown as it is. */
export function displayArguments(payload: JsonObject): unknown {
  const args = payload['args'] ?? [];
  if (!Array.isArray(args)) {
    return payload['encrypt'] ? '[encrypted]' : args;
  }
  if (isActiveJob(payload)) {
    const isWrapped = (payload['wrapped'] ?? false) !== false;
    const inner = !isWrapped ? [] : (activeJobOf(payload)?.['arguments'] ?? []);
    return withoutActiveJobMarks(
      Array.isArray(inner) ? mailerArguments(text(payload['wrapped']), inner as unknown[]) : inner
    );
  }
  return payload['encrypt'] ? [...(args as unknown[]).slice(0, -1), '[encrypted]'] : args;
}

/** Put before names that look like numbers while they are kept as members of an object. */
const NO_NUMBER = '\uE000';
const NUMERIC_NAME = /"\d+"\s*:/;
const MARKED_NAME = new RegExp(`"${NO_NUMBER}(\\d+)":`, 'g');

/**
 * The arguments as JSON with every digit as it is stored, and members in the order in which they stand: numbers above 2^53
 * lose digits in JavaScript, and names that look like numbers come first in its objects.
 */
export function argumentsText(raw: string): string {
  const marked = NUMERIC_NAME.test(raw)
    ? raw.replace(QUOTED, (all, name: string, colon = '') =>
        colon && /^\d+$/.test(name) ? `"${NO_NUMBER}${name}":` : all
      )
    : raw;
  const shown = displayArguments(parseAsWritten(marked) as JsonObject);
  return typeof shown === 'string' ? shown : jsonOf(shown).replace(MARKED_NAME, '"$1":');
}

function mailerArguments(jobClass: string, list: unknown[]): unknown[] {
  if (jobClass === 'ActionMailer::DeliveryJob') {
    return list.slice(3);
  }
  if (jobClass === 'ActionMailer::MailDeliveryJob') {
    // As Sidekiq shows them since 7.1: what the mailer was made with, and the arguments of its method.
    const options = parsePayload(list[3]);
    return options ? [options['params'] ?? null, options['args'] ?? null] : [];
  }
  return list;
}

function withoutActiveJobMarks(value: unknown): unknown {
  if (Array.isArray(value)) {
    return value.map(withoutActiveJobMarks);
  }
  if (typeof value !== 'object' || value === null || isLosslessNumber(value)) {
    return value;
  }
  const object = value as JsonObject;
  const members = Object.entries(object);
  // As `serialized_global_id?` of api.rb: beside other members it is a mark as any.
  if (members.length === 1 && object['_aj_globalid'] !== undefined) {
    return object['_aj_globalid'];
  }
  return Object.fromEntries(
    members.filter(([key]) => !key.startsWith('_aj_')).map(([key, inner]) => [key, withoutActiveJobMarks(inner)])
  );
}

function firstOf(args: unknown): unknown {
  return Array.isArray(args) ? args[0] : undefined;
}

/** The tags of a job; a single one may stand without a list. */
export function tagsOf({ tags }: JsonObject): string[] {
  return (Array.isArray(tags) ? (tags as unknown[]) : [tags]).map(text).filter((tag) => tag !== '');
}

/** A field as text, whatever its JSON type: what is missing is `''`, an object or a list is its JSON. */
export function text(value: unknown): string {
  if (typeof value === 'string') {
    return value;
  }
  return value === null || value === undefined ? '' : jsonOf(value);
}

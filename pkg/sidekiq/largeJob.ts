import { jobOf, needsArguments, parsePayload, type Job, type JsonObject } from './payload';

/** Payloads above this are read at both ends, and less often. */
export const LARGE_JOB_BYTES = 256 * 1024;
/** Bytes at either end in which the fields beside the arguments are looked for. */
const END_BYTES = 16 * 1024;

/**
 * A job whose arguments take megabytes, without reading these: Sidekiq writes the other fields before and after them.
 * Each end is completed to a JSON object and parsed, which succeeds only at the top level of the payload.
 *
 * @returns `null` where the ends do not tell, so that the whole payload must be parsed
 */
export function largeJobOf(raw: Buffer): Job | null {
  const front = frontOf(raw.toString('utf8', 0, END_BYTES));
  const back = backOf(raw.toString('utf8', raw.length - END_BYTES));
  if (!front || !back) {
    return null;
  }
  const payload = { ...front, ...back };
  // A field that comes twice, or not at all, stands somewhere between.
  const complete = NEEDED.every((field) => field in payload);
  return complete && !needsArguments(payload) ? jobOf(payload) : null;
}

const NEEDED = ['class', 'jid', 'queue', 'enqueued_at'];

/** The fields before the arguments. */
function frontOf(text: string): JsonObject | null {
  const end = text.indexOf('"args":');
  return end < 0 ? null : parsePayload(`${text.slice(0, end).replace(/,\s*$/, '')}}`);
}

/** The fields after the arguments: from the first known name from which on the rest is one object. */
function backOf(text: string): JsonObject | null {
  for (const { index } of text.matchAll(/"(?:jid|class|queue|created_at|enqueued_at|retry)":/g)) {
    const object = parsePayload(`{${text.slice(index)}`);
    if (object) {
      return object;
    }
  }
  return null;
}

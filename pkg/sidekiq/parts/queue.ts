import { command, type Value } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { LARGE_JOB_BYTES, largeJobOf } from '../largeJob';
import { jobOf, parsePayload, waitingSince, type Job } from '../payload';
import { countOf } from '../plausible';
import { remembered } from '../remembered';
import { listOf, textOf, type Part } from './part';

/** The length of a queue, by name. */
export const queueSize: Part<string, number> = {
  what: 'queue sizes',
  commands: (name) => [command('llen', keys.queue(name))],
  parse: ([value]) => ({ value: countOf(value) ?? 0 }),
};

/** The job that is next in a queue. */
export interface QueueHead {
  /** The list is empty. */
  empty: boolean;
  /** `null` where the entry is no JSON object, or there is none. */
  next: Job | null;
  /** Bytes of the entry. */
  bytes: number;
}

const readJob = remembered((raw): Job | null => {
  const payload = parsePayload(raw);
  return payload && jobOf(payload);
});

/** The oldest job of a queue, by name: the last element, since pushes go to the other end. */
export const queueHead: Part<string, QueueHead> = {
  what: 'queue latencies',
  commands: (name) => [command('lindex', keys.queue(name), -1)],
  parse([value]) {
    if (!Buffer.isBuffer(value)) {
      return { value: { empty: true, next: null, bytes: 0 } };
    }
    const next = (value.length > LARGE_JOB_BYTES && largeJobOf(value)) || readJob(value.toString('utf8'));
    return { value: { empty: false, next, bytes: value.length } };
  },
};

/** Entries that are looked at: so many, after those that are passed over. */
export interface Slice {
  skip: number;
  count: number;
}

/** An entry that was looked at; without an ID where it is no JSON object. */
export interface StoredId {
  jid: string | null;
  bytes: number;
}

/** Entries of a queue from the end from which they are taken, where jobs of a process that is gone are put back. */
export const nextJobs: Part<Slice & { queue: string }, StoredId[]> = {
  what: 'next jobs of queues',
  commands: ({ queue, skip, count }) => [command('lrange', keys.queue(queue), -(skip + count), -(skip + 1))],
  parse: ([value]) => ({ value: idsOf(value) }),
};

/** Entries of a set from a rank on, or of the last that came to it; of others than those that are wanted no ID is read. */
export const setJobs: Part<Slice & { key: string; from: number | 'last'; wanted: ReadonlySet<string> }, StoredId[]> = {
  what: 'jobs of sets',
  commands: ({ key, from, skip, count }) => [
    from === 'last'
      ? command('zrevrange', key, skip, skip + count - 1)
      : command('zrange', key, from + skip, from + skip + count - 1),
  ],
  parse: ([value], { wanted }) => ({ value: idsOf(value, wanted) }),
};

/** IDs as they may stand in a payload. */
const IDS = /"jid"\s*:\s*"([^"\\]*)"/g;

function idsOf(value: Value | undefined, wanted?: ReadonlySet<string>): StoredId[] {
  return listOf(value).map((raw) => {
    const text = textOf(raw) ?? '';
    // Parsing thousands of entries would keep the event loop for long; an ID that is written in another way is rare.
    const isOther = wanted !== undefined && ![...text.matchAll(IDS)].some(([, jid = '']) => wanted.has(jid));
    const payload = isOther ? null : parsePayload(raw);
    return { jid: payload && jobOf(payload).jid, bytes: bytesOf(raw) };
  });
}

function bytesOf(value: Value): number {
  return Buffer.isBuffer(value) || typeof value === 'string' ? value.length : 0;
}

/**
 * Seconds that the next job has waited, see {@link waitingSince}.
 *
 * @returns 0 for an empty queue, `null` where no plausible time is written
 */
export function latencyOf({ empty, next }: Pick<QueueHead, 'empty' | 'next'>, now: number): number | null {
  const since = next && waitingSince(next);
  return empty ? 0 : since === null ? null : now - since;
}

/** Queues that have a mark of sidekiq-limit_fetch or sidekiq-queue-pause as paused, among the given names. */
export const markedPauses: Part<readonly string[], ReadonlySet<string>> = {
  what: 'paused queues',
  commands: (names) => (names.length === 0 ? [] : [command('mget', ...names.flatMap(keys.pauseMarks))]),
  parse([value], names) {
    const marks = listOf(value);
    return { value: new Set(names.filter((_, index) => marks[2 * index] != null || marks[2 * index + 1] != null)) };
  },
};

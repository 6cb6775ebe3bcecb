import { command, type Value } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { LARGE_JOB_BYTES, largeJobOf } from '../largeJob';
import { jobOf, parsePayload, waitingSince, type Job } from '../payload';
import { countOf } from '../plausible';
import { remembered } from '../remembered';
import { listOf, type Part } from './part';

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

/** Jobs at the end of a queue from which they are taken, where jobs of a process that is gone are put back. */
const NEXT_JOBS = 100;

/** Their IDs, by the name of the queue. */
export const nextJobs: Part<string, string[]> = {
  what: 'next jobs of queues',
  commands: (name) => [command('lrange', keys.queue(name), -NEXT_JOBS, -1)],
  parse: ([value]) => ({ value: jidsOf(value) }),
};

/** Entries of a set that are looked at. */
const SET_JOBS = 200;

/** IDs of the jobs of a set from a rank on, or of the last that came to it. */
export const setJobs: Part<{ key: string; from: number | 'last' }, string[]> = {
  what: 'jobs of sets',
  commands: ({ key, from }) => [
    from === 'last' ? command('zrevrange', key, 0, SET_JOBS - 1) : command('zrange', key, from, from + SET_JOBS - 1),
  ],
  parse: ([value]) => ({ value: jidsOf(value) }),
};

function jidsOf(value: Value | undefined): string[] {
  return listOf(value).flatMap((raw) => {
    const payload = parsePayload(raw);
    return payload ? [jobOf(payload).jid] : [];
  });
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

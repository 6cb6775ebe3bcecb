import { command, type Command } from '../redis/readOnlyRedis';
import { keys } from './keys';
import { jobOf, parsePayload, type Job } from './payload';

/** One queue. */
export interface Queue {
  name: string;
  size: number;
  /** Seconds the oldest job has waited; 0 when empty, `null` when its time cannot be read. May be < 0 under clock skew. */
  latencySeconds: number | null;
  /** Paused in Sidekiq Pro. */
  paused: boolean;
  /** In the set `queues`; false for a queue that a process serves but nobody ever pushed to. */
  known: boolean;
  /** The job that is next in line. */
  next: Job | null;
}

/** What to ask Redis about one queue; {@link readQueue} takes the two values. */
export function queueCommands(name: string): Command[] {
  return [command('llen', keys.queue(name)), command('lindex', keys.queue(name), -1)];
}

/** Reads a queue's length and its oldest job. A job without `enqueued_at` counts from its creation, as in Sidekiq ≥ 8.1.1. */
export function readQueue(
  name: string,
  length: unknown,
  tail: unknown,
  now: number
): Pick<Queue, 'size' | 'latencySeconds' | 'next'> {
  const size = Number(length ?? 0);
  if (typeof tail !== 'string') {
    return { size, latencySeconds: 0, next: null };
  }
  const payload = parsePayload(tail);
  if (payload === null) {
    return { size, latencySeconds: null, next: null };
  }
  const next = jobOf(payload);
  const since = next.enqueuedAt ?? next.createdAt;
  return { size, latencySeconds: since === null ? 0 : now - since, next };
}

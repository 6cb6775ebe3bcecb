import { redisFault } from '../redis/faults';
import { command, type ReadOnlyRedis } from '../redis/readOnlyRedis';
import { keys } from './keys';
import { jobOf, parsePayload, type Job } from './payload';

/** Payloads looked at from each end of a queue. */
export const BACKLOG_END = 100;

/** What was seen of a queue: all of it where it is short, else both of its ends. */
export interface BacklogSample {
  queue: string;
  size: number;
  jobs: Array<Job & { bytes: number }>;
  /** Entries that are no JSON object. */
  broken: number;
}

/**
 * Looks at both ends of some queues in one round trip; never at more than {@link BACKLOG_END} payloads of each end,
 * however long the queue.
 *
 * @throws Fault
 */
export async function sampleBacklog(
  redis: ReadOnlyRedis,
  queues: ReadonlyArray<{ name: string; size: number }>,
  signal?: AbortSignal
): Promise<BacklogSample[]> {
  const { replies } = await redis.batch(
    queues.flatMap(({ name }) => [
      command('lrange', keys.queue(name), -BACKLOG_END, -1),
      command('lrange', keys.queue(name), 0, BACKLOG_END - 1),
      command('llen', keys.queue(name)),
    ]),
    signal
  );
  return queues.map(({ name }, index) => {
    const [oldest, newest, length] = replies.slice(3 * index, 3 * index + 3).map((reply) => {
      if (reply.error) {
        throw redisFault(reply.error, redis.address);
      }
      return reply.value;
    });
    const size = Number(length);
    const last = oldest as string[];
    // The ends of a short queue overlap.
    const first = (newest as string[]).slice(0, Math.max(0, size - last.length));
    const payloads = [...last, ...first].map((raw) => ({ payload: parsePayload(raw), bytes: Buffer.byteLength(raw) }));
    return {
      queue: name,
      size,
      jobs: payloads.flatMap(({ payload, bytes }) => (payload ? [{ ...jobOf(payload), bytes }] : [])),
      broken: payloads.filter(({ payload }) => payload === null).length,
    };
  });
}

import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { readJobs, type LookedAt } from './jobs';

/** Due jobs that are looked at in each of the two sets. */
const LOOKED_AT: LookedAt = { entries: 20_000, bytes: 16 * 1024 * 1024, seconds: 1 };

/** Of `Sidekiq.default_job_options`. */
const DEFAULT_QUEUE = 'default';

/** Queues that scheduled jobs and retries are due for. */
export interface DueQueues {
  /** By queue, when its first job was due (epoch seconds); the present where its score is no plausible instant. */
  since: ReadonlyMap<string, number>;
  /** All that is due was looked at. */
  whole: boolean;
}

/**
 * For which queues a scheduled job or a retry is due at an instant: Sidekiq's processes move these to their queues
 * (`Sidekiq::Scheduled::Poller`), so that they stay where no process runs.
 *
 * @throws Fault where a set cannot be read
 */
export async function readDueQueues(redis: ReadOnlyRedis, now: number, signal?: AbortSignal): Promise<DueQueues> {
  const since = new Map<string, number>();
  let whole = true;
  for (const source of ['scheduled', 'retry'] as const) {
    let ended = false;
    const { looked, total } = await readJobs(redis, {
      source,
      queue: '',
      limit: LOOKED_AT.entries,
      most: LOOKED_AT,
      keeps({ queue, scoreAt }, score) {
        if (score > now) {
          ended = true;
          return 'end';
        }
        // The poller takes all from minus infinity on; a client fills in the queue where none is named.
        const name = queue === '' ? DEFAULT_QUEUE : queue;
        since.set(name, Math.min(scoreAt ?? now, since.get(name) ?? Infinity));
        return false;
      },
      ...(signal && { signal }),
    });
    whole &&= ended || looked >= total;
  }
  return { since, whole };
}

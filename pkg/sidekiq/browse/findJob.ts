import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { readJobs, WHOLE_SET } from './jobs';
import type { JobSource, StoredJob } from './storedJobs';

/** One place where a job may lie; `queue` is its name where that is a queue. */
export interface Place {
  source: JobSource;
  queue: string;
}

/** For so long places are looked at, all together. */
const SECONDS = 5;

/**
 * Looks for a stored job by its id, place by place, and stops at the first that holds it. Entries without the id in
 * their text are not parsed.
 *
 * @returns the job, and whether every place was looked through to its end or to the job
 * @throws Fault where a place cannot be read
 */
export async function findJob(
  redis: ReadOnlyRedis,
  jid: string,
  places: readonly Place[],
  signal?: AbortSignal
): Promise<{ job: StoredJob | null; whole: boolean }> {
  const endsAt = performance.now() + SECONDS * 1000;
  let whole = true;
  for (const place of places) {
    const seconds = (endsAt - performance.now()) / 1000;
    const { jobs, looked, total } = await readJobs(redis, {
      ...place,
      limit: 1,
      contains: jid,
      keeps: (job) => job.jid === jid,
      most: { ...WHOLE_SET, seconds },
      ...(signal && { signal }),
    });
    if (jobs[0]) {
      return { job: jobs[0], whole: true };
    }
    whole &&= looked >= total;
  }
  return { job: null, whole };
}

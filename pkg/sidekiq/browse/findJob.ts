import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { readJobs, WHOLE_SET } from './jobs';
import type { JobSource, StoredJob } from './storedJobs';

/** One place where a job may lie; `queue` is its name where that is a queue. */
export interface Place {
  source: JobSource;
  queue: string;
}

/** A stored job that was looked for by its id. */
export interface JobFound {
  /** In the first place that holds it; `null` where none does. */
  job: StoredJob | null;
  /** Whether every place was looked through to its end or to the job. */
  whole: boolean;
  /** Further places that hold a job of that id: a copy may wait while another is dead. */
  alsoIn: Place[];
}

/** For so long places are looked at, all together. */
const SECONDS = 5;
/** Once it is found, for so long at most. */
const SECONDS_FOR_COPIES = 1;

/**
 * Looks for a stored job by its id, place by place. Entries without the id in their text are not parsed.
 *
 * @throws Fault where a place cannot be read
 */
export async function findJob(
  redis: ReadOnlyRedis,
  jid: string,
  places: readonly Place[],
  signal?: AbortSignal
): Promise<JobFound> {
  let endsAt = performance.now() + SECONDS * 1000;
  const found: JobFound = { job: null, whole: true, alsoIn: [] };
  for (const place of places) {
    const seconds = (endsAt - performance.now()) / 1000;
    if (found.job && seconds <= 0) {
      break;
    }
    const reading = readJobs(redis, {
      ...place,
      limit: 1,
      contains: jid,
      keeps: (job) => job.jid === jid,
      most: { ...WHOLE_SET, seconds },
      ...(signal && { signal }),
    });
    if (found.job) {
      // What is found is told, whatever the places of copies say.
      const { jobs } = await reading.catch(() => ({ jobs: [] }));
      found.alsoIn.push(...(jobs.length > 0 ? [place] : []));
      continue;
    }
    const { jobs, looked, total } = await reading;
    if (jobs[0]) {
      found.job = jobs[0];
      found.whole = true;
      endsAt = Math.min(endsAt, performance.now() + SECONDS_FOR_COPIES * 1000);
    } else {
      found.whole &&= looked >= total;
    }
  }
  return found;
}

import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { Format } from './format';

/** A job that was deleted without its lock. */
const DELETED = { class: 'BillSubscriptionJob', queue: 'billing', jid: 'f00d5a1e0c0ffee0badcab1e' };
const JOBS_OF_SET = 4;

interface LockedJob {
  class: string;
  queue: string;
  jid: string;
}

/**
 * Writes locks as sidekiq-unique-jobs 8 does (lock.lua): of some jobs that wait for a retry, of the job that died last, and
 * of one that was deleted. Locks of jobs that have gone on are released.
 */
export class Locks {
  private held: string[] = [];

  constructor(
    private readonly redis: Redis,
    private readonly format: Pick<Format, 'seconds'>,
    private readonly startsAt: number
  ) {}

  async refresh(): Promise<void> {
    const [retries, dead] = await Promise.all([
      this.redis.zrange('retry', String(-JOBS_OF_SET), '-1'),
      this.redis.zrange('dead', '-1', '-1'),
    ]);
    const pipeline = this.redis.pipeline();
    for (const digest of this.held) {
      pipeline.zrem('uniquejobs:digests', digest).del(digest, `${digest}:LOCKED`, `${digest}:INFO`);
    }
    const jobs = [...retries, ...dead].map((raw) => JSON.parse(raw) as LockedJob & { created_at: number });
    this.held = [
      ...jobs.map((job) => write(pipeline, job, this.format.seconds(job.created_at))),
      write(pipeline, DELETED, this.startsAt),
    ];
    await pipeline.exec();
  }
}

function write(pipeline: ReturnType<Redis['pipeline']>, { jid, class: name, queue }: LockedJob, at: number): string {
  const digest = `uniquejobs:${createHash('md5').update(jid).digest('hex')}`;
  const info = { worker: name, queue, limit: null, timeout: 0, ttl: null, type: 'until_executed', time: at };
  pipeline
    .set(digest, jid)
    .hset(`${digest}:LOCKED`, jid, at)
    .set(`${digest}:INFO`, JSON.stringify(info))
    .zadd('uniquejobs:digests', at, digest);
  return digest;
}

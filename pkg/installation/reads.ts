import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import type { Recorder } from '../series/recorder';
import { commaSeparated } from '../settings/endpoint';
import type { Options } from '../settings/model';
import { sampleBacklog } from '../sidekiq/browse/backlog';
import { readDays, readDeployMarks } from '../sidekiq/browse/days';
import { findJob, type Place } from '../sidekiq/browse/findJob';
import { redisInfo } from '../sidekiq/browse/info';
import { readJobs, type JobsAsked } from '../sidekiq/browse/jobs';
import { readProfiles } from '../sidekiq/browse/profiles';
import { readRecurring } from '../sidekiq/browse/recurring';
import type { MinuteCounts } from '../sidekiq/jobMetrics';
import type { Minutes } from '../sidekiq/minutes';
import { iteration } from '../sidekiq/parts/iteration';
import type { Resolution } from '../sidekiq/parts/minute';
import { readPart } from '../sidekiq/parts/part';

interface Range {
  from: number;
  to: number;
}

/**
 * The bounded reads that a query may make beside the state, each in a few round trips. Instants are epoch seconds.
 * Every read throws a `Fault` where Redis is away or refuses all of it; what is refused in part is told by notices.
 */
export class Reads {
  constructor(
    private readonly redis: ReadOnlyRedis,
    private readonly minutes: Minutes,
    private readonly recorder: Recorder,
    private readonly options: Options,
    private readonly signal?: AbortSignal
  ) {}

  /** A page of stored jobs. */
  jobs(asked: Omit<JobsAsked, 'signal'>) {
    return readJobs(this.redis, { ...asked, ...(this.signal && { signal: this.signal }) });
  }

  /** A stored job by its id, and the state of its iteration. */
  async job(jid: string, places: readonly Place[]) {
    const found = await findJob(this.redis, jid, places, this.signal);
    const state = found.job && (await readPart(this.redis, iteration, jid, this.signal)).value;
    return { ...found, iteration: state };
  }

  /** Both ends of some queues. */
  backlog(names: readonly string[]) {
    return sampleBacklog(this.redis, names, this.signal);
  }

  /** Entries of sidekiq-cron and sidekiq-scheduler. */
  recurring(now: number) {
    return readRecurring(this.redis, commaSeparated(this.options.cronNamespaces), now, this.signal);
  }

  /** Profiles of executions. */
  profiles(now: number) {
    return readProfiles(this.redis, now, this.signal);
  }

  /** The lines of INFO. */
  async info() {
    return (await readPart(this.redis, redisInfo, undefined, this.signal)).value;
  }

  /** Sidekiq's own counters by UTC day. */
  days(range: Range, now: number) {
    return readDays(this.redis, range, now, this.signal);
  }

  deployMarks(range: Range, now: number) {
    return readDeployMarks(this.redis, range, now, this.signal);
  }

  /** Executions by class, bucket by bucket. */
  buckets(range: Range, resolution: Resolution, now: number) {
    return this.minutes.read(this.redis, range, resolution, now, this.signal);
  }

  /** Durations of classes in some minutes. */
  durations(jobClasses: readonly string[], buckets: readonly MinuteCounts[], now: number) {
    return this.minutes.readDurations(this.redis, jobClasses, buckets, now, this.signal);
  }

  /** Figures over time as the sampler has seen them. */
  get history(): Pick<Recorder, 'keys' | 'read' | 'oldest'> {
    return this.recorder;
  }
}

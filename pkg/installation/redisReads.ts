import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import type { Options } from '../settings/model';
import { schedulerOptions } from './schedulers';
import { sampleBacklog } from '../sidekiq/browse/backlog';
import { clientList } from '../sidekiq/browse/clients';
import { readContexts, type ContextsAsked } from '../sidekiq/browse/contexts';
import { readDays, readDeployMarks } from '../sidekiq/browse/days';
import { readDueQueues } from '../sidekiq/browse/dueJobs';
import { findJob, type Place } from '../sidekiq/browse/findJob';
import { redisInfo } from '../sidekiq/browse/info';
import { readJobs, type JobsAsked } from '../sidekiq/browse/jobs';
import type { LocksAsked } from '../sidekiq/browse/locks';
import { readProfiles } from '../sidekiq/browse/profiles';
import { readRecurring, type DisabledUntil } from '../sidekiq/browse/recurring';
import type { MinuteCounts } from '../sidekiq/jobMetrics';
import { batch } from '../sidekiq/parts/batch';
import { readIterations } from '../sidekiq/parts/iteration';
import type { Resolution } from '../sidekiq/parts/minute';
import { readPart } from '../sidekiq/parts/part';
import type { Range, Reads } from '../source/reads';
import { recordedMinutes } from '../recording/pastReads';
import type { PastStates } from '../recording/pastStates';
import { MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { Memory } from './memory';

/** The reads of the present, each in a few round trips. */
export class RedisReads implements Reads {
  readonly besideAt = null;
  readonly minutesKeptSeconds = MINUTES_KEPT_SECONDS;

  constructor(
    private readonly redis: ReadOnlyRedis,
    private readonly memory: Pick<Memory, 'minutes' | 'recorder' | 'failures' | 'locks' | 'recordings'>,
    private readonly options: Options,
    private readonly past: Pick<PastStates, 'failuresAt'>,
    private readonly signal?: AbortSignal
  ) {}

  /** A page of stored jobs. */
  jobs(asked: Omit<JobsAsked, 'signal'>) {
    return readJobs(this.redis, { ...asked, ...(this.signal && { signal: this.signal }) });
  }

  /** The failures of the retry and the dead set; what has not changed is not read again. */
  async failures(now: number) {
    const { retry, dead } = this.memory.failures;
    return { retry: await retry.read(this.redis, now), dead: await dead.read(this.redis, now) };
  }

  failuresAt(asOf: number) {
    return this.past.failuresAt(asOf);
  }

  /** A stored job by its id. */
  job(jid: string, places: readonly Place[]) {
    return findJob(this.redis, jid, places, this.signal);
  }

  /** How far IterableJobs have come. */
  iterations(jids: readonly string[]) {
    return readIterations(this.redis, jids, this.signal);
  }

  /** A batch of sidekiq-batch. */
  async batch(bid: string) {
    return (await readPart(this.redis, batch, bid, this.signal)).value;
  }

  /** Queues for which scheduled jobs and retries are due. */
  dueQueues(now: number) {
    return readDueQueues(this.redis, now, this.signal);
  }

  /** Both ends of some queues. */
  backlog(names: readonly string[]) {
    return sampleBacklog(this.redis, names, this.signal);
  }

  /** Entries of sidekiq-cron and sidekiq-scheduler. */
  recurring(now: number, disabledUntil: DisabledUntil) {
    return readRecurring(this.redis, schedulerOptions(this.options), now, disabledUntil, this.signal);
  }

  /** The connections of the server. */
  async clients() {
    return (await readPart(this.redis, clientList, undefined, this.signal)).value;
  }

  /** Jobs by a field of their context. */
  contexts(asked: ContextsAsked) {
    return readContexts(this.redis, asked, this.signal);
  }

  /** Locks and throttles; what was seen of them before is remembered. */
  locks(asked: LocksAsked) {
    return this.memory.locks.read(this.redis, asked, this.signal);
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
    return this.memory.minutes.read(this.redis, range, resolution, now, this.signal);
  }

  /** Durations of classes in some minutes. */
  durations(jobClasses: readonly string[], buckets: readonly MinuteCounts[], now: number) {
    return this.memory.minutes.readDurations(this.redis, jobClasses, buckets, now, this.signal);
  }

  /** Minutes that Redis may no longer have. */
  recordedMinutes(range: Range) {
    return recordedMinutes(this.memory.recordings, range);
  }

  /** Figures over time as the sampler has seen them. */
  async history() {
    return this.memory.recorder;
  }
}

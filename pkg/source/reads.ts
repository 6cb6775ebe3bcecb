import type { FigureReads } from '../series/store';
import type { BacklogSample } from '../sidekiq/browse/backlog';
import type { Client } from '../sidekiq/browse/clients';
import type { ContextsAsked, ContextsRead } from '../sidekiq/browse/contexts';
import type { DayCounts } from '../sidekiq/browse/days';
import type { DueQueues } from '../sidekiq/browse/dueJobs';
import type { FailuresRead } from '../sidekiq/browse/failures';
import type { JobFound, Place } from '../sidekiq/browse/findJob';
import type { JobsAsked, JobsPage } from '../sidekiq/browse/jobs';
import type { LocksAsked, LocksRead } from '../sidekiq/browse/locks';
import type { Profile } from '../sidekiq/browse/profiles';
import type { DisabledUntil, RecurringEntry } from '../sidekiq/browse/recurring';
import type { Durations, MinuteCounts } from '../sidekiq/jobMetrics';
import type { DeployMark, Notice } from '../sidekiq/model';
import type { Batch } from '../sidekiq/parts/batch';
import type { Iteration } from '../sidekiq/parts/iteration';
import type { Resolution } from '../sidekiq/parts/minute';

/** A range of time, epoch seconds. */
export interface Range {
  from: number;
  to: number;
}

/** Buckets of a range with what should be known of them. */
export interface BucketsRead {
  /** Oldest first, those without executions included. */
  buckets: MinuteCounts[];
  notices: readonly Notice[];
}

export interface DurationsRead {
  durations: Durations[];
  notices: readonly Notice[];
}

export interface RecordedMinutes {
  minutes: MinuteCounts[];
  durations: Durations[];
  missing: number;
}

/** The failures of both sets as they were at an instant, epoch seconds. */
export interface FailuresRecorded {
  readonly at: number;
  readonly retry: FailuresRead;
  readonly dead: FailuresRead;
}

/**
 * What a query may read beside the state, within bounds: from Redis for the present, from what was recorded for the
 * past. Instants are epoch seconds.
 *
 * - What is refused in part is told by notices; a read that is refused as a whole, or that was not recorded, throws a
 *   `Fault`.
 * - Reads may run concurrently.
 */
export interface Reads {
  /** When that which is recorded beside the readings was read; `null` for the present, and where it was not recorded. */
  readonly besideAt: number | null;
  /** A page of stored jobs. */
  jobs(asked: Omit<JobsAsked, 'signal'>): Promise<JobsPage>;
  /** The failures of the retry and the dead set. */
  failures(now: number): Promise<{ retry: FailuresRead; dead: FailuresRead }>;
  /** The same as they were recorded before an instant, those of one kind and hour as one; `null` where they were not. */
  failuresAt(asOf: number): Promise<FailuresRecorded | null>;
  /** A stored job by its id. */
  job(jid: string, places: readonly Place[]): Promise<JobFound>;
  /** How far IterableJobs have come, by job id; jobs without such a state are left out. */
  iterations(jids: readonly string[]): Promise<ReadonlyMap<string, Iteration>>;
  /** A batch of sidekiq-batch. */
  batch(bid: string): Promise<Batch | null>;
  /** Queues for which scheduled jobs and retries are due. */
  dueQueues(now: number): Promise<DueQueues>;
  /** Both ends of some queues. `at`: when they were looked into, absent for the present. */
  backlog(
    names: readonly string[]
  ): Promise<{ samples: BacklogSample[]; notices: readonly Notice[]; at?: number | undefined }>;
  /** Entries of sidekiq-cron and sidekiq-scheduler. */
  recurring(
    now: number,
    disabledUntil: DisabledUntil
  ): Promise<{ entries: readonly RecurringEntry[]; notices: readonly Notice[] }>;
  /** The connections of the server; an optional right. */
  clients(): Promise<readonly Client[]>;
  /** Jobs by a field of their context. */
  contexts(asked: ContextsAsked): Promise<ContextsRead>;
  /** Locks and throttles, the oldest first, with where their jobs are. */
  locks(asked: LocksAsked): Promise<LocksRead>;
  /** Profiles of executions. */
  profiles(now: number): Promise<{ profiles: Profile[]; notices: readonly Notice[] }>;
  /** The lines of INFO by name. */
  info(): Promise<ReadonlyMap<string, string>>;
  /** Sidekiq's own counters by UTC day, oldest first. */
  days(range: Range, now: number): Promise<{ days: DayCounts[]; notices: readonly Notice[] }>;
  /** Deploy marks of a range, oldest first. */
  deployMarks(range: Range, now: number): Promise<{ marks: DeployMark[]; notices: readonly Notice[] }>;
  /** Seconds for which minutes of executions and their durations are kept: eight hours in Redis. */
  readonly minutesKeptSeconds: number;
  /** Executions by class, bucket by bucket. */
  buckets(range: Range, resolution: Resolution, now: number): Promise<BucketsRead>;
  /** Durations of classes in some of the minutes that {@link buckets} gave. */
  durations(jobClasses: readonly string[], buckets: readonly MinuteCounts[], now: number): Promise<DurationsRead>;
  /** Minutes of executions that were recorded, oldest first, and how many of the range are missing. */
  recordedMinutes(range: Range): Promise<RecordedMinutes>;
  /** The figures over time. */
  history(): Promise<FigureReads>;
}

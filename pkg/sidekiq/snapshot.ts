import type { Cost } from '../redis/readOnlyRedis';
import type { RecurringEntry } from './browse/recurring';
import type { Durations, MinuteCounts } from './jobMetrics';
import type { DeployMark, Listed, Notice, Process, Queue, Totals, Work } from './model';

/**
 * What one reading found: immutable, of one instant, complete or with notices that say what is missing.
 * Instants are epoch seconds. Every view is made from this alone.
 */
export interface Snapshot {
  /** The instant ages are counted to: Redis' clock. */
  readonly at: number;
  readonly totals: Totals;
  /** Every queue pushed to or served, by name. */
  readonly queues: Listed<Queue>;
  /** Live processes by identity. */
  readonly processes: Listed<Process>;
  /** Names in the set `processes` whose hash has expired: processes that ended without a clean stop. */
  readonly ghosts: Listed<string>;
  /** Jobs in progress, longest running first, those of unknown start last. */
  readonly work: Listed<Work>;
  /**
   * IDs of the jobs that are taken next of the queues that were looked into, those in which lost jobs may wait again; and of
   * the lost jobs that lie in a set.
   */
  readonly nextJobs: readonly string[];
  /** Identity of Sidekiq Enterprise's leader, `''` without one; `null` where refused. */
  readonly leader: string | null;
  /** Deploy marks of today and yesterday, oldest first. */
  readonly marks: Listed<DeployMark>;
  /** The last 60 minutes of executions by class, newest first, the current minute included. */
  readonly minutes: Listed<MinuteCounts>;
  /** Durations of the minutes that may still change, by class. */
  readonly durations: readonly Durations[];
  /** Entries of sidekiq-cron and sidekiq-scheduler. */
  readonly recurring: Listed<RecurringEntry>;
  /** Some key that only Sidekiq writes was found; `null` where that could not be told. */
  readonly hasSidekiq: boolean | null;
  /** Commands that were refused, by the part they belong to. */
  readonly refused: ReadonlyMap<string, number>;
  readonly notices: readonly Notice[];
  readonly cost: Readonly<Cost>;
}

import type { Cost } from '../redis/readOnlyRedis';
import type { Bucket } from './jobMetrics';
import type { Process } from './process';
import type { Queue } from './queue';
import type { Work } from './work';

/** Something the reader of a figure should know: a part that is missing, a cap that was reached. */
export interface Notice {
  severity: 'info' | 'warning' | 'error';
  text: string;
}

/** Counters and set sizes. `null` where Redis refused the read; a notice says so. */
export interface Totals {
  /** Finished executions since ever, failures included. */
  processed: number | null;
  failed: number | null;
  /** Of the current UTC day. */
  processedToday: number | null;
  failedToday: number | null;
  scheduled: number | null;
  retry: number | null;
  dead: number | null;
  /** Members of the set `processes`, dead ones included. */
  processNames: number | null;
  /** Scheduled jobs and retries whose time has come but which no process has moved yet. */
  overdueScheduled: number | null;
  overdueRetry: number | null;
  /** Scheduled jobs that ActiveJob's `retry_on` put back, by the share among the next ones due. */
  activeJobRetries: number | null;
  /** Jobs that died within the last hour and are still kept. */
  deadLastHour: number | null;
}

/** How long the successful executions of a class took in one minute. */
export interface Durations {
  /** Epoch seconds at which the minute begins. */
  startsAt: number;
  jobClass: string;
  /** Executions per duration bucket, see HISTOGRAM_BOUNDS_MS. */
  counts: readonly number[];
}

/** A deploy mark written by `Sidekiq::Deploy`. */
export interface DeployMark {
  at: number;
  label: string;
}

/**
 * What one reading found: immutable, of one instant, complete or with notices that say what is missing.
 * Instants are epoch seconds. Every view is made from this alone.
 */
export interface Snapshot {
  /** The instant ages are counted to: Redis' clock. */
  readonly at: number;
  readonly totals: Readonly<Totals>;
  /** Every queue pushed to or served, by name. */
  readonly queues: readonly Queue[];
  /** Live processes by identity. */
  readonly processes: readonly Process[];
  /** Names in the set `processes` whose hash has expired: processes that died without a word. */
  readonly ghosts: readonly string[];
  /** Jobs in progress, longest running first. */
  readonly work: readonly Work[];
  /** Identity of Sidekiq Enterprise's leader, or `''`. */
  readonly leader: string;
  /** Deploy marks of today and yesterday, oldest first. */
  readonly marks: readonly DeployMark[];
  /** The last 60 minutes of executions by class, newest first, the current minute included. */
  readonly minutes: readonly Bucket[];
  /** Durations of the minutes that may still change, by class. */
  readonly durations: readonly Durations[];
  /** Some key that only Sidekiq writes was found. */
  readonly hasSidekiq: boolean;
  readonly notices: readonly Notice[];
  readonly cost: Readonly<Cost>;
}

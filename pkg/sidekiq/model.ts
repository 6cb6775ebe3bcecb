import type { Job } from './payload';

/** Something the reader of a figure should know: a part that is missing, a cap that was reached. */
export interface Notice {
  severity: 'info' | 'warning' | 'error';
  text: string;
}

/** A list, and whether all of it is known: nothing of it was refused, cut or unreadable. */
export interface Listed<T> {
  readonly items: readonly T[];
  readonly whole: boolean;
}

/**
 * Sidekiq's processes look for due jobs every five seconds on average together, each at a random instant
 * (`average_scheduled_poll_interval`), and 15 seconds after a start at the earliest: what is due for longer waits for a
 * process that does not look.
 */
export const POLLER_LATE_SECONDS = 60;

/** Counters and set sizes. `null` where Redis refused the read or holds no count; a notice says so. */
export interface Totals {
  /** Finished executions since Sidekiq first ran here, failures included. */
  readonly processed: number | null;
  readonly failed: number | null;
  /** Of the current UTC day. */
  readonly processedToday: number | null;
  readonly failedToday: number | null;
  readonly scheduled: number | null;
  readonly retry: number | null;
  readonly dead: number | null;
  /** Members of the set `processes`, dead ones included. */
  readonly processNames: number | null;
  /** Scheduled jobs and retries whose time has come but which no process has moved yet. */
  readonly overdueScheduled: number | null;
  readonly overdueRetry: number | null;
  /** Those of them that have been due for more than {@link POLLER_LATE_SECONDS}. */
  readonly lateScheduled: number | null;
  readonly lateRetry: number | null;
  /** Scheduled jobs that ActiveJob's `retry_on` put back, by the share among the next ones due. */
  readonly activeJobRetries: number | null;
  /** Jobs that died within the last hour and are still kept. */
  readonly deadLastHour: number | null;
}

/** One queue. */
export interface Queue {
  readonly name: string;
  /** Jobs that wait; `null` where the length was refused. */
  readonly size: number | null;
  /**
   * Seconds the oldest job has waited; 0 when the queue is empty, `null` when no plausible time can be read. Below 0
   * where clocks differ.
   */
  readonly latencySeconds: number | null;
  /** Paused in Sidekiq Pro, or by sidekiq-limit_fetch, sidekiq-queue-pause, sidekiq-pauzer or sidekiq-throttled; `null` where refused. */
  readonly paused: boolean | null;
  /** In the set `queues`; false for a queue that a process serves but nobody ever pushed to. */
  readonly known: boolean;
  /** The job that is next in line. */
  readonly next: Job | null;
}

/** A named group of threads of one process, with the queues it serves and their weights. */
export interface Capsule {
  readonly name: string;
  /** Its threads; `null` where no plausible number is written, as in processes of several capsules before 8.0.9. */
  readonly concurrency: number | null;
  /** `null` where the record does not tell in which order the queues are served (before 7.0.2). */
  readonly mode: 'strict' | 'weighted' | 'random' | null;
  /** Weight by queue in the order of service; all 0 in strict order, and where the mode is not known. */
  readonly weights: ReadonlyMap<string, number>;
}

/** One live Sidekiq process. Instants are epoch seconds; figures are `null` where no plausible value is written. */
export interface Process {
  readonly identity: string;
  readonly host: string;
  readonly pid: number | null;
  readonly tag: string;
  readonly labels: readonly string[];
  /** `''` before Sidekiq 7.0.2, which did not write it. */
  readonly version: string;
  readonly startedAt: number | null;
  /** Sidekiq got TSTP or TERM: it takes no new jobs. */
  readonly quiet: boolean;
  readonly embedded: boolean;
  readonly beatAt: number | null;
  /** Seconds since the last heartbeat, by Redis' own clock where its key expires. */
  readonly beatAgeSeconds: number | null;
  /** Jobs in flight as of the heartbeat. */
  readonly busy: number | null;
  readonly concurrency: number | null;
  readonly rssBytes: number | null;
  readonly rttSeconds: number | null;
  /** Every queue it serves, in the order Sidekiq wrote them. */
  readonly queues: readonly string[];
  readonly capsules: readonly Capsule[];
}

/** A job that runs, as its process last reported it. Instants are epoch seconds. */
export interface Work {
  readonly process: string;
  readonly thread: string;
  readonly queue: string;
  readonly class: string;
  readonly metricsClass: string;
  readonly jid: string;
  /** When it began to run; `null` where the record holds no plausible time. */
  readonly runAt: number | null;
  readonly enqueuedAt: number | null;
}

/** Where a reading looks for jobs of processes that are gone. */
export interface LookedFor {
  /** Queues in which they may wait again: super_fetch puts them back. */
  readonly queues: readonly string[];
  /** Queues of super_fetch in which a process that is gone has kept them; most do not exist. */
  readonly privateQueues: readonly string[];
  /** IDs of those that may be in a set: they had failed, or were put off, after the process last wrote what it runs. */
  readonly jids: ReadonlySet<string>;
  /** Entries of sets that tell of an earlier time are none of them. Epoch seconds. */
  readonly since: number;
}

/** A deploy mark written by `Sidekiq::Deploy`; `at` in epoch seconds. */
export interface DeployMark {
  readonly at: number;
  readonly label: string;
}

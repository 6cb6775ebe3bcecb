import { addExecutions, noExecutions, sumCounts, type ClassCounts } from './jobMetrics';
import type { Process } from './model';
import { sumOrNull } from './parts/process';
import type { Snapshot } from './snapshot';

/** Figures of a whole installation at the instant of a snapshot. `null` where a part that they need was refused. */
export interface InstallationTotals {
  readonly processed: number | null;
  readonly failed: number | null;
  /** Failed share of the last executions by the job metrics, see {@link RecentCounts}, or of today's counters; 0 to 1. */
  readonly failureRate: number | null;
  /** Executions that it is the share of. */
  readonly ratedExecutions: number | null;
  /** Jobs that run now, by the work records: the sum over the queues. */
  readonly busy: number | null;
  /** Threads that run a job, as the processes reported with their last heartbeat. */
  readonly busyThreads: number | null;
  /** Those of processes that still take jobs. */
  readonly busyReadyThreads: number | null;
  readonly threads: number | null;
  /** Threads of processes that still take jobs. */
  readonly readyThreads: number | null;
  /** Busy share of all threads, 0 to 1. */
  readonly utilisation: number | null;
  readonly processes: number | null;
  readonly quietProcesses: number | null;
  readonly ghosts: number | null;
  /** Jobs waiting in all queues. */
  readonly enqueued: number | null;
  /** The longest wait of any queue, in seconds. */
  readonly latencyMaxSeconds: number | null;
  readonly oldestHeartbeatSeconds: number | null;
  /** Executions of the last hour by class; `null` where a minute of it was refused. */
  readonly lastHour: ReadonlyMap<string, Readonly<ClassCounts>> | null;
  /** The last executions by class; `null` in the same case. */
  readonly recent: ReadonlyMap<string, RecentCounts> | null;
}

/** Of fewer executions no share is told. */
export const FEWEST_EXECUTIONS = 20;
const QUARTER_SECONDS = 900;
const HOUR_SECONDS = 3600;

/** Executions of the last 15 minutes, or of the last hour where those are fewer than {@link FEWEST_EXECUTIONS}. */
export interface RecentCounts extends Readonly<ClassCounts> {
  /** Of how many seconds. */
  readonly seconds: number;
}

/** Adds up a snapshot. */
export function installationTotals(snapshot: Snapshot): InstallationTotals {
  const { processes, queues, totals, ghosts, minutes, work } = snapshot;
  const ofProcesses = <T>(value: T): T | null => (processes.whole ? value : null);
  const ready = processes.items.filter(({ quiet }) => !quiet);
  const busyOf = (some: readonly Process[]) => ofProcesses(sumOrNull(some.map(({ busy }) => busy)));
  const busyThreads = busyOf(processes.items);
  const threads = ofProcesses(sumOrNull(processes.items.map(({ concurrency }) => concurrency)));
  const beats = processes.items.flatMap(({ beatAgeSeconds }) => beatAgeSeconds ?? []);
  const lastHour = minutes.whole ? sumCounts(minutes.items) : null;
  const lastMinutes = minutes.items.filter(({ startsAt }) => startsAt + 60 > snapshot.at - QUARTER_SECONDS);
  const lastQuarter = sumCounts(lastMinutes);
  const rated = ratedOf(lastHour, lastQuarter, snapshot);
  return {
    processed: totals.processed,
    failed: totals.failed,
    failureRate: rated && (rated.processed === 0 ? null : rated.failed / rated.processed),
    ratedExecutions: rated && rated.processed,
    busy: work.whole ? work.items.length : null,
    busyThreads,
    busyReadyThreads: busyOf(ready),
    threads,
    readyThreads: ofProcesses(sumOrNull(ready.map(({ concurrency }) => concurrency))),
    utilisation:
      busyThreads === null || threads === null ? null : threads === 0 ? 0 : Math.min(1, busyThreads / threads),
    processes: ofProcesses(processes.items.length),
    quietProcesses: ofProcesses(processes.items.length - ready.length),
    ghosts: ghosts.whole ? ghosts.items.length : null,
    enqueued: queues.whole ? sumOrNull(queues.items.map(({ size }) => size)) : null,
    latencyMaxSeconds: queues.whole ? longestWait(snapshot) : null,
    oldestHeartbeatSeconds: beats.length === 0 ? null : ofProcesses(Math.max(...beats)),
    lastHour,
    recent: lastHour && new Map([...lastHour].map(([name, hour]) => [name, recentOf(lastQuarter.get(name), hour)])),
  };
}

function recentOf(quarter: Readonly<ClassCounts> | undefined, hour: Readonly<ClassCounts>): RecentCounts {
  return quarter && quarter.processed >= FEWEST_EXECUTIONS
    ? { ...quarter, seconds: QUARTER_SECONDS }
    : { ...hour, seconds: HOUR_SECONDS };
}

/** A version is longer only by mistake. */
const LONGEST_VERSION = 50;

/** Sidekiq's versions among the live processes; before 7.0.2 it did not write one. */
export function versionsOf({ processes }: Snapshot): string[] {
  return [...new Set(processes.items.map(({ version }) => version.slice(0, LONGEST_VERSION) || 'before 7.0.2'))].sort();
}

const MOST_VERSIONS = 5;

/** Sidekiq with its versions, as a noun; processes that may not be read are not said to be none. */
export function versionsText(snapshot: Snapshot): string {
  const versions = versionsOf(snapshot);
  if (versions.length > 0) {
    return `Sidekiq ${versions.slice(0, MOST_VERSIONS).join(', ')}`;
  }
  return snapshot.processes.whole ? 'Sidekiq (no process is running)' : 'Sidekiq (its processes are unknown)';
}

/** A queue whose wait is not known may be the one that waits longest. */
function longestWait({ queues }: Snapshot): number | null {
  const waits = queues.items.map(({ latencySeconds }) => latencySeconds);
  return waits.reduce<number | null>((max, wait) => (max === null || wait === null ? null : Math.max(max, wait)), 0);
}

/** The executions by which failures are rated: the last ones, or those of today where Sidekiq keeps no job metrics (before 7.0). */
function ratedOf(
  lastHour: InstallationTotals['lastHour'],
  lastQuarter: ReadonlyMap<string, Readonly<ClassCounts>>,
  { totals, processes }: Snapshot
): Pick<ClassCounts, 'processed' | 'failed'> | null {
  if (lastHour === null) {
    return null;
  }
  const hour = inAll(lastHour);
  // From 7.0.2 on processes write their version: an hour without executions is one in which nothing ran.
  if (hour.processed > 0 || processes.items.some(({ version }) => version !== '')) {
    return recentOf(inAll(lastQuarter), hour);
  }
  const { processedToday, failedToday } = totals;
  return processedToday === null || failedToday === null ? null : { processed: processedToday, failed: failedToday };
}

function inAll(classes: ReadonlyMap<string, Readonly<ClassCounts>>): ClassCounts {
  const sum = noExecutions();
  classes.forEach((counts) => addExecutions(sum, counts));
  return sum;
}

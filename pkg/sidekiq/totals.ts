import type { Snapshot } from './snapshot';

/** Figures of a whole installation at the instant of a snapshot. `null` where Redis refused the read. */
export interface InstallationTotals {
  processed: number | null;
  failed: number | null;
  /** Failed share of the last hour's executions by the job metrics, or of today's counters; 0 to 1. */
  failureRate: number | null;
  /** Jobs in flight as the processes reported with their last heartbeat. */
  busy: number;
  threads: number;
  /** Threads of processes that still take jobs. */
  readyThreads: number;
  /** Busy share of all threads, 0 to 1. */
  utilisation: number;
  processes: number;
  quietProcesses: number;
  /** Jobs waiting in all queues. */
  enqueued: number;
  /** The longest wait of any queue, in seconds. */
  latencyMaxSeconds: number;
  oldestHeartbeatSeconds: number | null;
}

/** Adds up a snapshot. */
export function installationTotals(snapshot: Snapshot): InstallationTotals {
  const { processes, queues, totals } = snapshot;
  const busy = add(processes.map((process) => process.busy));
  const threads = add(processes.map((process) => process.concurrency));
  const beats = processes.flatMap(({ beatAgeSeconds }) => beatAgeSeconds ?? []);
  return {
    processed: totals.processed,
    failed: totals.failed,
    failureRate: failureRate(snapshot),
    busy,
    threads,
    readyThreads: add(processes.filter(({ quiet }) => !quiet).map((process) => process.concurrency)),
    utilisation: threads === 0 ? 0 : busy / threads,
    processes: processes.length,
    quietProcesses: processes.filter(({ quiet }) => quiet).length,
    enqueued: add(queues.map(({ size }) => size)),
    latencyMaxSeconds: queues.reduce((max, { latencySeconds }) => Math.max(max, latencySeconds ?? 0), 0),
    oldestHeartbeatSeconds: beats.length === 0 ? null : Math.max(...beats),
  };
}

/** Sidekiq's versions among the live processes; before 7.0.2 it did not write one. */
export function versionsOf({ processes }: Snapshot): string[] {
  return [...new Set(processes.map(({ version }) => version || 'before 7.0.2'))].sort();
}

function failureRate({ minutes, totals }: Snapshot): number | null {
  let processed = 0;
  let failed = 0;
  for (const { classes } of minutes) {
    for (const counts of classes.values()) {
      processed += counts.processed;
      failed += counts.failed;
    }
  }
  if (processed > 0) {
    return failed / processed;
  }
  return totals.processedToday ? (totals.failedToday ?? 0) / totals.processedToday : null;
}

function add(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}

import type { Snapshot } from '../sidekiq/snapshot';
import { installationTotals, type InstallationTotals } from '../sidekiq/totals';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row {
  snapshot: Snapshot;
  deadMaxJobs: number;
  totals: InstallationTotals;
}

const columns: Array<Column<Row>> = [
  {
    name: 'processed',
    title: 'Processed',
    kind: 'number',
    unit: 'short',
    description: 'Jobs finished since ever, failures included.',
    value: ({ totals }) => totals.processed,
  },
  {
    name: 'failed',
    title: 'Failed',
    kind: 'number',
    unit: 'short',
    description: 'Executions that raised, since ever.',
    value: ({ totals }) => totals.failed,
  },
  {
    name: 'failureRate',
    title: 'Failure rate',
    kind: 'number',
    unit: 'percentunit',
    description: 'Failed share of the executions of the last hour (job metrics), or of today where there are none.',
    value: ({ totals }) => totals.failureRate,
  },
  {
    name: 'busy',
    title: 'Busy',
    kind: 'number',
    unit: 'short',
    description: 'Jobs in progress as of the last heartbeats.',
    value: ({ totals }) => totals.busy,
  },
  {
    name: 'threads',
    title: 'Threads',
    kind: 'number',
    unit: 'short',
    description: 'Threads of all live processes.',
    value: ({ totals }) => totals.threads,
  },
  {
    name: 'readyThreads',
    title: 'Ready threads',
    kind: 'number',
    unit: 'short',
    description: 'Threads of processes that still take jobs (not quiet).',
    value: ({ totals }) => totals.readyThreads,
  },
  {
    name: 'utilisation',
    title: 'Utilisation',
    kind: 'number',
    unit: 'percentunit',
    description: 'Busy share of all threads.',
    config: { min: 0, max: 1 },
    value: ({ totals }) => totals.utilisation,
  },
  {
    name: 'processes',
    title: 'Processes',
    kind: 'number',
    unit: 'short',
    description: 'Live processes: those whose heartbeat has not expired.',
    value: ({ totals }) => totals.processes,
  },
  {
    name: 'quietProcesses',
    title: 'Quiet processes',
    kind: 'number',
    unit: 'short',
    description: 'Processes that finish their jobs and take no new ones.',
    value: ({ totals }) => totals.quietProcesses,
  },
  {
    name: 'ghosts',
    title: 'Ghost processes',
    kind: 'number',
    unit: 'short',
    description: 'Names of processes that died without a word and were not yet cleaned up.',
    value: ({ snapshot }) => snapshot.ghosts.length,
  },
  {
    name: 'enqueued',
    title: 'Enqueued',
    kind: 'number',
    unit: 'short',
    description: 'Jobs waiting in all queues.',
    value: ({ totals }) => totals.enqueued,
  },
  {
    name: 'scheduled',
    title: 'Scheduled',
    kind: 'number',
    unit: 'short',
    description: 'Jobs to be enqueued later.',
    value: ({ snapshot }) => snapshot.totals.scheduled,
  },
  {
    name: 'retry',
    title: 'Retries',
    kind: 'number',
    unit: 'short',
    description: 'Failed jobs that wait for their next attempt.',
    value: ({ snapshot }) => snapshot.totals.retry,
  },
  {
    name: 'dead',
    title: 'Dead',
    kind: 'number',
    unit: 'short',
    description: 'Jobs that ran out of retries and are kept.',
    value: ({ snapshot }) => snapshot.totals.dead,
  },
  {
    name: 'deadFill',
    title: 'Dead set fill',
    kind: 'number',
    unit: 'percentunit',
    description: 'Share of dead_max_jobs (in the settings) that the dead set holds; full, the oldest are dropped.',
    value: ({ snapshot, deadMaxJobs }) => (snapshot.totals.dead === null ? null : snapshot.totals.dead / deadMaxJobs),
  },
  {
    name: 'deadLastHour',
    title: 'Died in the last hour',
    kind: 'number',
    unit: 'short',
    description: 'Jobs that died within the last hour and are still kept.',
    value: ({ snapshot }) => snapshot.totals.deadLastHour,
  },
  {
    name: 'activeJobRetries',
    title: 'ActiveJob retries',
    kind: 'number',
    unit: 'short',
    description:
      'Scheduled jobs that are retries of ActiveJob, which Sidekiq counts as successes: estimated from the next ones due.',
    value: ({ snapshot }) => snapshot.totals.activeJobRetries,
  },
  {
    name: 'overdueScheduled',
    title: 'Overdue scheduled',
    kind: 'number',
    unit: 'short',
    description: 'Scheduled jobs whose time has come and which no process has enqueued yet.',
    value: ({ snapshot }) => snapshot.totals.overdueScheduled,
  },
  {
    name: 'overdueRetry',
    title: 'Overdue retries',
    kind: 'number',
    unit: 'short',
    description: 'Retries whose time has come and which no process has enqueued yet.',
    value: ({ snapshot }) => snapshot.totals.overdueRetry,
  },
  {
    name: 'latencyMax',
    title: 'Longest wait',
    kind: 'number',
    unit: 's',
    description: 'Age of the oldest waiting job of any queue.',
    value: ({ totals }) => totals.latencyMaxSeconds,
  },
  {
    name: 'oldestHeartbeat',
    title: 'Oldest heartbeat',
    kind: 'number',
    unit: 's',
    description: 'Time since the last heartbeat of the most silent live process; healthy is up to about ten seconds.',
    value: ({ totals }) => totals.oldestHeartbeatSeconds,
  },
  {
    name: 'processedToday',
    title: 'Processed today',
    kind: 'number',
    unit: 'short',
    description: 'Jobs finished on this UTC day.',
    value: ({ snapshot }) => snapshot.totals.processedToday,
  },
  {
    name: 'failedToday',
    title: 'Failed today',
    kind: 'number',
    unit: 'short',
    description: 'Executions that raised on this UTC day.',
    value: ({ snapshot }) => snapshot.totals.failedToday,
  },
];

/** One row: the whole installation at a glance. */
export const overview = tableQuery({
  id: 'overview',
  title: 'Overview',
  description: 'The whole installation at a glance: totals, backlog, threads, retries and dead jobs.',
  schema: baseQuerySchema,
  columns,
  async rows({ snapshot, options }) {
    const current = await snapshot();
    const row = { snapshot: current, totals: installationTotals(current), deadMaxJobs: options.deadMaxJobs };
    return { rows: [row], notices: current.notices };
  },
});

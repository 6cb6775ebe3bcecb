import { busiestType, capacityOfQueues, firstToBreach, utilisationOf } from '../watch/capacity';
import { longestWaiting } from '../observe/queueCondition';
import type { State } from '../watch/state';
import { BREACHED } from './breachColumns';
import { count, seconds, share, text } from './columns';
import { FEWEST_EXECUTIONS } from '../sidekiq/totals';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';
import { POLLER_LATE_SECONDS } from '../sidekiq/model';

const COLUMNS: Array<Column<State>> = [
  count('processed', 'Processed', 'Finished executions in total, failures included.', ({ totals }) => totals.processed),
  count('failed', 'Failed', 'Executions that raised, in total.', ({ totals }) => totals.failed),
  share(
    'failureRate',
    'Failure rate',
    `Failed share of the executions of the last 15 minutes, of the last hour where those are fewer than ${FEWEST_EXECUTIONS} (job metrics), or of today (before Sidekiq 7.0).`,
    ({ totals }) => totals.failureRate
  ),
  count(
    'ratedExecutions',
    'Executions rated',
    'Executions that the failure rate is of.',
    ({ totals }) => totals.ratedExecutions
  ),
  count('busy', 'Busy', 'Jobs in progress, by the work records.', ({ totals }) => totals.busy),
  count('threads', 'Threads', 'Threads of all live processes.', ({ totals }) => totals.threads),
  count(
    'readyThreads',
    'Ready threads',
    'Threads of processes that still take jobs (not quiet).',
    ({ totals }) => totals.readyThreads
  ),
  share('utilisation', 'Utilisation', 'Busy share of all threads.', ({ totals }) => totals.utilisation, {
    config: { min: 0, max: 1 },
  }),
  share(
    'utilisationMax',
    'Highest load',
    'Highest load of any worker type: demand over supply. Above 100% its backlog grows.',
    (state) => utilisationOf(busiestType(state))
  ),
  text(
    'busiestWorkerType',
    'Busiest worker type',
    'The worker type with the highest load.',
    (state) => busiestType(state)?.workerType ?? '',
    { beside: 'utilisationMax' }
  ),
  count(
    'processes',
    'Processes',
    'Live processes: those whose heartbeat has not expired.',
    ({ totals }) => totals.processes
  ),
  count(
    'quietProcesses',
    'Quiet processes',
    'Processes that finish their jobs and take no new ones.',
    ({ totals }) => totals.quietProcesses
  ),
  count(
    'ghosts',
    'Ghost processes',
    'Names of processes that ended without a clean stop and were not yet cleaned up.',
    ({ totals }) => totals.ghosts
  ),
  count('enqueued', 'Enqueued', 'Jobs waiting in all queues.', ({ totals }) => totals.enqueued),
  count('scheduled', 'Scheduled', 'Jobs to be enqueued later.', ({ snapshot }) => snapshot.totals.scheduled),
  count('retry', 'Retries', 'Failed jobs that wait for their next attempt.', ({ snapshot }) => snapshot.totals.retry),
  count('dead', 'Dead', 'Jobs that ran out of retries and are kept.', ({ snapshot }) => snapshot.totals.dead),
  share(
    'deadFill',
    'Dead set fill',
    'Share of dead_max_jobs (in the settings) that the dead set holds; when it is full, the oldest jobs are dropped.',
    ({ snapshot, options }) => (snapshot.totals.dead === null ? null : snapshot.totals.dead / options.deadMaxJobs)
  ),
  count(
    'deadLastHour',
    'Died in the last hour',
    'Jobs that died within the last hour and are still kept.',
    ({ snapshot }) => snapshot.totals.deadLastHour
  ),
  count(
    'activeJobRetries',
    'ActiveJob retries',
    'Scheduled jobs that are retries of ActiveJob, which Sidekiq counts as successes: estimated from the next ones due.',
    ({ snapshot }) => snapshot.totals.activeJobRetries
  ),
  count(
    'overdueScheduled',
    'Overdue scheduled',
    'Scheduled jobs whose time has come and which no process has enqueued yet.',
    ({ snapshot }) => snapshot.totals.overdueScheduled
  ),
  count(
    'overdueRetry',
    'Overdue retries',
    'Retries whose time has come and which no process has enqueued yet.',
    ({ snapshot }) => snapshot.totals.overdueRetry
  ),
  count(
    'lateScheduled',
    'Late scheduled',
    `Scheduled jobs that have been due for more than ${POLLER_LATE_SECONDS} seconds.`,
    ({ snapshot }) => snapshot.totals.lateScheduled
  ),
  count(
    'lateRetry',
    'Late retries',
    `Retries that have been due for more than ${POLLER_LATE_SECONDS} seconds.`,
    ({ snapshot }) => snapshot.totals.lateRetry
  ),
  seconds(
    'latencyMax',
    'Longest wait',
    'Age of the oldest waiting job of any queue.',
    ({ totals }) => totals.latencyMaxSeconds
  ),
  text(
    'longestWaitQueue',
    'Longest wait in',
    'The queue whose oldest job has waited longest.',
    // Where a wait is not known, so is which is the longest.
    ({ queues, totals }) => (totals.latencyMaxSeconds === null ? '' : (longestWaiting(queues)?.name ?? '')),
    { beside: 'latencyMax' }
  ),
  seconds(
    'breachIn',
    'Next breach in',
    'Least time until a queue will exceed its latency objective, if the flow goes on; 0 where one has. No value where none is expected within a day.',
    (state) => firstToBreach(capacityOfQueues(state))?.breach?.earliest ?? null,
    { config: { mappings: BREACHED } }
  ),
  text(
    'breachQueue',
    'Next breach of',
    'The queue that will exceed its objective first.',
    (state) => firstToBreach(capacityOfQueues(state))?.queue ?? '',
    { beside: 'breachIn' }
  ),
  seconds(
    'oldestHeartbeat',
    'Oldest heartbeat',
    'Time since the last heartbeat of the live process that has been silent longest; up to about ten seconds is healthy.',
    ({ totals }) => totals.oldestHeartbeatSeconds
  ),
  count(
    'processedToday',
    'Processed today',
    'Executions finished on this UTC day.',
    ({ snapshot }) => snapshot.totals.processedToday
  ),
  count(
    'failedToday',
    'Failed today',
    'Executions that raised on this UTC day.',
    ({ snapshot }) => snapshot.totals.failedToday
  ),
];

/** One row: the whole installation at a glance. */
export const overview = tableQuery({
  id: 'overview',
  group: 'Now',
  title: 'Overview',
  description: 'The whole installation at a glance: totals, backlog, threads, retries and dead jobs.',
  empty: 'No figure is available.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  live: true,
  rows: (state) => ({ rows: [state] }),
});

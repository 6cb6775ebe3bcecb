import { isLate } from '../observe/queueCondition';
import type { QueueState } from '../observe/queueState';
import { sumOrNull } from '../sidekiq/parts/process';
import { isMostlyIdle } from '../sidekiq/queueFacts';
import { capacityOfQueues } from '../watch/capacity';
import type { State } from '../watch/state';
import { countText, durationText, rangeText, waitText } from './texts';
import { LIMITS, type FindingRule } from './rule';

/** What is wrong with queues and the threads that serve them. */
export const QUEUE_RULES: readonly FindingRule[] = [
  {
    id: 'nothingRuns',
    severity: 'critical',
    when: 'Jobs wait, and no thread of any process takes jobs.',
    remedy: 'Start a Sidekiq process, or resume those that are quiet.',
    find: ({ state: { totals } }) =>
      totals.readyThreads !== 0 || totals.enqueued === null || totals.enqueued === 0
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `No process takes jobs; ${waitText(totals.enqueued)}.`,
              evidence: `${countText(totals.processes ?? 0, 'process', 'processes')}, ${totals.quietProcesses ?? 0} quiet`,
              cause:
                totals.processes === 0 ? 'No Sidekiq process is alive.' : 'All processes are quiet: they shut down.',
              since: null,
              weight: totals.enqueued,
            },
          ],
  },
  {
    id: 'queueUnserved',
    severity: 'critical',
    when: 'Jobs wait in a queue that no ready thread serves, though other queues are served.',
    remedy: 'Start a worker for the queue, or push its jobs to a queue that is served.',
    find: ({ state }) =>
      state.totals.readyThreads === 0
        ? []
        : state.queues
            .filter(({ unserved }) => unserved === true)
            .map((queue) => ({
              ...ofQueue(queue),
              text: `No process serves ${queue.name}; ${waitText(queue.size)}.`,
              cause:
                queue.processes === 0
                  ? 'No process is configured for this queue.'
                  : 'The processes that serve the queue are quiet.',
              since: unservedSince(queue, state),
            })),
  },
  {
    id: 'queueStarved',
    severity: 'warning',
    when: 'Strict order keeps every process that serves a queue busy with queues before it.',
    remedy: 'Give the queue a weight, a capsule or a process of its own.',
    find: ({ state }) =>
      state.queues
        .filter(({ starved }) => starved === true)
        .map((queue) => ({
          ...ofQueue(queue),
          text: `${queue.name} is starved; ${waitText(queue.size)}.`,
          cause: 'The processes of the queue work in strict order, and earlier queues are never empty.',
          since: waitingSince(queue, state.now),
        })),
  },
  {
    id: 'queueLate',
    severity: 'critical',
    when: 'The oldest job of a served queue has waited longer than the objective of the settings.',
    remedy:
      'Add threads for the queue, raise the limit that holds its jobs back, or find out why its jobs take longer than usual.',
    find: ({ state }) =>
      state.queues
        .filter((queue) => isLate(queue) === true)
        .map((queue) => ({
          ...ofQueue(queue),
          text: `${queue.name} is late: its oldest job has waited ${durationText(queue.waitSeconds!)}, the objective is ${durationText(queue.objectiveSeconds)}.`,
          cause: causeOfWait(queue),
          since: state.now - (queue.waitSeconds! - queue.objectiveSeconds),
        })),
  },
  {
    id: 'queueBreachesSoon',
    severity: 'warning',
    when: `A served queue will exceed its latency objective within ${durationText(LIMITS.breachWithinSeconds)} if its flow goes on, by each of the estimates.`,
    remedy: 'Add threads for the queue before it is late, or find out why more jobs come or they take longer.',
    find: ({ state }) =>
      capacityOfQueues(state).flatMap(({ queue: name, breach, objectiveSeconds, late }, index) => {
        const queue = state.queues[index]!;
        const told = late === true || queue.unserved === true || queue.starved === true;
        return told || breach === null || breach.latest === null || breach.latest > LIMITS.breachWithinSeconds
          ? []
          : [
              {
                ...ofQueue(queue),
                text: `${name} will exceed its objective of ${durationText(objectiveSeconds)} in ${rangeText(breach.earliest, breach.latest)}.`,
                cause: causeOfWait(queue),
                since: null,
                weight: LIMITS.breachWithinSeconds - breach.earliest,
              },
            ];
      }),
  },
  {
    id: 'queuePaused',
    severity: 'info',
    when: 'Jobs wait in a queue that is paused.',
    remedy: 'Resume the queue when it may run again.',
    find: ({ state }) =>
      state.queues
        .filter(({ paused, size }) => paused === true && size !== 0)
        .map((queue) => ({
          ...ofQueue(queue),
          text: `${queue.name} is paused; ${waitText(queue.size)}.`,
          cause: 'A person or a rate limit paused the queue.',
          since: waitingSince(queue, state.now),
        })),
  },
  {
    id: 'saturated',
    severity: 'warning',
    when: `Every ready thread is busy, and a queue that is served has waited for more than ${durationText(LIMITS.saturatedWaitSeconds)}.`,
    remedy: 'Add threads or processes; the dashboard Processes and capacity says how many are missing.',
    find: ({ state: { totals, queues } }) => {
      const { busyReadyThreads: busy, readyThreads } = totals;
      // A queue that is paused or that nobody serves waits whatever the threads do.
      const served = queues.filter(({ paused, unserved }) => paused !== true && unserved === false);
      const longest = served.reduce((most, { waitSeconds }) => Math.max(most, waitSeconds ?? 0), 0);
      const enqueued = sumOrNull(served.map(({ size }) => size));
      return busy === null || !readyThreads || busy < readyThreads || longest <= LIMITS.saturatedWaitSeconds
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text:
                readyThreads === 1 ? 'The only thread is busy.' : `All ${countText(readyThreads, 'thread')} are busy.`,
              evidence: `${countText(enqueued, 'job')} waiting, the longest for ${durationText(longest)}`,
              cause: 'More work arrives than the threads can do.',
              since: null,
              weight: enqueued ?? 0,
            },
          ];
    },
  },
];

function ofQueue(queue: QueueState) {
  const parts = [countText(queue.size, 'job'), threadsText(queue), drainText(queue)];
  return {
    kind: 'queue' as const,
    subject: queue.name,
    evidence: parts.filter((part) => part !== '').join(', '),
    weight: queue.waitSeconds ?? queue.size ?? 0,
  };
}

function threadsText({ busy, readyBusy, readyThreads, threads }: QueueState): string {
  if (readyBusy === null || readyThreads === null) {
    return '';
  }
  return readyThreads === 0 && threads !== 0 && busy !== null
    ? `${countText(busy, 'job')} running in processes that take no new ones`
    : `${readyBusy} of ${countText(readyThreads, 'thread')} working on it`;
}

function drainText({ drainSeconds, inRate, outRate, size }: QueueState): string {
  if (drainSeconds !== null && drainSeconds > 0) {
    return `drained in ${durationText(drainSeconds)} at this rate`;
  }
  return inRate !== null && outRate !== null && size !== 0 && inRate >= outRate ? 'not draining at this rate' : '';
}

/** Its oldest job may have waited while the queue was served. */
function unservedSince(queue: QueueState, { serviceEnds, now }: State): number | null {
  const waiting = waitingSince(queue, now);
  return waiting === null ? null : Math.max(waiting, serviceEnds.get(queue.name) ?? waiting);
}

function waitingSince({ waitSeconds }: QueueState, now: number): number | null {
  return waitSeconds === null ? null : now - waitSeconds;
}

function causeOfWait({ readyBusy: busy, readyIdle: idle, readyThreads, inRate, outRate }: QueueState): string {
  if (busy === null || readyThreads === null) {
    return 'It is not known what the threads that serve it do.';
  }
  if (busy >= readyThreads) {
    return 'All threads that serve it are working on it.';
  }
  // Threads with jobs of a millisecond have no record most of the time, and many jobs leave.
  if (isMostlyIdle(idle, readyThreads) && (outRate === null || outRate < idle!)) {
    return `${idle} of the threads that serve it run nothing: a limit, as of sidekiq-throttled or sidekiq-limit_fetch, may hold its jobs back, and more threads do not help then.`;
  }
  if (inRate !== null && outRate !== null && inRate > outRate) {
    return 'More jobs arrive than are taken.';
  }
  return 'The threads that serve it are busy with other queues, or it catches up.';
}

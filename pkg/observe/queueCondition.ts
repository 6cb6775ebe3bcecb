import type { QueueState } from './queueState';

/** What a queue, or the queues of a worker type, are in one word; the worst first. */
export const QUEUE_STATES = ['unserved', 'late', 'starved', 'paused', 'unknown', 'ok'] as const;
export type QueueStateName = (typeof QUEUE_STATES)[number];

type Conditions = Pick<QueueState, 'unserved' | 'starved' | 'paused' | 'waitSeconds' | 'size' | 'objectiveSeconds'>;

/** The state of a queue: the worst that is known of it. A paused queue that is empty is paused too. */
export function stateOfQueue(queue: Conditions): QueueStateName {
  if (queue.unserved === true) {
    return 'unserved';
  }
  if (queue.starved === true) {
    return 'starved';
  }
  if (queue.paused === true) {
    return 'paused';
  }
  if (isLate(queue) === true) {
    return 'late';
  }
  const known = queue.waitSeconds !== null && queue.size !== null && queue.unserved !== null && queue.paused !== null;
  return known ? 'ok' : 'unknown';
}

/**
 * Whether the oldest job of a served queue has waited longer than the objective. A queue that is paused, unserved or
 * starved is that and not late. `null` where it is not known.
 */
export function isLate(queue: Conditions): boolean | null {
  if (queue.paused === true || queue.unserved === true || queue.starved === true) {
    return false;
  }
  return queue.waitSeconds === null ? null : queue.waitSeconds > queue.objectiveSeconds;
}

/** The worst of several states. */
export function worstState(states: readonly QueueStateName[]): QueueStateName {
  return [...states].sort(compareStates)[0] ?? 'ok';
}

/** Orders states, the worst first. */
export function compareStates(one: QueueStateName, other: QueueStateName): number {
  return QUEUE_STATES.indexOf(one) - QUEUE_STATES.indexOf(other);
}

/** The queue whose oldest job has waited longest, of those whose wait is known; `undefined` where nothing waits. */
export function longestWaiting<Q extends Pick<QueueState, 'waitSeconds'>>(queues: readonly Q[]): Q | undefined {
  return queues.reduce<Q | undefined>(
    (longest, queue) => ((queue.waitSeconds ?? 0) > (longest?.waitSeconds ?? 0) ? queue : longest),
    undefined
  );
}

/** Orders numbers, the largest first; what is not known may be the largest. */
export function largestFirst(one: number | null, other: number | null): number {
  return (other ?? Infinity) - (one ?? Infinity) || 0;
}

/** What a queue, or the queues of a worker type, are in one word; the worst first. */
export const QUEUE_STATES = ['unserved', 'starved', 'late', 'paused', 'unknown', 'ok'] as const;
export type QueueStateName = (typeof QUEUE_STATES)[number];

/** The colours of the states, as Grafana's value mappings. */
export const STATE_COLOURS = [
  {
    type: 'value',
    options: {
      unserved: { text: 'unserved', color: 'red', index: 0 },
      starved: { text: 'starved', color: 'orange', index: 1 },
      late: { text: 'late', color: 'red', index: 2 },
      paused: { text: 'paused', color: 'blue', index: 3 },
      unknown: { text: 'unknown', color: 'text', index: 4 },
      ok: { text: 'ok', color: 'green', index: 5 },
    },
  },
];

/** Orders states, the worst first. */
export function compareStates(one: QueueStateName, other: QueueStateName): number {
  return QUEUE_STATES.indexOf(one) - QUEUE_STATES.indexOf(other);
}

/** Orders numbers, the largest first; what is not known may be the largest. */
export function largestFirst(one: number | null, other: number | null): number {
  return (other ?? Infinity) - (one ?? Infinity) || 0;
}

import { z } from 'zod';
import type { State } from '../installation/state';
import type { QueueState } from '../observe/queueState';
import { sumCounts } from '../sidekiq/jobMetrics';
import { sumOrNull } from '../sidekiq/parts/process';
import { count, flag, key, plain, rate, seconds, share } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  by: z.enum(['workerType', 'queue']).default('workerType'),
});

/** A capacity query as it is saved. */
export type CapacityQuery = z.input<typeof schema>;

interface Row {
  workerType: string;
  queue: string;
  size: number | null;
  waitSeconds: number | null;
  objectiveSeconds: number;
  supply: number | null;
  demand: number | null;
  meanSeconds: number | null;
  inRate: number | null;
  outRate: number | null;
  drainSeconds: number | null;
  unserved: number | null;
  starved: number | null;
}

/** Complete minutes of job metrics that demand is taken from. */
const MINUTES = 10;

const COLUMNS: Array<Column<Row>> = [
  key('workerType', 'Worker type', 'By the map in the settings.', (row) => row.workerType),
  key('queue', 'Queue', 'The queue, where asked by queue.', (row) => row.queue),
  plain(
    'demand',
    'Demand',
    'Thread-seconds of work per second over the last ten minutes: the threads that the work keeps busy, scaled up where more is pushed than taken.',
    (row) => row.demand
  ),
  count('supply', 'Supply', 'Ready threads that may do it.', (row) => row.supply),
  share('utilisation', 'Utilisation', 'Demand over supply; above 100 % the backlog grows.', ({ demand, supply }) =>
    demand === null || supply === null || supply === 0 ? null : demand / supply
  ),
  plain('headroom', 'Headroom', 'Supply less demand, in threads.', ({ demand, supply }) =>
    demand === null || supply === null ? null : supply - demand
  ),
  count('size', 'Backlog', 'Jobs waiting.', (row) => row.size),
  seconds('latency', 'Latency', 'Age of the oldest waiting job.', (row) => row.waitSeconds),
  seconds('objective', 'Objective', 'How late a job may be, by the settings.', (row) => row.objectiveSeconds),
  flag('late', 'Late', 'Latency is above the objective.', (row) =>
    row.waitSeconds === null ? null : row.waitSeconds > row.objectiveSeconds
  ),
  rate('inRate', 'In', 'Jobs pushed per second.', (row) => row.inRate),
  rate('outRate', 'Out', 'Jobs taken per second.', (row) => row.outRate),
  seconds('drainTime', 'Drain time', 'Until it is empty at the present rates.', (row) => row.drainSeconds, {
    config: { noValue: 'not in sight' },
  }),
  count(
    'threadsNeeded',
    'Threads needed',
    'To keep up and to work off the backlog within the objective: demand + backlog × mean time / objective, rounded up.',
    threadsNeeded
  ),
  count('unserved', 'Unserved', 'Queues with jobs that no ready thread serves.', (row) => row.unserved),
  count('starved', 'Starved', 'Queues that strict order keeps waiting.', (row) => row.starved),
];

function threadsNeeded({ demand, size, meanSeconds, objectiveSeconds }: Row): number | null {
  if (demand === null || size === null || (meanSeconds === null && size > 0)) {
    return null;
  }
  // Sums of floats may lie a hair above a whole number.
  return Math.max(0, Math.ceil(demand + (size * (meanSeconds ?? 0)) / objectiveSeconds - 1e-9));
}

/** Whether threads suffice: work that comes against threads that may do it, by worker type or queue. */
export const capacity = tableQuery({
  id: 'capacity',
  group: 'Now',
  title: 'Capacity',
  description:
    'Whether threads suffice: demand against supply, headroom, drain time, and the threads an objective needs.',
  schema,
  columns: COLUMNS,
  example: '--option by=queue',
  rows(state, { by }) {
    const perQueue = queueRows(state);
    return { rows: by === 'queue' ? perQueue : byWorkerType(perQueue) };
  },
});

function queueRows(state: State): Row[] {
  const work = workByQueue(state);
  return state.queues.map((queue: QueueState): Row => {
    const { inRate, outRate } = queue;
    const { seconds: worked, executions } = work?.get(queue.name) ?? { seconds: 0, executions: 0 };
    const growth = inRate !== null && outRate !== null && outRate > 0 ? Math.max(1, inRate / outRate) : 1;
    return {
      workerType: queue.workerType,
      queue: queue.name,
      size: queue.size,
      waitSeconds: queue.waitSeconds,
      objectiveSeconds: queue.objectiveSeconds,
      supply: queue.readyThreads,
      demand: work === null ? null : (worked / (MINUTES * 60)) * growth,
      meanSeconds: executions === 0 ? null : worked / executions,
      inRate,
      outRate,
      drainSeconds: queue.drainSeconds,
      unserved: queue.unserved === null ? null : Number(queue.unserved),
      starved: queue.starved === null ? null : Number(queue.starved),
    };
  });
}

/**
 * Seconds of successful work and executions of the last complete minutes, by the queue a class is known to run from;
 * `null` where a minute was refused.
 */
function workByQueue({
  snapshot: { minutes },
  classQueues,
}: State): Map<string, { seconds: number; executions: number }> | null {
  if (!minutes.whole) {
    return null;
  }
  const byQueue = new Map<string, { seconds: number; executions: number }>();
  for (const [jobClass, counts] of sumCounts(minutes.items.slice(1, MINUTES + 1))) {
    const queue = classQueues.get(jobClass);
    if (queue !== undefined) {
      const sum = byQueue.get(queue) ?? { seconds: 0, executions: 0 };
      byQueue.set(queue, {
        seconds: sum.seconds + counts.milliseconds / 1000,
        executions: sum.executions + counts.processed - counts.failed,
      });
    }
  }
  return byQueue;
}

/** Queues of a type share its threads; the rest adds up. */
function byWorkerType(rows: readonly Row[]): Row[] {
  const types = new Map<string, Row[]>();
  for (const row of rows) {
    types.set(row.workerType, [...(types.get(row.workerType) ?? []), row]);
  }
  return [...types].map(([workerType, members]) => {
    const sum = (value: (row: Row) => number | null) => sumOrNull(members.map(value));
    const largest = (value: (row: Row) => number | null) =>
      members.some((row) => value(row) === null) ? null : Math.max(...members.map((row) => value(row)!));
    const rates = (value: (row: Row) => number | null) =>
      members.every((row) => value(row) === null) ? null : members.reduce((total, row) => total + (value(row) ?? 0), 0);
    const size = sum((row) => row.size);
    const waiting = members.filter((row) => row.size !== 0);
    return {
      workerType: workerType === '' ? 'other' : workerType,
      queue: '',
      size,
      waitSeconds: largest((row) => row.waitSeconds),
      objectiveSeconds: members[0]!.objectiveSeconds,
      supply: largest((row) => row.supply),
      demand: sum((row) => row.demand),
      meanSeconds: meanTime(waiting),
      inRate: rates((row) => row.inRate),
      outRate: rates((row) => row.outRate),
      drainSeconds: drainTime(waiting),
      unserved: sum((row) => row.unserved),
      starved: sum((row) => row.starved),
    };
  });
}

/** Of the waiting jobs whose class has a known mean time, weighted by their number. */
function meanTime(waiting: readonly Row[]): number | null {
  const known = waiting.filter(({ meanSeconds, size }) => meanSeconds !== null && size !== null);
  const jobs = known.reduce((total, { size }) => total + size!, 0);
  return jobs === 0 ? null : known.reduce((total, { size, meanSeconds }) => total + size! * meanSeconds!, 0) / jobs;
}

/** The type is drained with its last queue. */
function drainTime(waiting: readonly Row[]): number | null {
  return waiting.some(({ drainSeconds }) => drainSeconds === null)
    ? null
    : waiting.reduce((longest, { drainSeconds }) => Math.max(longest, drainSeconds!), 0);
}

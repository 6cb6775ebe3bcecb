import { z } from 'zod';
import { latencyObjectiveOf, workerTypeOf } from '../settings/workerTypes';
import { sumCounts } from '../sidekiq/jobMetrics';
import { queueFacts, type QueueFacts } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import type { QueryContext } from './context';
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
  size: number;
  latencySeconds: number;
  objectiveSeconds: number;
  supply: number;
  demand: number;
  meanSeconds: number | null;
  inRate: number | null;
  outRate: number | null;
  drainSeconds: number | null;
  unserved: number;
  starved: number;
}

/** Complete minutes of job metrics that demand is taken from. */
const MINUTES = 10;

const COLUMNS: Array<Column<Row>> = [
  {
    name: 'workerType',
    title: 'Worker type',
    kind: 'string',
    key: true,
    description: 'By the map in the settings.',
    value: (row) => row.workerType,
  },
  {
    name: 'queue',
    title: 'Queue',
    kind: 'string',
    key: true,
    description: 'The queue, where asked by queue.',
    value: (row) => row.queue,
  },
  {
    name: 'demand',
    title: 'Demand',
    kind: 'number',
    unit: 'none',
    description:
      'Thread-seconds of work per second over the last ten minutes: the threads it keeps busy, scaled up where more is pushed than taken.',
    value: (row) => row.demand,
  },
  {
    name: 'supply',
    title: 'Supply',
    kind: 'number',
    unit: 'short',
    description: 'Ready threads that may do it.',
    value: (row) => row.supply,
  },
  {
    name: 'utilisation',
    title: 'Utilisation',
    kind: 'number',
    unit: 'percentunit',
    description: 'Demand over supply; above 100 % the backlog grows.',
    value: (row) => (row.supply === 0 ? null : row.demand / row.supply),
  },
  {
    name: 'headroom',
    title: 'Headroom',
    kind: 'number',
    unit: 'none',
    description: 'Supply less demand, in threads.',
    value: (row) => row.supply - row.demand,
  },
  {
    name: 'size',
    title: 'Backlog',
    kind: 'number',
    unit: 'short',
    description: 'Jobs waiting.',
    value: (row) => row.size,
  },
  {
    name: 'latency',
    title: 'Latency',
    kind: 'number',
    unit: 's',
    description: 'Age of the oldest waiting job.',
    value: (row) => row.latencySeconds,
  },
  {
    name: 'objective',
    title: 'Objective',
    kind: 'number',
    unit: 's',
    description: 'How late a job may be, by the settings.',
    value: (row) => row.objectiveSeconds,
  },
  {
    name: 'late',
    title: 'Late',
    kind: 'boolean',
    description: 'Latency is above the objective.',
    value: (row) => row.latencySeconds > row.objectiveSeconds,
  },
  {
    name: 'inRate',
    title: 'In',
    kind: 'number',
    unit: 'cps',
    description: 'Jobs pushed per second.',
    value: (row) => row.inRate,
  },
  {
    name: 'outRate',
    title: 'Out',
    kind: 'number',
    unit: 'cps',
    description: 'Jobs taken per second.',
    value: (row) => row.outRate,
  },
  {
    name: 'drainTime',
    title: 'Drain time',
    kind: 'number',
    unit: 's',
    description: 'Until it is empty at the present rates.',
    config: { noValue: 'not in sight' },
    value: (row) => row.drainSeconds,
  },
  {
    name: 'threadsNeeded',
    title: 'Threads needed',
    kind: 'number',
    unit: 'short',
    description:
      'To keep up and to work off the backlog within the objective: demand + backlog × mean time / objective, rounded up.',
    value: threadsNeeded,
  },
  {
    name: 'unserved',
    title: 'Unserved',
    kind: 'number',
    unit: 'short',
    description: 'Queues with jobs that no ready thread serves.',
    value: (row) => row.unserved,
  },
  {
    name: 'starved',
    title: 'Starved',
    kind: 'number',
    unit: 'short',
    description: 'Queues that strict order keeps waiting.',
    value: (row) => row.starved,
  },
];

function threadsNeeded({ demand, size, meanSeconds, objectiveSeconds }: Row): number | null {
  return meanSeconds === null && size > 0
    ? null
    : Math.ceil(demand + (size * (meanSeconds ?? 0)) / objectiveSeconds - 1e-9);
}

/** Is there room: work that comes against threads that may do it, by worker type or queue. */
export const capacity = tableQuery({
  id: 'capacity',
  title: 'Capacity',
  description: 'Is there room: demand against threads, headroom, drain time, and the threads an objective needs.',
  schema,
  columns: COLUMNS,
  async rows(context, query) {
    const snapshot = await context.snapshot();
    const perQueue = queueRows(snapshot, context);
    return { rows: query.by === 'queue' ? perQueue : byWorkerType(perQueue), notices: snapshot.notices };
  },
});

function queueRows(snapshot: Snapshot, { classQueues, flow, options }: QueryContext): Row[] {
  const work = workByQueue(snapshot, classQueues);
  return queueFacts(snapshot).map((facts: QueueFacts) => {
    const { inRate, outRate, drainSeconds } = flow.of(facts);
    const { seconds = 0, executions = 0 } = work.get(facts.name) ?? {};
    const growth = inRate !== null && outRate !== null && outRate > 0 ? Math.max(1, inRate / outRate) : 1;
    const workerType = workerTypeOf(facts.name, options.workerTypes);
    return {
      workerType,
      queue: facts.name,
      size: facts.size,
      latencySeconds: Math.max(0, facts.latencySeconds ?? 0),
      objectiveSeconds: latencyObjectiveOf(facts.name, options.workerTypes),
      supply: facts.readyThreads,
      demand: (seconds / (MINUTES * 60)) * growth,
      meanSeconds: executions === 0 ? null : seconds / executions,
      inRate,
      outRate,
      drainSeconds,
      unserved: Number(facts.unserved),
      starved: Number(facts.starved),
    };
  });
}

/** Seconds of successful work and executions of the last complete minutes, by the queue a class is known to run from. */
function workByQueue(
  { minutes }: Snapshot,
  classQueues: QueryContext['classQueues']
): Map<string, { seconds: number; executions: number }> {
  const byQueue = new Map<string, { seconds: number; executions: number }>();
  for (const [jobClass, counts] of sumCounts(minutes.slice(1, MINUTES + 1))) {
    const queue = classQueues.queueOf(jobClass);
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
    const add = (value: (row: Row) => number) => members.reduce((sum, row) => sum + value(row), 0);
    const largest = (value: (row: Row) => number) => Math.max(...members.map(value));
    const rates = (value: (row: Row) => number | null) =>
      members.every((row) => value(row) === null) ? null : add((row) => value(row) ?? 0);
    const size = add((row) => row.size);
    const waiting = members.filter((row) => row.size > 0);
    const weighted = waiting.filter((row) => row.meanSeconds !== null);
    return {
      workerType: workerType === '' ? 'other' : workerType,
      queue: '',
      size,
      latencySeconds: largest((row) => row.latencySeconds),
      objectiveSeconds: members[0]!.objectiveSeconds,
      supply: largest((row) => row.supply),
      demand: add((row) => row.demand),
      meanSeconds:
        weighted.length === 0
          ? null
          : weighted.reduce((sum, row) => sum + row.size * row.meanSeconds!, 0) /
            weighted.reduce((sum, row) => sum + row.size, 0),
      inRate: rates((row) => row.inRate),
      outRate: rates((row) => row.outRate),
      drainSeconds:
        size === 0
          ? 0
          : waiting.some((row) => row.drainSeconds === null)
            ? null
            : largest((row) => row.drainSeconds ?? 0),
      unserved: add((row) => row.unserved),
      starved: add((row) => row.starved),
    };
  });
}

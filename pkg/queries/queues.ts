import type { QueueFlow } from '../history/flow';
import { workerTypeOf } from '../settings/workerTypes';
import { queueFacts, type QueueFacts } from '../sidekiq/queueFacts';
import { jobsOfQueue } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row extends QueueFacts {
  workerType: string;
  flow: QueueFlow;
}

const columns: Array<Column<Row>> = [
  {
    name: 'queue',
    title: 'Queue',
    kind: 'string',
    key: true,
    description: 'Name of the queue.',
    links: jobsOfQueue,
    value: (row) => row.name,
  },
  {
    name: 'workerType',
    title: 'Worker type',
    kind: 'string',
    description: 'The worker type that serves it, by the map in the settings.',
    value: (row) => row.workerType,
  },
  {
    name: 'size',
    title: 'Size',
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
    description: 'How long its oldest job has waited.',
    value: (row) => (row.latencySeconds === null ? null : Math.max(0, row.latencySeconds)),
  },
  {
    name: 'paused',
    title: 'Paused',
    kind: 'boolean',
    description: 'Paused in Sidekiq Pro.',
    value: (row) => row.paused,
  },
  {
    name: 'threads',
    title: 'Threads',
    kind: 'number',
    unit: 'short',
    description: 'Threads that may run its jobs, counted by capsule.',
    value: (row) => row.threads,
  },
  {
    name: 'readyThreads',
    title: 'Ready threads',
    kind: 'number',
    unit: 'short',
    description: 'Threads of processes that still take jobs.',
    value: (row) => row.readyThreads,
  },
  {
    name: 'processes',
    title: 'Processes',
    kind: 'number',
    unit: 'short',
    description: 'Processes that serve it.',
    value: (row) => row.processes,
  },
  {
    name: 'busy',
    title: 'Busy',
    kind: 'number',
    unit: 'short',
    description: 'Its jobs that run now, by the work records.',
    value: (row) => row.busy,
  },
  {
    name: 'longestRun',
    title: 'Longest run',
    kind: 'number',
    unit: 's',
    description: 'How long its longest running job has run.',
    value: (row) => row.longestRunSeconds,
  },
  {
    name: 'inRate',
    title: 'In',
    kind: 'number',
    unit: 'cps',
    description:
      'Jobs pushed per second over the last two minutes, estimated from its length and the age of its oldest job.',
    value: (row) => row.flow.inRate,
  },
  {
    name: 'outRate',
    title: 'Out',
    kind: 'number',
    unit: 'cps',
    description: 'Jobs taken per second over the last two minutes, estimated likewise.',
    value: (row) => row.flow.outRate,
  },
  {
    name: 'drainTime',
    title: 'Drain time',
    kind: 'number',
    unit: 's',
    description:
      'Time until it is empty at the present rates; not in sight while it grows, or while too little was seen to tell.',
    config: { noValue: 'not in sight' },
    value: (row) => row.flow.drainSeconds,
  },
  {
    name: 'unserved',
    title: 'Unserved',
    kind: 'boolean',
    description: 'Jobs wait and no ready thread serves it.',
    value: (row) => row.unserved,
  },
  {
    name: 'starved',
    title: 'Starved',
    kind: 'boolean',
    description: 'Jobs wait while strict order keeps every process busy with queues before it.',
    value: (row) => row.starved,
  },
];

/** One row per queue: backlog, who serves it, what runs, how long until it drains. */
export const queues = tableQuery({
  id: 'queues',
  title: 'Queues',
  description: 'One row per queue: backlog, wait, who serves it, what runs, and how long until it drains.',
  schema: baseQuerySchema,
  columns,
  async rows({ snapshot, options, flow }) {
    const current = await snapshot();
    const rows = queueFacts(current).map((facts) => ({
      ...facts,
      workerType: workerTypeOf(facts.name, options.workerTypes),
      flow: flow.of(facts),
    }));
    return { rows, notices: current.notices };
  },
});

import { compareStates, largestFirst, stateOfQueue } from '../observe/queueCondition';
import type { QueueState } from '../observe/queueState';
import { count, flag, key, rate, seconds, text } from './columns';
import { jobsOfQueue } from './links';
import { capacityOfQueues, type Capacity } from '../watch/capacity';
import { breachColumns } from './breachColumns';
import { baseQuerySchema } from './model';
import { STATE_COLOURS } from './stateColours';
import { tableQuery, type Column } from './table';

/** The worst first, then the longest wait; what is not known may be the worst of its kind. */
function worstFirst(a: QueueState, b: QueueState): number {
  return (
    compareStates(stateOfQueue(a), stateOfQueue(b)) ||
    largestFirst(a.waitSeconds, b.waitSeconds) ||
    largestFirst(a.size, b.size)
  );
}

/** A queue with the time of its breach. */
type Row = QueueState & Pick<Capacity, 'breach'>;

const COLUMNS: Array<Column<Row>> = [
  key('queue', 'Queue', 'Name of the queue.', (row) => row.name, { links: jobsOfQueue }),
  text(
    'state',
    'State',
    'unserved, late (latency above the objective), starved, paused, unknown, or ok.',
    stateOfQueue,
    {
      config: { mappings: STATE_COLOURS },
    }
  ),
  text(
    'workerType',
    'Worker type',
    'Worker type that serves the queue, by the map in the settings or derived from the processes.',
    (row) => row.workerType
  ),
  count('size', 'Size', 'Jobs waiting.', (row) => row.size),
  seconds('latency', 'Latency', 'Wait of the oldest job.', (row) => row.waitSeconds),
  flag(
    'paused',
    'Paused',
    'Paused in Sidekiq Pro, or by sidekiq-limit_fetch, sidekiq-queue-pause, sidekiq-pauzer or sidekiq-throttled.',
    (row) => row.paused
  ),
  count('threads', 'Threads', 'Threads that may run jobs of the queue, counted by capsule.', (row) => row.threads),
  count('readyThreads', 'Ready threads', 'Threads of processes that still take jobs.', (row) => row.readyThreads),
  count('processes', 'Processes', 'Processes that serve the queue.', (row) => row.processes),
  count('busy', 'Busy', 'Jobs of the queue that run now, by the work records.', (row) => row.busy),
  seconds('longestRun', 'Longest run', 'Run time of the longest running job.', (row) => row.longestRunSeconds),
  rate(
    'inRate',
    'In (estimate)',
    'Jobs pushed per second over the last two minutes, or since the queue was last empty: an estimate from the length of the queue and the age of the oldest job. Unknown while the queue is empty, since jobs that come and go leave no trace, and for 30 seconds after.',
    (row) => row.inRate
  ),
  rate(
    'outRate',
    'Out (estimate)',
    'Jobs taken per second over the same time, an estimate of the same kind. With few jobs it may be off by half; job_metrics has exact counts by class.',
    (row) => row.outRate
  ),
  seconds(
    'drainTime',
    'Drain time',
    'Time until the queue is empty at the present rates; no value while the queue grows or the rates are unknown.',
    (row) => row.drainSeconds
  ),
  ...breachColumns<Row>({ breach: (row) => row.breach, latency: (row) => row.waitSeconds }),
  flag('unserved', 'Unserved', 'Whether jobs wait and no ready thread serves the queue.', (row) => row.unserved),
  flag(
    'starved',
    'Starved',
    'Jobs wait while strict order keeps every process busy with queues before it.',
    (row) => row.starved
  ),
];

/** One row per queue: backlog, who serves it, what runs, how long until it drains. */
export const queues = tableQuery({
  id: 'queues',
  group: 'Now',
  title: 'Queues',
  description: 'One row per queue, the worst first: backlog, latency, serving processes, running jobs and drain time.',
  empty: 'No queue exists, and no process names one.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  live: true,
  example: '--figures size,latency',
  rows(state) {
    const capacity = capacityOfQueues(state);
    const rows = state.queues.map((queue, index) => ({ ...queue, breach: capacity[index]!.breach }));
    return { rows: rows.sort(worstFirst) };
  },
});

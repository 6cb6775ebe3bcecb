import { z } from 'zod';
import {
  capacityOfQueues,
  capacityOfTypes,
  headroom,
  threadsNeeded,
  threadsToKeepUp,
  utilisationOf,
  type Capacity,
} from '../watch/capacity';
import { compareStates, largestFirst } from '../observe/queueCondition';
import { count, flag, plain, rate, seconds, share, text, typeAndQueue } from './columns';
import { breachColumns } from './breachColumns';
import { baseQuerySchema } from './model';
import { STATE_COLOURS } from './stateColours';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend({
  by: z.enum(['workerType', 'queue']).default('workerType').describe('What a row is.'),
});

/** A capacity query as it is saved. */
export type CapacityQuery = z.input<typeof schema>;

function worstFirst(one: Capacity, other: Capacity): number {
  return compareStates(one.state, other.state) || largestFirst(utilisationOf(one), utilisationOf(other));
}

const COLUMNS: Array<Column<Capacity>> = [
  ...typeAndQueue<Capacity>(),
  text(
    'state',
    'State',
    'The worst state of the queues: unserved, late (longer than the objective), starved, paused, unknown, or ok.',
    (row) => row.state,
    {
      config: { mappings: STATE_COLOURS },
    }
  ),
  plain(
    'demand',
    'Demand',
    'Threads that the work keeps busy: thread-seconds of work per second over the last ten minutes, scaled up where more is pushed than taken, and never less than the ready threads that are busy now, or were over the last two minutes on average. Of a paused queue only those that are busy now.',
    (row) => row.demand,
    { config: { decimals: 1 } }
  ),
  count('supply', 'Supply', 'Ready threads that serve the queues, each counted once.', (row) => row.supply),
  share('utilisation', 'Load', 'Demand over supply; above 100% the backlog grows.', utilisationOf),
  plain('headroom', 'Headroom', 'Supply less demand, in threads.', headroom, { config: { decimals: 1 } }),
  count('size', 'Backlog', 'Jobs waiting.', (row) => row.size),
  seconds('latency', 'Latency', 'Age of the oldest waiting job.', (row) => row.waitSeconds),
  seconds('objective', 'Objective', 'Latency objective, by the settings.', (row) => row.objectiveSeconds),
  flag('late', 'Late', 'Latency of a served queue is above the objective.', (row) => row.late),
  rate('inRate', 'In', 'Jobs pushed per second.', (row) => row.inRate),
  rate('outRate', 'Out', 'Jobs taken per second.', (row) => row.outRate),
  seconds(
    'drainTime',
    'Drain time',
    'Time until the backlog is empty at the present rates; no value where it does not shrink, or the rates are unknown.',
    (row) => row.drainSeconds
  ),
  ...breachColumns<Capacity>({ breach: (row) => row.breach, latency: (row) => row.waitSeconds }),
  count(
    'threadsToKeepUp',
    'To keep up',
    'Threads that the work as it comes needs: demand, rounded up. The backlog then stays as it is.',
    threadsToKeepUp
  ),
  count(
    'threadsNeeded',
    'To meet objective',
    'Threads to keep up and to clear the backlog within the objective: demand + backlog × mean time / objective, rounded up. A paused queue counts as empty.',
    (row) => threadsNeeded(row)
  ),
  count('unserved', 'Unserved', 'Queues with jobs that no ready thread serves.', (row) => row.unserved),
  count('starved', 'Starved', 'Queues that strict order keeps waiting.', (row) => row.starved),
];

/** Whether threads suffice: work that comes against threads that may do it, by worker type or queue. */
export const capacity = tableQuery({
  id: 'capacity',
  group: 'Now',
  title: 'Capacity',
  description:
    'Whether threads suffice: demand against supply, headroom, drain time, and the threads an objective needs.',
  empty: 'No queue exists, and no process names one.',
  schema,
  columns: COLUMNS,
  example: '--option by=queue',
  rows(state, { by }) {
    const rows = [...(by === 'queue' ? capacityOfQueues(state) : capacityOfTypes(state))];
    return { rows: rows.sort(worstFirst), without: by === 'queue' ? [] : ['queue'] };
  },
});

import { latencyObjectiveOf, workerTypeOf } from '../settings/workerTypes';
import type { WorkerType } from '../settings/workerTypes';
import { queueFacts } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import { installationTotals } from '../sidekiq/totals';
import type { Flow } from './flow';

/** What a series is kept for. */
export const HISTORY_SCOPES = ['total', 'queue', 'workerType'] as const;
export type HistoryScope = (typeof HISTORY_SCOPES)[number];

/** A figure that is kept over time. */
export interface HistoryFigure {
  name: string;
  title: string;
  unit: string;
  scopes: readonly HistoryScope[];
  /** A counter is kept as it stands and answered as a rate per second. */
  counter?: boolean;
  /** The figure it is another view of, and by what that is multiplied. */
  derived?: { from: string; times: number };
  description: string;
}

const EVERYWHERE = HISTORY_SCOPES;
const TOTAL = ['total'] as const;
const PARTS = ['queue', 'workerType'] as const;

/** Every figure of the history, in the order of the editor. */
export const HISTORY_FIGURES: readonly HistoryFigure[] = [
  { name: 'enqueued', title: 'Enqueued', unit: 'short', scopes: EVERYWHERE, description: 'Jobs waiting.' },
  { name: 'latency', title: 'Latency', unit: 's', scopes: EVERYWHERE, description: 'Age of the oldest waiting job.' },
  { name: 'busy', title: 'Busy', unit: 'short', scopes: EVERYWHERE, description: 'Jobs in progress.' },
  {
    name: 'threads',
    title: 'Threads',
    unit: 'short',
    scopes: EVERYWHERE,
    description: 'Threads that may run the jobs.',
  },
  {
    name: 'processedRate',
    title: 'Processed',
    unit: 'cps',
    scopes: TOTAL,
    counter: true,
    description: 'Jobs finished per second, failures included.',
  },
  {
    name: 'processedPerHour',
    title: 'Processed per hour',
    unit: 'short',
    scopes: TOTAL,
    counter: true,
    derived: { from: 'processedRate', times: 3600 },
    description: 'Jobs finished within an hour at the rate of the moment, failures included.',
  },
  {
    name: 'failedRate',
    title: 'Failed',
    unit: 'cps',
    scopes: TOTAL,
    counter: true,
    description: 'Executions that raised per second.',
  },
  {
    name: 'utilisation',
    title: 'Utilisation',
    unit: 'percentunit',
    scopes: TOTAL,
    description: 'Busy share of all threads.',
  },
  {
    name: 'readyThreads',
    title: 'Ready threads',
    unit: 'short',
    scopes: EVERYWHERE,
    description: 'Threads of processes that still take jobs.',
  },
  { name: 'processes', title: 'Processes', unit: 'short', scopes: TOTAL, description: 'Live processes.' },
  {
    name: 'quietProcesses',
    title: 'Quiet processes',
    unit: 'short',
    scopes: TOTAL,
    description: 'Processes that take no new jobs.',
  },
  { name: 'scheduled', title: 'Scheduled', unit: 'short', scopes: TOTAL, description: 'Jobs to be enqueued later.' },
  {
    name: 'retry',
    title: 'Retries',
    unit: 'short',
    scopes: TOTAL,
    description: 'Failed jobs that wait for their next attempt.',
  },
  {
    name: 'dead',
    title: 'Dead',
    unit: 'short',
    scopes: TOTAL,
    description: 'Jobs that ran out of retries and are kept.',
  },
  {
    name: 'deadLastHour',
    title: 'Died in the last hour',
    unit: 'short',
    scopes: TOTAL,
    description: 'Jobs that died within the hour before.',
  },
  {
    name: 'objective',
    title: 'Objective',
    unit: 's',
    scopes: PARTS,
    description: 'Latency that should not be exceeded, by the worker type in the settings.',
  },
  { name: 'inRate', title: 'In', unit: 'cps', scopes: PARTS, description: 'Jobs pushed per second, estimated.' },
  { name: 'outRate', title: 'Out', unit: 'cps', scopes: PARTS, description: 'Jobs taken per second, estimated.' },
];

/** One value of one series at an instant; `key` tells queues and worker types apart, `''` for the total. */
export interface SeriesValue {
  scope: HistoryScope;
  key: string;
  figure: string;
  value: number;
}

/** Everything that is kept of a snapshot. Figures that it lacks are left out, which makes a gap. */
export function seriesOf(snapshot: Snapshot, flow: Flow, workerTypes: readonly WorkerType[]): SeriesValue[] {
  const { totals: counted } = snapshot;
  const totals = installationTotals(snapshot);
  const total = {
    enqueued: totals.enqueued,
    latency: totals.latencyMaxSeconds,
    busy: totals.busy,
    threads: totals.threads,
    readyThreads: totals.readyThreads,
    utilisation: totals.utilisation,
    processes: totals.processes,
    quietProcesses: totals.quietProcesses,
    processedRate: counted.processed,
    failedRate: counted.failed,
    scheduled: counted.scheduled,
    retry: counted.retry,
    dead: counted.dead,
    deadLastHour: counted.deadLastHour,
  };
  const types = new Map<string, Record<string, number | null>>();
  const values = valuesOf('total', '', total);
  for (const facts of queueFacts(snapshot)) {
    const { inRate, outRate } = flow.of(facts);
    const figures = {
      enqueued: facts.size,
      latency: facts.latencySeconds === null ? null : Math.max(0, facts.latencySeconds),
      busy: facts.busy,
      threads: facts.threads,
      readyThreads: facts.readyThreads,
      objective: latencyObjectiveOf(facts.name, workerTypes),
      inRate,
      outRate,
    };
    values.push(...valuesOf('queue', facts.name, figures));
    const type = workerTypeOf(facts.name, workerTypes);
    if (type !== '') {
      types.set(type, combine(types.get(type), figures));
    }
  }
  for (const [type, figures] of types) {
    values.push(...valuesOf('workerType', type, figures));
  }
  return values;
}

function valuesOf(scope: HistoryScope, key: string, figures: Record<string, number | null>): SeriesValue[] {
  return Object.entries(figures).flatMap(([figure, value]) => (value === null ? [] : [{ scope, key, figure, value }]));
}

/** Queues of a worker type share its threads and add up in the rest; a type is as late as its latest queue. */
function combine(
  sum: Record<string, number | null> | undefined,
  next: Record<string, number | null>
): Record<string, number | null> {
  if (!sum) {
    return next;
  }
  const shared = new Set(['latency', 'threads', 'readyThreads', 'objective']);
  return Object.fromEntries(
    Object.entries(next).map(([figure, value]) => {
      const before = sum[figure] ?? null;
      if (before === null || value === null) {
        return [figure, before ?? value];
      }
      return [figure, shared.has(figure) ? Math.max(before, value) : before + value];
    })
  );
}

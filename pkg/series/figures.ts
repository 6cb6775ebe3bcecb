import { weightOfClass, type ClassTotal, type ClassTotalsView } from '../observe/classTotals';
import { groupBy } from '../sidekiq/groupBy';
import { jobsOf, type JobWaitsView } from '../observe/jobWaits';
import type { QueueState } from '../observe/queueState';
import { typesByQueue } from '../observe/workerTypes';
import type { Listed, Process, Totals } from '../sidekiq/model';
import { threadsServing } from '../sidekiq/queueFacts';
import type { InstallationTotals } from '../sidekiq/totals';

/** What a series is kept for. */
export const HISTORY_SCOPES = ['total', 'queue', 'workerType', 'class'] as const;
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
  /** Two counters by whose growth it is told, as seconds by executions; the second of `by` is taken from the first. */
  quotient?: { of: string; by: readonly [string, string?] };
  /** Kept every five minutes, as everything of classes is. */
  slow?: boolean;
  /** Each process that records into a file counts what it has seen itself: their counters lie close together. */
  countedByEach?: boolean;
  /** Its usual band is at least so wide; else by its unit. */
  leastWidth?: number;
  description: string;
}

const EVERYWHERE = ['total', 'queue', 'workerType'] as const;
const TOTAL = ['total'] as const;
const PARTS = ['queue', 'workerType'] as const;
const EXECUTIONS = ['total', 'class'] as const;

/** Seconds between two samples of job classes and of waits: there are many, and Sidekiq counts classes by the minute. */
export const CLASS_SECONDS = 300;
/** Classes that are kept over time: those that ran most. */
const CLASSES_KEPT = 500;

/** Kept of the jobs that were seen to run: the seconds for which they had waited, and their number. */
const WAITED = 'waited';
const BEGUN = 'begun';

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
    unit: 'suffix:jobs/s',
    scopes: EXECUTIONS,
    counter: true,
    description: 'Jobs finished per second, failures included.',
  },
  {
    name: 'processedPerHour',
    title: 'Processed per hour',
    unit: 'short',
    scopes: EXECUTIONS,
    counter: true,
    derived: { from: 'processedRate', times: 3600 },
    description: 'Jobs that finish within an hour at the present rate, failures included.',
  },
  {
    name: 'failedRate',
    title: 'Failed',
    unit: 'suffix:jobs/s',
    scopes: EXECUTIONS,
    counter: true,
    description: 'Executions that raised per second.',
  },
  {
    name: 'load',
    title: 'Busy threads',
    unit: 'short',
    scopes: ['class'],
    counter: true,
    description: 'Threads that the successful executions keep busy.',
  },
  {
    name: 'runTime',
    title: 'Run time',
    unit: 's',
    scopes: ['class'],
    quotient: { of: 'load', by: ['processedRate', 'failedRate'] },
    slow: true,
    leastWidth: 0.001,
    description: 'Mean duration of the successful executions.',
  },
  {
    name: 'wait',
    title: 'Wait',
    unit: 's',
    scopes: HISTORY_SCOPES,
    quotient: { of: WAITED, by: [BEGUN] },
    countedByEach: true,
    slow: true,
    // Sidekiq writes in whole seconds when a job began.
    leastWidth: 0.5,
    description: 'Mean time that jobs had waited when they were seen to run: a sample.',
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
  {
    name: 'inRate',
    title: 'In',
    unit: 'suffix:jobs/s',
    scopes: PARTS,
    description: 'Jobs pushed per second, estimated.',
  },
  {
    name: 'outRate',
    title: 'Out',
    unit: 'suffix:jobs/s',
    scopes: PARTS,
    description: 'Jobs taken per second, estimated.',
  },
];

/** A figure by its name. @throws Error for a name that is none */
export function figureNamed(name: string): HistoryFigure {
  const found = HISTORY_FIGURES.find((figure) => figure.name === name);
  if (!found) {
    throw new Error(`there is no figure ${name}`);
  }
  return found;
}

/** Whether samples of a figure are kept every five minutes. @param name under which they are kept */
export function isKeptSlowly(scope: HistoryScope, name: string): boolean {
  return scope === 'class' || name === WAITED || name === BEGUN;
}

/** The name under which the samples of a figure are kept. */
export function keptAs({ name, derived, quotient }: HistoryFigure): string {
  return derived?.from ?? quotient?.of ?? name;
}

/** The counters of a quotient as figures, in their order. */
export function countersOf(
  { quotient: _, ...rest }: HistoryFigure,
  { of, by }: NonNullable<HistoryFigure['quotient']>
): HistoryFigure[] {
  return [of, ...by].flatMap((name) => (name === undefined ? [] : [{ ...rest, name, counter: true }]));
}

/** One value of one series at an instant; `key` tells queues and worker types apart, `''` for the total. */
export interface SeriesValue {
  scope: HistoryScope;
  key: string;
  figure: string;
  value: number;
}

/** What the history is taken from: the totals, the queues and the classes of one state. */
export interface Sampled {
  readonly now: number;
  readonly classTotals: ClassTotalsView;
  readonly jobWaits: JobWaitsView;
  readonly snapshot: { readonly totals: Totals; readonly processes: Listed<Process> };
  readonly totals: InstallationTotals;
  readonly queues: readonly QueueState[];
}

type Figures = Readonly<Record<string, number | null>>;

/** Takes what is kept over time from one state after the other: classes and waits at a slower pace than the rest. */
export class SeriesTaker {
  private slot: number | undefined;

  take(state: Sampled): SeriesValue[] {
    const slot = Math.floor(state.now / CLASS_SECONDS);
    const due = slot !== this.slot;
    this.slot = slot;
    return due ? [...seriesOf(state), ...seriesOfClasses(state), ...seriesOfWaits(state)] : seriesOf(state);
  }
}

/** Jobs that were seen to run, and the seconds for which they had waited. */
interface Waited {
  jobs: number;
  seconds: number;
}

const NONE_WAITED: Waited = { jobs: 0, seconds: 0 };

function waitedBy(waits: JobWaitsView, keyOf: (each: JobWaitsView[number]) => string): Map<string, Waited> {
  const found = new Map<string, Waited>();
  for (const each of waits) {
    const { jobs, seconds } = found.get(keyOf(each)) ?? NONE_WAITED;
    found.set(keyOf(each), { jobs: jobs + jobsOf(each), seconds: seconds + each.sumSeconds });
  }
  return found;
}

function waitedValues(scope: HistoryScope, key: string, { jobs, seconds }: Waited = NONE_WAITED): SeriesValue[] {
  return valuesOf(scope, key, { [BEGUN]: jobs, [WAITED]: seconds });
}

function seriesOfWaits({ jobWaits, queues }: Pick<Sampled, 'jobWaits' | 'queues'>): SeriesValue[] {
  const byQueue = waitedBy(jobWaits, ({ queue }) => queue);
  const typeOf = typesByQueue(queues);
  const byType = waitedBy(jobWaits, ({ queue }) => typeOf.get(queue) ?? '');
  const types = new Set([...typeOf.values()].filter((type) => type !== ''));
  return [
    ...waitedValues('total', '', waitedBy(jobWaits, () => '').get('')),
    ...queues.flatMap(({ name }) => waitedValues('queue', name, byQueue.get(name))),
    ...[...types].flatMap((type) => waitedValues('workerType', type, byType.get(type))),
  ];
}

function seriesOfClasses({ classTotals, jobWaits, now }: Sampled): SeriesValue[] {
  const most = ([, one]: [string, ClassTotal], [, other]: [string, ClassTotal]) =>
    weightOfClass(other, now) - weightOfClass(one, now);
  const classes = [...classTotals];
  const kept = classes.length <= CLASSES_KEPT ? classes : classes.sort(most).slice(0, CLASSES_KEPT);
  const waited = waitedBy(jobWaits, ({ metricsClass }) => metricsClass);
  return kept.flatMap(([name, { processed, failed, milliseconds }]) => [
    ...valuesOf('class', name, { processedRate: processed, failedRate: failed, load: milliseconds / 1000 }),
    ...waitedValues('class', name, waited.get(name)),
  ]);
}

/**
 * Everything that is kept of a state but its classes and waits. Figures that are not known are left out, which makes a gap.
 */
export function seriesOf({ snapshot, totals, queues }: Pick<Sampled, 'snapshot' | 'totals' | 'queues'>): SeriesValue[] {
  const values = valuesOf('total', '', {
    enqueued: totals.enqueued,
    latency: totals.latencyMaxSeconds,
    busy: totals.busy,
    threads: totals.threads,
    readyThreads: totals.readyThreads,
    utilisation: totals.utilisation,
    processes: totals.processes,
    quietProcesses: totals.quietProcesses,
    processedRate: totals.processed,
    failedRate: totals.failed,
    scheduled: snapshot.totals.scheduled,
    retry: snapshot.totals.retry,
    dead: snapshot.totals.dead,
    deadLastHour: snapshot.totals.deadLastHour,
  });
  for (const queue of queues) {
    values.push(...valuesOf('queue', queue.name, figuresOf(queue)));
  }
  const typed = queues.filter(({ workerType }) => workerType !== '');
  for (const [type, members] of groupBy(typed, ({ workerType }) => workerType)) {
    const names = new Set(members.map(({ name }) => name));
    values.push(
      ...valuesOf('workerType', type, {
        ...combine(members.map(figuresOf)),
        threads: threadsServing(snapshot.processes, names, 'all'),
        readyThreads: threadsServing(snapshot.processes, names, 'ready'),
      })
    );
  }
  return values;
}

function figuresOf(queue: QueueState): Figures {
  return {
    enqueued: queue.size,
    latency: queue.waitSeconds,
    busy: queue.busy,
    threads: queue.threads,
    readyThreads: queue.readyThreads,
    objective: queue.objectiveSeconds,
    inRate: queue.inRate,
    outRate: queue.outRate,
  };
}

function valuesOf(scope: HistoryScope, key: string, figures: Figures): SeriesValue[] {
  const values: SeriesValue[] = [];
  for (const figure of Object.keys(figures)) {
    const value = figures[figure] ?? null;
    if (value !== null) {
      values.push({ scope, key, figure, value });
    }
  }
  return values;
}

/** Figures of a worker type that are those of its largest; the others add up. */
const LARGEST: ReadonlySet<string> = new Set(['latency', 'objective']);
/** Rates of which one may be unknown: a queue that is seen for the first time has none. */
const PARTIAL: ReadonlySet<string> = new Set(['inRate', 'outRate']);

/** A type is as late as its latest queue. Unknown parts make unknown sums. */
function combine(members: readonly Figures[]): Figures {
  return Object.fromEntries(
    Object.keys(members[0]!).map((figure) => {
      const values = members.map((figures) => figures[figure] ?? null);
      const known = values.filter((value) => value !== null);
      if (known.length === 0 || (known.length < values.length && !PARTIAL.has(figure))) {
        return [figure, null];
      }
      return [figure, LARGEST.has(figure) ? Math.max(...known) : known.reduce((sum, value) => sum + value, 0)];
    })
  );
}

import type { Answer, Told } from '../whatif/answer';
import { count, plain, seconds, share, typeAndQueue } from './columns';
import { HOURS_A_MONTH } from './jobMetrics';
import type { Column } from './table';

/** Of a queue or worker type in one scenario. */
export interface Figures extends Answer {
  threads: number;
  threadHourPrice: number;
  utilisation: Told | null;
}

/** A queue or worker type. */
export interface Row {
  workerType: string;
  queue: string;
  objectiveSeconds: number;
  asIs: Figures;
  /** `null` where nothing is changed. */
  changed: Figures | null;
}

type Kind = 'count' | 'plain' | 'seconds' | 'share';
const KINDS = { count, plain, seconds, share } as const;

/** A figure as it is and with the changes, as the median of the runs. */
function both(
  kind: Kind,
  name: string,
  title: string,
  description: string,
  value: (figures: Figures) => number | null
): Array<Column<Row>> {
  return [
    KINDS[kind]<Row>(name, title, description, (row) => value(row.asIs)),
    KINDS[kind]<Row>(
      `${name}If`,
      `${title}, if`,
      `${description} With the changes.`,
      (row) => row.changed && value(row.changed)
    ),
  ];
}

const medianOf = (told: Told | null) => told?.median ?? null;

/** Figures as the work is, and with the changes. */
export const COLUMNS: Array<Column<Row>> = [
  ...typeAndQueue<Row>(),
  count('jobs', 'Jobs', 'Jobs of the simulated time, those that waited at its beginning included.', (row) =>
    Math.round(row.asIs.jobs.median)
  ),
  ...both(
    'count',
    'threads',
    'Threads',
    'Threads that serve the queue or worker type, on average.',
    (figures) => figures.threads
  ),
  ...both(
    'plain',
    'costPerMonth',
    'Cost a month',
    'Cost of the threads for a month of 730 hours, at the price of a thread-hour in the settings; no value without one. Threads that serve several queues are counted with each.',
    (figures) => (figures.threadHourPrice === 0 ? null : figures.threads * HOURS_A_MONTH * figures.threadHourPrice)
  ),
  ...both('share', 'utilisation', 'Busy', 'Busy share of these threads; 100% at most.', (figures) =>
    medianOf(figures.utilisation)
  ),
  ...both(
    'seconds',
    'p50',
    'p50',
    'Half of the jobs wait no longer; those that still wait at the end count by their age.',
    ({ p50 }) => medianOf(p50)
  ),
  ...both('seconds', 'p95', 'p95', '95% of the jobs wait no longer.', ({ p95 }) => medianOf(p95)),
  seconds(
    'p95IfLeast',
    'p95 at least',
    'The least of the runs, with the changes where there are any: of 20 runs, one more lies between the least and the most in nine of ten cases.',
    (row) => (row.changed ?? row.asIs).p95?.least ?? null
  ),
  seconds(
    'p95IfMost',
    'p95 at most',
    'The most of the runs, with the changes where there are any.',
    (row) => (row.changed ?? row.asIs).p95?.most ?? null
  ),
  share('p95Change', 'p95 change', 'Change of p95; no value where it is 0 as it is.', ({ asIs, changed: other }) =>
    other?.p95 && asIs.p95 && asIs.p95.median > 0 ? other.p95.median / asIs.p95.median - 1 : null
  ),
  ...both('seconds', 'p99', 'p99', '99% of the jobs wait no longer.', ({ p99 }) => medianOf(p99)),
  seconds('objective', 'Objective', 'Latency objective, by the settings.', (row) => row.objectiveSeconds),
  ...both(
    'share',
    'within',
    'Within objective',
    'Share of the jobs that wait no longer than the objective.',
    (figures) => medianOf(figures.within)
  ),
  ...both('count', 'backlogEnd', 'Backlog at the end', 'Jobs that wait at the end of the simulated time.', (figures) =>
    Math.round(figures.backlogEnd.median)
  ),
  ...both(
    'seconds',
    'drainTime',
    'Drain time',
    'Time until all jobs have started that waited at the beginning; no value where none did, or where some never do.',
    (figures) => medianOf(figures.drainedAt)
  ),
];
/** Columns that are there only where something is changed. */
export const IF_COLUMNS = COLUMNS.filter(({ name }) => name.endsWith('If') || name === 'p95Change').map(
  ({ name }) => name
);

import { z } from 'zod';
import type { Value } from '../frames/frame';
import { cursorText } from '../sidekiq/jobDetails';
import type { Iteration } from '../sidekiq/parts/iteration';
import { METRICS_CLASS, metricsOfClass } from './links';
import type { Column } from './table';

type Text<Row> = (row: Row) => string | null;
type Amount<Row> = (row: Row) => number | null;
type More<Row> = Partial<Omit<Column<Row>, 'name' | 'title' | 'kind' | 'description' | 'value'>>;

function column<Row>(
  kind: Column<Row>['kind'],
  unit: string | undefined,
  name: string,
  title: string,
  description: string,
  value: (row: Row) => Value,
  more: More<Row> = {}
): Column<Row> {
  return { name, title, kind, ...(unit && { unit }), description, value, ...more };
}

/** A text that filters may use. */
export const text = <Row>(name: string, title: string, description: string, value: Text<Row>, more?: More<Row>) =>
  column('string', undefined, name, title, description, value, more);

/** A text that identifies a row: a label in alert rules. */
export const key = <Row>(name: string, title: string, description: string, value: Text<Row>, more?: More<Row>) =>
  column('string', undefined, name, title, description, value, { key: true, ...more });

/** A number of jobs, threads or processes. */
export const count = <Row>(name: string, title: string, description: string, value: Amount<Row>, more?: More<Row>) =>
  column('number', 'short', name, title, description, value, more);

/** A number as it is, without abbreviation. */
export const plain = <Row>(name: string, title: string, description: string, value: Amount<Row>, more?: More<Row>) =>
  column('number', 'none', name, title, description, value, more);

/** A span of time. */
export const seconds = <Row>(name: string, title: string, description: string, value: Amount<Row>, more?: More<Row>) =>
  column('number', 's', name, title, description, value, more);

/** Bytes. */
export const bytes = <Row>(name: string, title: string, description: string, value: Amount<Row>, more?: More<Row>) =>
  column('number', 'bytes', name, title, description, value, more);

/** Events per second. */
export const rate = <Row>(name: string, title: string, description: string, value: Amount<Row>, more?: More<Row>) =>
  column('number', 'suffix:jobs/s', name, title, description, value, more);

/** A share, where 1 is the whole. */
export const share = <Row>(name: string, title: string, description: string, value: Amount<Row>, more?: More<Row>) =>
  column('number', 'percentunit', name, title, description, value, more);

/** An instant, read in epoch seconds. */
export const instant = <Row>(name: string, title: string, description: string, value: Amount<Row>, more?: More<Row>) =>
  column<Row>('time', undefined, name, title, description, (row) => milliseconds(value(row)), {
    ...more,
    // "2 minutes ago" is what is read at a glance.
    config: { unit: 'dateTimeFromNow', ...more?.config },
  });

/** Yes or no; `null` where it is not known. */
export const flag = <Row>(name: string, title: string, description: string, value: (row: Row) => boolean | null) =>
  column('boolean', undefined, name, title, description, value);

/**
 * The class of a job, which leads to the metrics of that class, and the class under which those are kept: metrics of all
 * mailers are kept under ActionMailer's job. Filters find a job by either.
 */
export const jobClass = <Row extends { class: string; metricsClass: string }>(): Array<Column<Row>> => [
  key('class', 'Class', 'Job class; ActiveJob and mailers unwrapped.', (row) => row.class, {
    links: metricsOfClass,
    filterValues: (row) => [row.class, row.metricsClass],
  }),
  text(
    METRICS_CLASS,
    'Metrics class',
    'Class under which Sidekiq keeps the metrics of the job.',
    (row) => row.metricsClass,
    {
      config: { custom: { hideFrom: { viz: true } } },
    }
  ),
];

/** How far an IterableJob has come; they are shown where the option `iteration` asks for them. */
export const ITERATION_COLUMNS = ['iterationCursor', 'iterationRuns', 'iterationTime'] as const;

export const iterationColumns = <Row extends { iteration: Iteration | null; showsArguments: boolean }>(): Array<
  Column<Row>
> => [
  text(
    'iterationCursor',
    'Cursor',
    'Position of an IterableJob as of its last flush; hidden unless it is a number or arguments are allowed.',
    ({ iteration, showsArguments }) => (iteration === null ? '' : cursorText(iteration.cursor, showsArguments))
  ),
  count(
    'iterationRuns',
    'Runs',
    'Executions of an IterableJob so far.',
    ({ iteration }) => iteration?.executions ?? null
  ),
  seconds(
    'iterationTime',
    'Time of ended runs',
    'Time that the ended executions of an IterableJob took.',
    ({ iteration }) => iteration?.runtimeSeconds ?? null
  ),
];

/** Asks for the state of IterableJobs. */
export const iterationOption = {
  iteration: z.boolean().default(false).describe('Show how far IterableJobs have come.'),
};

/** The worker type and the queue that a row is about. */
export const typeAndQueue = <Row extends { workerType: string; queue: string }>(): Array<Column<Row>> => [
  key(
    'workerType',
    'Worker type',
    'Worker type of the queues, by the map in the settings or derived from the processes.',
    (row) => row.workerType
  ),
  key('queue', 'Queue', 'Name of the queue, if rows are queues.', (row) => row.queue),
];

/** Epoch milliseconds, as Grafana counts. */
function milliseconds(at: number | null): number | null {
  return at === null ? null : at * 1000;
}

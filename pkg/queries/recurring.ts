import { MINUTES_KEPT_SECONDS } from '../sidekiq/jobMetricsReader';
import { readRecurring, type RecurringEntry } from '../sidekiq/recurringReader';
import type { QueryContext } from './context';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row extends Omit<RecurringEntry, 'source'> {
  /** `cadence` beside the schedulers: a class that the settings expect to run. */
  source: string;
  now: number;
}

const COLUMNS: Array<Column<Row>> = [
  {
    name: 'name',
    title: 'Name',
    kind: 'string',
    key: true,
    description: 'Name of the entry, or the class of a cadence.',
    value: (row) => row.name,
  },
  {
    name: 'source',
    title: 'Source',
    kind: 'string',
    key: true,
    description: 'sidekiq-cron, sidekiq-scheduler, or a cadence of the settings.',
    value: (row) => row.source,
  },
  {
    name: 'class',
    title: 'Class',
    kind: 'string',
    description: 'Job class that it enqueues.',
    value: (row) => row.class,
  },
  { name: 'queue', title: 'Queue', kind: 'string', description: 'Queue it goes to.', value: (row) => row.queue },
  {
    name: 'schedule',
    title: 'Schedule',
    kind: 'string',
    description: 'As it is written there.',
    value: (row) => row.schedule,
  },
  { name: 'enabled', title: 'Enabled', kind: 'boolean', description: 'Not switched off.', value: (row) => row.enabled },
  {
    name: 'last',
    title: 'Last run',
    kind: 'time',
    description: 'When it was last enqueued, or its class last ran (to the minute).',
    value: (row) => (row.lastAt === null ? null : row.lastAt * 1000),
  },
  {
    name: 'next',
    title: 'Next run',
    kind: 'time',
    description: 'When it is expected next.',
    value: (row) => (row.nextAt === null ? null : row.nextAt * 1000),
  },
  {
    name: 'sinceLast',
    title: 'Since last run',
    kind: 'number',
    unit: 's',
    description: 'Time since the last run; empty where it did not run within what is kept.',
    value: (row) => (row.lastAt === null ? null : Math.max(0, row.now - row.lastAt)),
  },
  {
    name: 'lateBy',
    title: 'Late by',
    kind: 'number',
    unit: 's',
    description: 'Time since the expected run that did not come; 0 on time.',
    value: (row) => (row.nextAt === null ? null : Math.max(0, row.now - row.nextAt)),
  },
];

/** What should run again and again: schedulers' entries, and classes with an expected cadence. */
export const recurring = tableQuery({
  id: 'recurring',
  title: 'Recurring',
  description:
    'What should run again and again: last run, next run, late by. sidekiq-cron, sidekiq-scheduler, and expected cadences.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  async rows(context) {
    const { at: now, notices } = await context.snapshot();
    const entries = await readRecurring(context.redis, now, context.signal);
    return { rows: [...entries.map((entry) => ({ ...entry, now })), ...(await cadences(context, now))], notices };
  },
});

/** A class that did not run within the eight hours of job metrics is late by at least that. */
async function cadences({ jobMetrics, options, signal }: QueryContext, now: number): Promise<Row[]> {
  if (options.cadences.length === 0) {
    return [];
  }
  const buckets = await jobMetrics.read(now - MINUTES_KEPT_SECONDS, now, 60, now, signal);
  const lastByClass = new Map<string, number>();
  for (const { startsAt, classes } of buckets) {
    for (const jobClass of classes.keys()) {
      lastByClass.set(jobClass, startsAt);
    }
  }
  return options.cadences.map(({ class: jobClass, everySeconds }) => {
    const lastAt = lastByClass.get(jobClass) ?? null;
    return {
      name: jobClass,
      source: 'cadence',
      class: jobClass,
      queue: '',
      schedule: `every ${everySeconds} s`,
      enabled: true,
      lastAt,
      // A bucket is known to the minute: it counts from its end.
      nextAt: (lastAt === null ? now - MINUTES_KEPT_SECONDS : lastAt + 60) + everySeconds,
      now,
    };
  });
}

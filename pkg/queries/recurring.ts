import { flag, instant, key, seconds, text } from './columns';
import { baseQuerySchema } from './model';
import { recurringRows, type RecurringRow } from './recurringRows';
import { tableQuery, type Column } from './table';

const COLUMNS: Array<Column<RecurringRow>> = [
  key('name', 'Name', 'Name of the entry, or the class of a cadence.', (row) => row.name),
  key('source', 'Source', 'sidekiq-cron, sidekiq-scheduler, or a cadence of the settings.', (row) => row.source),
  text('class', 'Class', 'Job class that it enqueues.', (row) => row.class),
  text('queue', 'Queue', 'Queue it goes to.', (row) => row.queue),
  text('schedule', 'Schedule', 'As it is written there.', (row) => row.schedule),
  flag('enabled', 'Enabled', 'Not switched off.', (row) => row.enabled),
  instant('last', 'Last run', 'When it was last enqueued, or its class last ran (to the minute).', (row) => row.lastAt),
  instant('next', 'Next run', 'The first run that is due after the last one.', (row) => row.nextAt),
  seconds(
    'sinceLast',
    'Since last run',
    'Time since the last run; empty where it did not run within what is kept.',
    ({ lastAt, now }) => (lastAt === null ? null : Math.max(0, now - lastAt))
  ),
  seconds('lateBy', 'Late by', 'Time since the expected run that did not come; 0 on time.', ({ nextAt, now }) =>
    nextAt === null ? null : Math.max(0, now - nextAt)
  ),
];

/** What should run again and again: schedulers' entries, and classes with an expected cadence. */
export const recurring = tableQuery({
  id: 'recurring',
  group: 'Jobs',
  title: 'Recurring',
  description:
    'What should run again and again: last run, next run, late by. sidekiq-cron, sidekiq-scheduler, and expected cadences.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  rows: (state, _query, _request, reads) => recurringRows(state, reads),
});

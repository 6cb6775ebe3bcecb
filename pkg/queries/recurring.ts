import { lateBy } from '../sidekiq/browse/recurring';
import { flag, instant, key, seconds, text } from './columns';
import { baseQuerySchema } from './model';
import type { RecurringRow } from '../findings/rule';
import { recurringRows } from './recurringRows';
import { tableQuery, type Column } from './table';

const COLUMNS: Array<Column<RecurringRow>> = [
  key('name', 'Name', 'Name of the entry, or the class of a cadence.', (row) => row.name),
  key('source', 'Source', 'sidekiq-cron, sidekiq-scheduler, or a cadence of the settings.', (row) => row.source),
  key(
    'prefix',
    'Prefix',
    'Value of key_prefix of sidekiq-scheduler, by which applications on one Redis are told apart.',
    (row) => row.prefix
  ),
  text('class', 'Class', 'Job class of the entry.', (row) => row.class),
  text('queue', 'Queue', 'Queue of the entry.', (row) => row.queue),
  text('schedule', 'Schedule', 'Schedule as written in the source.', (row) => row.schedule),
  flag('enabled', 'Enabled', 'Whether the entry is enabled.', (row) => row.enabled),
  instant(
    'last',
    'Last run',
    'Time of the last enqueue, or of the last run of the class (to the minute).',
    (row) => row.lastAt
  ),
  instant('next', 'Next run', 'The first run that is due after the last one.', (row) => row.nextAt),
  seconds(
    'sinceLast',
    'Since last run',
    'Time since the last run; no value if there was no run within the retention.',
    ({ lastAt, now }) => (lastAt === null ? null : Math.max(0, now - lastAt))
  ),
  seconds(
    'lateBy',
    'Late by',
    'Time since the missed run; 0 if on time, and as long as the run may still be due in the time zone of the application.',
    (row) => lateBy(row, row.now)
  ),
  flag(
    'unreadable',
    'Unreadable',
    'The scheduler cannot read the schedule, so that the entry does not run.',
    (row) => row.unreadable
  ),
];

/** What should run again and again: schedulers' entries, and classes with an expected cadence. */
export const recurring = tableQuery({
  id: 'recurring',
  group: 'Jobs',
  title: 'Recurring',
  description:
    'Jobs that should run periodically: last run, next run, lateness. From sidekiq-cron, sidekiq-scheduler and expected cadences.',
  empty: 'No cron entry found. Set cadences in the data source for jobs that should run regularly.',
  cost: 'the entries of the schedulers',
  schema: baseQuerySchema,
  columns: COLUMNS,
  rows: (state, _query, _request, reads) => recurringRows(state, reads),
});

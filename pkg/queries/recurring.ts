import type { Reads } from '../installation/reads';
import type { State } from '../installation/state';
import type { RecurringEntry } from '../sidekiq/browse/recurring';
import { MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import { flag, instant, key, seconds, text } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column, type Rows } from './table';

interface Row extends Omit<RecurringEntry, 'source'> {
  /** `cadence` beside the schedulers: a class that the settings expect to run. */
  source: RecurringEntry['source'] | 'cadence';
  now: number;
}

const COLUMNS: Array<Column<Row>> = [
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
  title: 'Recurring',
  description:
    'What should run again and again: last run, next run, late by. sidekiq-cron, sidekiq-scheduler, and expected cadences.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  async rows(state, _query, _request, reads) {
    const { entries, notices } = await reads.recurring(state.now);
    const expected = await cadences(state, reads);
    return {
      rows: [...entries.map((entry): Row => ({ ...entry, now: state.now })), ...expected.rows],
      notices: [...notices, ...(expected.notices ?? [])],
    };
  },
});

/** A class that did not run within the eight hours of job metrics is late by at least that. */
async function cadences({ options, now }: State, reads: Reads): Promise<Rows<Row>> {
  if (options.cadences.length === 0) {
    return { rows: [] };
  }
  const { buckets, notices } = await reads.buckets({ from: now - MINUTES_KEPT_SECONDS, to: now }, 60, now);
  const lastByClass = new Map<string, number>();
  for (const { startsAt, classes } of buckets) {
    for (const name of classes.keys()) {
      lastByClass.set(name, startsAt);
    }
  }
  return {
    notices,
    rows: options.cadences.map(({ class: name, everySeconds }): Row => {
      const lastAt = lastByClass.get(name) ?? null;
      return {
        name,
        source: 'cadence',
        class: name,
        queue: '',
        schedule: `every ${everySeconds} s`,
        enabled: true,
        lastAt,
        // A bucket is known to the minute: it counts from its end.
        nextAt: (lastAt === null ? now - MINUTES_KEPT_SECONDS : lastAt + 60) + everySeconds,
        now,
      };
    }),
  };
}

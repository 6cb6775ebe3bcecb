import type { Reads } from '../source/reads';
import type { State } from '../watch/state';
import type { RecurringRow } from '../findings/rule';
import { MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { Rows } from './table';

/** All that should run again and again. @throws Fault when nothing of it may be read */
export async function recurringRows(state: State, reads: Reads): Promise<Rows<RecurringRow>> {
  const { entries, notices } = await reads.recurring(state.now, state.disabledEntries);
  const expected = await cadences(state, reads);
  return {
    rows: [...entries.map((entry): RecurringRow => ({ ...entry, now: state.now })), ...expected.rows],
    notices: [...notices, ...(expected.notices ?? [])],
  };
}

/** A class that did not run within the eight hours of job metrics is late by at least that. */
async function cadences({ options, now }: State, reads: Reads): Promise<Rows<RecurringRow>> {
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
    rows: options.cadences.map(({ class: name, everySeconds }): RecurringRow => {
      const lastAt = lastByClass.get(name) ?? null;
      // A bucket is known to the minute: it counts from its end.
      const nextAt = (lastAt === null ? now - MINUTES_KEPT_SECONDS : lastAt + 60) + everySeconds;
      return {
        name,
        source: 'cadence',
        class: name,
        queue: '',
        schedule: `every ${everySeconds} s`,
        enabled: true,
        lastAt,
        prefix: '',
        nextAt,
        lateFrom: nextAt,
        unreadable: false,
        zoneKnown: true,
        now,
      };
    }),
  };
}

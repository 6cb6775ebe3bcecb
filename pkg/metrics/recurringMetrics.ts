import { lateBy, type RecurringEntry } from '../sidekiq/browse/recurring';
import { labelValue, queueLabels, type Metric, type MetricState, type Sample } from './metric';
import { single } from './metricRows';

type Entries = readonly RecurringEntry[];

/** Entries of one scheduler; `null` where they could not be read, and where there are none of it. */
function of({ snapshot: { recurring } }: MetricState, source?: RecurringEntry['source']): Entries | null {
  const entries = recurring.items.filter((entry) => source === undefined || entry.source === source);
  return recurring.whole && entries.length > 0 ? entries : null;
}

function perEntry(name: string, help: string, value: (entry: RecurringEntry, now: number) => number | null): Metric {
  return {
    name,
    type: 'gauge',
    help,
    unit: 'seconds',
    labels: ['source', 'name', 'class'],
    source: 'entries of sidekiq-cron and sidekiq-scheduler; those under a key_prefix have a label prefix',
    read: (state) =>
      of(state)?.flatMap((entry): Sample[] => {
        const found = value(entry, state.now);
        return found === null
          ? []
          : [
              {
                labels: [
                  ['source', entry.source],
                  ['name', labelValue(entry.name)],
                  ['class', labelValue(entry.class)],
                  ...(entry.prefix === '' ? [] : [['prefix', labelValue(entry.prefix)] as const]),
                ],
                value: found,
              },
            ];
      }) ?? null,
  };
}

/**
 * What should run again and again. The first four are those of the Ruby exporter's contribs `cron` and `scheduler`, which
 * count minutes; the others tell instants and delays of both schedulers.
 */
export const RECURRING_METRICS: readonly Metric[] = [
  single(
    'sidekiq_cron_jobs',
    'Entries of sidekiq-cron.',
    'sets of sidekiq-cron',
    (state) => of(state, 'sidekiq-cron')?.length ?? null
  ),
  single(
    'sidekiq_scheduler_jobs',
    'Entries of sidekiq-scheduler.',
    'hash schedules',
    (state) => of(state, 'sidekiq-scheduler')?.length ?? null
  ),
  single(
    'sidekiq_scheduler_enabled_jobs',
    'Entries of sidekiq-scheduler that are enabled.',
    'hashes schedules and sidekiq-scheduler:states',
    (state) => of(state, 'sidekiq-scheduler')?.filter(({ enabled }) => enabled).length ?? null
  ),
  {
    name: 'sidekiq_scheduler_time_since_last_run_minutes',
    type: 'gauge',
    help: 'Whole minutes since the last run of an enabled entry of sidekiq-scheduler.',
    labels: ['name'],
    source: 'hash sidekiq-scheduler:last_times',
    read: (state) =>
      of(state, 'sidekiq-scheduler')?.flatMap(({ name, prefix, enabled, lastAt }): Sample[] =>
        enabled && lastAt !== null
          ? [
              {
                labels: queueLabels(prefix === '' ? name : `${prefix}:${name}`),
                value: Math.floor((state.now - lastAt) / 60),
              },
            ]
          : []
      ) ?? null,
  },
  perEntry('sidekiq_recurring_last_run_timestamp_seconds', 'When an entry was last enqueued.', ({ lastAt }) => lastAt),
  perEntry(
    'sidekiq_recurring_next_run_timestamp_seconds',
    'First run of an enabled entry that is due after the last run.',
    // By a zone that is only assumed it would be hours off.
    ({ nextAt, zoneKnown }) => (zoneKnown ? nextAt : null)
  ),
  perEntry(
    'sidekiq_recurring_late_seconds',
    'Time since the expected run of an enabled entry that did not come; 0 on time.',
    (entry, now) => lateBy(entry, now)
  ),
];

import { stuckLocks } from '../findings/locks';
import { LOCK_GEMS, LOCK_PLACES } from '../sidekiq/browse/locks';
import { groupBy } from '../sidekiq/groupBy';
import { classLabels, type Metric } from './metric';
import { single } from './metricRows';

const SOURCE = 'keys of the gems, once a minute where readings are recorded';

/** Locks and throttles as they were last looked at. Missing before the first look. */
export const LOCK_METRICS: readonly Metric[] = [
  single(
    'sidekiq_unique_locks',
    'Locks that sidekiq-unique-jobs lists.',
    'ZCARD uniquejobs:digests and uniquejobs:expiring_digests',
    ({ locks }) => locks?.digests ?? null
  ),
  {
    name: 'sidekiq_lock_holders',
    type: 'gauge',
    help: 'Jobs that hold a lock or a slot of a throttle, by where the job is, of the oldest 200 locks.',
    labels: ['gem', 'place'],
    source: SOURCE,
    read: ({ locks }) =>
      LOCK_GEMS.flatMap((gem) => {
        const held = (locks?.locks ?? []).filter((lock) => lock.gem === gem && lock.place !== 'none');
        return held.length === 0
          ? []
          : LOCK_PLACES.filter((place) => place !== 'none').map((place) => ({
              labels: [
                ['gem', gem],
                ['place', place],
              ],
              value: held.filter((lock) => lock.place === place).length,
            }));
      }),
  },
  {
    name: 'sidekiq_stuck_locks',
    type: 'gauge',
    help: 'Locks of the class that are held by a job that is dead or no longer exists.',
    labels: ['class'],
    source: SOURCE,
    read: ({ locks, now }) =>
      [...groupBy(stuckLocks(locks?.locks ?? [], now), (lock) => lock.class)].map(([name, stuck]) => ({
        labels: classLabels(name),
        value: stuck.length,
      })),
  },
];

import { isStuck, type Lock, type LocksBounds } from '../sidekiq/browse/locks';
import { locksAsked } from '../watch/locksAsked';
import { count, flag, instant, key, seconds, text } from './columns';
import { detailsOfJob } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row extends Lock {
  now: number;
}

const MOST: LocksBounds = { digests: 1000, entries: 20_000, bytes: 32 * 1024 * 1024, seconds: 5 };

const COLUMNS: Array<Column<Row>> = [
  text('class', 'Class', 'Class of the job.', (row) => row.class),
  text('queue', 'Queue', 'Queue of the job.', (row) => row.queue),
  text(
    'place',
    'Job is',
    'Where the job is: waiting, running, scheduled, retry or dead. nowhere: not found by looks at least 20 s apart; unseen: not found by one look; unknown: not all jobs could be looked at; none: the lock names no job.',
    (row) => row.place
  ),
  flag(
    'stuck',
    'Stuck',
    'The job is dead or no longer exists, so that it does not release the lock; no value where that is not known.',
    isStuck
  ),
  instant('since', 'Since', 'Time at which the lock was taken.', (row) => row.since),
  seconds('age', 'Age', 'Time since the lock was taken.', ({ since, now }) =>
    since === null ? null : Math.max(0, now - since)
  ),
  text(
    'kind',
    'Kind',
    'Kind of the lock: until_executed and the like; concurrency or threshold of sidekiq-throttled. Empty if neither the lock nor a stored job names it.',
    (row) => row.kind
  ),
  key('jid', 'JID', 'ID of the job that holds the lock.', (row) => row.jid, { links: detailsOfJob }),
  instant('expires', 'Expires', 'Time at which the lock expires; no value if it does not.', (row) => row.expiresAt),
  count(
    'held',
    'Holders',
    'Jobs that hold the lock; no value if there are more than are read. For a threshold the last executions that are kept, at most its limit.',
    (row) => row.held
  ),
  count('queued', 'Waiting', 'Jobs that wait for the lock.', (row) => row.queued + row.primed),
  text('gem', 'Gem', 'sidekiq-unique-jobs, sidekiq-throttled or activejob-uniqueness.', (row) => row.gem),
  key('digest', 'Lock', 'Key of the lock in Redis, without its endings.', (row) => row.digest),
];

/** Locks of uniqueness gems and throttles, with where their jobs are. */
const NOT_READ =
  'Locks with names that only SCAN would find are not read: of sidekiq-throttled with a key suffix, of activejob-uniqueness with arguments or while a job runs, of Sidekiq Enterprise; and of classes that neither waited nor ran lately.';

export const locks = tableQuery({
  id: 'locks',
  group: 'Jobs',
  title: 'Locks',
  description:
    'Locks of sidekiq-unique-jobs (7 to 9) and activejob-uniqueness and throttles of sidekiq-throttled: which job holds them, and where that job is now. Not those with names that only SCAN would find.',
  empty: `No lock found. ${NOT_READ}`,
  cost: 'the keys of up to 1,000 locks, and up to 20,000 stored jobs',
  schema: baseQuerySchema,
  columns: COLUMNS,
  beside: true,
  rows: async (state, _query, _request, reads) => {
    const read = await reads.locks(locksAsked(state, MOST));
    return {
      notices: read.notices,
      rows: read.locks
        .map((lock): Row => ({ ...lock, now: state.now }))
        // What needs attention first, then the oldest.
        .sort(
          (a, b) => Number(isStuck(b) ?? 0) - Number(isStuck(a) ?? 0) || (a.since ?? Infinity) - (b.since ?? Infinity)
        ),
    };
  },
});

import type { Profile } from '../sidekiq/browse/profiles';
import { bytes, instant, jobClass, key, seconds, text } from './columns';
import { detailsOfJob } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const COLUMNS: Array<Column<Profile>> = [
  key('jid', 'JID', 'ID of the profiled job.', (row) => row.jid, { links: detailsOfJob }),
  ...jobClass<Profile>(),
  text('token', 'Token', 'Token of the requester.', (row) => row.token),
  instant('started', 'Started', 'Start of the execution.', (row) => row.startedAt),
  seconds('elapsed', 'Elapsed', 'Duration of the execution.', (row) => row.elapsedSeconds),
  bytes('bytes', 'Size', 'Size of the compressed profile.', (row) => row.bytes),
  instant('expires', 'Expires', 'Time at which Sidekiq deletes the profile.', (row) => row.expiresAt),
];

/** Profiles of executions, the newest first; the Web UI opens them. */
export const profiles = tableQuery({
  id: 'profiles',
  group: 'Jobs',
  title: 'Profiles',
  description: 'Profiles of executions that Sidekiq 8 keeps for a day: job, class, requester, duration.',
  empty: 'No profile is stored. Sidekiq 8 keeps profiles for a day.',
  cost: 'the list of profiles',
  schema: baseQuerySchema,
  columns: COLUMNS,
  beside: true,
  async rows({ now }, _query, _request, reads) {
    const found = await reads.profiles(now);
    return { rows: found.profiles, notices: found.notices };
  },
});

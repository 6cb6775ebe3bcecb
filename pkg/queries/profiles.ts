import type { Profile } from '../sidekiq/browse/profiles';
import { bytes, instant, jobClass, key, seconds, text } from './columns';
import { detailsOfJob } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const COLUMNS: Array<Column<Profile>> = [
  key('jid', 'JID', 'Job that was profiled.', (row) => row.jid, { links: detailsOfJob }),
  jobClass(),
  text('token', 'Token', 'Who asked for the profile.', (row) => row.token),
  instant('started', 'Started', 'When the execution began.', (row) => row.startedAt),
  seconds('elapsed', 'Elapsed', 'How long the execution took.', (row) => row.elapsedSeconds),
  bytes('bytes', 'Size', 'Size of the compressed profile.', (row) => row.bytes),
  instant('expires', 'Expires', 'When Sidekiq deletes it.', (row) => row.expiresAt),
];

/** Profiles of executions, the newest first; the Web UI opens them. */
export const profiles = tableQuery({
  id: 'profiles',
  group: 'Jobs',
  title: 'Profiles',
  description: 'Profiles of executions that Sidekiq 8 keeps for a day: job, class, who asked, how long it took.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  async rows({ now }, _query, _request, reads) {
    const found = await reads.profiles(now);
    return { rows: found.profiles, notices: found.notices };
  },
});

import type { LostJob, VanishedProcess } from '../observe/processLog';
import { count, flag, instant, key, seconds } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row {
  vanished: VanishedProcess;
  /** `null` where nothing ran in it. */
  job: LostJob | null;
}

const COLUMNS: Array<Column<Row>> = [
  key('process', 'Process', 'Identity of the process that vanished.', ({ vanished }) => vanished.process.identity),
  key('host', 'Host', 'Its host.', ({ vanished }) => vanished.process.host),
  instant('lastBeat', 'Last heartbeat', 'Its last sign of life.', ({ vanished }) => vanished.lastBeatAt),
  instant('noticed', 'Noticed', 'When it was noticed.', ({ vanished }) => vanished.noticedAt),
  key('jid', 'JID', 'A job that ran in it.', ({ job }) => job?.jid ?? ''),
  key('class', 'Class', 'Its class.', ({ job }) => job?.class ?? ''),
  key('queue', 'Queue', 'Queue it came from.', ({ job }) => job?.queue ?? ''),
  seconds('runTime', 'Run time', 'How long it had run at the last heartbeat.', ({ vanished, job }) =>
    job?.runAt == null ? null : Math.max(0, vanished.lastBeatAt - job.runAt)
  ),
  count('jobs', 'Jobs', 'Jobs that ran in it and were not seen again.', ({ vanished, job }) =>
    job?.recovered ? 0 : vanished.jobs.filter(({ recovered }) => !recovered).length
  ),
  flag(
    'lost',
    'Lost',
    'The job was not seen again. Without super_fetch (Sidekiq Pro) it is gone.',
    ({ job }) => job !== null && !job.recovered
  ),
];

/** Processes that were killed, and the jobs that ran in them. */
export const lost = tableQuery({
  id: 'lost',
  group: 'Jobs',
  ofRange: true,
  title: 'Lost jobs',
  description: 'Processes that ended without a clean stop (killed, out of memory), and the jobs that ran in them.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  rows: ({ processLog }, _query, { range }) => ({
    rows: processLog.vanished
      .filter(({ lastBeatAt, noticedAt }) => noticedAt >= range.from && lastBeatAt <= range.to)
      .flatMap((vanished): Row[] =>
        vanished.jobs.length === 0 ? [{ vanished, job: null }] : vanished.jobs.map((job) => ({ vanished, job }))
      ),
  }),
});

import { CONFIRMED_SECONDS, mayHaveEnded, type LostJob, type VanishedProcess } from '../observe/vanished';
import type { Notice } from '../sidekiq/model';
import { HEARTBEAT_SECONDS, HEARTBEAT_TTL_SECONDS } from '../sidekiq/parts/process';
import { count, flag, instant, key, plain, seconds, text } from './columns';
import { durationText } from '../findings/texts';
import { detailsOfJob } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row {
  vanished: VanishedProcess;
  /** `null` where nothing ran in it. */
  job: LostJob | null;
  /** The job stands in the work of the process. */
  runs: boolean;
}

const OUTCOMES = {
  running: 'the process came back, and the job still runs in it.',
  returned: 'the process came back, and the job is not seen to run in it: it has ended there.',
  recovered:
    'the job runs again, lies where super_fetch keeps it, is among the next 100 of its queue, or among the first 2,000 that are scheduled, to be retried or dead since its last heartbeat.',
  lost: `neither was seen for ${CONFIRMED_SECONDS} seconds.`,
  unsure: `nor was this one, but jobs of its class take less than the ${HEARTBEAT_SECONDS} seconds between two heartbeats: it may have ended before the process did, and one that began after it may be lost in its place.`,
  open: 'the process has just gone.',
} as const;

function outcomeOf({ vanished, job, runs }: Row): keyof typeof OUTCOMES {
  if (vanished.returnedAt !== null) {
    return runs ? 'running' : 'returned';
  }
  if (job?.recovered) {
    return 'recovered';
  }
  if (!vanished.confirmed) {
    return 'open';
  }
  return job !== null && mayHaveEnded(job, vanished.lastBeatAt) ? 'unsure' : 'lost';
}

/** What became of a job that ran in a process which vanished, and how that is known. @param runs it stands in the work of that process */
export function outcomeText(vanished: VanishedProcess, job: LostJob, runs: boolean): string {
  const outcome = outcomeOf({ vanished, job, runs });
  return `${outcome}: ${OUTCOMES[outcome]}`;
}

/** Whether a thread of the process is known to have lost a job, be it this one or one after it. */
function hasLost(row: Row): boolean {
  return ['lost', 'unsure'].includes(outcomeOf(row));
}

/** The job of a row, or all of its process. */
function jobsOf({ vanished, job }: Row): readonly LostJob[] {
  return job === null ? vanished.jobs : [job];
}

const COLUMNS: Array<Column<Row>> = [
  key('process', 'Process', 'Identity of the process that vanished.', ({ vanished }) => vanished.process.identity),
  key('host', 'Host', 'Host of the process.', ({ vanished }) => vanished.process.host),
  instant('lastBeat', 'Last heartbeat', 'Time of the last heartbeat.', ({ vanished }) => vanished.lastBeatAt),
  instant('noticed', 'Noticed', 'Time at which the loss was noticed.', ({ vanished }) => vanished.noticedAt),
  key('jid', 'JID', 'ID of a job that ran in the process.', ({ job }) => job?.jid ?? '', { links: detailsOfJob }),
  key('class', 'Class', 'Class of the job.', ({ job }) => job?.class ?? '', {
    filterValues: (row) => jobsOf(row).flatMap((each) => [each.class, each.metricsClass]),
  }),
  key('queue', 'Queue', 'Queue of the job.', ({ job }) => job?.queue ?? '', {
    filterValues: (row) => jobsOf(row).map((each) => each.queue),
  }),
  seconds('runTime', 'Run time', 'Run time of the job at the last heartbeat.', ({ vanished, job }) =>
    job?.runAt == null ? null : Math.max(0, vanished.lastBeatAt - job.runAt)
  ),
  text(
    'outcome',
    'Outcome',
    Object.entries(OUTCOMES)
      .map(([name, what]) => `${name}: ${what}`)
      .join(' '),
    outcomeOf
  ),
  plain(
    'vanished',
    'Vanished',
    `1 where the process has been gone for ${CONFIRMED_SECONDS} seconds, 0 where it has just gone or came back.`,
    ({ vanished }) => Number(vanished.confirmed && vanished.returnedAt === null)
  ),
  count('jobs', 'Jobs', 'Jobs that ran in the process and are lost, as of its last heartbeat.', (row) =>
    row.job !== null && !hasLost(row) ? 0 : row.vanished.jobs.filter((job) => hasLost({ ...row, job })).length
  ),
  flag(
    'lost',
    'Lost',
    'The job was not seen again for a minute. Without super_fetch (Sidekiq Pro) the job is lost. No value where that is not known.',
    (row) => (row.job === null ? false : ['open', 'unsure'].includes(outcomeOf(row)) ? null : outcomeOf(row) === 'lost')
  ),
];

/** Only a process that watches for longer than a heartbeat lives can notice that one is missing. */
function watchNotices(since: number | null, now: number): Notice[] {
  const watched = since === null ? 0 : now - since;
  return watched >= HEARTBEAT_TTL_SECONDS
    ? []
    : [
        {
          severity: 'info',
          text: `Lost jobs are noticed by a process that watches; this one began ${durationText(watched)} ago. Run gpx_sidekiq serve or the plugin with a history file, and ask with the same file ("historyFile").`,
        },
      ];
}

/** Processes that were killed, and the jobs that ran in them. */
export const lost = tableQuery({
  id: 'lost',
  group: 'Jobs',
  ofRange: true,
  ofLog: true,
  title: 'Lost jobs',
  description: 'Processes that ended without a clean stop (killed, out of memory), and the jobs that ran in them.',
  empty: 'No process vanished in this time range.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  rows: ({ processLog, snapshot, now }, _query, { range, alerting }) => {
    const running = new Map(snapshot.work.items.map(({ jid, process }) => [jid, process]));
    return {
      notices: watchNotices(processLog.since, now),
      rows: processLog.vanished
        .filter(({ lastBeatAt, noticedAt }) => noticedAt >= range.from && lastBeatAt <= range.to)
        .flatMap((vanished): Row[] => {
          const runs = (job: LostJob) => running.get(job.jid) === vanished.process.identity;
          // One process that is killed is one alert, however many jobs ran in it.
          return alerting || vanished.jobs.length === 0
            ? [{ vanished, job: null, runs: vanished.jobs.some(runs) }]
            : vanished.jobs.map((job) => ({ vanished, job, runs: runs(job) }));
        }),
    };
  },
});

import type { VanishedProcess } from '../history/lossWatch';
import type { Work } from '../sidekiq/work';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row {
  vanished: VanishedProcess;
  /** `null` where nothing ran in it. */
  job: Work | null;
  recovered: boolean;
}

const COLUMNS: Array<Column<Row>> = [
  {
    name: 'process',
    title: 'Process',
    kind: 'string',
    key: true,
    description: 'Identity of the process that vanished.',
    value: ({ vanished }) => vanished.process.identity,
  },
  {
    name: 'host',
    title: 'Host',
    kind: 'string',
    key: true,
    description: 'Its host.',
    value: ({ vanished }) => vanished.process.host,
  },
  {
    name: 'lastBeat',
    title: 'Last heartbeat',
    kind: 'time',
    description: 'Its last sign of life.',
    value: ({ vanished }) => vanished.lastBeatAt * 1000,
  },
  {
    name: 'noticed',
    title: 'Noticed',
    kind: 'time',
    description: 'When it was noticed.',
    value: ({ vanished }) => vanished.noticedAt * 1000,
  },
  {
    name: 'jid',
    title: 'JID',
    kind: 'string',
    key: true,
    description: 'A job that ran in it.',
    value: ({ job }) => job?.jid ?? '',
  },
  {
    name: 'class',
    title: 'Class',
    kind: 'string',
    key: true,
    description: 'Its class.',
    value: ({ job }) => job?.class ?? '',
  },
  {
    name: 'queue',
    title: 'Queue',
    kind: 'string',
    key: true,
    description: 'Queue it came from.',
    value: ({ job }) => job?.queue ?? '',
  },
  {
    name: 'runTime',
    title: 'Run time',
    kind: 'number',
    unit: 's',
    description: 'How long it had run at the last heartbeat.',
    value: ({ vanished, job }) => (job ? Math.max(0, vanished.lastBeatAt - job.runAt) : null),
  },
  {
    name: 'jobs',
    title: 'Jobs',
    kind: 'number',
    unit: 'short',
    description: 'Jobs that ran in it and were not seen again.',
    value: ({ vanished, recovered }) => (recovered ? 0 : vanished.jobs.length),
  },
  {
    name: 'lost',
    title: 'Lost',
    kind: 'boolean',
    description: 'The job was not seen again. Without super_fetch (Sidekiq Pro) it is gone.',
    value: ({ job, recovered }) => job !== null && !recovered,
  },
];

/** Processes that were killed, and the jobs that ran in them. */
export const lost = tableQuery({
  id: 'lost',
  title: 'Lost jobs',
  description: 'Processes that ended without a word (killed, out of memory), and the jobs that ran in them.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  async rows({ snapshot, watch, range }) {
    const { notices } = await snapshot();
    const rows = watch.vanished
      .filter(({ lastBeatAt, noticedAt }) => noticedAt >= range.from && lastBeatAt <= range.to)
      .flatMap((vanished): Row[] =>
        vanished.jobs.length === 0
          ? [{ vanished, job: null, recovered: false }]
          : vanished.jobs.map((job) => ({ vanished, job, recovered: watch.isRecovered(job.jid) }))
      );
    return { rows, notices };
  },
});

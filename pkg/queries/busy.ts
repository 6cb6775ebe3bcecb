import { workerTypeOf } from '../settings/workerTypes';
import type { Work } from '../sidekiq/work';
import { jobsOfQueue } from './links';
import { classColumn } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row extends Work {
  host: string;
  workerType: string;
  runSeconds: number;
}

const columns: Array<Column<Row>> = [
  {
    name: 'process',
    title: 'Process',
    kind: 'string',
    key: true,
    description: 'Identity of the process that runs it.',
    value: (row) => row.process,
  },
  { name: 'host', title: 'Host', kind: 'string', description: 'Host of that process.', value: (row) => row.host },
  {
    name: 'thread',
    title: 'Thread',
    kind: 'string',
    key: true,
    description: 'Thread id within the process.',
    value: (row) => row.thread,
  },
  {
    name: 'queue',
    title: 'Queue',
    kind: 'string',
    key: true,
    description: 'Queue it was taken from.',
    links: jobsOfQueue,
    value: (row) => row.queue,
  },
  {
    name: 'workerType',
    title: 'Worker type',
    kind: 'string',
    description: 'Worker type of the queue, by the map in the settings.',
    value: (row) => row.workerType,
  },
  classColumn(),
  { name: 'jid', title: 'JID', kind: 'string', key: true, description: 'Job id.', value: (row) => row.jid },
  {
    name: 'startedAt',
    title: 'Started',
    kind: 'time',
    description: 'When it began to run.',
    value: (row) => row.runAt * 1000,
  },
  {
    name: 'runTime',
    title: 'Run time',
    kind: 'number',
    unit: 's',
    description: 'How long it has run.',
    value: (row) => row.runSeconds,
  },
  {
    name: 'waited',
    title: 'Waited',
    kind: 'number',
    unit: 's',
    description: 'How long it had waited in the queue before it ran.',
    value: (row) => (row.enqueuedAt === null ? null : Math.max(0, row.runAt - row.enqueuedAt)),
  },
];

/** One row per running job, the longest running first. */
export const busy = tableQuery({
  id: 'busy',
  title: 'Busy',
  description: 'One row per job in progress: class, queue, process and how long it has run.',
  schema: baseQuerySchema,
  columns,
  async rows({ snapshot, options }) {
    const current = await snapshot();
    const hosts = new Map(current.processes.map(({ identity, host }) => [identity, host]));
    const rows = current.work.map((work) => ({
      ...work,
      host: hosts.get(work.process) ?? '',
      workerType: workerTypeOf(work.queue, options.workerTypes),
      runSeconds: Math.max(0, current.at - work.runAt),
    }));
    return { rows, notices: current.notices };
  },
});

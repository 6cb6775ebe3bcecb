import type { Process } from '../sidekiq/process';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row extends Process {
  leader: boolean;
}

const columns: Array<Column<Row>> = [
  {
    name: 'process',
    title: 'Process',
    kind: 'string',
    key: true,
    description: 'Identity: host, pid and a nonce of each boot.',
    value: (row) => row.identity,
  },
  {
    name: 'host',
    title: 'Host',
    kind: 'string',
    key: true,
    description: 'Host name, or dyno.',
    value: (row) => row.host,
  },
  {
    name: 'pid',
    title: 'PID',
    kind: 'number',
    unit: 'none',
    description: 'Process id on its host.',
    value: (row) => row.pid,
  },
  {
    name: 'tag',
    title: 'Tag',
    kind: 'string',
    description: 'Its tag, usually the application.',
    value: (row) => row.tag,
  },
  {
    name: 'labels',
    title: 'Labels',
    kind: 'string',
    description: 'Its labels.',
    value: (row) => row.labels.join(', '),
    filterValues: (row) => row.labels,
  },
  {
    name: 'version',
    title: 'Version',
    kind: 'string',
    description: 'Sidekiq version; written since 7.0.2.',
    value: (row) => row.version,
  },
  {
    name: 'startedAt',
    title: 'Started',
    kind: 'time',
    description: 'When it booted.',
    value: (row) => (row.startedAt === null ? null : row.startedAt * 1000),
  },
  {
    name: 'state',
    title: 'State',
    kind: 'string',
    description: 'running, or quiet: it finishes its jobs and takes no new ones (stopping).',
    value: (row) => (row.quiet ? 'quiet' : 'running'),
  },
  { name: 'quiet', title: 'Quiet', kind: 'boolean', description: 'It takes no new jobs.', value: (row) => row.quiet },
  {
    name: 'beatAge',
    title: 'Beat age',
    kind: 'number',
    unit: 's',
    description: 'Time since its last heartbeat by Redis’ clock; up to about ten seconds is healthy.',
    value: (row) => row.beatAgeSeconds,
  },
  {
    name: 'concurrency',
    title: 'Threads',
    kind: 'number',
    unit: 'short',
    description: 'Its threads, all capsules together.',
    value: (row) => row.concurrency,
  },
  {
    name: 'busy',
    title: 'Busy',
    kind: 'number',
    unit: 'short',
    description: 'Its jobs in progress as of its last heartbeat.',
    value: (row) => row.busy,
  },
  {
    name: 'utilisation',
    title: 'Utilisation',
    kind: 'number',
    unit: 'percentunit',
    description: 'Busy share of its threads.',
    config: { min: 0, max: 1 },
    value: (row) => (row.concurrency === 0 ? 0 : row.busy / row.concurrency),
  },
  {
    name: 'rss',
    title: 'Memory',
    kind: 'number',
    unit: 'bytes',
    description: 'Resident memory. An embedded process shows that of its host application.',
    value: (row) => row.rssBytes,
  },
  {
    name: 'rtt',
    title: 'Redis RTT',
    kind: 'number',
    unit: 's',
    description: 'Round trip between the process and Redis, as it measured; Sidekiq warns from 50 ms.',
    value: (row) => row.rttSeconds,
  },
  {
    name: 'queues',
    title: 'Queues',
    kind: 'string',
    description: 'Queues it serves, capsule by capsule, with order or weights.',
    value: capsulesText,
    filterValues: (row) => row.queues,
  },
  {
    name: 'capsules',
    title: 'Capsules',
    kind: 'number',
    unit: 'short',
    description: 'Number of its capsules.',
    value: (row) => row.capsules.length,
  },
  {
    name: 'embedded',
    title: 'Embedded',
    kind: 'boolean',
    description: 'Runs inside another process, for example Puma.',
    value: (row) => row.embedded,
  },
  {
    name: 'leader',
    title: 'Leader',
    kind: 'boolean',
    description: 'Leads the cluster (Sidekiq Enterprise).',
    value: (row) => row.leader,
  },
];

function capsulesText({ capsules }: Row): string {
  return capsules
    .map(({ name, concurrency, mode, weights }) => {
      const queues = Object.entries(weights).map(([queue, weight]) =>
        mode === 'weighted' ? `${queue},${weight}` : queue
      );
      const list = `${mode}: ${queues.join(mode === 'strict' ? ' > ' : ' ')}`;
      return capsules.length > 1 ? `${name} (${concurrency}) ${list}` : list;
    })
    .join(' | ');
}

/** One row per live process. */
export const processes = tableQuery({
  id: 'processes',
  title: 'Processes',
  description: 'One row per live process: where it runs, its heartbeat, threads, memory, queues and capsules.',
  schema: baseQuerySchema,
  columns,
  async rows({ snapshot }) {
    const current = await snapshot();
    const rows = current.processes.map((process) => ({ ...process, leader: process.identity === current.leader }));
    return { rows, notices: current.notices };
  },
});

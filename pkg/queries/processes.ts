import type { Process } from '../sidekiq/model';
import { typesByQueue, typesServed } from '../observe/workerTypes';
import { bytes, count, flag, instant, key, plain, seconds, share, text } from './columns';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row extends Process {
  leader: boolean | null;
  /** Of the queues that it serves. */
  workerTypes: readonly string[];
}

const STATE_COLOURS = [
  {
    type: 'value',
    options: {
      running: { text: 'running', color: 'green', index: 0 },
      quiet: { text: 'quiet', color: 'blue', index: 1 },
    },
  },
];

const COLUMNS: Array<Column<Row>> = [
  key('process', 'Process', 'Identity: host, pid and a nonce of each boot.', (row) => row.identity),
  key('host', 'Host', 'Host name, or dyno.', (row) => row.host),
  text(
    'state',
    'State',
    'running, or quiet: the process finishes its jobs and takes no new ones.',
    (row) => (row.quiet ? 'quiet' : 'running'),
    { config: { mappings: STATE_COLOURS } }
  ),
  count('busy', 'Busy', 'Jobs in progress at the last heartbeat.', (row) => row.busy),
  count('concurrency', 'Threads', 'Threads of all capsules.', (row) => row.concurrency),
  share('utilisation', 'Utilisation', 'Busy share of the threads.', utilisationOf, { config: { min: 0, max: 1 } }),
  seconds(
    'beatAge',
    'Beat age',
    'Time since the last heartbeat by the clock of Redis; up to about ten seconds is healthy.',
    (row) => row.beatAgeSeconds
  ),
  bytes(
    'rss',
    'Memory',
    'Resident memory. For an embedded process: memory of the host application.',
    (row) => row.rssBytes
  ),
  seconds(
    'rtt',
    'Redis RTT',
    'Round-trip time between the process and Redis, measured by the process; Sidekiq warns from 50 ms.',
    (row) => row.rttSeconds
  ),
  text('queues', 'Queues', 'Queues that the process serves, by capsule, with order or weights.', capsulesText, {
    filterValues: (row) => row.queues,
  }),
  text('workerType', 'Worker type', 'Worker types of the queues that the process serves.', typesText, {
    filterValues: (row) => row.workerTypes,
  }),
  plain('pid', 'PID', 'Process id on its host.', (row) => row.pid),
  text('tag', 'Tag', 'Tag of the process, usually the application.', (row) => row.tag),
  text('labels', 'Labels', 'Labels of the process.', (row) => row.labels.join(', '), {
    filterValues: (row) => row.labels,
  }),
  text('version', 'Version', 'Sidekiq version; written since 7.0.2.', (row) => row.version),
  instant('startedAt', 'Started', 'Start of the process.', (row) => row.startedAt),
  flag('quiet', 'Quiet', 'Whether the process takes no new jobs.', (row) => row.quiet),
  count('capsules', 'Capsules', 'Number of capsules.', (row) => row.capsules.length),
  flag('embedded', 'Embedded', 'Whether Sidekiq runs inside another process, for example Puma.', (row) => row.embedded),
  flag('leader', 'Leader', 'Whether the process leads the cluster (Sidekiq Enterprise).', (row) => row.leader),
];

function utilisationOf({ busy, concurrency }: Row): number | null {
  return busy === null || concurrency === null ? null : concurrency === 0 ? 0 : busy / concurrency;
}

function typesText({ workerTypes }: Row): string {
  return workerTypes.join(', ');
}

function capsulesText({ capsules }: Row): string {
  return capsules
    .map(({ name, concurrency, mode, weights }) => {
      const queues = [...weights].map(([queue, weight]) => (mode === 'weighted' ? `${queue},${weight}` : queue));
      const list = `${mode ?? 'order unknown'}: ${queues.join(mode === 'strict' ? ' > ' : ' ')}`;
      return capsules.length > 1 ? `${name} (${concurrency ?? '?'}) ${list}` : list;
    })
    .join(' | ');
}

/** One row per live process. */
export const processes = tableQuery({
  id: 'processes',
  group: 'Now',
  title: 'Processes',
  description: 'One row per live process: host, heartbeat, threads, memory, queues and capsules.',
  empty: 'No Sidekiq process is alive.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  live: true,
  rows({ snapshot: { processes: found, leader }, queues }) {
    const typeOf = typesByQueue(queues);
    return {
      rows: found.items.map((process) => ({
        ...process,
        leader: leader === null ? null : leader !== '' && process.identity === leader,
        workerTypes: typesServed(process.queues, typeOf).filter((type) => type !== ''),
      })),
    };
  },
});

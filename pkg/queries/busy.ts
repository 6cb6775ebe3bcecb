import type { Work } from '../sidekiq/model';
import { instant, jobClass, key, seconds, text } from './columns';
import { detailsOfJob, jobsOfQueue } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

interface Row extends Work {
  host: string;
  workerType: string;
  now: number;
}

const COLUMNS: Array<Column<Row>> = [
  key('process', 'Process', 'Identity of the process that runs the job.', (row) => row.process),
  text('host', 'Host', 'Host of the process.', (row) => row.host),
  key('thread', 'Thread', 'Thread id within the process.', (row) => row.thread),
  key('queue', 'Queue', 'Queue of the job.', (row) => row.queue, { links: jobsOfQueue }),
  text('workerType', 'Worker type', 'Worker type of the queue.', (row) => row.workerType),
  ...jobClass<Row>(),
  key('jid', 'JID', 'Job id.', (row) => row.jid, { links: detailsOfJob }),
  instant('startedAt', 'Started', 'Start of the execution.', (row) => row.runAt),
  seconds('runTime', 'Run time', 'Time since the start of the execution.', ({ runAt, now }) =>
    runAt === null ? null : Math.max(0, now - runAt)
  ),
  seconds('waited', 'Waited', 'Time that the job waited in the queue before the execution.', ({ runAt, enqueuedAt }) =>
    runAt === null || enqueuedAt === null ? null : Math.max(0, runAt - enqueuedAt)
  ),
];

/** One row per running job, the longest running first. */
export const busy = tableQuery({
  id: 'busy',
  group: 'Now',
  title: 'Busy',
  description: 'One row per job in progress: class, queue, process and run time.',
  empty: 'No job is running.',
  schema: baseQuerySchema,
  columns: COLUMNS,
  live: true,
  example: "--filter 'class=~Invoices.*' --limit 20",
  rows({ snapshot, queues, now }) {
    const types = new Map(queues.map(({ name, workerType }) => [name, workerType]));
    const hosts = new Map(snapshot.processes.items.map(({ identity, host }) => [identity, host]));
    return {
      rows: snapshot.work.items.map((work) => ({
        ...work,
        host: hosts.get(work.process) ?? '',
        workerType: types.get(work.queue) ?? '',
        now,
      })),
    };
  },
});

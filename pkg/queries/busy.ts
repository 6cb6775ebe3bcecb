import type { z } from 'zod';
import { typesByQueue } from '../observe/workerTypes';
import { runTimesOf } from '../sidekiq/clocks';
import type { Work } from '../sidekiq/model';
import type { Iteration } from '../sidekiq/parts/iteration';
import { instant, ITERATION_COLUMNS, iterationColumns, iterationOption, jobClass, key, seconds, text } from './columns';
import { detailsOfJob, jobsOfQueue } from './links';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const schema = baseQuerySchema.extend(iterationOption);

/** A query of busy jobs as it is saved. */
export type BusyQuery = z.input<typeof schema>;

interface Row extends Work {
  iteration: Iteration | null;
  showsArguments: boolean;
  host: string;
  workerType: string;
  ranSeconds: number | null;
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
  seconds('runTime', 'Run time', 'Time since the start of the execution.', (row) => row.ranSeconds),
  seconds('waited', 'Waited', 'Time that the job waited in the queue before the execution.', ({ runAt, enqueuedAt }) =>
    runAt === null || enqueuedAt === null ? null : Math.max(0, runAt - enqueuedAt)
  ),
  ...iterationColumns<Row>(),
];

/** One row per running job, the longest running first. */
export const busy = tableQuery({
  id: 'busy',
  group: 'Now',
  title: 'Busy',
  description: 'One row per job in progress: class, queue, process and run time.',
  empty: 'No job is running.',
  cost: 'with the option iteration the state of up to 1,000 running jobs',
  schema,
  columns: COLUMNS,
  live: true,
  example: "--filter 'class=~Invoices.*' --limit 20",
  async rows({ snapshot, queues, options }, { iteration }, _request, reads) {
    const types = typesByQueue(queues);
    const ranFor = runTimesOf(snapshot);
    const hosts = new Map(snapshot.processes.items.map(({ identity, host }) => [identity, host]));
    const states = iteration ? await reads.iterations(snapshot.work.items.map(({ jid }) => jid)) : null;
    return {
      without: iteration ? [] : ITERATION_COLUMNS,
      rows: snapshot.work.items
        .map((work) => {
          const seconds = ranFor(work);
          return {
            ...work,
            ranSeconds: seconds === null ? null : Math.max(0, seconds),
            host: hosts.get(work.process) ?? '',
            workerType: types.get(work.queue) ?? '',
            iteration: states?.get(work.jid) ?? null,
            showsArguments: options.allowArguments,
          };
        })
        // By the clock of Redis: the records are in the order of what hosts wrote.
        .sort((one, other) => (other.ranSeconds ?? -1) - (one.ranSeconds ?? -1)),
    };
  },
});

import { z } from 'zod';
import { Fault } from '../faults/fault';
import { contextFieldsOf } from '../settings/contextFields';
import type { Options } from '../settings/model';
import { CONTEXT_END, FAILURES_CAP, type ContextJob } from '../sidekiq/browse/contexts';
import type { Notice } from '../sidekiq/model';
import { waitingSince } from '../sidekiq/payload';
import { count, key, seconds, share } from './columns';
import { compileOwnFilters } from './filter';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const QUEUES_CAP = 50;
const PROCESSES_CAP = 500;

const schema = baseQuerySchema.extend({
  field: z
    .string()
    .trim()
    .default('')
    .describe('A field that the settings allow (contextFields); the first of them where it is left out.'),
});

/** A contexts query as it is saved. */
export type ContextsQuery = z.input<typeof schema>;

interface Row {
  field: string;
  value: string;
  waiting: number;
  /** Of all that wait. */
  share: number;
  oldestSeconds: number | null;
  busy: number;
  longestSeconds: number | null;
  /** Of those that run. */
  meanWaitSeconds: number | null;
  retry: number;
  dead: number;
  lastHour: number;
  /** What could be read of all jobs. */
  known: { waiting: boolean; running: boolean };
}

const COLUMNS: Array<Column<Row>> = [
  key('field', 'Field', 'Field of the context.', (row) => row.field),
  key('value', 'Value', 'Value of the field; empty for jobs that do not have it.', (row) => row.value),
  count(
    'waiting',
    'Waiting',
    `Jobs that wait: counted in queues of up to ${2 * CONTEXT_END} jobs, estimated from both ends of longer ones.`,
    (row) => (row.known.waiting ? row.waiting : null)
  ),
  share('share', 'Share', 'Share of all jobs that wait.', (row) => (row.known.waiting ? row.share : null), {
    config: { min: 0, max: 1 },
  }),
  seconds('oldest', 'Oldest', 'Wait of the oldest job in the sample.', (row) =>
    row.known.waiting ? row.oldestSeconds : null
  ),
  count('busy', 'Busy', 'Jobs that run.', (row) => (row.known.running ? row.busy : null)),
  seconds('longest', 'Longest run', 'Time for which the longest running job has run.', (row) =>
    row.known.running ? row.longestSeconds : null
  ),
  seconds('waited', 'Mean wait', 'Mean time that the running jobs had waited.', (row) =>
    row.known.running ? row.meanWaitSeconds : null
  ),
  count('retry', 'In retry', 'Jobs that wait for a retry.', (row) => row.retry),
  count('dead', 'Dead', 'Jobs of the dead set.', (row) => row.dead),
  count(
    'lastHour',
    'Failed in the last hour',
    'Jobs in retry and dead whose latest failure is within the last hour.',
    (row) => row.lastHour
  ),
];

/** Jobs by a field of their context: who fills the queues, who holds the threads, whose jobs fail. */
export const contexts = tableQuery({
  id: 'contexts',
  group: 'Jobs',
  title: 'Contexts',
  description:
    'Backlog, busy threads, waits and failures by a field of the context, for example the tenant: a CurrentAttribute or a field of the payload that the settings allow by name.',
  empty: 'No job waits, runs, waits for a retry or is dead.',
  cost: `${CONTEXT_END} jobs from both ends of each queue, the running jobs, up to ${FAILURES_CAP.toLocaleString('en')} retries and dead jobs each`,
  schema,
  columns: COLUMNS,
  example: '--context-fields tenant_id',
  ownFilters: ['queue', 'class'],
  async rows({ snapshot, queues, options, now }, query, _request, reads) {
    const field = allowed(query.field, options);
    const keeps = compileOwnFilters(query.filters, JOB_FIELDS);
    const isAsked = (job: ContextJob) =>
      keeps((name) => (name === 'class' ? [job.class, job.metricsClass] : job.queue));
    const waiting = queues.filter(({ size }) => size !== 0).sort((a, b) => (b.size ?? 0) - (a.size ?? 0));
    const working = new Set(snapshot.work.items.map(({ process }) => process));
    const processes = snapshot.processes.items.filter(({ busy, identity }) => busy !== 0 || working.has(identity));
    const read = await reads.contexts({
      field,
      queues: waiting.slice(0, QUEUES_CAP).map(({ name }) => name),
      processes: processes.slice(0, PROCESSES_CAP).map(({ identity }) => identity),
    });
    const known = {
      waiting: snapshot.queues.whole && !read.refused.waiting,
      running: snapshot.processes.whole && !read.refused.running,
    };
    const rows = new Map<string, Row>();
    const rowOf = ({ value }: ContextJob): Row => {
      const row = rows.get(value) ?? { field, value, known, ...NOTHING };
      rows.set(value, row);
      return row;
    };
    for (const job of read.waiting.filter(isAsked)) {
      const row = rowOf(job);
      row.waiting += job.weight;
      row.oldestSeconds = longest(row.oldestSeconds, since(waitingSince(job), now));
    }
    const waits = new Map<Row, { sum: number; jobs: number }>();
    for (const job of read.running.filter(isAsked)) {
      const row = rowOf(job);
      row.busy += 1;
      row.longestSeconds = longest(row.longestSeconds, since(job.at, now));
      if (job.at !== null && job.enqueuedAt !== null) {
        const { sum, jobs } = waits.get(row) ?? { sum: 0, jobs: 0 };
        waits.set(row, { sum: sum + Math.max(0, job.at - job.enqueuedAt), jobs: jobs + 1 });
      }
    }
    waits.forEach(({ sum, jobs }, row) => (row.meanWaitSeconds = sum / jobs));
    for (const [place, jobs] of [['retry', read.retry] as const, ['dead', read.dead] as const]) {
      for (const job of jobs.filter(isAsked)) {
        const row = rowOf(job);
        row[place] += 1;
        row.lastHour += Number((since(job.at, now) ?? Infinity) <= 3600);
      }
    }
    const all = [...rows.values()].reduce((sum, each) => sum + each.waiting, 0);
    rows.forEach((row) => {
      row.share = all === 0 ? 0 : row.waiting / all;
      row.waiting = Math.round(row.waiting);
    });
    return {
      rows: [...rows.values()].sort(
        (a, b) => b.waiting - a.waiting || b.busy - a.busy || b.retry + b.dead - a.retry - a.dead
      ),
      notices: [
        ...read.notices,
        ...leftOut(read.estimated, waiting.length - QUEUES_CAP, processes.length - PROCESSES_CAP),
      ],
    };
  },
});

const JOB_FIELDS = ['queue', 'class'] as const;
const NOTHING = {
  ...{ waiting: 0, share: 0, busy: 0, retry: 0, dead: 0, lastHour: 0 },
  ...{ oldestSeconds: null, longestSeconds: null, meanWaitSeconds: null },
};

/** @throws Fault `query` for a field that the settings do not allow */
function allowed(asked: string, options: Options): string {
  const fields = contextFieldsOf(options);
  const field = asked === '' ? fields[0] : fields.find((each) => each === asked);
  if (field === undefined) {
    throw new Fault({
      kind: 'query',
      message:
        fields.length === 0
          ? 'No field of the context may be read.'
          : `The field "${asked.slice(0, 100)}" may not be read; "field" may be: ${fields.join(', ')}.`,
      remedy: 'Name the fields in "contextFields" of the settings, for example tenant_id.',
    });
  }
  return field;
}

function since(at: number | null, now: number): number | null {
  return at === null ? null : Math.max(0, now - at);
}

function longest(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.max(one, other);
}

function leftOut(estimated: readonly string[], queuesLeft: number, processesLeft: number): Notice[] {
  const texts = [
    ...(estimated.length > 0 ? [`Looked at in part: ${estimated.join(', ')}.`] : []),
    ...(queuesLeft > 0 ? [`${queuesLeft} shorter queues were not looked into.`] : []),
    ...(processesLeft > 0 ? [`The jobs of ${processesLeft} processes were not looked at.`] : []),
  ];
  return texts.map((text) => ({ severity: 'info', text }));
}

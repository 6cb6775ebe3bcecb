import { z } from 'zod';
import { redisFault } from '../redis/faults';
import { command } from '../redis/readOnlyRedis';
import { readMarks } from '../sidekiq/deployMarks';
import { keys } from '../sidekiq/keys';
import type { QueryContext } from './context';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const KINDS = ['deploy', 'start', 'stop', 'vanished', 'version', 'leader'] as const;
const schema = baseQuerySchema.extend({
  kinds: z.array(z.enum(KINDS)).default([...KINDS]),
});

/** An events query as it is saved. */
export type EventsQuery = z.input<typeof schema>;

interface Row {
  at: number;
  endsAt: number | null;
  kind: string;
  title: string;
  host: string;
}

const COLUMNS: Array<Column<Row>> = [
  { name: 'time', title: 'Time', kind: 'time', description: 'When it happened.', value: (row) => row.at * 1000 },
  {
    name: 'timeEnd',
    title: 'Until',
    kind: 'time',
    description: 'When it ended, where it lasted.',
    value: (row) => (row.endsAt === null ? null : row.endsAt * 1000),
  },
  { name: 'title', title: 'Event', kind: 'string', description: 'What happened.', value: (row) => row.title },
  { name: 'kind', title: 'Kind', kind: 'string', key: true, description: KINDS.join(', '), value: (row) => row.kind },
  {
    name: 'host',
    title: 'Host',
    kind: 'string',
    key: true,
    description: 'Where it happened.',
    value: (row) => row.host,
  },
  {
    name: 'tags',
    title: 'Tags',
    kind: 'string',
    description: 'Kind and host, for annotations.',
    value: (row) => ['sidekiq', row.kind, row.host].filter((tag) => tag !== '').join(','),
  },
  { name: 'count', title: 'Count', kind: 'number', unit: 'short', description: '1 for each event.', value: () => 1 },
];

const SECONDS_PER_DAY = 86_400;
/** Sidekiq keeps deploy marks for so long. */
const LONGEST_DAYS = 90;

/** What happened: deploy marks, process starts and stops, version and leader changes, vanished processes. */
export const events = tableQuery({
  id: 'events',
  title: 'Events',
  description:
    'Deploy marks, process starts and stops, version and leader changes, vanished processes: for annotations.',
  schema,
  columns: COLUMNS,
  async rows(context, query) {
    const { notices } = await context.snapshot();
    const { from, to } = context.range;
    const wanted = new Set<string>(query.kinds);
    const seen = context.watch.events.map((event): Row => ({ ...event, endsAt: event.endsAt ?? null }));
    const marks = wanted.has('deploy') ? await deployMarks(context) : [];
    const rows = [...marks, ...seen].filter(
      ({ at, endsAt, kind }) => wanted.has(kind) && (endsAt ?? at) >= from && at <= to
    );
    return { rows: rows.sort((a, b) => a.at - b.at), notices };
  },
});

async function deployMarks({ redis, range, signal }: QueryContext): Promise<Row[]> {
  const last = Math.floor(range.to / SECONDS_PER_DAY);
  const first = Math.max(Math.floor(range.from / SECONDS_PER_DAY), last - LONGEST_DAYS);
  const days = Array.from({ length: last - first + 1 }, (_, index) =>
    command('hgetall', keys.marks((first + index) * SECONDS_PER_DAY))
  );
  const { replies } = await redis.batch(days, signal);
  return replies.flatMap(({ value, error }) => {
    if (error) {
      throw redisFault(error, redis.address);
    }
    return readMarks(value).map(({ at, label }) => ({ at, endsAt: null, kind: 'deploy', title: label, host: '' }));
  });
}

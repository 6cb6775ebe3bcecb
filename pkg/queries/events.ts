import { z } from 'zod';
import { count, instant, key, text } from './columns';
import { formatOption } from './logs';
import { baseQuerySchema } from './model';
import { tableQuery, type Column } from './table';

const KINDS = ['deploy', 'start', 'stop', 'vanished', 'returned', 'version', 'leader'] as const;
const schema = baseQuerySchema.extend({
  kinds: z.array(z.enum(KINDS)).default([...KINDS]),
  ...formatOption,
});

/** An events query as it is saved. */
export type EventsQuery = z.input<typeof schema>;

interface Row {
  at: number;
  endsAt: number | null;
  kind: (typeof KINDS)[number];
  title: string;
  host: string;
}

const COLUMNS: Array<Column<Row>> = [
  instant('time', 'Time', 'Time of the event.', (row) => row.at),
  instant('timeEnd', 'Until', 'End of the event, if the event lasted.', (row) => row.endsAt),
  text('title', 'Event', 'Description of the event.', (row) => row.title),
  key('kind', 'Kind', KINDS.join(', '), (row) => row.kind),
  key('host', 'Host', 'Host of the event.', (row) => row.host),
  text('tags', 'Tags', 'Kind and host, for annotations.', (row) =>
    ['sidekiq', row.kind, row.host].filter((tag) => tag !== '').join(',')
  ),
  count('count', 'Count', '1 for each event.', () => 1),
];

/** What happened: deploy marks, process starts and stops, version and leader changes, vanished processes. */
export const events = tableQuery({
  id: 'events',
  group: 'Events',
  ofRange: true,
  title: 'Events',
  description:
    'Deploy marks, process starts and stops, version and leader changes, vanished processes: for annotations.',
  schema,
  columns: COLUMNS,
  logs: {
    time: ['time'],
    body: (of) => String(of('title')),
    severity: (of) => (of('kind') === 'vanished' ? 'error' : 'info'),
  },
  async rows({ processLog, now }, query, { range }, reads) {
    const wanted: ReadonlySet<string> = new Set(query.kinds);
    const deploys = wanted.has('deploy') ? await reads.deployMarks(range, now) : { marks: [], notices: [] };
    const rows: Row[] = [
      ...deploys.marks.map(({ at, label }): Row => ({ at, endsAt: null, kind: 'deploy', title: label, host: '' })),
      ...processLog.events.map((event): Row => ({ ...event, endsAt: event.endsAt ?? null })),
    ];
    return {
      rows: rows
        .filter(({ at, endsAt, kind }) => wanted.has(kind) && (endsAt ?? at) >= range.from && at <= range.to)
        .sort((a, b) => a.at - b.at),
      notices: deploys.notices,
    };
  },
});

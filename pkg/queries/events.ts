import { z } from 'zod';
import { groupBy } from '../sidekiq/groupBy';
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
  /** Events of the kind and host that an alert rule is told as one row. */
  count: number;
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
  count('count', 'Count', '1 for each event; in alert rules, the events of a kind and host.', (row) => row.count),
];

/** What happened: deploy marks, process starts and stops, version and leader changes, vanished processes. */
export const events = tableQuery({
  id: 'events',
  group: 'Events',
  ofRange: true,
  title: 'Events',
  description:
    'Deploy marks, process starts and stops, version and leader changes, vanished processes: for annotations.',
  empty: 'No event in this time range.',
  cost: 'the deploy marks of the days of the range',
  schema,
  columns: COLUMNS,
  logs: {
    time: ['time'],
    body: (of) => String(of('title')),
    severity: (of) => (of('kind') === 'vanished' ? 'error' : 'info'),
  },
  async rows({ processLog, now }, query, { range, alerting }, reads) {
    const wanted: ReadonlySet<string> = new Set(query.kinds);
    const deploys = wanted.has('deploy') ? await reads.deployMarks(range, now) : { marks: [], notices: [] };
    const rows: Row[] = [
      ...deploys.marks.map(({ at, label }): Row => ({
        at,
        endsAt: null,
        kind: 'deploy',
        title: label,
        host: '',
        count: 1,
      })),
      ...processLog.events.map((event): Row => ({ ...event, endsAt: event.endsAt ?? null, count: 1 })),
    ];
    const found = rows
      .filter(({ at, endsAt, kind }) => wanted.has(kind) && (endsAt ?? at) >= range.from && at <= range.to)
      .sort((a, b) => b.at - a.at);
    // Two rows of equal labels would be one series twice.
    const byLabels = groupBy(found, ({ kind, host }) => `${kind}\0${host}`);
    return {
      rows: alerting ? [...byLabels.values()].map((all) => ({ ...all[0]!, count: all.length })) : found,
      notices: deploys.notices,
    };
  },
});

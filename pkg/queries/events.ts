import { z } from 'zod';
import { aroundTime, INCIDENT_PATH, pathOf, SEVERITY_COLOURS } from './findings';
import { groupBy } from '../sidekiq/groupBy';
import { instantText } from '../source/instants';
import { findingKey, type FindingLogView } from '../watch/findingLog';
import { severityRank, type Severity } from '../findings/rule';
import { count, instant, key, seconds, text } from './columns';
import { formatOption } from './logs';
import { baseQuerySchema } from './model';
import type { QueryRequest } from './queryType';
import { tableQuery, type Column } from './table';

const KINDS = ['deploy', 'start', 'stop', 'vanished', 'returned', 'version', 'leader', 'finding'] as const;
const schema = baseQuerySchema.extend({
  kinds: z
    .array(z.enum(KINDS))
    .default([...KINDS])
    .describe('Kinds of events.'),
  order: z
    .enum(['newest', 'worst'])
    .default('newest')
    .describe(
      'Which rows are first: the newest, or findings by severity and by how long they lasted, then vanished processes, deploys and the others. In the latter order findings of one rule and subject are one row.'
    ),
  ...formatOption,
});

/** An events query as it is saved. */
export type EventsQuery = z.input<typeof schema>;

interface Event {
  at: number;
  endsAt: number | null;
  /** It goes on, and a person reads it: no end is told. */
  goesOn?: boolean;
  kind: (typeof KINDS)[number];
  title: string;
  host: string;
  /** Of a finding. */
  severity: Severity | '';
  subject: string;
  rule: string;
  subjectKind: string;
  /** Events that are told as one row. */
  count: number;
}

interface Row extends Event {
  /** Seconds for which it lasted within the time range, in all. */
  lasted: number;
}

const OF_NO_FINDING = { severity: '', subject: '', rule: '', subjectKind: '' } as const;

const COLUMNS: Array<Column<Row>> = [
  instant('time', 'Time', 'Time of the event.', (row) => row.at),
  instant(
    'timeEnd',
    'Until',
    'End of the event, if the event lasted; of a finding that goes on the end of the time range in annotations, and none in tables.',
    (row) => (row.goesOn ? null : row.endsAt)
  ),
  text('title', 'Event', 'Description of the event.', (row) => row.title),
  key('kind', 'Kind', KINDS.join(', '), (row) => row.kind),
  key('host', 'Host', 'Host of the event.', (row) => row.host),
  text('severity', 'Severity', 'Severity of a finding.', (row) => row.severity, {
    config: { mappings: SEVERITY_COLOURS },
  }),
  text('subject', 'Subject', 'Queue, class, host or entry of a finding.', (row) => row.subject),
  text('rule', 'Rule', 'Rule of a finding.', (row) => row.rule),
  text('tags', 'Tags', 'Kind and host, or severity of a finding, for annotations.', (row) =>
    ['sidekiq', row.kind, row.host, row.severity].filter((tag) => tag !== '').join(',')
  ),
  text('path', 'Path', 'Path of the dashboard with details, including its variables and the time.', pathOfEvent),
  count(
    'count',
    'Count',
    'Events that the row stands for: 1, findings of one rule and subject if they are one row, in alert rules the events of a kind and host.',
    (row) => row.count
  ),
  seconds('lasted', 'Lasted', 'How long the event lasted within the time range; of several the sum.', (row) =>
    row.endsAt === null ? null : row.lasted
  ),
];

const DEPLOY_PATH = '/d/sidekiq-deploy?';
/** Before and after a deploy. */
const DEPLOY_SECONDS = 3600;

/** A finding leads to the dashboard of its subject, a deploy to its own, anything else to that of incidents, at that time. */
function pathOfEvent({ kind, subject, subjectKind, rule, at, endsAt }: Row): string {
  if (kind === 'deploy') {
    const [from, to] = [at - DEPLOY_SECONDS, at + DEPLOY_SECONDS].map((seconds) => Math.round(seconds * 1000));
    return `${DEPLOY_PATH}var-deploy=${new Date(at * 1000).toISOString()}&from=${from}&to=${to}`;
  }
  const path = kind === 'finding' ? pathOf({ kind: subjectKind, subject, rule }) : INCIDENT_PATH;
  return `${path}&${aroundTime(at, endsAt)}`;
}

/** What happened: deploys, starts and stops of processes, changes of version and leader, losses, findings. */
export const events = tableQuery({
  id: 'events',
  group: 'Events',
  ofRange: true,
  ofLog: true,
  title: 'Events',
  description:
    'What happened: deploys, starts and stops of processes, vanished processes, and findings from their beginning to their end. For annotations.',
  empty: 'No event in this time range.',
  cost: 'the deploy marks of the days of the range',
  schema,
  columns: COLUMNS,
  logs: {
    time: ['time'],
    body: (of) => String(of('title')),
    severity: (of) => levelOf(String(of('kind')), String(of('tags')).split(',')),
  },
  async rows({ processLog, findingLog, now }, query, { range, alerting, reader }, reads) {
    const wanted: ReadonlySet<string> = new Set(query.kinds);
    const deploys = wanted.has('deploy') ? await reads.deployMarks(range, now) : { marks: [], notices: [] };
    const rows: Event[] = [
      ...deploys.marks.map(({ at, label }): Event => ({
        at,
        endsAt: null,
        kind: 'deploy',
        title: label,
        host: '',
        count: 1,
        ...OF_NO_FINDING,
      })),
      ...processLog.events.map((event): Event => ({
        ...event,
        endsAt: event.endsAt ?? null,
        count: 1,
        ...OF_NO_FINDING,
      })),
      ...[...findingLog.ended, ...findingLog.open].map(
        ({ beganAt, endedAt, text: title, kind, subject, severity, rule }): Event => ({
          at: beganAt,
          // Drawn, one that goes on reaches to the end of what is asked.
          endsAt: endedAt ?? Math.min(now, range.to),
          goesOn: reader === true && endedAt === null,
          kind: 'finding',
          title: endedAt === null ? `${title} Ongoing.` : title,
          host: kind === 'host' ? subject : '',
          severity,
          subject,
          subjectKind: kind,
          rule,
          count: 1,
        })
      ),
    ];
    const found = rows
      .filter(({ at, endsAt, kind }) => wanted.has(kind) && (endsAt ?? at) >= range.from && at <= range.to)
      .map((event): Row => ({ ...event, lasted: togetherWithin([event], range) }))
      .sort((a, b) => b.at - a.at);
    // Two rows of equal labels would be one series twice.
    const byLabels = groupBy(found, ({ kind, host }) => `${kind}\0${host}`);
    return {
      rows: alerting
        ? [...byLabels.values()].map((all) => ({ ...all[0]!, lasted: sumOf(all), count: all.length }))
        : query.order === 'worst'
          ? worstFirst(found, range)
          : found,
      notices: [
        ...deploys.notices,
        ...(wanted.has('finding') ? forgottenSince(findingLog, range.from) : []).map((text) => ({
          severity: 'info' as const,
          text,
        })),
      ],
    };
  },
});

/** Findings of one rule and subject as one row, by severity, the longest first; then others by their kind. */
function worstFirst(rows: readonly Row[], range: QueryRequest['range']): Row[] {
  const findings = groupBy(
    rows.filter(({ kind }) => kind === 'finding'),
    ({ rule, subjectKind: kind, subject }) => findingKey({ rule, kind, subject })
  );
  const folded = [...findings.values()].map((all): Row => {
    const [worst] = [...all].sort(bySeverity);
    const last = all.reduce((latest, each) => (endOf(each) > endOf(latest) ? each : latest));
    const goesOn = last.goesOn === true;
    return {
      ...worst!,
      title: goesOn && worst!.goesOn !== true ? `${worst!.title} Ongoing.` : worst!.title,
      at: Math.min(...all.map(({ at }) => at)),
      endsAt: last.endsAt,
      goesOn,
      lasted: togetherWithin(all, range),
      count: all.length,
    };
  });
  const others = rows.filter(({ kind }) => kind !== 'finding');
  return [...folded.sort(bySeverity), ...others.sort((a, b) => OTHERS.indexOf(a.kind) - OTHERS.indexOf(b.kind))];
}

/** Kinds that are no findings, what tells most first. */
const OTHERS: ReadonlyArray<Row['kind']> = ['vanished', 'deploy', 'version', 'leader', 'returned', 'start', 'stop'];

/** One that goes on ends last. */
function endOf({ at, endsAt, goesOn }: Row): number {
  return goesOn === true ? Infinity : (endsAt ?? at);
}

/** Seconds of a range in which one of several lasted: one that begins anew may say that it began as before. */
function togetherWithin(rows: readonly Event[], range: QueryRequest['range']): number {
  let until = range.from;
  let sum = 0;
  for (const { at, endsAt } of [...rows].sort((one, other) => one.at - other.at)) {
    const end = Math.min(endsAt ?? at, range.to);
    sum += Math.max(0, end - Math.max(at, until));
    until = Math.max(until, end);
  }
  return sum;
}

function sumOf(rows: readonly Row[]): number {
  return rows.reduce((sum, { lasted }) => sum + lasted, 0);
}

function bySeverity(one: Row, other: Row): number {
  const rank = ({ severity }: Row) => severityRank(severity as Severity);
  return rank(one) - rank(other) || other.lasted - one.lasted;
}

function levelOf(kind: string, tags: readonly string[]): 'error' | 'warning' | 'info' {
  if (kind === 'vanished' || tags.includes('critical')) {
    return 'error';
  }
  return tags.includes('warning') ? 'warning' : 'info';
}

/** What is to be said of findings since an instant (epoch seconds) that the log does not hold any more; nothing where it has all. */
export function forgottenSince({ cutUntil }: FindingLogView, from: number): string[] {
  return cutUntil === undefined || cutUntil < from
    ? []
    : [`Of findings that ended before ${instantText(cutUntil)} some are forgotten, those of low severity first.`];
}

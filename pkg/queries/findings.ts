import { z } from 'zod';
import { orNull, type Fault } from '../faults/fault';
import type { Reads } from '../source/reads';
import { findingKey } from '../watch/findingLog';
import type { State } from '../watch/state';
import { instant, key, plain, text } from './columns';
import { severityRank, type Evidence, type Severity } from '../findings/rule';
import { applyRules, unreachable } from '../findings/table';
import { countText, durationText } from '../findings/texts';
import { baseQuerySchema } from './model';
import { recurringRows } from './recurringRows';
import type { QueryRequest } from './queryType';
import { tableQuery, type Column, type Rows } from './table';

const schema = baseQuerySchema.extend({
  severity: z.enum(['critical', 'warning', 'info']).default('info').describe('The least severity that is shown.'),
  installation: z
    .boolean()
    .default(false)
    .describe('Show the name of the data source, in a table of several data sources.'),
});

/** A findings query as it is saved. */
export type FindingsQuery = z.input<typeof schema>;

/** A finding as a row; `ok` where nothing is wrong. */
export interface FindingRow {
  severity: Severity;
  rule: string;
  kind: string;
  subject: string;
  text: string;
  evidence: string;
  cause: string;
  remedy: string;
  since: number | null;
}

/** A finding in a table of several data sources. */
interface PlacedRow extends FindingRow {
  /** The data source that was asked. */
  dataSource: QueryRequest['dataSource'];
  /** Whether the row names it, and leads to it by itself. */
  several: boolean;
}

const LEVELS: Readonly<Record<Severity, number>> = { critical: 3, warning: 2, info: 1, ok: 0 };

/** Mappings of a field of severities to their colours. */
export const SEVERITY_COLOURS = [
  {
    type: 'value',
    options: {
      critical: { text: 'critical', color: 'red', index: 0 },
      warning: { text: 'warning', color: 'orange', index: 1 },
      info: { text: 'info', color: 'blue', index: 2 },
      ok: { text: 'ok', color: 'green', index: 3 },
    },
  },
];

const COLUMNS: Array<Column<PlacedRow>> = [
  text('severity', 'Severity', 'critical, warning or info; ok where nothing is wrong.', (row) => row.severity, {
    config: { mappings: SEVERITY_COLOURS },
  }),
  text(
    'installation',
    'Installation',
    'Name of the data source; shown where the option `installation` asks for it.',
    ({ dataSource, several }) => (several ? (dataSource?.name ?? '') : '')
  ),
  text('finding', 'Finding', 'The problem in one sentence.', (row) => row.text),
  instant('since', 'Since', 'Beginning of the problem, if known.', (row) => row.since),
  text('action', 'What to do', 'The next step.', (row) => row.remedy),
  text('cause', 'Likely cause', 'Likely cause, derived from the figures.', (row) => row.cause),
  text('evidence', 'Evidence', 'Figures that the finding is based on.', (row) => row.evidence),
  text(
    'kind',
    'Kind',
    'Kind of the subject: queue, worker type, class, host, entry, Redis or Sidekiq.',
    (row) => row.kind
  ),
  key('subject', 'Subject', 'Name of the queue, worker type, class, host or entry.', (row) => row.subject),
  key('rule', 'Rule', 'Rule of the finding.', (row) => row.rule),
  text(
    'path',
    'Path',
    'Path of the dashboard with details, including variables.',
    (row) => `${pathOf(row)}${row.several ? dataSourceOf(row) : ''}`
  ),
  text(
    'pathSince',
    'Path since',
    'Path of the dashboard Incident around the beginning; empty where that is not known.',
    (row) =>
      // An address that is empty is no link in a table of Grafana.
      row.since === null ? '' : `${INCIDENT_PATH}${aroundTime(row.since, null)}${dataSourceOf(row)}`
  ),
  plain(
    'level',
    'Level',
    '3 critical, 2 warning, 1 info, 0 where nothing is wrong: the figure for an alert rule.',
    (row) => LEVELS[row.severity]
  ),
];

/** The dashboard of a time range in which something was wrong. */
export const INCIDENT_PATH = '/d/sidekiq-incident?';
/** What led to an event is told too. */
const AROUND_SECONDS = 900;

/** The time around an event (epoch seconds) as parameters of a dashboard. */
export function aroundTime(at: number, endsAt: number | null): string {
  const to = Math.max(at, endsAt ?? at) + AROUND_SECONDS;
  return `from=${Math.round((at - AROUND_SECONDS) * 1000)}&to=${Math.round(to * 1000)}`;
}

/** Where the dashboards tell more of a finding; the data source is added by the link. */
export function pathOf({ kind, subject, rule }: Pick<FindingRow, 'kind' | 'subject' | 'rule'>): string {
  const value = encodeURIComponent(subject);
  switch (kind) {
    case 'queue':
      return `/d/sidekiq-queue?var-queue=${value}`;
    case 'class':
      return `/d/sidekiq-job-class?var-class=${value}`;
    case 'worker type':
      return `/d/sidekiq-processes?var-workerType=${value}`;
    case 'host':
      return `/d/sidekiq-processes?var-host=${value}`;
    default:
      return rule === 'jobsDying' || rule === 'deadSetNearlyFull' ? '/d/sidekiq-errors?' : '/d/sidekiq-processes?';
  }
}

/** The variable of the dashboards' data source. The link adds that of the panel where the row names none. */
function dataSourceOf({ dataSource }: PlacedRow): string {
  return dataSource ? `&var-datasource=${encodeURIComponent(dataSource.uid)}` : '';
}

function placed(
  rows: readonly FindingRow[],
  { installation: several }: z.output<typeof schema>,
  { dataSource }: QueryRequest
): Rows<PlacedRow> {
  return {
    rows: rows.map((row) => ({ ...row, dataSource, several })),
    ...(!several && { without: ['installation'] }),
  };
}

/** What is wrong, the worst first, and what to do. */
export const findings = tableQuery({
  id: 'findings',
  group: 'Now',
  title: 'Findings',
  description: 'What is wrong, the worst first: since when, why, and what to do.',
  empty: 'No finding of this severity.',
  cost: 'INFO and the entries of the schedulers',
  schema,
  columns: COLUMNS,
  example: '--option severity=warning',
  async rows(state, query, request, reads) {
    return placed(await findingRows(state, reads, query.severity), query, request);
  },
  keptRows: ({ fault, now }, query, request) => placed([unreachableRow(fault, now)], query, request),
});

/** The findings of a state, or one row that says that nothing is wrong. */
export async function findingRows(state: State, reads: Reads, least: Severity = 'info'): Promise<FindingRow[]> {
  const found = applyRules(await gather(state, reads)).filter(
    ({ severity }) => severityRank(severity) <= severityRank(least)
  );
  const { processLog, findingLog } = state;
  // What was there when the watch began has begun before: it is not known when.
  const began = new Map(
    findingLog.open
      .filter(({ beganAt }) => beganAt !== processLog.since)
      .map((each) => [findingKey(each), each.beganAt])
  );
  return found.length === 0
    ? [fine(state)]
    : found.map(rowOf).map((row) => ({ ...row, since: earliest(row.since, began.get(findingKey(row))) }));
}

/**
 * Since when it is so. The facts of this moment may show a later instant, such as that of the oldest job that still
 * waits, than the one at which the finding began.
 */
function earliest(shown: number | null, began: number | undefined): number | null {
  return began === undefined ? shown : Math.min(shown ?? began, began);
}

/** The one row while Redis cannot be read. */
export function unreachableRow(fault: Fault, now: number): FindingRow {
  return rowOf(unreachable(fault, now));
}

function rowOf({ rule, ...found }: ReturnType<typeof unreachable>): FindingRow {
  return { ...found, rule: rule.id, remedy: rule.remedy };
}

/** What is refused beside the state is told by the query that is about it. */
async function gather(state: State, reads: Reads): Promise<Evidence> {
  const [info, recurring] = await Promise.all([
    orNull(reads.info()),
    orNull(recurringRows(state, reads).then(({ rows }) => rows)),
  ]);
  return { state, info, recurring };
}

function fine({ totals, queues }: State): FindingRow {
  const waits = totals.latencyMaxSeconds === null ? '' : `, longest wait ${durationText(totals.latencyMaxSeconds)}`;
  return {
    severity: 'ok',
    rule: 'none',
    kind: 'Sidekiq',
    subject: 'Sidekiq',
    text: 'Nothing is wrong.',
    evidence: `${countText(queues.length, 'queue')}${waits}, ${totals.busy ?? '?'} of ${countText(totals.threads, 'thread')} busy`,
    cause: '',
    remedy: '',
    since: null,
  };
}

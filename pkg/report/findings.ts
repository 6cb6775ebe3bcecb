import { SEVERITIES, severityRank, type Severity } from '../findings/rule';
import { USUAL_RULES } from '../findings/usual';
import { countText } from '../findings/texts';
import { forgottenSince } from '../queries/events';
import { groupBy } from '../sidekiq/groupBy';
import type { Range } from '../source/reads';
import { findingKey, type FindingLogView, type LoggedFinding } from '../watch/findingLog';
import type { Section } from './model';
import { tableOf, type ColumnOf } from './tables';

const LISTED = 25;
const UNUSUAL: ReadonlySet<string> = new Set(USUAL_RULES.map(({ id }) => id));

/** A finding in a range: how often it began or went on, and for how long. */
interface Happened {
  severity: Severity;
  text: string;
  times: number;
  seconds: number;
  first: number;
  goesOn: boolean;
}

const COLUMNS: Array<ColumnOf<Happened>> = [
  { name: 'severity', title: 'Severity', kind: 'text', of: ({ severity }) => severity },
  { name: 'finding', title: 'Finding', kind: 'text', of: ({ text }) => text },
  { name: 'times', title: 'Times', kind: 'count', of: ({ times }) => times },
  { name: 'seconds', title: 'In total', kind: 'seconds', of: ({ seconds }) => seconds },
  { name: 'first', title: 'First', kind: 'instant', of: ({ first }) => first },
  { name: 'goesOn', title: 'At the end', kind: 'text', of: ({ goesOn }) => (goesOn ? 'ongoing' : 'over') },
];

/**
 * What was wrong and what was unusual in a range, as of its end.
 *
 * @param missing seconds of the range that were not recorded
 * @param gaps times within the range that were not recorded: what went on before and after is not known to have gone on
 */
export function findingSections(
  findingLog: FindingLogView,
  range: Range,
  missing: number,
  gaps: readonly Range[] = []
): Section[] {
  const { open, ended } = findingLog;
  const within = [...ended, ...open].filter(
    ({ beganAt, endedAt }) => beganAt <= range.to && (endedAt ?? Infinity) >= range.from
  );
  const wrong = happened(
    within.filter(({ rule }) => !UNUSUAL.has(rule)),
    range,
    gaps
  );
  const unusual = happened(
    within.filter(({ rule }) => UNUSUAL.has(rule)),
    range,
    gaps
  );
  return [
    {
      id: 'findings',
      title: 'What was wrong',
      texts: [
        wrong.length === 0 ? nothingText(range, missing) : `${bySeverity(wrong)}.`,
        ...forgottenSince(findingLog, range.from),
      ],
      table: tableOf(COLUMNS, wrong, LISTED),
    },
    {
      id: 'unusual',
      title: 'What was unusual',
      texts: unusual.length === 0 ? ['Nothing was found. It takes two days of history to tell what is usual.'] : [],
      table: tableOf(COLUMNS, unusual, LISTED),
    },
  ];
}

/** Of a range of which less was recorded nothing is said. */
const MOST = 0.95;

function nothingText({ from, to }: Range, missing: number): string {
  if (missing === 0) {
    return 'Nothing was found.';
  }
  return missing >= MOST * (to - from)
    ? 'It is not known what was wrong: the time range was not recorded.'
    : 'Nothing was found in what was recorded.';
}

function bySeverity(rows: readonly Happened[]): string {
  return SEVERITIES.flatMap((severity) => {
    const count = rows.filter((row) => row.severity === severity).length;
    return count > 0 ? [`${countText(count, 'finding')} of severity ${severity}`] : [];
  }).join(', ');
}

function happened(findings: readonly LoggedFinding[], range: Range, gaps: readonly Range[]): Happened[] {
  const { to } = range;
  const rows = [...groupBy(findings, findingKey).values()].map((all): Happened => {
    const last = all.at(-1)!;
    const worst = Math.min(...all.map(({ severity }) => severityRank(severity)));
    return {
      severity: SEVERITIES[worst]!,
      text: last.text,
      times: all.length,
      seconds: all.reduce((sum, { beganAt, endedAt }) => {
        const lasted = { from: beganAt, to: endedAt ?? to };
        const unwatched = gaps.reduce((seconds, gap) => seconds + overlap(lasted, gap), 0);
        return sum + overlap(lasted, range) - unwatched;
      }, 0),
      first: Math.min(...all.map(({ beganAt }) => beganAt)),
      goesOn: all.some(({ endedAt }) => endedAt === null || endedAt > to),
    };
  });
  return rows.sort((a, b) => severityRank(a.severity) - severityRank(b.severity) || b.seconds - a.seconds);
}

/** Seconds that two times have in common. */
function overlap(one: Range, other: Range): number {
  return Math.max(0, Math.min(one.to, other.to) - Math.max(one.from, other.from));
}

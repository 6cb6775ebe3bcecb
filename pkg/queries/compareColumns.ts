import type { Difference } from '../outlook/rankTest';
import type { HistoryFigure } from '../series/figures';
import { key, plain, share, text } from './columns';
import type { Column } from './table';

/** A figure before and after. */
export interface ComparedRow {
  key: string;
  figure: Pick<HistoryFigure, 'title' | 'unit'>;
  before: number | null;
  after: number | null;
  difference: Difference | null;
  /** What lies between before and after. */
  compared: string;
}

/** A change is told where chance gives it less often than this, and where it is not small. */
const MOST_CHANCE = 0.01;
const LEAST_EFFECT = 0.33;

/** Whether more is good or bad depends on the figure. */
const VERDICT_COLOURS = [
  {
    type: 'value',
    options: {
      more: { text: 'more', color: 'orange', index: 0 },
      less: { text: 'less', color: 'blue', index: 1 },
      'slightly more': { text: 'slightly more', color: 'text', index: 2 },
      'slightly less': { text: 'slightly less', color: 'text', index: 3 },
      'not significant': { text: 'not significant', color: 'text', index: 4 },
      unknown: { text: 'unknown', color: 'text', index: 5 },
    },
  },
];

/** Columns of a comparison. */
export const COMPARE_COLUMNS: Array<Column<ComparedRow>> = [
  key('key', 'Name', 'Queue, worker type, class or error; empty in total.', (row) => row.key),
  key(
    'figure',
    'Figure',
    'Figure of the history, with its unit.',
    ({ figure: { title, unit } }) => title + unitText(unit)
  ),
  text(
    'verdict',
    'Verdict',
    'more or less where the change is more than chance, slightly where its effect is small, else not significant; unknown for too few values.',
    verdictOf,
    { config: { mappings: VERDICT_COLOURS } }
  ),
  plain(
    'before',
    'Before',
    'Mean over the time before, in the unit of the figure; a quantile is of all executions; of errors the number of jobs.',
    (row) => row.before
  ),
  plain('after', 'After', 'The same over the time after.', (row) => row.after),
  share('change', 'Change', 'Change of the mean; no value where it was 0 before.', (row) =>
    row.before === null || row.after === null || row.before === 0 ? null : row.after / row.before - 1
  ),
  plain(
    'effect',
    'Effect',
    'From −1 to 1: share of pairs of five minutes in which the later one is larger, less the share in which it is smaller; of the same times of two days weighted by the rank of the difference; of errors the difference as a share of both.',
    (row) => row.difference?.effect ?? null,
    { config: { decimals: 2 } }
  ),
  plain(
    'chance',
    'Chance',
    'How often chance alone gives such an effect: Mann-Whitney test, of the same times of two days the signed-rank test; both widened where values that follow one another are alike. Of errors the binomial test, for which each failure stands by itself.',
    (row) => row.difference?.probability ?? null,
    { config: { decimals: 3 } }
  ),
  text(
    'compared',
    'Compared',
    'The deploy or the instant between before and after, or the day or the week before.',
    (row) => row.compared
  ),
];

function verdictOf({ difference }: ComparedRow): string {
  if (difference === null) {
    return 'unknown';
  }
  const { effect, probability } = difference;
  if (probability >= MOST_CHANCE) {
    return 'not significant';
  }
  return `${Math.abs(effect) < LEAST_EFFECT ? 'slightly ' : ''}${effect > 0 ? 'more' : 'less'}`;
}

/** The unit of a figure as a part of its name: the rows of one column have several. */
function unitText(unit: string): string {
  const text = unit === 'percentunit' ? '1 = 100%' : unit.replace(/^(?:suffix: ?|short$)/, '');
  return text === '' ? '' : ` (${text})`;
}

/** What changed most, and least by chance, first. */
export function mostTelling(one: ComparedRow, other: ComparedRow): number {
  const [a, b] = [one, other].map(({ difference }) =>
    difference === null ? -1 : Math.abs(difference.effect) * (1 - difference.probability)
  );
  return b! - a!;
}

import { cumulativeStdNormalProbability, median } from 'simple-statistics';

/** Whether two sets of values differ by more than chance. */
export interface Difference {
  /**
   * Rank-biserial correlation, from −1 to 1: the share of pairs in which the later value is larger, less the share in which
   * it is smaller.
   */
  readonly effect: number;
  /** Chance of an effect as large where nothing has changed, two-sided. */
  readonly probability: number;
}

/** Fewer values on one side say nothing. */
export const FEWEST = 6;

/**
 * The Mann-Whitney U test with midranks for ties, by its normal approximation with a correction for continuity. Values that
 * follow one another are alike: the variance is widened by how much they are (lag one autocorrelation around the medians), so
 * that one slow hour is not taken for sixty slow minutes.
 *
 * @param before in the order of time
 * @param after in the order of time
 * @returns `null` for too few values
 */
export function rankTest(before: readonly number[], after: readonly number[]): Difference | null {
  const [m, n] = [before.length, after.length];
  if (m < FEWEST || n < FEWEST) {
    return null;
  }
  const all = [...before.map((value) => ({ value, later: false })), ...after.map((value) => ({ value, later: true }))];
  all.sort((a, b) => a.value - b.value);
  let ranks = 0;
  let ties = 0;
  for (let begin = 0; begin < all.length;) {
    let end = begin;
    while (end < all.length && all[end]!.value === all[begin]!.value) {
      end += 1;
    }
    const alike = end - begin;
    const midrank = (begin + 1 + end) / 2;
    ranks += midrank * all.slice(begin, end).filter(({ later }) => later).length;
    ties += alike ** 3 - alike;
    begin = end;
  }
  const total = m + n;
  const u = ranks - (n * (n + 1)) / 2;
  const off = u - (m * n) / 2;
  const effect = off / ((m * n) / 2);
  const variance = ((m * n) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) {
    return { effect: 0, probability: 1 };
  }
  const likeness = Math.max(0, (m * alikeness(before) + n * alikeness(after)) / total);
  const widened = Math.sqrt((variance * (1 + likeness)) / Math.max(1 - likeness, 1 / total));
  const z = Math.max(0, Math.abs(off) - 0.5) / widened;
  return { effect, probability: Math.min(1, 2 * (1 - cumulativeStdNormalProbability(z))) };
}

/** Autocorrelation at lag one, around the median. */
function alikeness(values: readonly number[]): number {
  const middle = median([...values]);
  let together = 0;
  let squares = 0;
  values.forEach((value, index) => {
    const off = value - middle;
    squares += off * off;
    together += index === 0 ? 0 : off * (values[index - 1]! - middle);
  });
  return squares === 0 ? 0 : together / squares;
}

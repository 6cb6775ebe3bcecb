import { errorFunction, median } from 'simple-statistics';

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
  const { ranks, ties } = midranks(
    all,
    ({ value }) => value,
    ({ later }) => later
  );
  const total = m + n;
  const u = ranks - (n * (n + 1)) / 2;
  const off = u - (m * n) / 2;
  const effect = off / ((m * n) / 2);
  const variance = ((m * n) / 12) * (total + 1 - ties / (total * (total - 1)));
  if (variance <= 0) {
    return { effect: 0, probability: 1 };
  }
  const likeness = (m * alikeness(before) + n * alikeness(after)) / total;
  return { effect, probability: chanceOf(off, variance, likeness, total) };
}

/**
 * The Wilcoxon signed-rank test for values of the same times of two days, so that what a day always does is no change. Of
 * the differences and of the relative differences those are tested that are less alike from one to the next: a day that is
 * twice another differs by as much as its own course, and only its ratios are constant.
 *
 * @param before of the same times as `after`, in their order
 * @returns `null` for too few pairs, and for values that are no pairs; the effect is the matched-pairs rank-biserial correlation
 */
export function signedRankTest(before: readonly number[], after: readonly number[]): Difference | null {
  if (before.length < FEWEST || before.length !== after.length) {
    return null;
  }
  const absolute = after.map((value, index) => value - before[index]!);
  const relative = absolute.map((off, index) => off / (Math.abs(after[index]!) + Math.abs(before[index]!) || 1));
  const [differences, likeness] = [absolute, relative]
    .map((each) => [each, alikeness(each)] as const)
    .reduce((least, other) => (other[1] < least[1] ? other : least));
  // Where nothing differs there is no sign; such pairs speak for neither side.
  const all = differences.filter((off) => off !== 0);
  const n = all.length;
  if (n === 0) {
    return { effect: 0, probability: 1 };
  }
  const { ranks: up, ties } = midranks(all, Math.abs, (off) => off > 0);
  const half = (n * (n + 1)) / 4;
  const variance = (n * (n + 1) * (2 * n + 1)) / 24 - ties / 48;
  // Pairs without a difference make the effect smaller, as they do in the other test.
  const effect = ((up - half) / half) * (n / differences.length);
  return { effect, probability: chanceOf(up - half, variance, likeness, n) };
}

/** The sum of the ranks of some values among all, alike ones sharing the mean of theirs, and the sum of t³ − t over these. */
function midranks<T>(all: readonly T[], size: (each: T) => number, isOne: (each: T) => boolean) {
  const inOrder = [...all].sort((a, b) => size(a) - size(b));
  let [ranks, ties] = [0, 0];
  for (let begin = 0; begin < inOrder.length;) {
    let end = begin + 1;
    while (end < inOrder.length && size(inOrder[end]!) === size(inOrder[begin]!)) {
      end += 1;
    }
    const alike = end - begin;
    ranks += ((begin + 1 + end) / 2) * inOrder.slice(begin, end).filter(isOne).length;
    ties += alike ** 3 - alike;
    begin = end;
  }
  return { ranks, ties };
}

/** Chance of a sum of ranks that lies so far off, two-sided, for values that are alike from one to the next. */
function chanceOf(off: number, variance: number, alike: number, count: number): number {
  const likeness = Math.max(0, alike);
  const widened = Math.sqrt((variance * (1 + likeness)) / Math.max(1 - likeness, 1 / count));
  const t = Math.max(0, Math.abs(off) - 0.5) / widened;
  const z = likeness === 0 ? t : normalOf(t, (count * Math.max(1 - likeness ** 2, 2 / count)) / 2);
  return Math.min(1, Math.max(0, 1 - errorFunction(z / Math.SQRT2)));
}

/**
 * The deviate of the normal distribution that is as rare as one of Student's with so many degrees of freedom (Wallace 1959). How
 * alike values are is an estimate, of which the logarithm of the variance has the error √(4 / n(1 − ρ²)), as that of a
 * variance with n(1 − ρ²)/2 degrees of freedom has.
 */
function normalOf(t: number, degrees: number): number {
  return ((8 * degrees + 1) / (8 * degrees + 3)) * Math.sqrt(degrees * Math.log1p(t ** 2 / degrees));
}

/**
 * Autocorrelation at lag one, around the median. That of a few values comes out too small, by (1 + 4ρ)/n on average
 * (Marriott and Pope 1954, Kendall 1954), which is put back.
 */
function alikeness(values: readonly number[]): number {
  const middle = median([...values]);
  let together = 0;
  let squares = 0;
  values.forEach((value, index) => {
    const off = value - middle;
    squares += off * off;
    together += index === 0 ? 0 : off * (values[index - 1]! - middle);
  });
  if (squares === 0) {
    return 0;
  }
  const measured = together / squares;
  return measured + (1 + 4 * measured) / values.length;
}

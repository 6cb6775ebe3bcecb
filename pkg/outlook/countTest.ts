import { gammaln } from 'simple-statistics';
import type { Difference } from './rankTest';

/** Terms of the sum that are smaller than this share of the first add nothing. */
const NEGLIGIBLE = 1e-12;

/**
 * Whether two counts over times of equal length differ by more than chance: of as many events as both have together, each falls
 * into one of them as a coin does (binomial test, exact, two-sided). It takes events for independent, so a burst of one cause is
 * a change.
 *
 * @param before a whole number
 * @param after a whole number
 * @returns the effect is the difference as a share of both
 */
export function countTest(before: number, after: number): Difference {
  const all = before + after;
  if (all === 0) {
    return { effect: 0, probability: 1 };
  }
  const most = Math.max(before, after);
  const first = Math.exp(chooseLog(all, most) - all * Math.LN2);
  let sum = first;
  for (let k = most, term = first; k < all && term > first * NEGLIGIBLE; k += 1) {
    term *= (all - k) / (k + 1);
    sum += term;
  }
  return { effect: (after - before) / all, probability: Math.min(1, 2 * sum) };
}

/** The natural logarithm of the ways to choose k of n. */
function chooseLog(n: number, k: number): number {
  return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1);
}

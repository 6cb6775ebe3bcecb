import { expect, test } from 'vitest';
import { countTest } from '../../../pkg/outlook/countTest';

// Python: 2 * Fraction(sum(comb(n, k) for k in range(max(before, after), n + 1)), 2**n), at most 1
test.each([
  [0, 0, 0, 1],
  [0, 1, 1, 1],
  [0, 7, 1, 0.015625],
  [0, 8, 1, 0.0078125],
  [8, 0, -1, 0.0078125],
  [10, 9, -1 / 19, 1],
  [3, 13, 10 / 16, 0.021270751953125],
  [100, 140, 40 / 240, 0.011664092317677663],
  [4500, 4590, 90 / 9090, 0.3505693801598943],
])('%d before and %d after: an effect of %f, by chance %f', (before, after, effect, probability) => {
  const found = countTest(before, after);
  expect(found.effect).toBeCloseTo(effect, 12);
  expect(found.probability).toBeCloseTo(probability, 4);
});

test('as many ways as a coin has, counted one by one', () => {
  for (let all = 1; all <= 14; all += 1) {
    const ways = Array.from({ length: 2 ** all }, (_, index) => index.toString(2).replaceAll('0', '').length);
    for (let after = 0; after <= all; after += 1) {
      const most = Math.max(after, all - after);
      const asFar = ways.filter((heads) => heads >= most || heads <= all - most).length / ways.length;
      expect(countTest(all - after, after).probability, `${all - after} and ${after}`).toBeCloseTo(asFar, 12);
    }
  }
});

test('of a hundred thousand it takes no longer, and says no number that is none', () => {
  expect(countTest(50_000, 50_000).probability).toBe(1);
  expect(countTest(0, 100_000)).toEqual({ effect: 1, probability: 0 });
});

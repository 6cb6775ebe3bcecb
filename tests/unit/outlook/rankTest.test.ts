import { describe, expect, test } from 'vitest';
import { rankTest, signedRankTest } from '../../../pkg/outlook/rankTest';
import { Dice } from '../../../pkg/engine/dice';

/** Of all ways to part the values, the share in which the ranks lie as far off: what the approximation is of. */
function exactly(before: readonly number[], after: readonly number[]): number {
  const all = [...before, ...after];
  const above = (later: readonly number[], earlier: readonly number[]) =>
    later.reduce(
      (sum, one) => sum + earlier.reduce((wins, other) => wins + (one > other ? 1 : one === other ? 0.5 : 0), 0),
      0
    );
  const middle = (before.length * after.length) / 2;
  const observed = Math.abs(above(after, before) - middle);
  let as = 0;
  let ways = 0;
  for (let mask = 0; mask < 1 << all.length; mask += 1) {
    const later = all.filter((_, index) => mask & (1 << index));
    if (later.length === after.length) {
      ways += 1;
      as += Number(
        Math.abs(
          above(
            later,
            all.filter((_, index) => !(mask & (1 << index)))
          ) - middle
        ) >=
          observed - 1e-9
      );
    }
  }
  return as / ways;
}

describe('a comparison by ranks', () => {
  // Values up and down in turns, so that none is like the one before.
  test.each<[number[], number[]]>([
    [
      [1, 9, 2, 8, 3, 7],
      [4, 12, 5, 11, 6, 10],
    ],
    [
      [1, 6, 2, 5, 3, 4],
      [11, 16, 12, 15, 13, 14],
    ],
    [
      [3, 3, 1, 4, 2, 5],
      [3, 6, 2, 5, 3, 4],
    ],
    [
      [1, 9, 2, 8, 3, 7],
      [1.5, 9.5, 2.5, 8.5, 3.5, 7.5],
    ],
  ])('of %j and %j has the chance that all ways to part them give', (before, after) => {
    expect(rankTest(before, after)!.probability).toBeCloseTo(exactly(before, after), 1);
  });

  // Of values that are 0 or 1 it is the chi-squared test of two shares, by one less than the number of values: 20 and 40 of
  // 200 each have χ² = 400 (20 · 160 − 40 · 180)² / (60 · 340 · 200 · 200) = 7.843, and √(7.843 · 399 / 400) = 2.797.
  test('is the test of two shares where there are two values only', () => {
    const ones = (every: number) => Array.from({ length: 200 }, (_, index) => Number(index % every === 0));
    const { probability, effect } = rankTest(ones(10), ones(5))!;
    expect(effect).toBeCloseTo(0.1, 9);
    // Of Student's distribution with 200 degrees of freedom, as their likeness is estimated: 0.0057.
    expect(probability).toBeCloseTo(0.0057, 3);
  });

  test('has the whole effect where each later value is larger, and none where they are the same', () => {
    expect(rankTest([1, 2, 3, 1, 2, 3], [11, 12, 13, 11, 12, 13])!.effect).toBe(1);
    expect(rankTest([11, 12, 13, 11, 12, 13], [1, 2, 3, 1, 2, 3])!.effect).toBe(-1);
    expect(rankTest([5, 5, 5, 5, 5, 5], [5, 5, 5, 5, 5, 5])).toEqual({ effect: 0, probability: 1 });
  });

  test('says nothing of too few values', () => {
    expect(rankTest([1, 2, 3, 4, 5], [11, 12, 13, 14, 15, 16])).toBeNull();
  });

  const wandering = (dice: Dice, length: number, kept: number, level = 0) => {
    let value = 0;
    return Array.from({ length }, () => {
      value = kept * value + Math.sqrt(1 - kept ** 2) * Math.sqrt(12) * (dice.between(0, 1) - 0.5);
      return level + value;
    });
  };
  const told = (kept: number, level: number) => {
    const dice = new Dice(3);
    let found = 0;
    for (let run = 0; run < 500; run += 1) {
      found += Number(rankTest(wandering(dice, 36, kept), wandering(dice, 36, kept, level))!.probability < 0.01);
    }
    return found / 500;
  };

  test('takes chance for a change about as often as it says, though values wander', () => {
    expect(told(0, 0)).toBeLessThan(0.015);
    // By ranks alone it would be one in four.
    expect(told(0.7, 0)).toBeLessThan(0.02);
    expect(told(0.95, 0)).toBeLessThan(0.02);
  });

  test('sees a shift by one and a half standard deviations', () => {
    expect(told(0, 1.5)).toBeGreaterThan(0.95);
    expect(told(0.5, 2)).toBeGreaterThan(0.8);
  });

  test('takes chance for a change no more often of a few values', () => {
    const few = (length: number, kept: number) => {
      const dice = new Dice(5);
      const runs = Array.from({ length: 1000 }, () =>
        rankTest(wandering(dice, length, kept), wandering(dice, length, kept))!
      );
      return runs.filter(({ probability }) => probability < 0.01).length / 1000;
    };
    // Without the correction of their likeness 4 and 10 percent.
    expect(few(12, 0.5)).toBeLessThan(0.015);
    expect(few(12, 0.95)).toBeLessThan(0.02);
  });
});

describe('a comparison of the same times of two days', () => {
  /** Two-sided chance of the sum of ranks that go up, by all ways to give each difference a sign. */
  function exactly(differences: number[]): number {
    const ranked = [...differences].sort((a, b) => Math.abs(a) - Math.abs(b));
    const up = ranked.reduce((sum, off, index) => sum + (off > 0 ? index + 1 : 0), 0);
    const half = (ranked.length * (ranked.length + 1)) / 4;
    let as = 0;
    for (let signs = 0; signs < 2 ** ranked.length; signs += 1) {
      const sum = ranked.reduce((total, _, index) => total + ((signs >> index) & 1 ? index + 1 : 0), 0);
      as += Number(Math.abs(sum - half) >= Math.abs(up - half));
    }
    return as / 2 ** ranked.length;
  }

  test.each([
    [[3, -1, 4, -1.5, 5, -9, 2.5, -6, 5.5, 3.5]],
    [[10, -2, 8.5, 1, 9, -6, 7, 3, 5, 4.5]],
    [[1, 12, 2, 11, 3, 10, 4, 9, 5, 8]],
  ])('of the differences %j has the chance that all ways to give them signs have', (differences) => {
    // Far from 0 relative differences are as the absolute ones.
    const before = differences.map(() => 1e9);
    const { probability } = signedRankTest(
      before,
      differences.map((off) => 1e9 + off)
    )!;
    expect(probability).toBeCloseTo(exactly(differences), 1);
  });

  const day = Array.from({ length: 288 }, (_, slot) => 60 + 50 * Math.sin((slot / 288) * 2 * Math.PI));
  const times = (factor: number, plus = 0) => day.map((value) => value * factor + plus);

  // 288 of 288 go one way: by chance once in 2²⁸⁷.
  test.each([
    [1.3, 0],
    [2, 0],
    [3, 0],
    [0.5, 0],
    [1, 10],
  ])('sees a day that is %d times the other and %d more', (factor, plus) => {
    const { effect, probability } = signedRankTest(day, times(factor, plus))!;
    expect(effect).toBe(factor < 1 ? -1 : 1);
    expect(probability).toBeLessThan(1e-6);
  });

  test('sees nothing where nothing differs, or where half of it goes up and half down', () => {
    expect(signedRankTest(day, day)).toEqual({ effect: 0, probability: 1 });
    const wave = day.map((value, slot) => value + (slot % 2 === 0 ? 1 : -1));
    expect(signedRankTest(day, wave)!.probability).toBeGreaterThan(0.5);
    expect(signedRankTest([1, 2, 3, 4, 5], [2, 3, 4, 5, 6])).toBeNull();
    expect(signedRankTest(day, [...day, 1])).toBeNull();
    expect(signedRankTest(day, [])).toBeNull();
  });

  test('takes chance for a change about as often as it says', () => {
    const dice = new Dice(7);
    const noisy = () => day.map((value) => value + 20 * (dice.between(0, 1) - 0.5));
    const found = Array.from({ length: 500 }, () => signedRankTest(noisy(), noisy())!.probability < 0.01);
    expect(found.filter(Boolean).length).toBeLessThan(12);
  });
});

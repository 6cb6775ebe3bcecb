import { describe, expect, test } from 'vitest';
import { isSudden, learnChanges, SLOTS_BEFORE, type Changes } from '../../../pkg/outlook/sudden';
import { Turns } from '../../../pkg/turns';

/** Ten a second are usual, as a root; a change by a tenth is usual, and one by half of it is rare. */
const CHANGES: Changes = {
  startsAt: 0,
  seconds: 300,
  low: Array<number>(30).fill(Math.sqrt(10)),
  high: Array<number>(30).fill(Math.sqrt(10)),
  spread: Array<number>(30).fill(0.1),
  rare: 5,
};
/** By roots as shares of the usual one, the latest last: 1 is what is usual. */
const sudden = (shares: readonly number[], changes = CHANGES) => {
  const read = (back: number) => {
    const share = shares.at(-1 - back);
    return share === undefined || Number.isNaN(share) ? null : 10 * share ** 2;
  };
  return isSudden(changes, read, 29);
};

describe('a change is sudden', () => {
  test('where it is twice a rare one', () => {
    expect(sudden([1, 1, 1, 1.99])).toBe(false);
    expect(sudden([1, 1, 1, 2.01])).toBe(true);
    expect(sudden([1, 1, 1, 0])).toBe(true);
  });

  test('away from the usual, not back to it, and not as far on the other side as before', () => {
    expect(sudden([2.5, 2.5, 2.5, 1])).toBe(false);
    expect(sudden([0.1, 0.1, 0.1, 1.2])).toBe(false);
    expect(sudden([0.5, 0.5, 0.5, 1.7])).toBe(true);
  });

  test('for an hour, as long as half of it is left', () => {
    const since = (slots: number, share: number) => [1, 1, 1, 2.2, ...Array<number>(slots).fill(share)];
    expect(sudden(since(11, 1.7))).toBe(true);
    expect(sudden(since(12, 1.7))).toBe(false);
    expect(sudden(since(3, 1.55))).toBe(false);
    expect(sudden([1, 1, 1, 2.1, 1, 2.1])).toBe(true);
    expect(since(11, 1).length).toBe(SLOTS_BEFORE);
  });

  test('by the median of the slots before, as far as they are known', () => {
    expect(sudden([1, 1, 2.1, 2.1])).toBe(true);
    expect(sudden([NaN, NaN, 1, 2.1])).toBe(true);
    expect(sudden([NaN, NaN, NaN, 2.1])).toBe(false);
    expect(sudden([2.1])).toBe(false);
    expect(sudden([1, 1, 1, NaN])).toBe(false);
  });
});

describe('the changes that are usual', () => {
  const usual = Array<number>(400).fill(Math.sqrt(10));
  const learnt = (values: readonly number[], groupOf = () => 0) =>
    learnChanges({ startsAt: 0, seconds: 300, values }, { low: usual, high: usual }, groupOf, new Turns());

  test('are those of the past, by groups', async () => {
    // Every other root is a tenth off; of three before, the median is what two of them are.
    const values = Array.from({ length: 400 }, (_, slot) => 10 * (slot % 2 === 0 ? 1 : 1.1) ** 2);
    const { spread, rare } = await learnt(values);
    expect(spread[0]).toBeCloseTo(0.1 / 1, 1);
    expect(rare).toBe(5);
    const grouped = await learnt(
      values.map((value, slot) => (slot < 200 ? 10 : value)),
      (slot = 0) => Math.floor(slot / 200)
    );
    expect(grouped.spread[0]).toBeLessThan(0.02);
    expect(grouped.spread[399]).toBeCloseTo(0.1, 1);
  });

  test('of a rate that is nearly nothing are those of single events', async () => {
    const none = Array<number>(400).fill(0);
    const { spread } = await learnChanges(
      { startsAt: 0, seconds: 300, values: none },
      { low: none, high: none },
      () => 0,
      new Turns()
    );
    // One event in a slot is no sudden change: the root of its rate is 3 of them off.
    const changes = { ...CHANGES, low: none, high: none, spread: Array.from(spread).slice(0, 30) };
    const events = (count: number) => isSudden(changes, (back) => (back === 0 ? count / 300 : 0), 29);
    expect(events(1)).toBe(false);
    expect(events(20)).toBe(true);
  });
});

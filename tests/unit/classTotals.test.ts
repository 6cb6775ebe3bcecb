import { expect, test } from 'vitest';
import { ClassTotals } from '../../pkg/observe/classTotals';
import type { Bucket } from '../../pkg/sidekiq/jobMetrics';
import type { Durations } from '../../pkg/sidekiq/snapshot';

const MINUTE = 1_750_000_020 - (1_750_000_020 % 60);

function minute(offset: number, processed: number, failed = 0, milliseconds = 0): Bucket {
  return { startsAt: MINUTE + offset * 60, classes: new Map([['A', { processed, failed, milliseconds }]]) };
}

function took(offset: number, count: number): Durations {
  return { startsAt: MINUTE + offset * 60, jobClass: 'A', counts: [count, ...new Array<number>(25).fill(0)] };
}

function look(totals: ClassTotals, seconds: number, minutes: Bucket[], durations: Durations[] = []): void {
  totals.observe({ at: MINUTE + seconds, minutes, durations });
}

const total = (totals: ClassTotals) => totals.byClass.get('A');

test('it counts from the first look on, and every growth once', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5, 1, 100)], [took(0, 4)]);
  expect(total(totals)).toMatchObject({ processed: 0, failed: 0, milliseconds: 0 });
  look(totals, 20, [minute(0, 8, 2, 160)], [took(0, 6)]);
  look(totals, 30, [minute(0, 8, 2, 160)], [took(0, 6)]);
  expect(total(totals)).toMatchObject({ processed: 3, failed: 1, milliseconds: 60 });
  expect(total(totals)!.durations[0]).toBe(2);
});

test('a late heartbeat into a past minute is not lost', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)]);
  look(totals, 70, [minute(1, 2), minute(0, 9)]);
  expect(total(totals)?.processed).toBe(6);
});

test('a bucket that is refused or gone takes nothing away and is not counted again when it is back', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)]);
  look(totals, 20, [{ startsAt: MINUTE, classes: new Map() }]);
  look(totals, 30, [minute(0, 7)]);
  expect(total(totals)?.processed).toBe(2);
});

test('after a flush the same minute counts from nothing', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 50)]);
  look(totals, 20, [minute(0, 3)]);
  look(totals, 30, [minute(0, 4)]);
  expect(total(totals)?.processed).toBe(4);
});

test('a saved state goes on without loss and without counting twice', () => {
  const before = new ClassTotals();
  look(before, 10, [minute(0, 5)], [took(0, 5)]);
  look(before, 20, [minute(0, 6)], [took(0, 6)]);
  const after = new ClassTotals();
  after.restore(before.save());
  look(after, 130, [minute(2, 1), minute(1, 4), minute(0, 7)], [took(2, 1), took(1, 4), took(0, 7)]);
  expect(total(after)?.processed).toBe(1 + 1 + 4 + 1);
  expect(total(after)?.durations[0]).toBe(7);
});

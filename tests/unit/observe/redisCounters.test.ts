import { expect, test } from 'vitest';
import { RedisCounters } from '../../../pkg/observe/redisCounters';
import { withoutLostWrites } from '../../../pkg/sidekiq/counters';
import { someTotals } from '../../support/state';

const look = (counters: RedisCounters, processed: number | null, failed: number | null = 0) => {
  counters.observe({ totals: someTotals({ processed, failed }) });
  return counters.view().processed;
};

test('exported counters stay where they were while a master that lost its last writes counts up to there', () => {
  const counters = new RedisCounters();
  expect([1000, 980, 990, 1010].map((value) => look(counters, value))).toEqual([1000, 1000, 1000, 1010]);
  expect(look(counters, null)).toBeNull();
  expect(look(counters, 1005)).toBe(1010);
});

test('exported counters fall where Redis was flushed, or the statistics were reset', () => {
  const counters = new RedisCounters();
  expect([1000, 0, 3, 20].map((value) => look(counters, value))).toEqual([1000, 0, 3, 20]);
});

test('exported counters go on from what was saved', () => {
  const before = new RedisCounters();
  look(before, 1000, 30);
  const after = new RedisCounters();
  after.restore(JSON.parse(JSON.stringify(before.save())));
  after.observe({ totals: someTotals({ processed: 990, failed: 31 }) });
  expect(after.view()).toEqual({ processed: 1000, failed: 31 });
  expect(() => after.restore({ processed: '1' })).toThrow();
});

test('a counter without lost writes has grown by what was counted, and begins anew after a flush', () => {
  expect(withoutLostWrites([100, 120, 100, 110, 90, 95])).toEqual([100, 120, 120, 130, 130, 135]);
  expect(withoutLostWrites([100, 120, 110, 3, 8])).toEqual([100, 120, 120, 3, 8]);
  expect(withoutLostWrites([])).toEqual([]);
});

import { expect, test } from 'vitest';
import { RedisMemory } from '../../../pkg/observe/redisMemory';

const MIB = 1024 * 1024;
const info = (used: number, limit = 1000 * MIB) =>
  new Map([
    ['used_memory', String(Math.round(used))],
    ['maxmemory', String(limit)],
  ]);

/** Looks every ten seconds for so long; the memory by the seconds since the beginning. */
function watched(seconds: number, used: (since: number) => number, limit?: number) {
  const memory = new RedisMemory();
  let view = null;
  for (let since = 0; since <= seconds; since += 10) {
    view = memory.next(info(used(since), limit), 1_000_000 + since);
  }
  return { memory, view };
}

test('memory that grows evenly is full when the rest of it has grown', () => {
  // 100 MiB and one more each ten seconds: after two hours 820, so that 180 are left, 1,800 s.
  const { view } = watched(7200, (since) => (100 + since / 10) * MIB);
  expect(view!.full!.earliest).toBeCloseTo(1800, 0);
  expect(view!.full!.latest).toBeCloseTo(1800, 0);
  expect(view).toMatchObject({ usedBytes: 820 * MIB, limitBytes: 1000 * MIB });
});

test('growth that has become faster gives a range', () => {
  // 100 MiB for an hour and three quarters, then 1 MiB each ten seconds: 90 by the end, 810 left.
  const { view } = watched(7200, (since) => (100 + Math.max(0, since - 6300) / 10) * MIB);
  expect(view!.full!.earliest).toBeCloseTo(8100, -2);
  expect(view!.full!.latest).toBeGreaterThan(20_000);
});

test.each([
  ['that shrinks', 7200, (since: number) => (500 - since / 100) * MIB],
  ['that stays', 7200, () => 500 * MIB],
  ['that goes up and down', 7200, (since: number) => (500 + (since % 600) / 10) * MIB],
  ['that grows so slowly that it takes days', 7200, (since: number) => 100 * MIB + since * 1000],
  ['of the first minutes', 590, (since: number) => (100 + since) * MIB],
])('of memory %s nothing is told', (_, seconds, used) => {
  expect(watched(seconds, used).view!.full).toBeNull();
});

test('nothing is told without a limit, without the right to INFO, and after the limit was changed', () => {
  const { memory } = watched(7200, (since) => (100 + since / 10) * MIB);
  expect(memory.next(info(830 * MIB, 2000 * MIB), 1_007_210)!.full).toBeNull();
  expect(memory.next(info(830 * MIB, 0), 1_007_220)).toBeNull();
  expect(memory.next(null, 1_007_230)).toBeNull();
});

test('memory that is full is full now', () => {
  const { view } = watched(7200, (since) => Math.min(1000, 400 + since / 10) * MIB);
  expect(view!.full!.earliest).toBe(0);
});

test('it holds two hours of a month, and goes on from what it saved', () => {
  const { memory } = watched(86_400 * 3, (since) => (100 + (since % 1000)) * MIB);
  expect(memory.save().samples.length).toBeLessThanOrEqual(121);
  const { memory: before } = watched(3600, (since) => (100 + since / 10) * MIB);
  const after = new RedisMemory();
  after.restore(JSON.parse(JSON.stringify(before.save())));
  const next = info(461 * MIB);
  expect(after.next(next, 1_003_610)).toEqual(before.next(next, 1_003_610));
});

test('a clock that was put back begins anew', () => {
  const { memory } = watched(7200, (since) => (100 + since / 10) * MIB);
  expect(memory.next(info(830 * MIB), 1_000_000)!.full).toBeNull();
});

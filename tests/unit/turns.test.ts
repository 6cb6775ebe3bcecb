import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { readJobs, WHOLE_SET } from '../../pkg/sidekiq/browse/jobs';
import { Minutes } from '../../pkg/sidekiq/minutes';
import { Turns } from '../../pkg/turns';
import { fakeRedis } from '../support/fakeRedis';
import { aMinute, MINUTE } from '../support/state';

beforeEach(() => vi.useFakeTimers({ toFake: ['performance'] }));
afterEach(() => vi.useRealTimers());

/** How often others were served while the work ran. */
async function servedDuring(work: () => Promise<unknown>): Promise<number> {
  let served = 0;
  let running = true;
  const others = () => {
    served += 1;
    if (running) {
      setImmediate(others);
    }
  };
  setImmediate(others);
  await work();
  running = false;
  return served;
}

test('a turn ends after 10 ms, and not before', async () => {
  const turns = new Turns();
  vi.advanceTimersByTime(9);
  expect(turns.give()).toBeUndefined();
  vi.advanceTimersByTime(1);
  await turns.give();
  expect(turns.give()).toBeUndefined();
});

describe('stored jobs', () => {
  const entries = (count: number) => Array.from({ length: count }, (_, index) => [`{"jid":"${index}"}`, '1790000000']);
  const slow = () => {
    vi.advanceTimersByTime(5);
    return true;
  };

  test('are looked at in turns, however slow a filter is', async () => {
    const redis = fakeRedis({ zcard: 100, 'zrange retry': entries(100).flat() });
    const served = await servedDuring(() => readJobs(redis, { source: 'retry', queue: '', limit: 1000, keeps: slow }));
    // 100 entries of 5 ms each in turns of 10 ms.
    expect(served).toBeGreaterThanOrEqual(49);
  });

  test('are read to the end of a set however large, and no longer than its time', async () => {
    const set = entries(12_000);
    const answers = { zcard: 12_000, 'zrange retry': set.flat() };
    const ask = (keeps: () => boolean) =>
      readJobs(fakeRedis(answers), { source: 'retry', queue: '', limit: 1, keeps, most: WHOLE_SET });
    expect(await ask(() => false)).toMatchObject({ looked: 12_000, total: 12_000 });
    // 5 ms an entry: after 5 seconds 1,000 are read, and the page of these is looked at to its end: pages of 1, 4, 16, 64,
    // 256, 500 and 500 entries.
    expect(await ask(() => !slow())).toMatchObject({ looked: 1341, total: 12_000 });
  });
});

test('durations of 1,000 classes over hours are asked for and added in turns, some thousand at a time', async () => {
  const classes = Array.from({ length: 1000 }, (_, index) => `C${index}`);
  const buckets = Array.from({ length: 20 }, (_, minute) =>
    aMinute(MINUTE - (minute + 10) * 60, Object.fromEntries(classes.map((each) => [each, [1, 0, 5]])))
  );
  const redis = fakeRedis();
  const { batch } = redis;
  const asked: number[] = [];
  redis.batch = (commands, signal) => {
    asked.push(commands.length);
    vi.advanceTimersByTime(11);
    return batch.call(redis, commands, signal);
  };
  let found = 0;
  const served = await servedDuring(async () => {
    found = (await new Minutes().readDurations(redis, classes, buckets, MINUTE)).durations.length;
  });
  expect(found).toBe(20_000);
  expect(Math.max(...asked)).toBeLessThanOrEqual(4000);
  expect(served).toBeGreaterThanOrEqual(asked.length);
});

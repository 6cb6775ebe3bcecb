import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Installation } from '../../../pkg/installation/installation';
import { parseSettings } from '../../../pkg/settings/settings';
import { fakeRedis } from '../../support/fakeRedis';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function open(options: Record<string, unknown>) {
  const redis = fakeRedis();
  const url = 'redis://fake:6379/0';
  const installation = new Installation(parseSettings({ url, options, secrets: {} }), { redis });
  const readings = () => redis.batches.flat().filter((command) => command === 'time').length;
  return {
    installation,
    redis,
    /** Lets the timers of that many seconds come; counts the readings. */
    async during(seconds: number): Promise<number> {
      const before = readings();
      await vi.advanceTimersByTimeAsync(seconds * 1000);
      return readings() - before;
    },
  };
}

test('the sampler reads at its pace while nobody asks, a failed reading included, and not once it is closed', async () => {
  const { installation, redis, during } = open({ sampleSeconds: 10 });
  installation.startSampling();
  expect(await during(9.9)).toBe(0);
  expect(await during(0.2)).toBe(1);
  redis.answers = { time: new Error('LOADING Redis is loading the dataset in memory') };
  expect(await during(30)).toBe(3);
  installation.close();
  expect(await during(60)).toBe(0);
});

test('the sampler does not read where somebody else did within its pace', async () => {
  const { installation, during } = open({ sampleSeconds: 10 });
  installation.startSampling();
  await vi.advanceTimersByTimeAsync(8000);
  await installation.state();
  expect(await during(9.9)).toBe(0);
  expect(await during(0.2)).toBe(1);
});

// Found by a review: it took the state that it had read itself for a fresh one, and read half as often.
test.each([
  [1, 1],
  [5, 5],
  [5, 60],
])('the sampler reads each %d s, though a reading is used again for %d s', async (sampleSeconds, reuseSeconds) => {
  const { installation, during } = open({ sampleSeconds, reuseSeconds });
  installation.startSampling();
  expect(await during(60.5)).toBe(60 / sampleSeconds);
});

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { stateWithin } from '../../../pkg/source/deadline';
import { Installation } from '../../../pkg/installation/installation';
import { parseSettings } from '../../../pkg/settings/settings';
import type * as Client from '../../../pkg/redis/client';

/** A Redis that is never silent for long enough to be given up, and never done either. */
vi.mock('../../../pkg/redis/client', async (original) => {
  const client = await original<typeof Client>();
  return {
    ...client,
    openRedis: () => ({
      address: 'h:1',
      batch: (_: unknown, signal?: AbortSignal) => client.abortable(new Promise(() => undefined), signal),
      close: () => undefined,
    }),
  };
});

let installation: Installation;
beforeEach(() => {
  vi.useFakeTimers();
  installation = new Installation(parseSettings({ url: 'redis://h:1' }));
});
afterEach(() => {
  installation.close();
  vi.useRealTimers();
});

/** Milliseconds until it fails, and with what. */
async function fails(work: Promise<unknown>): Promise<{ after: number; message: string }> {
  const begun = Date.now();
  const failed = work.then(
    () => ({ after: -1, message: 'it did not fail' }),
    (error: Error) => ({ after: Date.now() - begun, message: error.message })
  );
  await vi.advanceTimersByTimeAsync(60_000);
  return failed;
}

test('a reading ends after 20 s', async () => {
  expect(await fails(installation.state())).toEqual({
    after: 20_000,
    message: 'Redis at h:1 did not answer within 20 s.',
  });
});

test('whoever can wait for less is told earlier, and the next reading is another one', async () => {
  const late = { span: '10 s', remedy: 'Look.' };
  const asked = [fails(stateWithin(10, installation, late)), fails(installation.state())];
  expect((await Promise.all(asked)).map(({ after }) => after)).toEqual([10_000, 20_000]);
  expect((await fails(installation.state())).after).toBe(20_000);
});

test('a query is told of the reading that it waited for', async () => {
  const { runQuery } = await import('../../../pkg/queries/registry');
  const request = { range: { from: 0, to: 1 }, intervalSeconds: 1, alerting: true };
  const { after } = await fails(runQuery({ queryType: 'overview', figures: ['enqueued'] }, installation, request));
  expect(after).toBe(20_000);
});

import { expect, test, vi } from 'vitest';
import type { Rehearsal } from '../../../pkg/installation/rehearsal';
import { warmUp, type Pause } from '../../../pkg/listeners/warmUp';
import type { Source } from '../../../pkg/source/source';

const SOURCE = {} as Source;

function rehearsal() {
  return { source: SOURCE, next: vi.fn(), close: vi.fn() } satisfies Rehearsal;
}

/** Pauses that are over at once; at most so many, as a test must end. */
function pauses(most: number) {
  const waited: number[] = [];
  let finish = () => undefined as void;
  const over = new Promise<void>((resolve) => (finish = resolve));
  const pause: Pause = (milliseconds, signal) => {
    signal.throwIfAborted();
    waited.push(milliseconds);
    if (waited.length < most) {
      return Promise.resolve();
    }
    finish();
    return new Promise((_, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
  };
  return { pause, waited, over };
}

test('ends by itself after its rounds, each a reading that is used', async () => {
  const rehearsed = rehearsal();
  const use = vi.fn(async () => undefined);
  warmUp({ idleSeconds: 60, rehearsal: async () => rehearsed }, use, async () => undefined);
  await vi.waitFor(() => expect(rehearsed.close).toHaveBeenCalledOnce());
  expect(use).toHaveBeenCalledTimes(2000);
  expect(use).toHaveBeenCalledWith(SOURCE);
  expect(rehearsed.next).toHaveBeenCalledTimes(2000);
});

test('ends by time where rounds are long, and leaves the most of a core to others', async () => {
  const rehearsed = rehearsal();
  let now = 0;
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => now);
  const waited: number[] = [];
  const use = async () => void (now += 1000);
  warmUp({ idleSeconds: 60, rehearsal: async () => rehearsed }, use, async (milliseconds) => {
    waited.push(milliseconds);
  });
  await vi.waitFor(() => expect(rehearsed.close).toHaveBeenCalledOnce());
  clock.mockRestore();
  expect(rehearsed.next).toHaveBeenCalledTimes(10);
  expect(waited.slice(1).every((milliseconds) => milliseconds >= 4000)).toBe(true);
});

test('waits while it is asked at a fast pace', async () => {
  const rehearsed = rehearsal();
  const { pause, over } = pauses(20);
  const use = vi.fn(async () => undefined);
  const end = warmUp({ idleSeconds: 0.2, rehearsal: async () => rehearsed }, use, pause);
  await over;
  expect(use).not.toHaveBeenCalled();
  end();
  await vi.waitFor(() => expect(rehearsed.close).toHaveBeenCalledOnce());
});

test('tries again while Redis cannot be read, and gives up where the installation is too large', async () => {
  const { pause, waited } = pauses(100);
  const tried = vi
    .fn<() => Promise<Rehearsal | undefined>>()
    .mockRejectedValueOnce(new Error('no Redis'))
    .mockRejectedValueOnce(new Error('no Redis'))
    .mockResolvedValue(undefined);
  const use = vi.fn(async () => undefined);
  warmUp({ idleSeconds: 60, rehearsal: tried }, use, pause);
  await vi.waitFor(() => expect(tried).toHaveBeenCalledTimes(3));
  expect(waited).toEqual([2000, 15_000, 15_000]);
  expect(use).not.toHaveBeenCalled();
});

test('a failure is told in the log, ends it, and is nobody else’s', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const rehearsed = rehearsal();
  const use = async () => {
    throw new Error('not rehearsed');
  };
  warmUp({ idleSeconds: 60, rehearsal: async () => rehearsed }, use, async () => undefined);
  await vi.waitFor(() => expect(written).toHaveBeenCalled());
  expect(rehearsed.close).toHaveBeenCalledOnce();
  expect(written.mock.calls.map(([line]) => String(line)).join('')).toMatch(/warming up failed.*not rehearsed/);
  written.mockRestore();
});

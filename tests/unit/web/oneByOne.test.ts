import { expect, test } from 'vitest';
import type { Source } from '../../../pkg/source/source';
import { OneByOne } from '../../../pkg/web/oneByOne';
import { whatIfData } from '../../../pkg/web/whatIfData';

test('questions that take long are answered in their order, one at a time, and no more than ten wait', async () => {
  const questions = new OneByOne();
  const order: string[] = [];
  let running = 0;
  const asked = Array.from({ length: 12 }, (_, index) =>
    questions.ask(async () => {
      running += 1;
      expect(running).toBe(1);
      await Promise.resolve();
      running -= 1;
      order.push(String(index));
      if (index === 3) {
        throw new Error('refused');
      }
      return index;
    })
  );
  const answers = await Promise.allSettled(asked);
  expect(
    answers.map((answer) => (answer.status === 'fulfilled' ? answer.value : (answer.reason as Error).message))
  ).toEqual([...[0, 1, 2, 'refused', 4, 5, 6, 7, 8, 9], ...[undefined, undefined]]);
  expect(order).toHaveLength(10);
  expect(await questions.ask(async () => 'later')).toBe('later');
});

test('a simulation whose reader went while it waited is not begun', async () => {
  const gone = new AbortController();
  gone.abort(new Error('gone'));
  const source = { now: () => 0, state: () => Promise.reject(new Error('asked')) } as unknown as Source;
  await expect(whatIfData(source, { traffic: [], threads: [] }, gone.signal)).rejects.toThrow('gone');
});

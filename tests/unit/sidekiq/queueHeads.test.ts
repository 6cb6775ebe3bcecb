import { describe, expect, test } from 'vitest';
import { LARGE_JOB_BYTES } from '../../../pkg/sidekiq/largeJob';
import { Trip } from '../../../pkg/sidekiq/parts/part';
import { QueueHeads } from '../../../pkg/sidekiq/queueHeads';
import { fakeRedis, type Answers } from '../../support/fakeRedis';

const NOW = 1_795_496_400;
const MEBIBYTE = 1024 * 1024;

const jobOfBytes = (jid: string, bytes: number) =>
  JSON.stringify({ queue: 'q', class: 'A', args: ['x'.repeat(bytes)], jid, created_at: 1, enqueued_at: NOW - 100 });

/** Reads once. @returns what was asked, the next jobs by queue, and the notices */
async function readOnce(
  heads: QueueHeads,
  names: string[],
  answers: Answers,
  now: number,
  sizes: Record<string, number> = {}
) {
  const redis = fakeRedis(answers);
  const trip = new Trip();
  const asked = heads.ask(trip, names, now);
  const { heads: read, notices } = heads.settle(asked, await trip.go(redis), now, (name) => sizes[name] ?? 1);
  return {
    asked: redis.batches.flat().map((text) => text.split(' ')[1]!.replace('queue:', '')),
    next: Object.fromEntries(
      [...read].map(([name, head]) => [name, head.ok ? (head.value.next?.jid ?? null) : 'refused'])
    ),
    notices: notices.map(({ text }) => text),
  };
}

describe('the oldest jobs of queues', () => {
  test('are read each time where they are small', async () => {
    const heads = new QueueHeads();
    for (const jid of ['a', 'b']) {
      const small = { 'lindex queue:low -1': jobOfBytes(jid, 10) };
      expect(await readOnce(heads, ['low'], small, NOW)).toEqual({ asked: ['low'], next: { low: jid }, notices: [] });
    }
  });

  test('are read once a minute where they are large, and told about', async () => {
    const heads = new QueueHeads();
    const answers: Answers = {
      'lindex queue:big -1': jobOfBytes('a', 3 * MEBIBYTE),
      'lindex queue:low -1': jobOfBytes('c', 1),
    };
    const first = await readOnce(heads, ['big', 'low'], answers, NOW);
    expect(first.asked).toEqual(['low', 'big'].sort());
    expect(first.notices).toEqual([
      'The oldest job of the queue big takes 3.0 MiB. Such a job is read once a minute at most. In between, the latency is that of the job last seen, which may have been taken.',
    ]);
    answers['lindex queue:big -1'] = jobOfBytes('b', 3 * MEBIBYTE);
    expect(await readOnce(heads, ['big', 'low'], answers, NOW + 59)).toEqual({ ...first, asked: ['low'] });
    expect(await readOnce(heads, ['big', 'low'], answers, NOW + 60)).toMatchObject({ next: { big: 'b', low: 'c' } });
  });

  test('of which many are large are read in turn, 16 MiB a reading', async () => {
    const heads = new QueueHeads();
    const names = Array.from({ length: 12 }, (_, index) => `q${index}`);
    const answers: Answers = { lindex: jobOfBytes('a', 5 * MEBIBYTE) };
    expect((await readOnce(heads, names, answers, NOW)).notices[0]).toMatch(/^The oldest jobs of 12 queues are large/);
    expect((await readOnce(heads, names, answers, NOW + 60)).asked).toEqual(['q0', 'q1', 'q2']);
    expect((await readOnce(heads, names, answers, NOW + 61)).asked).toEqual(['q3', 'q4', 'q5']);
    expect((await readOnce(heads, names, answers, NOW + 62)).asked).toEqual(['q6', 'q7', 'q8']);
  });

  test('larger than all that a reading may cost are read one at a time', async () => {
    const heads = new QueueHeads();
    const answers: Answers = { lindex: jobOfBytes('a', 20 * MEBIBYTE) };
    await readOnce(heads, ['a', 'b'], answers, NOW);
    expect((await readOnce(heads, ['a', 'b'], answers, NOW + 60)).asked).toEqual(['a']);
    expect((await readOnce(heads, ['a', 'b'], answers, NOW + 61)).asked).toEqual(['b']);
  });

  test('of an emptied queue are forgotten', async () => {
    const heads = new QueueHeads();
    await readOnce(heads, ['big'], { lindex: jobOfBytes('a', 2 * LARGE_JOB_BYTES) }, NOW);
    expect(await readOnce(heads, ['big'], {}, NOW + 1, { big: 0 })).toEqual({
      asked: [],
      next: { big: null },
      notices: [],
    });
    expect((await readOnce(heads, ['big'], { lindex: jobOfBytes('b', 1) }, NOW + 2)).next).toEqual({ big: 'b' });
  });
});

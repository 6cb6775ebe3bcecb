import { describe, expect, test } from 'vitest';
import { errors } from '../../../pkg/queries/errors';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { columnsOf, zset } from '../../support/queryRows';
import { aState, NOW } from '../../support/state';

describe('errors', () => {
  const failed = (error: string | null, part: object = {}) => ({
    class: 'A',
    jid: 'x',
    queue: 'q',
    ...(error !== null && { error_class: error }),
    error_message: `${error} says token=abc`,
    ...part,
  });
  const answers = {
    'zcard retry': 3,
    'zrange retry': zset(
      [NOW + 5, failed('E', { failed_at: NOW - 9000, retried_at: NOW - 60 })],
      [NOW + 6, failed('E', { failed_at: NOW - 8000, error_message: 'older' })],
      [NOW + 7, failed('F', { failed_at: NOW - 3600, queue: 'other' })]
    ),
    'zcard dead': 3,
    'zrevrange dead': zset(
      [NOW - 10, failed('E', { failed_at: NOW - 10_000, retried_at: NOW - 5, error_message: 'latest' })],
      [NOW - 7200, failed(null, { class: 'B' })],
      [NOW - 20, 'OK']
    ),
  };

  test('has a row for each error, class and queue, the most frequent first', async () => {
    const rows = await rowsOfState(errors, aState(), { answers });
    expect(rows[0]).toEqual({
      errorClass: 'E',
      class: 'A',
      queue: 'q',
      count: 3,
      // 3 of the 5 jobs of both sets.
      share: 0.6,
      // Two within the last hour, one between two and three hours ago.
      trend: '▁▁▁▁▁▁▁▁▁▅▁█',
      classes: 'A',
      queues: 'q',
      retry: 2,
      dead: 1,
      // Failed again a minute ago, and died ten seconds ago.
      rate: 2,
      first: (NOW - 10_000) * 1000,
      last: (NOW - 10) * 1000,
      message: 'latest',
    });
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(errors).filter((name) => name !== 'pattern' && name !== 'frame'));
    expect(
      rows
        .slice(1)
        .map((row) => [row['errorClass'], row['class'], row['queue'], row['count'], row['rate'], row['message']])
    ).toEqual([
      ['F', 'A', 'other', 1, 1, 'F says token=…'],
      ['unknown', 'B', 'q', 1, 0, 'null says token=…'],
    ]);
    expect(rows[1]).toMatchObject({ first: (NOW - 3600) * 1000, last: (NOW - 3600) * 1000, retry: 1, dead: 0 });
    expect(rows[2]).toMatchObject({ first: null, last: (NOW - 7200) * 1000 });
  });

  test('tells of the latest failure also where it has no message, and the latest message', async () => {
    const died = (ago: number, message: string): [number, object] => [
      NOW - ago,
      failed('E', { error_message: message }),
    ];
    const last = async (...dead: Array<[number, object]>) => {
      const [row] = await rowsOfState(errors, aState(), {
        answers: { 'zcard dead': dead.length, 'zrevrange dead': zset(...dead), 'zcard retry': 0 },
      });
      return [row!['last'], row!['message']];
    };
    expect(await last(died(60, ''), died(3600, ''), died(7200, ''))).toEqual([(NOW - 60) * 1000, '']);
    expect(await last(died(60, ''), died(7200, 'old'), died(3600, 'newer'))).toEqual([(NOW - 60) * 1000, 'newer']);
  });

  test('groups by what is asked', async () => {
    const by = async (...groupBy: string[]) =>
      (await rowsOfState(errors, aState(), { query: { groupBy }, answers })).map((row) => [
        row['errorClass'],
        row['class'],
        row['queue'],
        row['count'],
      ]);
    expect(await by('class')).toEqual([
      ['', 'A', '', 4],
      ['', 'B', '', 1],
    ]);
    expect(await by('queue')).toEqual([
      ['', '', 'q', 4],
      ['', '', 'other', 1],
    ]);
    expect(await by()).toEqual([['', '', '', 5]]);
  });

  test('tells of entries that could not be read, and of those that were not looked at', async () => {
    const frames = await askState(errors, aState(), {
      answers: { ...answers, 'zcard retry': 6000, 'zcard dead': 7000 },
    });
    expect(noticesOf(frames)).toEqual([
      '3 of 6,000 retries looked at: the next ones.',
      '3 of 7,000 dead jobs looked at: the newest ones.',
      '1 entry is not what Sidekiq writes and was left out.',
    ]);
    expect(noticesOf(await askState(errors, aState(), {}))).toEqual([]);
  });

  test('fails where a set may not be read', async () => {
    await expect(
      askState(errors, aState(), {
        answers: { ...answers, zcard: 1, 'zrange retry': noPermission('zrange') },
      })
    ).rejects.toMatchObject({ kind: 'permission' });
  });
});

describe('errors by fingerprint', () => {
  const failed = (index: number, more: object = {}) => ({
    class: index % 2 === 0 ? 'A' : 'B',
    queue: `q${index % 3}`,
    jid: `f${index}`,
    error_class: 'E',
    error_message: `invalid payload for ${index}`,
    failed_at: NOW - 7000,
    retried_at: NOW - 60,
    error_backtrace: ['/gems/x.rb:1', '/app/a.rb:5'],
    ...more,
  });
  const other = failed(9, { error_backtrace: ['/app/b.rb:6'], retried_at: NOW - 4000 });
  const answers = {
    'zcard retry': 4,
    'zrange retry': zset(...[0, 1, 2].map((index): [number, object] => [NOW + index, failed(index)]), [NOW + 9, other]),
  };
  const query = { groupBy: ['fingerprint'] };
  const state = aState({ options: { allowBacktraces: true } });

  test('makes one row of what differs in numbers alone, and another for another place in the code', async () => {
    const rows = await rowsOfState(errors, state, { query, answers });
    expect(rows).toEqual([
      {
        errorClass: 'E',
        pattern: 'invalid payload for <n>',
        frame: '/app/a.rb:5',
        count: 3,
        share: 0.75,
        // All three within the last hour.
        trend: '▁▁▁▁▁▁▁▁▁▁▁█',
        classes: 'A, B',
        queues: 'q0, q1, q2',
        retry: 3,
        dead: 0,
        rate: 3,
        first: (NOW - 7000) * 1000,
        last: (NOW - 60) * 1000,
        message: 'invalid payload for 0',
      },
      expect.objectContaining({ frame: '/app/b.rb:6', count: 1, share: 0.25, trend: '▁▁▁▁▁▁▁▁▁▁█▁', rate: 0 }),
    ]);
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(errors).filter((name) => name !== 'class' && name !== 'queue'));
  });

  test('parts by the place in the code, and does not show it, where backtraces are not allowed', async () => {
    const rows = await rowsOfState(errors, aState(), { query, answers });
    expect(rows.map(({ frame, count }) => [frame, count])).toEqual([
      [undefined, 3],
      [undefined, 1],
    ]);
  });

  test('can be parted by class as well, and names no more than five classes', async () => {
    const byClass = await rowsOfState(errors, state, { query: { groupBy: ['fingerprint', 'class'] }, answers });
    expect(byClass.map((row) => [row['class'], row['count']])).toEqual([
      ['A', 2],
      ['B', 1],
      ['B', 1],
    ]);
    const many = Array.from({ length: 7 }, (_, index): [number, object] => [
      NOW + index,
      failed(0, { class: `C${index}` }),
    ]);
    const rows = await rowsOfState(errors, state, {
      query,
      answers: { 'zcard retry': 7, 'zrange retry': zset(...many) },
    });
    expect(rows).toMatchObject([{ classes: 'C0, C1, C2, C3, C4 and 2 more', count: 7 }]);
  });
});

import { describe, expect, test } from 'vitest';
import { rowsOf } from '../../../pkg/frames/frame';
import { jobs } from '../../../pkg/queries/jobs';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { columnsOf, zset } from '../../support/queryRows';
import { aQueueState, aState, NOW } from '../../support/state';

/** Rank among the entries of one score, the score, and a digest of the entry. */
const CURSOR = new RegExp(`^0\\|${NOW - 1}\\|[0-9a-f]{16}$`);

describe('jobs', () => {
  const full = {
    class: 'ChargeJob',
    jid: 'c1',
    queue: 'billing',
    args: [109348684164216833n.toString()],
    created_at: NOW - 500,
    enqueued_at: NOW - 400,
    failed_at: (NOW - 300) * 1000,
    retried_at: NOW - 200,
    retry_count: '3',
    error_class: 'PaymentError',
    error_message: 'declined password=hunter2',
    tags: ['vip', 'eu'],
    bid: 'b14',
  };
  const dead = (...entries: Parameters<typeof zset>) => ({
    'zcard dead': entries.length,
    'zrevrange dead': zset(...entries),
  });

  test('of a queue that does not exist says so, also where a variable gave several names', async () => {
    const answers = { 'llen queue:{a,b}': 0, 'lrange queue:{a,b}': [] };
    const request = { reader: true };
    const state = aState({ queues: [aQueueState('a'), aQueueState('b')] });
    const [frame] = await askState(jobs, state, { query: { queue: '{a,b}' }, answers, request });
    expect(frame!.fields[0]!.values).toEqual([
      'There is no queue "{a,b}". Choose one queue; a variable here must have a single value.',
    ]);
  });

  test('has every field of a stored job', async () => {
    const state = aState({ options: { allowArguments: true } });
    const rows = await rowsOfState(jobs, state, {
      query: { source: 'dead', iteration: true },
      answers: { ...dead([NOW - 100, full]), 'hgetall it-c1': ['ex', '1', 'c', '{"id":500}', 'rt', '0'] },
    });
    expect(rows[0]).toEqual({
      jid: 'c1',
      class: 'ChargeJob',
      metricsClass: 'ChargeJob',
      queue: 'billing',
      enqueued: (NOW - 400) * 1000,
      created: (NOW - 500) * 1000,
      at: (NOW - 100) * 1000,
      age: 400,
      retryCount: 3,
      executions: null,
      errorClass: 'PaymentError',
      errorMessage: 'declined password=…',
      failedAt: (NOW - 300) * 1000,
      retriedAt: (NOW - 200) * 1000,
      tags: 'vip, eu',
      context: '',
      batch: 'b14',
      bytes: JSON.stringify(full).length,
      arguments: '["109348684164216833"]',
      iterationCursor: '{"id":500}',
      iterationRuns: 1,
      iterationTime: 0,
    });
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(jobs));
  });

  test('shows what is there where fields are missing or of another type', async () => {
    const odd = {
      class: 'Sidekiq::ActiveJob::Wrapper',
      wrapped: 'SyncJob',
      args: [{ executions: 2 }],
      jid: 7,
      tags: 'vip',
      retry_count: -1,
      error_class: ['A'],
      error_message: { html: '<b>' },
      created_at: NOW - 50,
    };
    const [row] = await rowsOfState(jobs, aState(), { query: { source: 'dead' }, answers: dead(['21161548820', odd]) });
    expect(row).toMatchObject({
      jid: '7',
      class: 'SyncJob',
      queue: '',
      enqueued: null,
      age: 50,
      at: null,
      executions: 2,
      retryCount: -1,
      tags: 'vip',
      errorClass: '["A"]',
      errorMessage: '{"html":"<b>"}',
      failedAt: null,
      batch: '',
      arguments: null,
    });
    const [none] = await rowsOfState(jobs, aState(), {
      query: { source: 'dead' },
      answers: dead([NOW, { tags: [null, 1, { a: 2 }] }]),
    });
    expect(none).toMatchObject({ tags: '1, {"a":2}', age: null, retryCount: null });
  });

  test('cuts arguments after 2,000 characters', async () => {
    const state = aState({ options: { allowArguments: true } });
    const long = { class: 'A', args: ['x'.repeat(5000)] };
    const [row] = await rowsOfState(jobs, state, { query: { source: 'dead' }, answers: dead([NOW, long]) });
    expect(row!['arguments']).toBe(`["${'x'.repeat(1998)}`);
  });

  test('finds jobs by text, by one of their tags, and by age', async () => {
    const answers = dead(
      [NOW - 1, { class: 'A', jid: '1', tags: ['vip'], enqueued_at: NOW - 10 }],
      [NOW - 2, { class: 'B', jid: '2', tags: ['eu', 'vip'], enqueued_at: NOW - 20 }],
      [NOW - 3, { class: 'A', jid: '3', enqueued_at: NOW - 30 }]
    );
    const jids = async (query: object) =>
      (await rowsOfState(jobs, aState(), { query: { source: 'dead', ...query }, answers })).map((row) => row['jid']);
    const filter = (field: string, operator: string, ...values: string[]) => ({
      filters: [{ field, operator, values }],
    });
    expect(await jids(filter('class', '=', 'A'))).toEqual(['1', '3']);
    expect(await jids(filter('tags', '=', 'eu'))).toEqual(['2']);
    expect(await jids(filter('tags', '!=', 'vip'))).toEqual(['3']);
    expect(await jids(filter('jid', '=~', '[12]'))).toEqual(['1', '2']);
    expect(await jids({ minAgeSeconds: 20 })).toEqual(['2', '3']);
    expect(await jids({ maxAgeSeconds: 20 })).toEqual(['1', '2']);
    expect(await jids({ limit: 2 })).toEqual(['1', '2']);
  });

  test('tells of what was not looked at, could not be read, or has no plausible time', async () => {
    const frames = await askState(jobs, aState(), {
      query: { source: 'dead', limit: 1 },
      answers: { ...dead([NOW - 1, 'OK'], ['1e15', { jid: '1' }]), 'zcard dead': 9000 },
    });
    expect(noticesOf(frames)).toEqual([
      '2 of 9,000 jobs looked at, 1 found.',
      'The score of 1 entry is no time between 2000 and 2100; "Died" is empty there.',
      '1 entry is not what Sidekiq writes and was left out.',
    ]);
    expect(frames[0]!.meta!.custom).toEqual({ total: 9000, looked: 2, cursor: null });
  });

  test.each([
    ['dead', 'Died'],
    ['retry', 'Next retry'],
    ['scheduled', 'Due'],
    ['queue', undefined],
  ])('of %s tell by their title what the time of the entry is', async (source, title) => {
    const answers = {
      ...dead([NOW - 1, { jid: '1' }]),
      'llen queue:q': 1,
      'lrange queue:q': ['{"jid":"1"}'],
    };
    const frames = await askState(jobs, aState(), { query: { source, queue: 'q' }, answers });
    expect(frames[0]!.fields.find(({ name }) => name === 'at')?.config?.displayName).toBe(title);
  });

  test('gives the cursor of the next page', async () => {
    const frames = await askState(jobs, aState(), {
      query: { source: 'dead', limit: 1 },
      answers: dead([NOW - 1, { jid: '1' }], ['1e15', { jid: '2' }], ['1e15', { jid: '3' }]),
    });
    expect(frames[0]!.meta!.custom).toMatchObject({ cursor: expect.stringMatching(CURSOR) });
    expect(noticesOf(frames)[0]).toBe(
      `1 of 3 jobs looked at, 1 found. The next page begins at the cursor ${String(frames[0]!.meta!.custom!['cursor'])}.`
    );
    const moved = await askState(jobs, aState(), {
      query: { source: 'dead', cursor: '0|5|0123456789abcdef' },
      answers: {
        ...dead([NOW, { jid: '1' }], ['1e15', { jid: '2' }], ['1e14', { jid: '3' }]),
        'zcount dead (5 +inf': 1,
      },
    });
    expect(noticesOf(moved).slice(1)).toEqual([
      'The last job of the previous page is gone; this page begins at the same position and may repeat some jobs.',
      'The score of 2 entries is no time between 2000 and 2100; "Died" is empty there.',
    ]);
  });

  test('are of the queue that has waited longest where none is named, and it says so', async () => {
    const queues = [
      aQueueState('empty', { size: 0 }),
      aQueueState('brief', { size: 9, latencySeconds: 5 }),
      aQueueState('late', { size: 1, latencySeconds: 70 }),
    ];
    const answers = { 'llen queue:late': 1, 'lrange queue:late': ['{"jid":"d"}'] };
    const frames = await askState(jobs, aState({ queues }), { answers });
    expect(rowsOf(frames[0]!)[0]).toMatchObject({ jid: 'd', class: '' });
    expect(noticesOf(frames)).toEqual(['Queue late: its oldest job has waited longest. Choose another under "Queue".']);
    expect(await rowsOfState(jobs, aState({ queues: queues.slice(0, 1) }))).toEqual([]);
    await expect(askState(jobs, aState(), { query: { queue: 'a', source: 'nowhere' } })).rejects.toThrow(/"source"/);
    await expect(askState(jobs, aState(), { query: { limit: 5001 } })).rejects.toThrow(/"limit" is not valid/);
  });
});

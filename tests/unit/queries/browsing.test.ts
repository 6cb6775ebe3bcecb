import { describe, expect, test } from 'vitest';
import { backlog } from '../../../pkg/queries/backlog';
import { errors } from '../../../pkg/queries/errors';
import { events } from '../../../pkg/queries/events';
import { job } from '../../../pkg/queries/job';
import { jobs } from '../../../pkg/queries/jobs';
import { recurring } from '../../../pkg/queries/recurring';
import { redis } from '../../../pkg/queries/redis';
import { metricKeys } from '../../../pkg/sidekiq/keys';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { aQueueState, aState, listed, MINUTE, NOW, someWork } from '../../support/state';

const zset = (...entries: Array<[number | string, string | object]>) =>
  entries.flatMap(([score, raw]) => [typeof raw === 'string' ? raw : JSON.stringify(raw), String(score)]);
const columnsOf = (type: { columns: ReadonlyArray<{ name: string }> }) => type.columns.map(({ name }) => name);

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
    'zrevrange dead 0 499 WITHSCORES': zset(...entries),
  });

  test('has every field of a stored job', async () => {
    const state = aState({ options: { allowArguments: true } });
    const rows = await rowsOfState(jobs, state, { query: { source: 'dead' }, answers: dead([NOW - 100, full]) });
    expect(rows[0]).toEqual({
      jid: 'c1',
      class: 'ChargeJob',
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
      'The score of 1 entry is no time between 2000 and 2100; "Due or died" is empty there.',
      '1 entry is not what Sidekiq writes and was left out.',
    ]);
    expect(frames[0]!.meta!.custom).toEqual({ total: 9000, looked: 2, cursor: null });
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
        'zrevrange dead 1 500 WITHSCORES': zset(['1e15', { jid: '2' }], ['1e14', { jid: '3' }]),
      },
    });
    expect(noticesOf(moved).slice(1)).toEqual([
      'The job at which the former page ended is gone; this page begins at its place and may repeat some jobs.',
      'The score of 2 entries is no time between 2000 and 2100; "Due or died" is empty there.',
    ]);
  });

  test('needs a queue where it is to read one, "default" by default', async () => {
    await expect(askState(jobs, aState(), { query: { queue: '' } })).rejects.toMatchObject({
      kind: 'query',
      message: 'The query names no queue.',
    });
    const answers = { 'llen queue:default': 1, 'lrange queue:default -500 -1': ['{"jid":"d"}'] };
    const [row] = await rowsOfState(jobs, aState(), { answers });
    expect(row).toMatchObject({ jid: 'd', at: null });
    await expect(askState(jobs, aState(), { query: { limit: 5001 } })).rejects.toThrow(/"limit" is not valid/);
  });
});

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
    'zrange retry 0 499 WITHSCORES': zset(
      [NOW + 5, failed('E', { failed_at: NOW - 9000, retried_at: NOW - 60 })],
      [NOW + 6, failed('E', { failed_at: NOW - 8000, error_message: 'older' })],
      [NOW + 7, failed('F', { failed_at: NOW - 3600, queue: 'other' })]
    ),
    'zcard dead': 3,
    'zrevrange dead 0 499 WITHSCORES': zset(
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
      trend: '·········▄·█',
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
        answers: { ...answers, zcard: 1, 'zrange retry 0 499 WITHSCORES': noPermission('zrange') },
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
    'zrange retry 0 499 WITHSCORES': zset(...[0, 1, 2].map((index): [number, object] => [NOW + index, failed(index)]), [
      NOW + 9,
      other,
    ]),
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
        trend: '···········█',
        classes: 'A, B',
        queues: 'q0, q1, q2',
        retry: 3,
        dead: 0,
        rate: 3,
        first: (NOW - 7000) * 1000,
        last: (NOW - 60) * 1000,
        message: 'invalid payload for 0',
      },
      expect.objectContaining({ frame: '/app/b.rb:6', count: 1, share: 0.25, trend: '··········█·', rate: 0 }),
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
      answers: { 'zcard retry': 7, 'zrange retry 0 499 WITHSCORES': zset(...many) },
    });
    expect(rows).toMatchObject([{ classes: 'C0, C1, C2, C3, C4 and 2 more', count: 7 }]);
  });
});

describe('job', () => {
  const payload = {
    jid: 'j1',
    class: 'ChargeJob',
    queue: 'billing',
    args: [7],
    retry: 5,
    retry_count: 2,
    created_at: NOW - 500,
    enqueued_at: NOW - 400,
    failed_at: NOW - 300,
    retried_at: NOW - 200,
    error_class: 'E',
    error_message: 'declined password=hunter2',
    error_backtrace: ['/gems/x.rb:1', '/app/a.rb:5'],
    cattr: { tenant: 5 },
    tags: ['vip'],
    trace: 'abc',
  };
  const answers = {
    'zcard retry': 2,
    'zrange retry 0 499 WITHSCORES': zset([NOW + 30, { jid: 'j10', class: 'Other' }], [NOW + 60, payload]),
    'hgetall it-j1': ['ex', '2', 'c', '{"id":500}', 'rt', '61.25'],
  };
  const ask = async (options: object, query: object = { jid: 'j1' }) =>
    (
      await rowsOfState(job, aState({ options: options as Record<string, unknown> }), { query: { ...query }, answers })
    ).map(({ group, field, value }) => `${group} ${field}: ${value}`);

  test('has a row for each field, without what the data source does not allow', async () => {
    const rows = await ask({});
    expect(rows).toEqual([
      'job JID: j1',
      'job Place: to be retried',
      'job Class: ChargeJob',
      'job Queue: billing',
      'job Due: 2026-11-25 12:01:30 UTC, in 1 min',
      'job Enqueued: 2026-11-25 11:53:50 UTC, 6 min 40 s ago',
      'job Created: 2026-11-25 11:52:10 UTC, 8 min 20 s ago',
      'job Retries: 2',
      'job Retries allowed: 5',
      'job Tags: vip',
      `job Payload: ${JSON.stringify(payload).length} bytes`,
      'error Error: E',
      'error Message: declined password=…',
      'error First failed: 2026-11-25 11:55:30 UTC, 5 min ago',
      'error Last failed: 2026-11-25 11:57:10 UTC, 3 min 20 s ago',
      'iteration Cursor: {"id":500}',
      'iteration Executions: 2',
      'iteration Run time: 1 min 1 s',
    ]);
  });

  test('shows arguments, context and custom fields, and the backtrace, each where it is allowed', async () => {
    const plain = new Set(await ask({}));
    const added = async (options: object) => (await ask(options)).filter((row) => !plain.has(row));
    expect(await added({ allowArguments: true })).toEqual([
      'job Arguments: [7]',
      'context tenant: 5',
      'other trace: abc',
    ]);
    expect(await added({ allowBacktraces: true })).toEqual([
      'error Application frame: /app/a.rb:5',
      'error Backtrace: /gems/x.rb:1\n/app/a.rb:5',
    ]);
  });

  test('is looked for where it is said to lie, else in every set and then in queues, the shortest first', async () => {
    const waiting = JSON.stringify({ jid: 'w1', class: 'W', queue: 'low' });
    const queues = [
      aQueueState('high', { size: 50 }),
      aQueueState('low', { size: 1 }),
      aQueueState('empty', { size: 0 }),
    ];
    const found = {
      zcard: 0,
      'llen queue:low': 1,
      'lrange queue:low -500 -1': [waiting],
      'llen queue:high': noPermission('llen'),
      'llen queue:empty': noPermission('llen'),
    };
    const rows = await rowsOfState(job, aState({ queues }), { query: { jid: 'w1' }, answers: found });
    expect(rows.find(({ field }) => field === 'Place')).toMatchObject({ value: 'waits in a queue' });
    const refused = { ...found, zcard: noPermission('zcard') };
    const there = await rowsOfState(job, aState({ queues }), {
      query: { jid: 'w1', source: 'queue', queue: 'low' },
      answers: refused,
    });
    expect(there).toEqual(rows);
  });

  test('that runs says where', async () => {
    const work = listed(someWork({ jid: 'r1', class: 'R', queue: 'q', process: 'web-1:1:a', runAt: NOW - 90 }));
    const rows = await rowsOfState(job, aState({ snapshot: { work } }), { query: { jid: 'r1' } });
    expect(rows.map(({ field, value }) => [field, value])).toEqual([
      ['Place', 'running'],
      ['Class', 'R'],
      ['Queue', 'q'],
      ['Process', 'web-1:1:a'],
      ['Thread', 't1'],
      ['Started', '2026-11-25 11:59:00 UTC, 1 min 30 s ago'],
    ]);
  });

  test('that is nowhere, or not named, is an error with its remedy', async () => {
    await expect(ask({}, { jid: 'j2' })).rejects.toMatchObject({
      kind: 'query',
      message: 'There is no job "j2": it is not waiting, scheduled, to be retried, dead or running.',
    });
    await expect(ask({}, { jid: ' ' })).rejects.toThrow('The query names no job.');
  });
});

describe('backlog', () => {
  const job = (name: string, ago: number | null) =>
    JSON.stringify({ class: name, ...(ago !== null && { enqueued_at: NOW - ago }) });
  const state = aState({
    queues: [aQueueState('short', { size: 3 }), aQueueState('empty'), aQueueState('long', { size: 1000 })],
  });
  const answers = {
    'llen queue:short': 3,
    'lrange queue:short -100 -1': [job('A', 5), job('B', 7), job('A', 9)],
    'llen queue:long': 1000,
    'lrange queue:long -100 -1': [...Array.from({ length: 99 }, () => job('C', 50)), 'OK'],
    'lrange queue:long 0 99': Array.from({ length: 100 }, (_, index) => job(index === 0 ? 'D' : 'C', null)),
  };

  test('counts in a short queue, estimates from both ends of a long one', async () => {
    const rows = await rowsOfState(backlog, state, { answers });
    expect(rows.map((row) => [row['queue'], row['class'], row['jobs'], row['oldest']])).toEqual([
      // 198 of 199 jobs that were looked at: 995 of 1000.
      ['long', 'C', 995, 50],
      ['long', 'D', 5, null],
      ['short', 'A', 2, 9],
      ['short', 'B', 1, 7],
    ]);
    expect(rows[2]).toEqual({
      queue: 'short',
      class: 'A',
      jobs: 2,
      share: 2 / 3,
      oldest: 9,
      bytes: (job('A', 5).length + job('A', 9).length) / 2,
    });
    expect(Object.keys(rows[2]!)).toEqual(columnsOf(backlog));
    expect(noticesOf(await askState(backlog, state, { answers }))).toEqual([
      'Estimated from the 100 oldest and 100 newest jobs: long.',
      '1 entry is not what Sidekiq writes and was left out.',
    ]);
  });

  test('looks only into the queues that are asked for, the longest twenty', async () => {
    const filtered = await rowsOfState(backlog, state, {
      query: { filters: [{ field: 'queue', operator: '=', values: ['short'] }] },
      answers,
    });
    expect(new Set(filtered.map((row) => row['queue']))).toEqual(new Set(['short']));
    const many = aState({
      queues: Array.from({ length: 25 }, (_, index) => aQueueState(`q${index}`, { size: index === 0 ? null : index })),
    });
    const frames = await askState(backlog, many, { answers: { llen: 1, lrange: [job('A', 1)] } });
    expect(noticesOf(frames)).toEqual(['5 shorter queues were not looked into. Filter by queue.']);
    expect(frames[0]!.fields[0]!.values).toContain('q24');
    expect(frames[0]!.fields[0]!.values).not.toContain('q4');
  });

  test('does not read where nothing waits', async () => {
    expect(await rowsOfState(backlog, aState(), { answers: { llen: noPermission('llen') } })).toEqual([]);
  });

  test('shows no wait below zero', async () => {
    const rows = await rowsOfState(backlog, aState({ queues: [aQueueState('q', { size: 1 })] }), {
      answers: { 'llen queue:q': 1, 'lrange queue:q -100 -1': [job('A', -9)] },
    });
    expect(rows[0]).toMatchObject({ oldest: 0 });
  });
});

describe('events', () => {
  const state = aState({
    processLog: {
      since: NOW - 3600,
      vanished: [],
      vanishedByHost: new Map(),
      lostJobsTotal: 0,
      events: [
        { kind: 'vanished', at: NOW - 100, endsAt: NOW - 40, title: 'a:1:x vanished', host: 'a' },
        { kind: 'start', at: NOW - 200, title: 'b:1:x started', host: 'b' },
        { kind: 'stop', at: NOW - 9999, title: 'long ago', host: 'c' },
        { kind: 'leader', at: NOW - 10, title: 'a new leader', host: '' },
      ],
    },
  });
  const answers = { 'hgetall 20261125-marks': ['2026-11-25T11:55:00Z', 'a1b2c3d'] };

  test('come in the order of time, with tags and, where they last, an end', async () => {
    const rows = await rowsOfState(events, state, { answers });
    expect(rows).toEqual([
      {
        time: (MINUTE - 300) * 1000,
        timeEnd: null,
        title: 'a1b2c3d',
        kind: 'deploy',
        host: '',
        tags: 'sidekiq,deploy',
        count: 1,
      },
      {
        time: (NOW - 200) * 1000,
        timeEnd: null,
        title: 'b:1:x started',
        kind: 'start',
        host: 'b',
        tags: 'sidekiq,start,b',
        count: 1,
      },
      {
        time: (NOW - 100) * 1000,
        timeEnd: (NOW - 40) * 1000,
        title: 'a:1:x vanished',
        kind: 'vanished',
        host: 'a',
        tags: 'sidekiq,vanished,a',
        count: 1,
      },
      {
        time: (NOW - 10) * 1000,
        timeEnd: null,
        title: 'a new leader',
        kind: 'leader',
        host: '',
        tags: 'sidekiq,leader',
        count: 1,
      },
    ]);
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(events));
  });

  test('are of the kinds that are asked for; deploy marks are read only then', async () => {
    const kinds = async (...wanted: string[]) =>
      (
        await rowsOfState(events, state, {
          query: { kinds: wanted },
          answers: { ...answers, hgetall: noPermission('hgetall') },
        })
      ).map((row) => row['kind']);
    expect(await kinds('start', 'stop')).toEqual(['start']);
    await expect(askState(events, state, { query: { kinds: ['nope'] } })).rejects.toThrow(/"kinds.0" is not valid/);
  });

  test('are in a range with their end', async () => {
    const inRange = async (from: number, to: number) =>
      (await rowsOfState(events, state, { query: { kinds: ['vanished'] }, request: { range: { from, to } } })).length;
    expect(await inRange(NOW - 40, NOW)).toBe(1);
    expect(await inRange(NOW - 39, NOW)).toBe(0);
    expect(await inRange(NOW - 500, NOW - 100)).toBe(1);
    expect(await inRange(NOW - 500, NOW - 101)).toBe(0);
  });

  test('tell of deploy marks that are refused', async () => {
    const frames = await askState(events, state, {
      answers: { ...answers, 'hgetall 20261125-marks': noPermission('hgetall') },
      request: { range: { from: NOW - 100_000, to: NOW } },
    });
    expect(noticesOf(frames)[0]).toMatch(/^No deploy marks: /);
    expect(frames[0]!.fields[0]!.values).toHaveLength(4);
  });
});

describe('recurring', () => {
  const state = aState({
    options: {
      cadences: [
        { class: 'ClockJob', everySeconds: 300 },
        { class: 'Silent', everySeconds: 60 },
      ],
    },
  });
  const answers = {
    'smembers cron_jobs:default': ['cron_job:default:bill'],
    'hgetall cron_job:default:bill': [
      ...[
        'name',
        'bill',
        'klass',
        'BillJob',
        'cron',
        '10 * * * *',
        'last_enqueue_time',
        '2026-11-25 10:10:00 +0000',
        'message',
        '{"queue":"billing"}',
      ],
    ],
    [`hgetall ${metricKeys.minute(MINUTE - 600)}`]: ['ClockJob|p', '1'],
    [`hgetall ${metricKeys.minute(MINUTE - 900)}`]: ['ClockJob|p', '1'],
  };

  test('has entries of schedulers and expected cadences, with how late they are', async () => {
    const rows = await rowsOfState(recurring, state, { answers });
    expect(rows[0]).toEqual({
      name: 'bill',
      source: 'sidekiq-cron',
      class: 'BillJob',
      queue: 'billing',
      schedule: '10 * * * *',
      enabled: true,
      last: Date.UTC(2026, 10, 25, 10, 10),
      next: Date.UTC(2026, 10, 25, 11, 10),
      // 10:10 to 12:00:30, and 11:10 to 12:00:30.
      sinceLast: 6630,
      lateBy: 3030,
    });
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(recurring));
    expect(rows[1]).toEqual({
      name: 'ClockJob',
      source: 'cadence',
      class: 'ClockJob',
      queue: '',
      schedule: 'every 300 s',
      enabled: true,
      last: (MINUTE - 600) * 1000,
      // Ran by the end of its minute, so due 300 s after that.
      next: (MINUTE - 540 + 300) * 1000,
      sinceLast: 630,
      lateBy: 270,
    });
    // Not within the eight hours that are kept: late by at least those, less the minute it may take.
    expect(rows[2]).toMatchObject({ name: 'Silent', last: null, sinceLast: null, lateBy: 8 * 3600 - 60 });
  });

  test('tells what was refused', async () => {
    const refused = {
      ...answers,
      'hgetall schedules': noPermission('hgetall'),
      [`hgetall ${metricKeys.minute(MINUTE)}`]: noPermission('hgetall'),
    };
    const notices = noticesOf(await askState(recurring, state, { answers: refused }));
    expect(notices.map((text) => text.split(':')[0])).toEqual(['No sidekiq-scheduler entries', 'No job metrics']);
  });

  test('does not read job metrics where no cadence is expected', async () => {
    const rows = await rowsOfState(recurring, aState(), { answers });
    expect(rows.map((row) => row['name'])).toEqual(['bill']);
  });

  test('of an entry that is switched off is nothing due', async () => {
    const off = {
      ...answers,
      'hgetall cron_job:default:bill': ['name', 'bill', 'cron', '10 * * * *', 'status', 'disabled'],
    };
    expect((await rowsOfState(recurring, aState(), { answers: off }))[0]).toMatchObject({
      enabled: false,
      next: null,
      lateBy: null,
    });
  });
});

describe('redis', () => {
  const info = (fields: Record<string, string>) => ({
    info: Object.entries(fields)
      .map(([name, value]) => `${name}:${value}`)
      .join('\r\n'),
  });

  test('has every figure of INFO', async () => {
    const rows = await rowsOfState(redis, aState(), {
      answers: info({
        redis_version: '7.0.15',
        role: 'master',
        used_memory: '250',
        maxmemory: '1000',
        maxmemory_policy: 'noeviction',
        connected_clients: '3',
        blocked_clients: '2',
        instantaneous_ops_per_sec: '44',
        evicted_keys: '0',
        connected_slaves: '1',
        uptime_in_seconds: '99',
      }),
    });
    expect(rows).toEqual([
      {
        version: '7.0.15',
        role: 'master',
        memory: 250,
        maxMemory: 1000,
        memoryShare: 0.25,
        policy: 'noeviction',
        clients: 3,
        blockedClients: 2,
        ops: 44,
        evicted: 0,
        replicas: 1,
        uptime: 99,
      },
    ]);
    expect(Object.keys(rows[0]!)).toEqual(columnsOf(redis));
  });

  test('is empty where a line is missing or no number', async () => {
    const [row] = await rowsOfState(redis, aState(), {
      answers: info({ valkey_version: '8.0', redis_version: '7.2', used_memory: 'much', maxmemory: '0' }),
    });
    expect(row).toMatchObject({
      version: '8.0',
      memory: null,
      memoryShare: null,
      maxMemory: 0,
      clients: null,
      role: '',
      policy: '',
    });
    const [unlimited] = await rowsOfState(redis, aState(), { answers: info({ used_memory: '5', maxmemory: '0' }) });
    expect(unlimited).toMatchObject({ version: '', memory: 5, memoryShare: null });
  });

  test('warns of a policy that may drop jobs', async () => {
    const [frame] = await askState(redis, aState(), { answers: info({ maxmemory_policy: 'allkeys-lru' }) });
    expect(frame!.meta!.notices).toEqual([
      {
        severity: 'warning',
        text: 'maxmemory-policy is allkeys-lru: Redis may drop queues and jobs when memory is short. Set it to noeviction.',
      },
    ]);
    expect(noticesOf(await askState(redis, aState(), { answers: info({ maxmemory_policy: 'noeviction' }) }))).toEqual(
      []
    );
  });

  test('says where INFO is not allowed', async () => {
    const frames = await askState(redis, aState(), { answers: { info: noPermission('info') } });
    expect(frames[0]!.fields[0]!.values).toEqual([]);
    expect(noticesOf(frames)[0]).toMatch(/^INFO is not allowed here\. .*NOPERM/);
    await expect(
      askState(redis, aState(), { answers: { info: new Error('Command timed out') } })
    ).rejects.toMatchObject({ kind: 'connection' });
  });
});

import { describe, expect, test } from 'vitest';
import type { VanishedProcess } from '../../../pkg/observe/vanished';
import { rowsOf } from '../../../pkg/frames/frame';
import { NotRecorded } from '../../../pkg/source/notRecorded';
import type { Reads } from '../../../pkg/source/reads';
import { job } from '../../../pkg/queries/job';
import { rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { zset } from '../../support/queryRows';
import { aProcess, aQueueState, aState, listed, NOW, someWork } from '../../support/state';

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
    'zrange retry': zset([NOW + 30, { jid: 'j10', class: 'Other' }], [NOW + 60, payload]),
    'hgetall it-j1': ['ex', '2', 'c', '{"id":500}', 'rt', '61.25'],
  };
  const ask = async (options: object, query: object = { jid: 'j1' }) =>
    (
      await rowsOfState(job, aState({ options: options as Record<string, unknown> }), { query: { ...query }, answers })
    ).map(({ group, field, value }) => `${group} ${field}: ${value}`);

  test('names the deploy before the first of its kind, and the one before this failure', async () => {
    const earlier = { ...payload, jid: 'j0', class: 'Other', failed_at: NOW - 4000 };
    const day = new Date(NOW * 1000).toISOString().slice(0, 10).replaceAll('-', '');
    const failed = { ...answers, 'zcard dead': 1, 'zrevrange dead': zset([NOW - 60, earlier]) };
    const marksOf = async (...marks: Array<[secondsAgo: number, label: string]>) => {
      const fields = marks.flatMap(([ago, label]) => [new Date((NOW - ago) * 1000).toISOString(), label]);
      const rows = await rowsOfState(job, aState(), {
        query: { jid: 'j1' },
        answers: { ...failed, [`hgetall ${day}-marks`]: fields },
      });
      return rows
        .filter(({ field }) => /kind|Deploy/.test(String(field)))
        .map(({ field, value }) => `${field}: ${value}`);
    };
    const first = 'First of this kind: 2026-11-25 10:53:50 UTC, 1 h 6 min ago (2 jobs of all classes kept)';
    expect(await marksOf([5000, 'v1'], [1000, 'v2'])).toEqual([
      first,
      'Deploy before the first failure: v1, 2026-11-25 10:37:10 UTC, 1 h 23 min ago',
      'Deploy before the last failure: v2, 2026-11-25 11:43:50 UTC, 16 min 40 s ago',
    ]);
    expect(await marksOf([5000, 'v1'])).toEqual([
      first,
      expect.stringContaining('Deploy before the first failure: v1'),
    ]);
  });

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
      'error Backtrace: 2 lines, hidden. An administrator can show backtraces with "Show backtraces" in the settings of the data source.',
      'error First of this kind: 2026-11-25 11:55:30 UTC, 5 min ago (1 job of all classes kept)',
      // A position would be shown; this may be an argument.
      'iteration Cursor: hidden: the data source does not allow arguments',
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
      'iteration Cursor: {"id":500}',
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
      'lrange queue:low': [waiting],
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

  test('that lies in several places is told with the others', async () => {
    const waiting = JSON.stringify({ jid: 'j1', class: 'ChargeJob', queue: 'low' });
    const queues = [aQueueState('low', { size: 1 }), aQueueState('high', { size: 2 })];
    const found = {
      ...answers,
      'llen queue:low': 1,
      'lrange queue:low': [waiting],
      'zcard dead': 1,
      'zrevrange dead': zset([NOW - 60, payload]),
      'llen queue:high': noPermission('llen'),
    };
    const rows = await rowsOfState(job, aState({ queues }), { query: { jid: 'j1' }, answers: found });
    expect(rows.filter(({ field }) => field === 'Place' || field === 'Also in')).toEqual([
      { group: 'job', field: 'Place', value: 'to be retried' },
      { group: 'job', field: 'Also in', value: 'dead jobs, queue low' },
    ]);
  });

  test('that runs says where', async () => {
    const work = listed(
      someWork({ jid: 'r1', class: 'R', queue: 'q', process: 'web-1:1:a', runAt: NOW - 90, enqueuedAt: NOW - 95 })
    );
    const rows = await rowsOfState(job, aState({ snapshot: { work } }), { query: { jid: 'r1' } });
    expect(rows.map(({ field, value }) => [field, value])).toEqual([
      ['Place', 'running'],
      ['Class', 'R'],
      ['Queue', 'q'],
      ['Process', 'web-1:1:a'],
      ['Thread', 't1'],
      ['Enqueued', '2026-11-25 11:58:55 UTC, 1 min 35 s ago'],
      ['Started', '2026-11-25 11:59:00 UTC, 1 min 30 s ago'],
    ]);
  });

  test('that was lost with its process says so', async () => {
    const process = { identity: 'web-1:1:a', host: 'web-1' };
    const gone: VanishedProcess = {
      process,
      lastBeatAt: NOW - 120,
      beatAt: null,
      noticedAt: NOW - 100,
      returnedAt: null,
      confirmed: true,
      jobs: [
        { ...someWork({ jid: 'r1', class: 'R', queue: 'q', runAt: NOW - 150 }), recovered: false, usualSeconds: null },
      ],
    };
    const state = aState({
      processLog: { since: NOW - 9000, vanished: [gone], events: [], vanishedByHost: new Map(), lostJobsTotal: 1 },
    });
    const rows = await rowsOfState(job, state, { query: { jid: 'r1' } });
    expect(rows.map(({ group, field, value }) => [group, field, value])).toEqual([
      ['vanished process', 'Process', 'web-1:1:a'],
      ['vanished process', 'Last heartbeat', '2026-11-25 11:58:30 UTC, 2 min ago'],
      ['vanished process', 'Class', 'R'],
      ['vanished process', 'Queue', 'q'],
      ['vanished process', 'Started', '2026-11-25 11:58:00 UTC, 2 min 30 s ago'],
      ['vanished process', 'Outcome', 'lost: neither was seen for 60 seconds.'],
    ]);
    // Of the past too, though stored jobs are not recorded.
    const past = { job: () => Promise.reject(new NotRecorded('Stored jobs are not recorded.', '')) };
    const request = { range: { from: NOW - 3600, to: NOW }, intervalSeconds: 60, alerting: false };
    const reads = { ...past, iterations: async () => new Map() } as unknown as Reads;
    const [frame] = await job.run({ queryType: 'job', jid: 'r1' }, { ...state, recorded: true }, request, reads);
    expect(rowsOf(frame!)).toEqual(rows);
    await expect(
      job.run({ queryType: 'job', jid: 'r2' }, { ...state, recorded: true }, request, reads)
    ).rejects.toThrow();
  });

  // Lists of super_fetch as its wiki page describes them. Found by a review: such a job was told to have ended.
  test.each([
    ['a process that is gone', 'dead:9:zzz'],
    ['a live one', 'live:1:abc'],
  ])('that super_fetch took for %s is found', async (_, identity) => {
    const gone: VanishedProcess = {
      process: { identity: 'dead:9:zzz', host: 'dead' },
      lastBeatAt: NOW - 120,
      beatAt: null,
      noticedAt: NOW - 100,
      returnedAt: null,
      confirmed: true,
      jobs: [],
    };
    const taken = aState({
      snapshot: { processes: listed(aProcess('live:1:abc', { queues: ['a|b'] })) },
      queues: [aQueueState('a|b')],
      processLog: { since: NOW - 9000, vanished: [gone], events: [], vanishedByHost: new Map(), lostJobsTotal: 0 },
    });
    const answers = {
      [`llen queue:sq|${identity}|a|b`]: 1,
      [`lrange queue:sq|${identity}|a|b`]: [JSON.stringify({ jid: 'p1', class: 'A', queue: 'a|b' })],
    };
    const rows = await rowsOfState(job, taken, { query: { jid: 'p1' }, answers });
    expect(rows.map(({ field, value }) => `${field}: ${value}`)).toEqual(
      expect.arrayContaining(['Place: taken by a process with super_fetch', 'Queue: a|b', `Process: ${identity}`])
    );
    await expect(rowsOfState(job, taken, { query: { jid: 'p2' }, answers })).rejects.toThrow('There is no job "p2"');
  });

  test('that does not exist, or is not named, is an error with its remedy', async () => {
    await expect(ask({}, { jid: 'j2' })).rejects.toMatchObject({
      kind: 'query',
      message: 'There is no job "j2": it is not waiting, scheduled, to be retried, dead or running.',
    });
    await expect(ask({}, { jid: ' ' })).rejects.toThrow('The query names no job.');
    // In a panel nothing went wrong: nothing has been entered yet.
    const panel = { reader: true, dataSource: { uid: 'u', name: 'Sidekiq' } };
    expect(await rowsOfState(job, aState(), { request: panel })).toEqual([
      { message: 'Enter the job ID under "JID".' },
    ]);
    // A link leads to a job that has ended since.
    expect(await rowsOfState(job, aState(), { query: { jid: 'j2' }, request: panel })).toEqual([
      {
        message:
          'There is no job "j2": it is not waiting, scheduled, to be retried, dead or running. The job ended, was deleted, or never existed, of which Sidekiq keeps no record; or super_fetch (Sidekiq Pro) keeps it for a process that is gone.',
      },
    ]);
    // On the command line something is missing.
    await expect(rowsOfState(job, aState(), { request: { reader: true } })).rejects.toThrow('The query names no job.');
  });
});

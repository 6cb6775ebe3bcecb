import { describe, expect, test } from 'vitest';
import { rowsOf } from '../../../pkg/frames/frame';
import { backlog } from '../../../pkg/queries/backlog';
import type { Reads } from '../../../pkg/source/reads';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { columnsOf } from '../../support/queryRows';
import { aQueueState, aState, NOW } from '../../support/state';

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
      // 198 of 200 entries that were looked at: 990 of 1000.
      ['long', 'C', 990, 50],
      ['long', 'D', 5, null],
      ['short', 'A', 2, 9],
      ['short', 'B', 1, 7],
    ]);
    expect(rows[2]).toEqual({
      queue: 'short',
      class: 'A',
      metricsClass: 'A',
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

  test('of the past has the ages of when the queues were looked into', async () => {
    const samples = [
      {
        queue: 'short',
        size: 1,
        classes: [{ class: 'A', metricsClass: 'A', jobs: 1, oldestAt: NOW - 700, bytes: 9 }],
        broken: 0,
      },
    ];
    const reads = {
      besideAt: null,
      backlog: async () => ({ samples, notices: [], at: NOW - 600 }),
    } as unknown as Reads;
    const request = { range: { from: NOW - 3600, to: NOW }, intervalSeconds: 60, alerting: false };
    const [frame] = await backlog.run({ queryType: 'backlog' }, { ...state, recorded: true }, request, reads);
    expect(rowsOf(frame!)).toMatchObject([{ class: 'A', oldest: 100 }]);
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

  test('of the past says that the queues were looked into before they were measured', async () => {
    const queues = [aQueueState('q', { size: 1 })];
    const ask = (recorded: boolean) =>
      rowsOfState(backlog, aState({ queues, recorded }), { request: { reader: true }, answers: { 'llen queue:q': 0 } });
    expect(await ask(true)).toEqual([{ message: 'No job was waiting when the queues were last looked into.' }]);
    expect(await ask(false)).toEqual([{ message: 'No job is waiting.' }]);
  });

  test('shows no wait below zero', async () => {
    const rows = await rowsOfState(backlog, aState({ queues: [aQueueState('q', { size: 1 })] }), {
      answers: { 'llen queue:q': 1, 'lrange queue:q -100 -1': [job('A', -9)] },
    });
    expect(rows[0]).toMatchObject({ oldest: 0 });
  });
});

import { describe, expect, test } from 'vitest';
import { contexts } from '../../../pkg/queries/contexts';
import type { Process, Queue } from '../../../pkg/sidekiq/model';
import { parseSettings } from '../../../pkg/settings/settings';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission, type Answers } from '../../support/fakeRedis';
import { aProcess, aQueueState, aState, listed, NOW, partial, someWork } from '../../support/state';

/** CurrentAttributes as Sidekiq 7.3.10 and 8.1.7 write them. */
const before8 = (tenant: unknown) => ({ cattr: { tenant_id: tenant, user_id: 1 } });
const since8 = (tenant: unknown) => ({
  cattr: [[{ _aj_serialized: 'ActiveJob::Serializers::SymbolSerializer', value: 'tenant_id' }, tenant]],
});
const job = (part: object) => JSON.stringify({ jid: 'j', class: 'Work', queue: 'default', args: ['x'], ...part });

const ANSWERS: Answers = {
  'llen queue:default': 4,
  'lrange queue:default': [
    job({ ...before8('acme'), enqueued_at: NOW - 10 }),
    job({ ...since8('acme'), enqueued_at: (NOW - 30) * 1000 }),
    job({ ...before8('umbrella'), enqueued_at: NOW - 5 }),
    job({ enqueued_at: NOW - 90 }),
  ],
  'hscan h:1:a:work 0 COUNT 2000': [
    '0',
    [
      't1',
      JSON.stringify({
        queue: 'default',
        run_at: NOW - 20,
        payload: job({ ...before8('acme'), enqueued_at: NOW - 24 }),
      }),
      't2',
      JSON.stringify({ queue: 'other', run_at: NOW - 50, payload: job({ ...before8(42), queue: 'other' }) }),
    ],
  ],
  'zcard retry': 2,
  'zrange retry': [
    job({ ...since8('acme'), failed_at: (NOW - 9000) * 1000, retried_at: (NOW - 60) * 1000 }),
    String(NOW + 60),
    job({ ...before8('acme'), failed_at: NOW - 7200 }),
    String(NOW + 90),
  ],
  'zcard dead': 1,
  'zrevrange dead': [job(before8('umbrella')), String(NOW - 60)],
};
const STATE = aState({
  queues: [aQueueState('default', { size: 4 })],
  snapshot: { processes: listed(aProcess('h:1:a', { busy: 2 })) },
  options: { contextFields: 'tenant_id, region' },
});
const ask = (query: object = {}, answers = ANSWERS) =>
  rowsOfState(contexts, STATE, { answers, query: query as Record<string, unknown> });

describe('contexts', () => {
  test('has backlog, threads, waits and failures by the value of a CurrentAttribute', async () => {
    const rows = await ask();
    expect(
      rows.map(({ value, waiting, share, oldest, busy, longest, waited, retry, dead, lastHour }) => [
        value,
        waiting,
        share,
        oldest,
        busy,
        longest,
        waited,
        retry,
        dead,
        lastHour,
      ])
    ).toEqual([
      ['acme', 2, 0.5, 30, 1, 20, 4, 2, 0, 1],
      ['umbrella', 1, 0.25, 5, 0, null, null, 0, 1, 1],
      ['', 1, 0.25, 90, 0, null, null, 0, 0, 0],
      ['42', 0, 0, null, 1, 50, null, 0, 0, 0],
    ]);
  });

  test('knows no numbers of what Redis refuses', async () => {
    const acme = async (answers: Answers) => (await ask({}, { ...ANSWERS, ...answers }))[0]!;
    expect(await acme({ 'lrange queue:default': noPermission('lrange') })).toMatchObject({
      ...{ value: 'acme', waiting: null, share: null, oldest: null, busy: 1, retry: 2 },
    });
    expect(await acme({ 'hscan h:1:a:work 0 COUNT 2000': noPermission('hscan') })).toMatchObject({
      ...{ value: 'acme', waiting: 2, busy: null, longest: null, waited: null, retry: 2 },
    });
    // Not all processes, or not all queues, are known.
    const state = {
      ...STATE,
      snapshot: { ...STATE.snapshot, processes: partial<Process>(), queues: partial<Queue>() },
    };
    expect((await rowsOfState(contexts, state, { answers: ANSWERS }))[0]).toMatchObject({ waiting: null, busy: null });
  });

  test('looks at the jobs of a process that says that it runs none', async () => {
    const work = listed(someWork({ process: 'h:1:a' }));
    const state = {
      ...STATE,
      snapshot: { ...STATE.snapshot, processes: listed(aProcess('h:1:a', { busy: 0 })), work },
    };
    expect((await rowsOfState(contexts, state, { answers: ANSWERS }))[0]).toMatchObject({ value: 'acme', busy: 1 });
  });

  test('applies filters by queue and class to jobs, before they are grouped', async () => {
    const rows = await ask({ filters: [{ field: 'queue', operator: '=', values: ['other'] }] });
    expect(rows.map(({ value, waiting, busy }) => [value, waiting, busy])).toEqual([['42', 0, 1]]);
  });

  test('tells as many jobs as wait, where both ends of a long queue stand for all of it', async () => {
    const many = Array.from({ length: 5000 }, (_, index) => job(before8(index % 2 === 0 ? 'a' : 'b')));
    const answers = { 'llen queue:default': 5000, 'lrange queue:default': many };
    const rows = await ask({}, answers);
    expect(rows.reduce((sum, { waiting }) => sum + Number(waiting), 0)).toBe(5000);
    expect(rows.map(({ waiting }) => waiting)).toEqual([2500, 2500]);
    const frames = await askState(contexts, STATE, { answers });
    expect(noticesOf(frames)).toEqual(['Looked at in part: default.']);
  });

  test('reads a field of the payload itself, and no list or object', async () => {
    const answers = {
      'llen queue:default': 3,
      'lrange queue:default': [job({ region: 'eu' }), job({ region: { secret: 1 } }), job({ region: ['x'] })],
    };
    const rows = await ask({ field: 'region' }, answers);
    expect(rows.map(({ value, waiting }) => [value, waiting])).toEqual([
      ['', 2],
      ['eu', 1],
    ]);
  });

  test.each([
    ['tenant_id, region', 'user_id', 'The field "user_id" may not be read; "field" may be: tenant_id, region.'],
    ['', 'tenant_id', 'No field of the context may be read.'],
    ['', '', 'No field of the context may be read.'],
  ])('with the settings "%s" refuses the field "%s"', async (contextFields, field, message) => {
    const state = aState({ options: { contextFields } });
    await expect(rowsOfState(contexts, state, { query: { field } })).rejects.toThrow(message);
  });
});

describe('the setting contextFields', () => {
  test.each(['args', 'lock_args', 'cattr', 'cattr_1', 'error_message', 'a b', '__proto__.x y', 'x'.repeat(65)])(
    'refuses %s',
    (contextFields) => {
      expect(() => parseSettings({ options: { contextFields } })).toThrow(/contextFields/);
    }
  );

  test('takes names of attributes', () => {
    expect(parseSettings({ options: { contextFields: 'tenant_id, accountId' } }).options.contextFields).toBe(
      'tenant_id, accountId'
    );
  });
});

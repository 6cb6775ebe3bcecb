import { describe, expect, test } from 'vitest';
import { redis } from '../../../pkg/queries/redis';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { columnsOf } from '../../support/queryRows';
import { aState } from '../../support/state';

describe('redis', () => {
  const info = (fields: Record<string, string>) => ({
    info: Object.entries(fields)
      .map(([name, value]) => `${name}:${value}`)
      .join('\r\n'),
  });

  test('has every figure of INFO', async () => {
    const redisMemory = { usedBytes: 250, limitBytes: 1000, full: { earliest: 600, latest: 900 } };
    const rows = await rowsOfState(redis, aState({ redisMemory }), {
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
        fullEarliest: 600,
        fullLatest: 900,
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

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { writeFleet } from '../support/fleet';
import { ask, askRows, createReader, noticesOf, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

vi.mock('node:sqlite', () => import('../support/nodeSqlite'));

let server: RedisServer;
let installation: Installation;
let now: number;

beforeEach(async () => {
  server = await startRedis();
  await createReader(server);
  await writeFleet(server.client, 3, 3, 2);
  now = Date.now() / 1000;
  installation = openAsReader(server, { cadences: [{ class: 'ClockJob', everySeconds: 300 }] }, () => now);
  await installation.state();
});
afterEach(async () => {
  installation.close();
  await server.stop();
});

const range = () => ({ from: now - 3600, to: now });
const VICTIM = 'host-1:1:abcdef';

test('a killed process and its jobs are lost once its heartbeat has expired', async () => {
  await server.client.del(VICTIM, `${VICTIM}:work`);
  now += 61;
  const before = await askRows(installation, { queryType: 'lost' }, range());
  // It may be frozen: what it ran is not counted as lost yet.
  expect(before.map(({ jobs, lost, outcome }) => [jobs, lost, outcome])).toEqual([
    [0, null, 'open'],
    [0, null, 'open'],
  ]);
  now += 60;
  const rows = await askRows(installation, { queryType: 'lost' }, range());
  expect(rows).toHaveLength(2);
  expect(rows[0]).toMatchObject({
    process: VICTIM,
    host: 'host-1',
    class: 'PlainJob',
    queue: 'queue_0',
    jobs: 2,
    lost: true,
  });
  const [alert] = await ask(installation, { queryType: 'lost', figures: ['jobs'] }, { ...range(), alerting: true });
  expect(alert?.fields.find(({ name }) => name === 'jobs')?.values).toEqual([2]);
});

test('one that had missed heartbeats and whose name somebody cleared away after a minute is lost too', async () => {
  now += 40;
  // The hash expires a minute after the last heartbeat.
  await server.client.expire(VICTIM, 20);
  await installation.state();
  await server.client.del(VICTIM, `${VICTIM}:work`);
  await server.client.srem('processes', VICTIM);
  now += 35;
  expect(await askRows(installation, { queryType: 'lost' }, range())).toHaveLength(2);
});

test('a clean stop is no loss, but an event', async () => {
  await server.client.srem('processes', VICTIM);
  await server.client.del(`${VICTIM}:work`);
  now += 10;
  expect(await askRows(installation, { queryType: 'lost' }, range())).toEqual([]);
  const events = await askRows(installation, { queryType: 'events', kinds: ['stop'] }, range());
  expect(events).toEqual([expect.objectContaining({ kind: 'stop', host: 'host-1', tags: 'sidekiq,stop,host-1' })]);
});

test('jobs that are put back into their queue, and wait there for a thread, are not lost', async () => {
  const work = Object.values(await server.client.hgetall(`${VICTIM}:work`)).map(
    (text) => JSON.parse(text) as { queue: string; payload: string }
  );
  await server.client.del(VICTIM, `${VICTIM}:work`);
  now += 61;
  await installation.state();
  // As super_fetch does.
  for (const { queue, payload } of work) {
    await server.client.rpush(`queue:${queue}`, payload);
  }
  now += 30;
  await installation.state();
  now += 30;
  const rows = await askRows(installation, { queryType: 'lost' }, range());
  expect(rows.map(({ outcome }) => outcome)).toEqual(['recovered', 'recovered']);
});

test('a job that is seen again was recovered', async () => {
  const [[, work] = []] = Object.entries(await server.client.hgetall(`${VICTIM}:work`));
  await server.client.del(VICTIM, `${VICTIM}:work`);
  now += 61;
  await installation.state();
  await server.client.hset('host-2:2:abcdef:work', 'again', work!);
  now += 60;
  const rows = await askRows(installation, { queryType: 'lost' }, range());
  expect(rows.map((row) => row['lost']).sort()).toEqual([false, true]);
});

test('deploy marks, starts and vanished processes are events with tags and, where they last, an end', async () => {
  const minute = new Date(Math.floor(now / 60) * 60_000).toISOString().replace('.000', '');
  await server.client.hset(`${minute.slice(0, 10).replaceAll('-', '')}-marks`, minute, 'a1b2c3d Fix totals');
  await server.client.del(VICTIM);
  now += 61;
  const rows = await askRows(installation, { queryType: 'events' }, range());
  expect(rows).toContainEqual(
    expect.objectContaining({ kind: 'deploy', title: 'a1b2c3d Fix totals', time: Date.parse(minute) })
  );
  expect(rows.filter((row) => row['kind'] === 'start')).toHaveLength(3);
  const vanished = rows.find((row) => row['kind'] === 'vanished');
  expect(Number(vanished?.['timeEnd'])).toBeGreaterThan(Number(vanished?.['time']));
});

test('sidekiq-cron, sidekiq-scheduler and expected cadences say last, next and late', async () => {
  now = Date.UTC(2026, 10, 24, 12, 0, 30) / 1000;
  await server.client.sadd('cron_jobs:default', 'cron_job:default:bill');
  await server.client.hset('cron_job:default:bill', {
    name: 'bill',
    klass: 'BillJob',
    cron: '10 * * * *',
    status: 'enabled',
    last_enqueue_time: '2026-11-24 11:10:00 +0000',
    message: '{"queue":"billing"}',
  });
  await server.client.hset('schedules', 'sync', '{"every":"5m","class":"SyncJob"}');
  await server.client.hset('sidekiq-scheduler:next_times', 'sync', '2026-11-24 11:58:30 +0000');
  await server.client.hset('j|261124|11:50', { 'ClockJob|p': '1', 'ClockJob|ms': '5' });
  const rows = await askRows(installation, { queryType: 'recurring' }, range());
  expect(rows).toEqual([
    expect.objectContaining({
      name: 'bill',
      source: 'sidekiq-cron',
      class: 'BillJob',
      queue: 'billing',
      last: Date.UTC(2026, 10, 24, 11, 10),
      next: Date.UTC(2026, 10, 24, 12, 10),
      lateBy: 0,
    }),
    expect.objectContaining({
      name: 'sync',
      source: 'sidekiq-scheduler',
      schedule: 'every 5m',
      enabled: true,
      lateBy: 120,
    }),
    // Ran in the minute from 11:50, so by 11:51; due by 11:56, which is 270 s ago.
    expect.objectContaining({ name: 'ClockJob', source: 'cadence', last: Date.UTC(2026, 10, 24, 11, 50), lateBy: 270 }),
  ]);
});

// As sidekiq-cron 2.x leaves an entry that is disabled over its runs and enabled again, which it makes up for no longer.
test('an entry of sidekiq-cron that is enabled again is not late, from the first reading after a restart on', async () => {
  now = Date.UTC(2026, 10, 24, 12, 0, 30) / 1000;
  const folder = mkdtempSync(join(tmpdir(), 'disabled-'));
  const options = { historyFile: join(folder, 'history.db'), samplerEnabled: false, schedulerTimeZone: 'UTC' };
  const open = () => openAsReader(server, options, () => now);
  await server.client.sadd('cron_jobs:default', 'cron_job:default:bill');
  await server.client.hset('cron_job:default:bill', {
    ...{ name: 'bill', klass: 'BillJob', cron: '10 * * * *', status: 'disabled', message: '{"queue":"billing"}' },
    last_enqueue_time: '2026-11-24 08:10:00 +0000',
  });
  const before = open();
  before.startSampling();
  await before.state();
  before.close();
  await server.client.hset('cron_job:default:bill', 'status', 'enabled');
  now += 20;
  const after = open();
  try {
    const due = { nextAt: Date.UTC(2026, 10, 24, 12, 10) / 1000, lateFrom: Date.UTC(2026, 10, 24, 12, 10) / 1000 };
    expect((await after.state()).snapshot.recurring.items).toMatchObject([{ name: 'bill', enabled: true, ...due }]);
    expect(await askRows(after, { queryType: 'recurring' }, range())).toMatchObject([{ name: 'bill', lateBy: 0 }]);
    expect((await askRows(after, { queryType: 'findings' }, range())).map((row) => row['subject'])).not.toContain(
      'bill'
    );
  } finally {
    after.close();
    rmSync(folder, { recursive: true });
  }
  // Without a memory of it nothing tells that it was disabled.
  expect((await installation.state()).snapshot.recurring.items).toMatchObject([
    { name: 'bill', nextAt: Date.UTC(2026, 10, 24, 9, 10) / 1000 },
  ]);
});

test('redis says how Redis is, or that INFO is not allowed', async () => {
  const [row] = await askRows(installation, { queryType: 'redis' });
  expect(row).toMatchObject({ role: 'master', policy: 'noeviction' });
  expect(Number(row?.['memory'])).toBeGreaterThan(1e5);
  await server.client.config('SET', 'maxmemory-policy', 'allkeys-lru');
  expect(noticesOf(await ask(installation, { queryType: 'redis' })).join()).toMatch(/allkeys-lru.*noeviction/);
  await server.client.call('ACL', 'SETUSER', 'jobwatch', '-info');
  const frames = await ask(installation, { queryType: 'redis' });
  expect(noticesOf(frames).join()).toMatch(/INFO is not allowed/);
});

// 1200 s of work in the last ten complete minutes keep 1200 / 600 = 2 threads busy; of 30 ready ones that is 1/15.
// 3 jobs wait, 2 s each, to be done within 300 s: 2 + 3 × 2 / 300 = 2.02, so 3 threads.
test('capacity follows from the work of the last minutes', async () => {
  now = Math.floor(now / 60) * 60 + 30;
  const minute = new Date((now - 90) * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const key = `j|${two(minute.getUTCFullYear() % 100)}${two(minute.getUTCMonth() + 1)}${two(minute.getUTCDate())}|${minute.getUTCHours()}:${two(minute.getUTCMinutes())}`;
  await server.client.hset(key, { 'PlainJob|p': '610', 'PlainJob|f': '10', 'PlainJob|ms': '1200000' });
  await server.client.del('queue:queue_1', 'queue:queue_2');
  await server.client.lpush(
    'queue:queue_0',
    ...(await server.client.lrange('queue:queue_0', 0, -1)),
    ...(await server.client.lrange('queue:queue_0', 0, -1))
  );
  const fresh = openAsReader(server, {}, () => now);
  const rows = await askRows(
    fresh,
    { queryType: 'capacity', by: 'queue', filters: [{ field: 'queue', operator: '=', values: ['queue_0'] }] },
    range()
  );
  fresh.close();
  // 1200 s in ten minutes are 2 threads, and 6 are busy now. 3 jobs of 2 s within 300 s need a part of one more.
  expect(rows[0]).toMatchObject({ demand: 6, supply: 30, headroom: 24, size: 3, threadsNeeded: 7, objective: 300 });
  expect(rows[0]?.['utilisation']).toBeCloseTo(6 / 30, 9);
});

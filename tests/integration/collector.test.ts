import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Installation } from '../../pkg/installation/installation';
import { ALLOWED_COMMANDS } from '../../pkg/redis/readOnlyRedis';
import { parseSettings } from '../../pkg/settings/settings';
import { job, writeFleet } from '../support/fleet';
import { ask, askRows, createReader, noticesOf, openAsReader } from '../support/installation';
import { startMonitor } from '../support/monitor';
import { startRedis, type RedisServer } from '../support/redisServer';
import { startCountingProxy } from '../support/roundTrips';

let server: RedisServer;
const open: Installation[] = [];

beforeEach(async () => {
  server = await startRedis();
  await createReader(server);
});
afterEach(async () => {
  open.splice(0).forEach((installation) => installation.close());
  await server.stop();
});

function reader(options: Record<string, unknown> = {}): Installation {
  const installation = openAsReader(server, options);
  open.push(installation);
  return installation;
}

test.each([
  [1, 1],
  [100, 40],
])(
  'a snapshot of %i queues and %i processes takes two round trips and only listed commands',
  async (queues, processes) => {
    await writeFleet(server.client, queues, processes);
    const proxy = await startCountingProxy(server.port);
    const settings = parseSettings({
      url: `redis://127.0.0.1:${proxy.port}`,
      username: 'jobwatch',
      options: { reuseSeconds: 0 },
      secrets: { password: 'PASSWORD' },
    });
    const installation = new Installation(settings);
    open.push(installation);
    await installation.state();
    const monitor = await startMonitor(server.port);

    proxy.reset();
    const { snapshot } = await installation.state();

    expect(proxy.roundTrips()).toBe(2);
    expect(snapshot.cost.roundTrips).toBe(2);
    expect(snapshot.queues.items).toHaveLength(queues);
    expect(snapshot.processes.items).toHaveLength(processes);
    await server.client.ping();
    await vi.waitUntil(() => monitor.seen.has('ping'));
    expect(monitor.seen.size).toBeGreaterThan(3);
    expect(
      [...monitor.seen].filter((name) => ![...ALLOWED_COMMANDS, 'ping'].some((allowed) => allowed === name))
    ).toEqual([]);
    monitor.close();
    await proxy.close();
  }
);

test('callers at the same time share one reading', async () => {
  await writeFleet(server.client, 3, 2);
  const installation = reader();
  const states = await Promise.all(Array.from({ length: 20 }, () => installation.state()));
  expect(new Set(states).size).toBe(1);
});

test('a snapshot is handed out again for the time of reuse', async () => {
  await writeFleet(server.client, 3, 2);
  const installation = reader({ reuseSeconds: 60 });
  const first = await installation.state();
  await server.client.set('stat:processed', 999);
  expect(await installation.state()).toBe(first);
});

test('the panels of one refresh share a reading, and the next refresh has one of its own', async () => {
  await writeFleet(server.client, 3, 2);
  const installation = reader({ reuseSeconds: 1e-9 });
  const refreshedAt = Date.now() / 1000;
  const first = await installation.state(refreshedAt);
  expect(await installation.state(refreshedAt)).toBe(first);
  const later = await installation.state(Date.now() / 1000 + 0.001);
  expect(later).not.toBe(first);
});

test('a clock of a browser that is behind makes no reading older than five seconds last', async () => {
  await writeFleet(server.client, 3, 2);
  const installation = reader({ reuseSeconds: 1e-9 });
  const behind = Date.now() / 1000 - 50;
  const now = performance.now();
  const clock = vi.spyOn(performance, 'now');
  const first = await installation.state(behind);
  clock.mockReturnValue(now + 4900);
  expect(await installation.state(behind)).toBe(first);
  clock.mockReturnValue(now + 6000);
  expect(await installation.state(behind)).not.toBe(first);
  clock.mockRestore();
});

test('without reuse every caller has a reading of its own', async () => {
  await writeFleet(server.client, 3, 2);
  const installation = reader({ reuseSeconds: 0 });
  const behind = Date.now() / 1000 - 50;
  expect(await installation.state(behind)).not.toBe(await installation.state(behind));
});

test('minutes of the past are read once', async () => {
  await writeFleet(server.client, 1, 1);
  const installation = reader();
  const first = await installation.state();
  const second = await installation.state();
  expect(first.snapshot.cost.commands - second.snapshot.cost.commands).toBeGreaterThan(100);
});

test('what the user may not read is missing with a notice that names part, command and remedy', async () => {
  await writeFleet(server.client, 2, 1);
  await server.client.call('ACL', 'SETUSER', 'jobwatch', '-zcard');
  const [frame] = await ask(reader(), { queryType: 'overview' });
  const [notice] = noticesOf([frame!]);
  expect(notice).toMatch(/No set sizes: /);
  expect(notice).toMatch(/zcard/i);
  expect(notice).toMatch(/gpx_sidekiq acl/);
  const [row] = await askRows(reader(), { queryType: 'overview' });
  expect(row).toMatchObject({ dead: null, processed: 100, enqueued: 2 });
});

test('a key of the wrong type takes down its own part only', async () => {
  await writeFleet(server.client, 2, 1);
  await server.client.del('queue:queue_0');
  await server.client.set('queue:queue_0', 'not a list');
  const frames = await ask(reader(), { queryType: 'queues' });
  expect(noticesOf(frames).join(' ')).toMatch(/No queue sizes: LLEN queue:queue_0 failed: WRONGTYPE/);
  const rows = await askRows(reader(), { queryType: 'queues' });
  expect(rows.find((row) => row['queue'] === 'queue_1')).toMatchObject({ size: 1 });
});

test('a payload that is not JSON leaves its neighbours unharmed', async () => {
  await writeFleet(server.client, 2, 1);
  await server.client.rpush('queue:queue_0', 'garbage {');
  await server.client.hset('host-0:0:abcdef:work', 'broken', '{"queue":');
  const rows = await askRows(reader(), { queryType: 'queues' });
  expect(rows.find((row) => row['queue'] === 'queue_0')).toMatchObject({ size: 2, latency: null });
  expect(Number(rows.find((row) => row['queue'] === 'queue_1')?.['latency'])).toBeGreaterThan(4);
  expect(noticesOf(await ask(reader(), { queryType: 'busy' })).join()).toMatch(/1 work records of host-0:0:abcdef/);
});

test('records of Sidekiq 6.5, 7 and 8 side by side are each read in their own way', async () => {
  const now = Date.now() / 1000;
  await server.client.sadd('queues', 'old', 'new');
  await server.client.lpush('queue:old', job('OldJob', 'old', 0, { created_at: now - 30.5, enqueued_at: now - 30.5 }));
  await server.client.lpush('queue:new', job('NewJob', 'new', Math.round((now - 12) * 1000)));
  for (const [identity, info, fields] of [
    ['a:1:1', { hostname: 'a', pid: 1, concurrency: 4, queues: ['old'], started_at: now }, {}],
    [
      'b:1:1',
      {
        hostname: 'b',
        pid: 1,
        concurrency: 5,
        queues: ['old', 'new'],
        weights: [{ old: 2, new: 1 }],
        version: '7.3.10',
        started_at: now,
      },
      {},
    ],
    [
      'c:1:1',
      {
        hostname: 'c',
        pid: 1,
        queues: ['new', 'solo'],
        capsules: {
          default: { concurrency: 6, mode: 'strict', weights: { new: 0 } },
          one: { concurrency: 1, mode: 'strict', weights: { solo: 0 } },
        },
        version: '8.1.7',
        started_at: now,
      },
      { concurrency: '7' },
    ],
  ] as const) {
    await server.client.sadd('processes', identity);
    await server.client.hset(identity, {
      info: JSON.stringify(info),
      busy: '0',
      beat: String(now),
      quiet: 'false',
      ...fields,
    });
  }
  const queues = await askRows(reader(), { queryType: 'queues' });
  const byName = new Map(queues.map((row) => [row['queue'], row]));
  expect(Number(byName.get('old')?.['latency'])).toBeCloseTo(30.5, 0);
  expect(Number(byName.get('new')?.['latency'])).toBeCloseTo(12, 0);
  expect(byName.get('old')).toMatchObject({ threads: 9, processes: 2 });
  expect(byName.get('new')).toMatchObject({ threads: 11, processes: 2 });
  expect(byName.get('solo')).toMatchObject({ threads: 1, size: 0 });
  const [overview] = await askRows(reader(), { queryType: 'overview' });
  expect(overview).toMatchObject({ threads: 16, processes: 3 });
});

test('a name in the set of processes whose hash has expired is a ghost, not a process', async () => {
  await writeFleet(server.client, 1, 1);
  await server.client.sadd('processes', 'gone:1:abc');
  const [row] = await askRows(reader(), { queryType: 'overview' });
  expect(row).toMatchObject({ processes: 1, ghosts: 1 });
});

test('jobs that nobody serves are told, paused queues are not', async () => {
  await writeFleet(server.client, 12, 1);
  await server.client.sadd('paused', 'queue_11');
  const rows = await askRows(reader(), { queryType: 'queues' });
  const unserved = rows.filter((row) => row['unserved']).map((row) => row['queue']);
  expect(unserved).toEqual(['queue_10']);
});

test('a key prefix reads a namespaced Sidekiq', async () => {
  await server.client.set('app:stat:processed', 41);
  await server.client.sadd('app:queues', 'default');
  await server.client.lpush('app:queue:default', job('AJob', 'default', Date.now()));
  const [row] = await askRows(reader({ keyPrefix: 'app:' }), { queryType: 'overview' });
  expect(row).toMatchObject({ processed: 41, enqueued: 1 });
});

test('excluded queues are neither read nor counted', async () => {
  await writeFleet(server.client, 3, 1);
  const rows = await askRows(reader({ queueExclude: '_2$' }), { queryType: 'queues' });
  expect(rows.map((row) => row['queue'])).toEqual(['queue_0', 'queue_1']);
});

test('a Redis that goes away and comes back is read again, and says why meanwhile', async () => {
  await writeFleet(server.client, 1, 1);
  const installation = reader({ connectTimeoutSeconds: 1, commandTimeoutSeconds: 1 });
  await installation.state();
  const { port } = server;
  await server.stop();
  await expect(installation.state()).rejects.toMatchObject({ kind: 'connection' });
  server = await startRedis([], port);
  await createReader(server);
  await writeFleet(server.client, 1, 1);
  await expect
    .poll(
      () =>
        installation.state().then(
          ({ totals }) => totals.processed,
          () => null
        ),
      { timeout: 5000 }
    )
    .toBe(100);
});

test('large oldest jobs are read at the first look, and not again with the next', async () => {
  await writeFleet(server.client, 2, 1);
  const since = Date.now() - 100_000;
  for (const queue of ['big_0', 'big_1', 'big_2']) {
    await server.client.sadd('queues', queue);
    await server.client.lpush(`queue:${queue}`, job('ImportJob', queue, since, { args: ['x'.repeat(3_000_000)] }));
  }
  const installation = reader();
  const [first, second] = [await installation.state(), await installation.state()];
  expect(first.snapshot.cost.roundTrips).toBe(2);
  expect(first.snapshot.cost.bytesIn).toBeGreaterThan(9_000_000);
  expect(first.snapshot.cost.bytesIn).toBeLessThan(9_100_000);
  expect(second.snapshot.cost.bytesIn).toBeLessThan(100_000);
  for (const { queues, notices, now } of [first, second]) {
    const big = queues.find(({ name }) => name === 'big_1')!;
    expect(big).toMatchObject({ size: 1, next: { class: 'ImportJob' } });
    expect(big.latencySeconds).toBeCloseTo(now - since / 1000, 3);
    expect(notices.map(({ text }) => text).join()).toMatch(/The oldest jobs of 3 queues are large; .* takes 2\.9 MiB/);
  }
});

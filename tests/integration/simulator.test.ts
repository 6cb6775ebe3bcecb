import { afterEach, beforeEach, expect, test } from 'vitest';
import { backfill } from '../../pkg/simulator/backfill';
import { Simulator } from '../../pkg/simulator/simulator';
import type { SidekiqVersion } from '../../pkg/simulator/workload';
import { askRows, createReader, openAsReader } from '../support/installation';
import { loadRecording } from '../support/recordings';
import { startRedis, type RedisServer } from '../support/redisServer';

const START = Date.UTC(2026, 10, 24, 12, 0, 0) / 1000;
let server: RedisServer;

beforeEach(async () => {
  server = await startRedis();
  await createReader(server);
});
afterEach(() => server.stop());

async function live(version: SidekiqVersion, seconds: number, seed = 7): Promise<number> {
  await backfill(server.client, version, seed, START, 5);
  const simulator = new Simulator(server.client, { version, seed, startsAt: START });
  for (let second = 0; second < seconds; second += 1) {
    await simulator.advance(1);
  }
  return START + seconds;
}

async function dump(): Promise<string> {
  const keys = (await server.client.keys('*')).sort();
  const values = await Promise.all(
    keys.map(async (key) => {
      switch (await server.client.type(key)) {
        case 'list':
          return server.client.lrange(key, 0, -1);
        case 'set':
          return (await server.client.smembers(key)).sort();
        case 'zset':
          return server.client.zrange(key, '0', '-1', 'WITHSCORES');
        case 'hash':
          return Object.entries(await server.client.hgetall(key)).sort();
        default:
          return (await server.client.getBuffer(key))?.toString('hex');
      }
    })
  );
  return JSON.stringify(keys.map((key, index) => [key, values[index]]));
}

test('the same seed writes the same', async () => {
  await live('8.1', 40);
  const first = await dump();
  await server.client.flushall();
  await live('8.1', 40);
  expect(await dump()).toBe(first);
});

test.each([
  ['7.3', '7.3.10'],
  ['8.1', '8.1.7'],
] as const)('what it writes as %s has the keys and fields of a real one', async (version, recorded) => {
  await live(version, 60);
  const fields = async (of: RedisServer) => {
    const [identity = ''] = await of.client.smembers('processes');
    const hash = await of.client.hgetall(identity);
    const retry = JSON.parse((await of.client.zrange('retry', '0', '0'))[0]!) as Record<string, unknown>;
    return { hash: Object.keys(hash).sort(), info: Object.keys(JSON.parse(hash['info']!) as object).sort(), retry };
  };
  const written = await fields(server);
  const real = await startRedis();
  await loadRecording(real.client, recorded);
  const expected = await fields(real);
  await real.stop();
  expect(written.hash).toEqual(expected.hash);
  expect(written.info).toEqual(expected.info);
  for (const name of [
    'jid',
    'class',
    'queue',
    'args',
    'created_at',
    'enqueued_at',
    'failed_at',
    'error_class',
    'error_message',
    'error_backtrace',
    'retry_count',
    'retry',
  ]) {
    expect(typeof written.retry[name], name).toBe(typeof expected.retry[name]);
  }
});

test('it is lively, and the collector reads all of it', async () => {
  const now = await live('8.1', 120);
  const installation = openAsReader(server, {}, () => now);
  const [overview] = await askRows(installation, { queryType: 'overview' });
  const metrics = await askRows(installation, { queryType: 'job_metrics' }, { from: now - 600, to: now });
  const busy = await askRows(installation, { queryType: 'busy' });
  installation.close();
  expect(Number(overview?.['processes'])).toBe(8);
  expect(Number(overview?.['retry'])).toBeGreaterThan(0);
  expect(Number(overview?.['scheduled'])).toBeGreaterThan(0);
  expect(busy.length).toBeGreaterThan(0);
  expect(metrics.length).toBeGreaterThan(10);
  expect(metrics.every((row) => row['p50'] !== null || row['executions'] === row['failures'])).toBe(true);
});

test('its figures are of one stream of jobs: backlog, busy threads and run times agree', async () => {
  const now = await live('8.1', 180);
  const installation = openAsReader(server, {}, () => now);
  const queues = await askRows(installation, { queryType: 'queues' });
  const metrics = await askRows(installation, { queryType: 'job_metrics' }, { from: START, to: now });
  installation.close();
  // 20 jobs a second of 15 ms keep a third of a thread busy: none of them waits.
  const events = metrics.find((row) => row['class'] === 'Events::IngestJob')!;
  expect(Number(events['executions'])).toBeGreaterThan(180 * 10);
  expect(Number(events['meanTime'])).toBeLessThan(0.03);
  expect(queues.find(({ queue }) => queue === 'events')).toMatchObject({ size: 0, latency: 0 });
});

test('minutes written before it began have as many jobs as those that it lived through', async () => {
  const now = await live('8.1', 300);
  const installation = openAsReader(server, {}, () => now);
  const count = async (from: number, to: number) =>
    Number(
      (await askRows(installation, { queryType: 'job_metrics' }, { from, to })).find(
        (row) => row['class'] === 'Events::IngestJob'
      )?.['executions']
    );
  const [before, lived] = [await count(START - 300, START), await count(START, START + 240)];
  installation.close();
  // Waves of some minutes move both, and by no more than half.
  expect(before / 300 / (lived / 240)).toBeGreaterThan(0.5);
  expect(before / 300 / (lived / 240)).toBeLessThan(2);
});

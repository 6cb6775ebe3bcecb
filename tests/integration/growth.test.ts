import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { job } from '../support/fleet';
import { ask, askRows, createReader, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

/** Installations that change under the watch: what was asked before, since and across the change adds up. */

/** 2026-11-27 03:00:05 UTC. */
const START = Date.UTC(2026, 10, 27, 3, 0, 5) / 1000;
const PACE = 15;

let server: RedisServer;
let installation: Installation;
let now: number;

beforeEach(async () => {
  server = await startRedis();
  await createReader(server);
  now = START;
  installation = openAsReader(server, { samplerEnabled: false, sampleSeconds: PACE }, () => now);
  installation.startSampling();
});
afterEach(async () => {
  installation.close();
  await server.stop();
});

async function readings(count: number, before: () => Promise<void> = async () => undefined) {
  for (let index = 0; index < count; index += 1) {
    now += PACE;
    await before();
    await installation.state();
  }
}

interface Written {
  identity: string;
  version: string;
  queues: readonly string[];
}

async function writeProcess({ identity, version, queues }: Written) {
  const [host = '', pid = ''] = identity.split(':');
  const info = {
    hostname: host,
    started_at: now - 60,
    pid: Number(pid),
    tag: '',
    queues,
    labels: [],
    identity,
    version,
  };
  await server.client
    .pipeline()
    .sadd('processes', identity)
    .hset(identity, { info: JSON.stringify(info), busy: '0', beat: String(now), concurrency: '10', quiet: 'false' })
    .exec();
}

test('of ten queues that become a thousand each instant tells its own, and the total is their sum', async () => {
  const { client } = server;
  const names = Array.from({ length: 1000 }, (_, index) => `queue_${index}`);
  const fill = async (queues: readonly string[]) => {
    const pipeline = client.pipeline().sadd('queues', ...queues);
    queues.forEach((name, index) => {
      pipeline.lpush(`queue:${name}`, ...Array.from({ length: 1 + (index % 3) }, () => job('Work', name, now * 1000)));
    });
    await pipeline.exec();
  };
  await client.set('stat:processed', 100);
  await fill(names.slice(0, 10));
  await readings(12, () => writeProcess({ identity: 'web-1:1:a', version: '8.1.7', queues: names.slice(0, 10) }));
  const grownAt = now;
  await fill(names.slice(10));
  await readings(12, () => writeProcess({ identity: 'web-1:1:a', version: '8.1.7', queues: names.slice(0, 10) }));

  for (const [to, many] of [
    [grownAt, 10],
    [now, 1000],
  ] as const) {
    const range = { from: to - 60, to };
    const rows = await askRows(installation, { queryType: 'queues', limit: 1000 }, range);
    expect(rows).toHaveLength(many);
    const waiting = rows.reduce((sum, row) => sum + Number(row['size']), 0);
    const [overview] = await askRows(installation, { queryType: 'overview' }, range);
    expect(overview!['enqueued']).toBe(waiting);
    // 1, 2 or 3 jobs in turn; the ten were filled before.
    const jobs = (count: number) =>
      Array.from({ length: count }, (_, index) => 1 + (index % 3)).reduce((a, b) => a + b);
    expect(waiting).toBe(many === 10 ? jobs(10) : jobs(10) + jobs(990));
  }

  // A queue is there from the first reading that has it, and was not empty before.
  const history = { queryType: 'history', by: 'queue', figures: ['enqueued'], limit: 1000 };
  const frames = await ask(installation, history, { from: START, to: now, intervalSeconds: PACE });
  expect(frames).toHaveLength(1000);
  const late = frames.find(({ fields }) => fields[1]!.labels?.['queue'] === 'queue_500')!;
  const values = late.fields[1]!.values as Array<number | null>;
  const first = values.findIndex((value) => value !== null);
  expect(Number(late.fields[0]!.values[first]) / 1000).toBeGreaterThanOrEqual(grownAt);
  expect(new Set(values.slice(first).filter((value) => value !== null))).toEqual(new Set([1 + ((500 - 10) % 3)]));
  // Nobody serves them: that is told, and of bounded length.
  const findings = await askRows(installation, { queryType: 'findings', limit: 1000 });
  expect(findings.filter(({ rule }) => rule === 'queueUnserved').length).toBeGreaterThan(0);
  expect(findings.length).toBeLessThanOrEqual(1000);
});

test('of an upgrade from Sidekiq 7.3 to 8.1 no execution is lost or counted twice, and no process vanished', async () => {
  const { client } = server;
  let written = 0;
  const runs = async (key: (at: number) => string) => {
    written += 3;
    await client
      .pipeline()
      .incrby('stat:processed', 3)
      .hincrby(key(now), 'Work|p', 3)
      .hincrby(key(now), 'Work|ms', 3000)
      .exec();
  };
  const enqueue = async (atMs: number) => client.lpush('queue:default', job('Work', 'default', atMs));
  await client.sadd('queues', 'default');
  await client.set('stat:processed', 0);
  // In seconds up to 7.3, in milliseconds since 8.0.
  await enqueue(START - 60);
  await readings(13, async () => {
    await writeProcess({ identity: 'web-1:1:a', version: '7.3.10', queues: ['default'] });
    await runs((at) => metricKeys.oldMinute(at));
  });
  const waitedBefore = Number(
    (await askRows(installation, { queryType: 'queues' }, { from: now - 60, to: now }))[0]!['latency']
  );
  // A clean stop takes both away, in the middle of a minute.
  await client.pipeline().srem('processes', 'web-1:1:a').del('web-1:1:a').exec();
  await enqueue(now * 1000);
  await readings(13, async () => {
    await writeProcess({ identity: 'web-1:2:b', version: '8.1.7', queues: ['default'] });
    await runs((at) => metricKeys.minute(at));
  });

  const range = { from: START, to: now };
  const [metrics] = await askRows(
    installation,
    { queryType: 'job_metrics', figures: ['executions', 'totalTime'] },
    range
  );
  expect(metrics).toEqual({ class: 'Work', executions: written, totalTime: written });
  const { classTotals, processLog, queues } = await installation.state();
  // Counted since the first reading, which saw the first three.
  expect(classTotals.get('Work')!.processed).toBe(written - 3);
  expect(processLog.vanished).toEqual([]);
  const latency = queues.find(({ name }) => name === 'default')!.latencySeconds!;
  expect(latency - waitedBefore).toBeCloseTo(13 * PACE, 3);
  const events = await askRows(installation, { queryType: 'events', limit: 1000 }, range);
  expect(events.filter(({ kind }) => kind === 'vanished')).toEqual([]);
  // The past before and after the upgrade has the process of its time.
  const versions = async (to: number) =>
    (await askRows(installation, { queryType: 'processes' }, { from: to - 60, to })).map(({ version }) => version);
  expect(await versions(START + 13 * PACE)).toEqual(['7.3.10']);
  expect(await versions(now)).toEqual(['8.1.7']);
});

import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { readFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { rowsOf, type Value } from '../../pkg/frames/frame';
import { Installation } from '../../pkg/installation/installation';
import { scrape as scrapeOf } from '../../pkg/metrics/scrape';
import { findingRows } from '../../pkg/queries/findings';
import { parseSettings } from '../../pkg/settings/settings';
import { clockAt, loadCase } from '../support/cases';
import { parseExposition } from '../support/exposition';
import { ask, askRows } from '../support/installation';
import { EXECUTABLE } from '../support/plugin';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing } from '../support/serve';
import { callScaler } from '../support/scaler';

/**
 * Inputs of users in which several facts meet: the zone of an application, capsules, time and number, two processes. The
 * right figures come from Sidekiq's code, from fugit, or from the reports (tests/cases/data/README.md).
 */

const NOW = Math.floor(Date.now() / 1000);

let server: RedisServer;
let databases = 0;
const opened: Installation[] = [];

beforeAll(async () => {
  server = await startRedis(['--databases', '64']);
});
afterAll(async () => {
  opened.forEach((installation) => installation.close());
  await server.stop();
});

async function load(name: string): Promise<string> {
  databases += 1;
  const redis = new Redis({ port: server.port, host: '127.0.0.1', db: databases });
  await loadCase(redis, name, NOW);
  redis.disconnect();
  return `redis://127.0.0.1:${server.port}/${databases}`;
}

async function open(name: string, options: Record<string, unknown> = {}): Promise<Installation> {
  const url = await load(name);
  const installation = new Installation(parseSettings({ url, options: { reuseSeconds: 0, ...options } }), {
    clock: () => NOW,
  });
  opened.push(installation);
  return installation;
}

async function rulesOf(installation: Installation): Promise<string[]> {
  const rows = await findingRows(await installation.state(), installation.reads());
  return rows.map(({ rule }) => rule);
}

function by(rows: Array<Record<string, Value>>, column: string): Map<Value | undefined, Record<string, Value>> {
  return new Map(rows.map((row) => [row[column], row]));
}

test('60 the next run of sidekiq-scheduler is by the zone of the application, and nothing is late', async () => {
  const installation = await open('60-scheduler-time-zone');
  const rows = by(await askRows(installation, { queryType: 'recurring' }), 'name');
  for (const hour of [0, 6, 12, 18]) {
    expect(rows.get(`at${hour}`), `at${hour}`).toMatchObject({
      next: clockAt('next', NOW, hour, 9 * 3600) * 1000,
      lateBy: 0,
    });
  }
  expect(await rulesOf(installation)).not.toContain('recurringLate');
});

describe('62 scaled to zero', () => {
  test('due jobs of the queue make the workers active, those of another queue do not', async () => {
    const url = await load('62-keda-overdue');
    const address = `127.0.0.1:${await freePort()}`;
    const serving = await startServing(url, ['--keda-listen', address]);
    try {
      expect(await callScaler(address, 'IsActive', { queues: 'billing' })).toEqual({ result: true });
      expect(await callScaler(address, 'GetMetrics', { queues: 'billing' })).toMatchObject({
        metricValues: [{ metricValueFloat: expect.toSatisfy((value: number) => value >= 1) as number }],
      });
      expect(await callScaler(address, 'IsActive', { queues: 'other' })).toEqual({ result: false });
      // Sidekiq's poller takes what is below now whatever it is, and its client fills in the queue.
      const client = new Redis(url);
      const [due, later] = [Date.now() / 1000 - 100, Date.now() / 1000 + 100];
      const job = (queue?: string) => JSON.stringify({ class: 'A', args: [], jid: `x${queue}`, retry_count: 1, queue });
      await client.zadd('retry', due, job());
      await client.zadd('retry', 0, job('zero'));
      await client.zadd('schedule', 100, job('old'), '-inf', job('first'), later, job('later'), '+inf', job('never'));
      client.disconnect();
      const active = async (queues: string) =>
        (await callScaler<{ result: boolean }>(address, 'IsActive', { queues })).result;
      await vi.waitUntil(() => active('default'));
      expect(await Promise.all(['default', 'zero', 'old', 'first', 'later', 'never'].map(active))).toEqual([
        ...[true, true, true, true],
        ...[false, false],
      ]);
    } finally {
      await serving.stop();
    }
  });
});

test('63 the target of the metadata is told while Redis is away; what is not known is unavailable', async () => {
  const address = `127.0.0.1:${await freePort()}`;
  const serving = await startServing('redis://127.0.0.1:1', ['--keda-listen', address]);
  const trigger = { queues: 'billing', metric: 'threads', threadsPerReplica: '5' };
  try {
    expect(await callScaler(address, 'GetMetricSpec', trigger)).toMatchObject({
      metricSpecs: [{ targetSize: 5, targetSizeFloat: 5 }],
    });
    await expect(callScaler(address, 'IsActive', trigger)).rejects.toMatchObject({ code: 14 });
    await expect(callScaler(address, 'GetMetrics', trigger)).rejects.toMatchObject({ code: 14 });
  } finally {
    await serving.stop();
  }
});

test('64 strict order is that of the capsule, so its first queue is not starved', async () => {
  const installation = await open('64-strict-capsule-order');
  const queues = by(await askRows(installation, { queryType: 'queues' }), 'queue');
  expect(queues.get('urgent')).toMatchObject({ starved: false });
  expect(queues.get('mail')).toMatchObject({ starved: false });
  expect((await askRows(installation, { queryType: 'processes' }))[0]!['queues']).toContain('strict: urgent > mail');
  expect(await rulesOf(installation)).not.toContain('queueStarved');
});

test('65 cron lines have the next run that fugit gives', async () => {
  const { rows: expected } = JSON.parse(readFileSync(join(__dirname, 'data/65-cron-syntax.json'), 'utf8')) as {
    rows: Record<string, { schedule: string; next: number }>;
  };
  const rows = by(await askRows(await open('65-cron-syntax'), { queryType: 'recurring' }), 'name');
  const wrong = Object.entries(expected).filter(([name, { next }]) => rows.get(name)?.['next'] !== next);
  expect(wrong.map(([name, { schedule, next }]) => [schedule, next, rows.get(name)?.['next']])).toEqual([]);
});

test('66 Sidekiq’s own tags are kept however many others there are', async () => {
  const port = await freePort();
  const serving = await startServing(server.url, ['--statsd-listen', `127.0.0.1:${port}`]);
  const lines = readFileSync(join(__dirname, 'data/66-statsd-many-tags.txt'), 'utf8').split('\n').filter(Boolean);
  const socket = createSocket('udp4');
  try {
    for (const line of lines) {
      await new Promise((resolve) => socket.send(line, port, '127.0.0.1', resolve));
    }
    await vi.waitFor(
      async () => {
        const { samples } = await serving.scrape();
        for (const name of ['sidekiq_jobs_count', 'sidekiq_jobs_failure', 'sidekiq_jobs_perform_count']) {
          const found = samples
            .filter((sample) => sample.name === name)
            .map(({ labels, value }) => [labels['worker'], labels['queue'], value]);
          expect(found, name).toEqual([
            ['Alpha', 'default', 1],
            ['Beta', 'default', 1],
          ]);
        }
      },
      { timeout: 10_000 }
    );
  } finally {
    socket.close();
    await serving.stop();
  }
});

test('67 nothing between :// and the host of a URL is shown', async () => {
  const installation = await open('67-redact-broken-urls');
  for (const query of [
    { queryType: 'errors' },
    { queryType: 'jobs', source: 'dead' },
    { queryType: 'job', jid: 'd1' },
    { queryType: 'job', jid: 'd2' },
    { queryType: 'job', jid: 'd3' },
    { queryType: 'job', jid: 'd4' },
  ]) {
    const shown = JSON.stringify(await ask(installation, query));
    for (const secret of ['h7/Kq', 'Kq#2x', 'ssw0rd', 's3cr', 'et%zz', 'Nq7Zk2Vb']) {
      expect(shown, JSON.stringify(query)).not.toContain(secret);
    }
  }
});

test('68 an option whose field is a text takes the text', async () => {
  const url = await load('68-option-that-looks-like-a-number');
  const query = (...args: string[]) => {
    const { stdout, stderr } = spawnSync(EXECUTABLE, ['query', ...args, '--json'], {
      env: { PATH: process.env['PATH'], REDIS_URL: url },
      encoding: 'utf8',
    });
    expect(stderr).not.toMatch(/error/);
    return JSON.parse(stdout) as Array<Record<string, unknown>>;
  };
  expect(query('jobs', '--option', 'queue=10').map(({ jid }) => jid)).toEqual(['123456789012345678901234']);
  for (const jid of ['123456789012345678901234', '7e1234567890123456789012', '42', 'true']) {
    expect(query('job', '--option', `jid=${jid}`), jid).toContainEqual({
      group: 'job',
      field: 'Place',
      value: 'waits in a queue',
    });
  }
});

test('69 a running iterable job shows how far it has come', async () => {
  const rows = await askRows(await open('69-running-iteration'), { queryType: 'job', jid: 'aaaabbbbccccddddeeee0001' });
  const value = (group: string, field: string) =>
    rows.find((row) => row['group'] === group && row['field'] === field)?.['value'];
  expect(value('iteration', 'Cursor')).toBe('1451');
  expect(value('iteration', 'Executions')).toBe('2');
  expect(value('job', 'Place')).toBe('running');
});

test('70 entries under a key_prefix are listed where a setting names the prefixes', async () => {
  const installation = await open('70-scheduler-key-prefix', { schedulerPrefixes: 'shop, mail:' });
  const rows = by(await askRows(installation, { queryType: 'recurring' }), 'name');
  // Five minutes after the run two hours ago.
  expect(rows.get('digest')).toMatchObject({ prefix: 'shop', lateBy: 6900 });
  expect(rows.get('nightly')).toMatchObject({ prefix: 'mail', lateBy: 0 });
  expect(await askRows(await open('70-scheduler-key-prefix'), { queryType: 'recurring' })).toEqual([]);
});

test('72 a job that goes on after a deploy is no retry', async () => {
  const installation = await open('72-activejob-continuation');
  expect(await askRows(installation, { queryType: 'overview' })).toMatchObject([{ activeJobRetries: 1 }]);
  const jobs = by(await askRows(installation, { queryType: 'jobs', source: 'scheduled' }), 'jid');
  expect([...jobs].map(([jid, row]) => [jid, row['executions']])).toEqual([
    ['c1', 0],
    ['c2', 0],
    ['c3', 1],
  ]);
  const details = await askRows(installation, { queryType: 'job', jid: 'c1' });
  expect(details).toContainEqual({ group: 'ActiveJob', field: 'Current step', value: 'two' });
  expect(details).toContainEqual({ group: 'ActiveJob', field: 'Step cursor', value: '500' });
});

test('73 the link of a mailer leads to the class under which its metrics are kept', async () => {
  const installation = await open('73-mailer-class-link');
  const state = await installation.state();
  expect(state.now).toBe(NOW);
  const [frame] = await ask(installation, { queryType: 'jobs', queue: 'mailers' });
  expect(rowsOf(frame!)).toMatchObject([
    { jid: 'm1', class: 'UserMailer#welcome', metricsClass: 'ActionMailer::MailDeliveryJob' },
  ]);
  const range = { from: NOW - 3600, to: NOW };
  for (const name of ['ActionMailer::MailDeliveryJob', 'UserMailer#welcome']) {
    const filters = [{ field: 'class', operator: '=', values: [name] }];
    expect(await askRows(installation, { queryType: 'job_metrics', filters }, range), name).toMatchObject([
      { class: 'ActionMailer::MailDeliveryJob', executions: 5 },
    ]);
    // By either name the job is found.
    expect(await askRows(installation, { queryType: 'jobs', queue: 'mailers', filters }), name).toHaveLength(1);
  }
});

test('78 a process that beats again has not vanished, and nothing was lost', async () => {
  const url = await load('78-process-comes-back');
  const db = databases;
  const file = join(mkdtempSync(join(tmpdir(), 'jobwatch-')), 'history.db');
  const serve = () => startServing(url, ['--sample-seconds', '1', '--reuse-seconds', '0', '--history-file', file]);
  const redis = new Redis({ port: server.port, host: '127.0.0.1', db });
  const up = async (serving: Awaited<ReturnType<typeof serve>>, live: number) =>
    vi.waitFor(async () => expect((await serving.scrape()).value('sidekiq_live_processes')).toBe(live), {
      timeout: 10_000,
    });
  let serving = await serve();
  try {
    await up(serving, 2);
    await redis.del('web-1:1:abc', 'web-1:1:abc:work');
    await up(serving, 1);
    await loadCase(redis, '78-process-comes-back', NOW);
    await up(serving, 2);
    // A collector that starts again knows what the one before knew.
    await serving.stop();
    serving = await serve();
    await up(serving, 2);
    expect((await serving.scrape()).value('sidekiq_lost_jobs_total')).toBe(0);
    const query = (...args: string[]) =>
      JSON.parse(
        spawnSync(EXECUTABLE, ['query', ...args, '--json', '--history-file', file, '--from', '1795600000'], {
          env: { PATH: process.env['PATH'], REDIS_URL: url },
          encoding: 'utf8',
        }).stdout
      ) as Array<Record<string, unknown>>;
    expect(query('findings').map(({ rule }) => rule)).not.toContain('processVanished');
    expect(query('lost')).toMatchObject([{ jid: 'hog1', lost: false, outcome: 'running', jobs: 0 }]);
    const starts = query('events').filter(({ kind }) => kind === 'start');
    expect(starts.map(({ host }) => host).sort()).toEqual(['web-1', 'web-2']);
  } finally {
    redis.disconnect();
    await serving.stop();
  }
});

test('a scrape of every case of this file has no two series with equal labels', async () => {
  for (const name of ['60-scheduler-time-zone', '70-scheduler-key-prefix', '64-strict-capsule-order']) {
    const installation = await open(name, { schedulerPrefixes: 'shop,mail' });
    const { samples } = parseExposition((await scrapeOf(installation, '', 10)).body);
    const keys = samples.map((sample) => JSON.stringify([sample.name, Object.entries(sample.labels).sort()]));
    expect(new Set(keys).size, name).toBe(keys.length);
  }
});

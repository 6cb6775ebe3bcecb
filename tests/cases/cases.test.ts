import { spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Value } from '../../pkg/frames/frame';
import { Installation } from '../../pkg/installation/installation';
import { scrape as scrapeOf } from '../../pkg/metrics/scrape';
import { parseSettings } from '../../pkg/settings/settings';
import { loadCase } from '../support/cases';
import { parseExposition, type Exposition } from '../support/exposition';
import { ask, askRows, noticesOf } from '../support/installation';
import { EXECUTABLE } from '../support/plugin';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing } from '../support/serve';

/** Inputs that gave wrong figures at users', each in a database of its own, with the right figures. */

const SECOND = Math.floor(Date.now() / 1000);
/** Never the first second of a minute: a range that ends there holds nothing of that minute. */
const NOW = SECOND % 60 === 0 ? SECOND - 1 : SECOND;

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

/** Gives the installation of a case, read at the instant that its `{{now}}` stands for. */
async function open(name: string | null, options: Record<string, unknown> = {}): Promise<Installation> {
  databases += 1;
  const redis = new Redis({ port: server.port, host: '127.0.0.1', db: databases });
  if (name !== null) {
    await loadCase(redis, name, NOW);
  }
  redis.disconnect();
  const url = `redis://127.0.0.1:${server.port}/${databases}`;
  const installation = new Installation(parseSettings({ url, options: { reuseSeconds: 0, ...options } }), {
    clock: () => NOW,
  });
  opened.push(installation);
  return installation;
}

async function notices(installation: Installation, query: Record<string, unknown>): Promise<string> {
  return noticesOf(await ask(installation, query)).join('\n');
}

async function scrape(installation: Installation): Promise<Exposition> {
  return parseExposition((await scrapeOf(installation, '', 10)).body);
}

function by(rows: Array<Record<string, Value>>, column: string): Map<Value | undefined, Record<string, Value>> {
  return new Map(rows.map((row) => [row[column], row]));
}

function numbersOf(rows: Array<Record<string, Value>>): number[] {
  return rows.flatMap((row) => Object.values(row)).filter((value) => typeof value === 'number');
}

test('01 a score that is no instant is unknown, and a notice says so', async () => {
  const installation = await open('01-far-future-score');
  for (const [source, jid] of [
    ['retry', 'f00000000000000000000001'],
    ['scheduled', 'f00000000000000000000002'],
  ] as const) {
    const rows = await askRows(installation, { queryType: 'jobs', source });
    expect(rows, source).toMatchObject([{ jid, at: null, created: (NOW - 60) * 1000 }]);
    expect(await notices(installation, { queryType: 'jobs', source }), source).toMatch(/score of 1 entry is no time/);
  }
});

describe('04 fields of another JSON type', () => {
  test('are shown as they are stored', async () => {
    const installation = await open('04-odd-payload-fields', { allowArguments: true });
    const jobs = by(await askRows(installation, { queryType: 'jobs', queue: 'default' }), 'jid');
    expect(jobs.get('a1')).toMatchObject({ arguments: '{"id":null}', tags: 'vip', class: 'StrArgs' });
    expect(jobs.get('123')).toMatchObject({ arguments: '{"a":1}' });
    const retries = by(await askRows(installation, { queryType: 'jobs', source: 'retry' }), 'jid');
    expect(retries.get('r1')).toMatchObject({ retryCount: 3, errorMessage: '{"html":"<b>"}' });
    expect(retries.get('r2')).toMatchObject({ errorClass: '["A"]', failedAt: null });
  });

  test('leave every job counted, also the ones that are no JSON', async () => {
    const installation = await open('04-odd-payload-fields');
    expect(await askRows(installation, { queryType: 'queues' })).toMatchObject([{ queue: 'default', size: 9 }]);
    expect(await notices(installation, { queryType: 'jobs', queue: 'default' })).toMatch(/not what Sidekiq writes/);
  });
});

test('05 integers above 2^53 keep all digits in the arguments', async () => {
  const installation = await open('05-big-integers', { allowArguments: true });
  const jobs = by(await askRows(installation, { queryType: 'jobs', queue: 'push' }), 'jid');
  expect(jobs.get('b1')?.['arguments']).toBe('[109348684164216833,9223372036854775807,0.1,1.0]');
  expect(jobs.get('b2')).toMatchObject({ arguments: '[109348684164216833]', class: 'SyncJob' });
});

test('06 a job without a start is busy, but has no run time', async () => {
  const installation = await open('06-work-run-at-null');
  expect(await askRows(installation, { queryType: 'queues' })).toMatchObject([
    { queue: 'default', busy: 2, longestRun: 30 },
  ]);
  const jobs = by(await askRows(installation, { queryType: 'busy' }), 'jid');
  expect(jobs.get('j0')).toMatchObject({ startedAt: null, runTime: null });
  expect(jobs.get('j1')).toMatchObject({ runTime: 30 });
  const metrics = await scrape(installation);
  expect(metrics.value('sidekiq_queue_max_processing_time_seconds', { name: 'default' })).toBe(30);
});

test('07 figures of odd process records are unknown, never negative or of another date', async () => {
  const installation = await open('07-odd-processes');
  const rows = await askRows(installation, { queryType: 'processes' });
  // Sidekiq's own ProcessSet lists no process without its info either.
  expect(rows.map(({ process }) => process).sort()).toEqual(['b:1:b', 'c:1:c', 'd:1:d', 'f', 'g:1:g']);
  expect(numbersOf(rows).filter((value) => value < 0 || !Number.isFinite(value))).toEqual([]);
  const processes = by(rows, 'process');
  expect(processes.get('c:1:c')).toMatchObject({ busy: null, rss: null, rtt: null, startedAt: 1.5e12 });
  expect(processes.get('g:1:g')).toMatchObject({ startedAt: null, beatAge: null, concurrency: 5 });
  for (const { name, value } of (await scrape(installation)).samples) {
    expect(value, name).toBeGreaterThanOrEqual(0);
  }
});

test('09 every queue is counted, whatever bytes its name has', async () => {
  const installation = await open('09-odd-queue-names');
  const queues = by(await askRows(installation, { queryType: 'queues' }), 'queue');
  // The thirteen names, and "default", which a process serves.
  expect(queues.size).toBe(14);
  expect(queues.get('\\xff\\xfe')).toMatchObject({ size: 2, latency: 5 });
  expect(queues.get('\\xff\\xfd')).toMatchObject({ size: 1, latency: 50 });
  expect(await askRows(installation, { queryType: 'overview' })).toMatchObject([{ enqueued: 6 }]);
  const { stderr } = spawnSync('promtool', ['check', 'metrics'], {
    input: (await scrapeOf(installation, '', 10)).body,
    encoding: 'utf8',
  });
  expect(stderr).not.toMatch(/error while linting|parse/i);
});

test('11 entries of sidekiq-cron in a named namespace are listed', async () => {
  const installation = await open('11-cron-namespaces', { cronNamespaces: 'billing' });
  const entries = by(await askRows(installation, { queryType: 'recurring' }), 'name');
  expect(entries.get('billing:b')).toMatchObject({ class: 'BillingJob', last: (NOW - 600) * 1000, enabled: true });
  expect(entries.get('a')).toMatchObject({ class: 'AJob', enabled: false });
  expect(entries.get('old')).toMatchObject({ class: 'OldJob' });
  expect(entries.get('aj')).toMatchObject({ class: 'AjJob', last: null });
});

test('13 an entry of sidekiq-scheduler may have the name of a JavaScript property', async () => {
  const rows = await askRows(await open('13-scheduler-prototype'), { queryType: 'recurring' });
  expect(rows.map(({ name, class: jobClass }) => [name, jobClass]).sort()).toEqual([
    ['constructor', 'B'],
    ['fine', 'C'],
  ]);
});

test('15 queues that another gem paused are paused, not unserved', async () => {
  const queues = by(await askRows(await open('15-third-party-pauses'), { queryType: 'queues' }), 'queue');
  expect(queues.get('low')).toMatchObject({ paused: true, unserved: false });
  expect(queues.get('mid')).toMatchObject({ paused: true, unserved: false });
  expect(queues.get('default')).toMatchObject({ paused: false, size: 0 });
});

test('16 the class that a person wrote is shown, as Sidekiq’s display_class does', async () => {
  const installation = await open('16-display-classes', { allowArguments: true });
  const jobs = by(await askRows(installation, { queryType: 'jobs', queue: 'default' }), 'jid');
  const classes = [...jobs].map(([jid, row]) => [jid, row['class']]);
  expect(Object.fromEntries(classes)).toEqual({
    d1: 'Sidekiq::Extensions::DelayedMailer',
    d2: 'NoWrapped',
    d3: 'M#act',
    d4: 'Objy',
    d5: 'Nice name',
    d6: 'Foo<Bar>|p',
    d7: 'M#old',
    d8: 'M#noargs',
    d9: 'Big',
  });
});

test('17 counters that are no counts are unknown and in no exposition', async () => {
  const installation = await open('17-counters');
  expect(await askRows(installation, { queryType: 'overview' })).toMatchObject([{ processed: null, failed: null }]);
  const { samples } = await scrape(installation);
  expect(samples.map(({ name }) => name)).not.toContain('sidekiq_processed_jobs_total');
  expect(samples.filter(({ value }) => Number.isNaN(value))).toEqual([]);
  const query = { queryType: 'job_metrics' };
  const range = { from: NOW - 600, to: NOW };
  const rows = by(await askRows(installation, query, range), 'class');
  expect(rows.get('E|F')).toMatchObject({ executions: 3 });
  expect(noticesOf(await ask(installation, query, range)).join('\n')).toMatch(/A, B/);
});

test('19 an entry of sidekiq-cron is late by the time since the run that did not come', async () => {
  const entries = by(await askRows(await open('19-cron-late'), { queryType: 'recurring' }), 'name');
  // The run after the last one was due at the next multiple of five minutes.
  const due = Math.floor((NOW - 7200) / 300) * 300 + 300;
  expect(entries.get('five')?.['lateBy']).toBe(NOW - due);
  // Three days ago plus at most one day to the next 00:05.
  expect(entries.get('nightly')?.['lateBy']).toBeGreaterThanOrEqual(2 * 86_400);
  expect(entries.get('nightly')?.['lateBy']).toBeLessThanOrEqual(3 * 86_400);
  expect(entries.get('off')?.['lateBy']).toBeNull();
});

test('20 dead entries that are no jobs are told in errors', async () => {
  const installation = await open('20-dead-without-failure');
  const rows = await askRows(installation, { queryType: 'errors' });
  // Of three dead, one is "OK" and one was cut off; the one retry is "PONG".
  expect(rows).toMatchObject([{ class: 'UnicornJob', dead: 1, retry: 0 }]);
  expect(await notices(installation, { queryType: 'errors' })).toMatch(/^3 entries are not what Sidekiq writes/);
});

test('23 counts of both generations of keys are added, whatever the class is called', async () => {
  const installation = await open('23-metric-classes');
  const rows = by(await askRows(installation, { queryType: 'job_metrics' }, { from: NOW - 600, to: NOW }), 'class');
  expect(rows.get('#<Class:0x00007f3a>')).toMatchObject({ executions: 3, totalTime: 0.03 });
  expect(rows.get('My|Job')).toMatchObject({ executions: 5 });
  expect(rows.get('Ünïcode::Job')).toMatchObject({ executions: 6, failures: 1, totalTime: 0.08 });
});

test('30 a database that does not exist is a fault at every scrape', async () => {
  await server.client.set('stat:processed', 999);
  const serving = await startServing(`redis://127.0.0.1:${server.port}/99`);
  try {
    for (const attempt of [1, 2, 3]) {
      const metrics = await serving.scrape();
      expect(metrics.value('sidekiq_up'), `scrape ${attempt}`).toBe(0);
      expect(metrics.value('sidekiq_processed_jobs_total')).toBeUndefined();
    }
  } finally {
    await serving.stop();
  }
});

test.each(['redis://:100%@127.0.0.1:1/0', 'redis://:pa/ss@h:1/0', 'redis://:a#b@h:1', 'redis://:a?b@h:1'])(
  '32 the URL %s ends with exit code 2 and a sentence about the password',
  (url) => {
    const { status, stderr, stdout } = spawnSync(EXECUTABLE, ['query', 'overview'], {
      env: { PATH: process.env['PATH'], REDIS_URL: url },
      encoding: 'utf8',
    });
    expect(status).toBe(2);
    expect(stderr).toMatch(/url/i);
    expect(stderr).toMatch(/percent-encode|REDIS_PASSWORD/);
    expect(stdout + stderr).not.toMatch(/URIError|\n\s+at |100%@|pa\/ss|a#b|a\?b/);
  }
);

describe('34 a Redis before version 6 and a URL that names a user', () => {
  let old: Server;

  beforeAll(async () => {
    old = createServer((socket) => {
      let authenticated = false;
      socket.on('error', () => undefined);
      socket.on('data', (data) => {
        const parts = data.toString().split('\r\n');
        const answers: string[] = [];
        for (let at = 0; at < parts.length && parts[at]!.startsWith('*');) {
          const count = Number(parts[at]!.slice(1));
          const args = Array.from({ length: count }, (_, index) => parts[at + 2 + index * 2]!);
          at += 1 + count * 2;
          answers.push(answer(args));
        }
        socket.write(answers.join(''));
      });
      function answer([name = '', ...args]: string[]): string {
        const command = name.toLowerCase();
        if (command === 'auth') {
          authenticated = args.length === 1 && args[0] === 'secret';
          return authenticated ? '+OK\r\n' : "-ERR wrong number of arguments for 'auth' command\r\n";
        }
        if (!authenticated) {
          return '-NOAUTH Authentication required.\r\n';
        }
        const replies: Record<string, string> = {
          time: `*2\r\n$10\r\n${NOW}\r\n$1\r\n0\r\n`,
          get: '$1\r\n7\r\n',
          smembers: '*0\r\n',
          sscan: '*2\r\n$1\r\n0\r\n*0\r\n',
          select: '+OK\r\n',
          info: '$0\r\n\r\n',
        };
        return replies[command] ?? ':0\r\n';
      }
    });
    await new Promise<void>((resolve) => old.listen(0, '127.0.0.1', resolve));
  });
  afterAll(() => void old.close());

  test('is read with the password alone', async () => {
    const { port } = old.address() as AddressInfo;
    const url = `redis://h:secret@127.0.0.1:${port}/0`;
    const installation = new Installation(parseSettings({ url, options: { reuseSeconds: 0 } }));
    opened.push(installation);
    expect(await askRows(installation, { queryType: 'overview' })).toMatchObject([{ processed: 7 }]);
  });
});

test.each([
  ['40 a tag without a name is left out', 'a.jobs.count:1|c|#:x,worker:A', [[{ worker: 'A' }, 1]]],
  [
    '41 lines may end with CR LF',
    'a.jobs.count:1|c|#queue:q,worker:A\r\na.jobs.count:1|c\r\n',
    [
      [{ queue: 'q', worker: 'A' }, 1],
      [{}, 1],
    ],
  ],
] as const)('%s', async (_, packet, expected) => {
  const port = await freePort();
  const serving = await startServing(server.url, [
    '--statsd-listen',
    `127.0.0.1:${port}`,
    '--statsd-prefix',
    'lago_api',
  ]);
  try {
    const socket = createSocket('udp4');
    await new Promise((resolve) => socket.send(packet, port, '127.0.0.1', resolve));
    socket.close();
    await vi.waitFor(
      async () => {
        const metrics = await serving.scrape();
        for (const [labels, value] of expected) {
          expect(metrics.value('lago_api_jobs_count', labels)).toBe(value);
        }
        expect(metrics.samples.flatMap(({ labels }) => Object.keys(labels))).not.toContain('');
      },
      { timeout: 10_000 }
    );
  } finally {
    await serving.stop();
  }
});

test('50 pages of equal scores show every job once', async () => {
  const installation = await open(null);
  const redis = new Redis({ port: server.port, host: '127.0.0.1', db: databases });
  const pipeline = redis.pipeline();
  for (let index = 0; index < 1200; index += 1) {
    const job = { class: 'Bulk', args: [index], jid: `s${index}`, queue: 'big', created_at: NOW };
    pipeline.zadd('schedule', NOW + 3600, JSON.stringify(job));
  }
  await pipeline.exec();
  redis.disconnect();
  const jids: Value[] = [];
  let pages = 0;
  for (let cursor: string | null | undefined; cursor !== null; pages += 1) {
    const query = { queryType: 'jobs', source: 'scheduled', limit: 100, ...(cursor !== undefined && { cursor }) };
    const [frame] = await ask(installation, query);
    jids.push(...frame!.fields.find(({ name }) => name === 'jid')!.values);
    cursor = (frame!.meta?.custom as { cursor: string | null }).cursor;
  }
  expect(pages).toBe(12);
  expect(jids).toHaveLength(1200);
  expect(new Set(jids).size).toBe(1200);
});

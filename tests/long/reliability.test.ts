import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startBlackhole } from '../support/blackhole';
import { writeFleet } from '../support/fleet';
import { createReader } from '../support/installation';
import { pluginContext, startPlugin, type RunningPlugin } from '../support/plugin';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startSentinel } from '../support/sentinel';

/**
 * Faults against the built plugin, one after the other. Each is made and mended; what the health check says meanwhile and
 * how long it takes until it is well again are written to docs/reliability.md.
 */
const QUEUES = 3;
const GOAL_SECONDS = 5;
const PAGE = join(__dirname, '../../docs/reliability.md');

interface Row {
  fault: string;
  said: string;
  seconds: number | null;
  /** The figures are right meanwhile. */
  harmless?: boolean;
}

const rows: Row[] = [];
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-long-'));
const closers: Array<() => Promise<unknown> | void> = [];
let plugin: RunningPlugin;
let id = 100;

beforeAll(async () => {
  plugin = await startPlugin({ GF_PLUGIN_DATA_DIR: folder });
});
afterAll(async () => {
  plugin.stop();
  await Promise.all(closers.map(async (close) => close()));
  rmSync(folder, { recursive: true, force: true });
  writeFileSync(PAGE, page());
});

interface Health {
  status: number;
  message: string;
}
type Context = ReturnType<typeof pluginContext>;

const contextOf = (url: string, jsonData: object = {}, more: object = {}) =>
  pluginContext(url, { id: (id += 1), jsonData: { reuseSeconds: 0, sampleSeconds: 1, ...jsonData }, ...more });
const health = (context: Context) =>
  plugin.call<Health>('pluginv2.Diagnostics', 'CheckHealth', { pluginContext: context });

async function redisOf(args: string[] = [], port?: number): Promise<RedisServer> {
  const server = await startRedis(args, port);
  closers.push(() => server.stop());
  await writeFleet(server.client, QUEUES, 2);
  return server;
}

const isWell = ({ status, message }: Health) => status === 1 && message.includes(`${QUEUES} queues`);

interface Fault {
  fault: string;
  context: Context;
  make(): Promise<unknown> | void;
  mend?(): Promise<unknown> | void;
  /** What the health check says while the fault lasts. */
  says: RegExp;
  /** The fault leaves the figures as they are: the health check goes on being well. */
  harmless?: boolean;
}

/** Makes the fault, hears what is said, mends it and takes the time until all is well again. */
async function suffer({ fault, context, make, mend, says, harmless }: Fault): Promise<void> {
  expect(isWell(await health(context)), `${fault}: well before`).toBe(true);
  await make();
  let said = '';
  await vi.waitFor(
    async () => {
      const answer = await health(context);
      said = answer.message;
      expect(said).toMatch(says);
      expect(isWell(answer)).toBe(harmless ?? false);
    },
    { timeout: 30_000, interval: 100 }
  );
  let seconds: number | null = null;
  if (mend) {
    await mend();
    const mendedAt = performance.now();
    await vi.waitFor(async () => expect(isWell(await health(context))).toBe(true), { timeout: 60_000, interval: 50 });
    seconds = (performance.now() - mendedAt) / 1000;
    expect(seconds, `${fault}: seconds to recover`).toBeLessThan(GOAL_SECONDS);
  }
  expect(plugin.child.exitCode, `${fault}: the plugin lives`).toBeNull();
  rows.push({ fault, said, seconds, ...(harmless && { harmless }) });
}

test('Redis is stopped and started', async () => {
  const port = await freePort();
  let server = await startRedis([], port);
  await writeFleet(server.client, QUEUES, 2);
  await suffer({
    fault: 'Redis is stopped',
    context: contextOf(server.url),
    make: () => server.stop(),
    async mend() {
      server = await redisOf([], port);
    },
    says: /Nothing listens at/,
  });
});

test('Redis is frozen', async () => {
  const server = await redisOf();
  await suffer({
    fault: 'Redis is frozen (CLIENT PAUSE)',
    context: contextOf(server.url),
    make: () => server.client.call('CLIENT', 'PAUSE', '6000', 'ALL'),
    // Answers when the pause ends.
    mend: () => server.client.ping(),
    says: /did not answer/,
  });
});

test('open connections go nowhere, new ones pass', async () => {
  const server = await redisOf();
  const hole = await startBlackhole(server.port);
  closers.push(() => hole.close());
  const context = contextOf(`redis://127.0.0.1:${hole.port}`);
  expect(isWell(await health(context))).toBe(true);
  hole.swallow();
  const from = performance.now();
  let said = 'nothing: the next reading was right';
  await vi.waitFor(
    async () => {
      const answer = await health(context);
      if (!isWell(answer)) {
        said = answer.message;
      }
      expect(isWell(answer)).toBe(true);
    },
    { timeout: 30_000, interval: 50 }
  );
  const seconds = (performance.now() - from) / 1000;
  expect(seconds).toBeLessThan(GOAL_SECONDS);
  rows.push({ fault: 'Packets of open connections go nowhere (half-open), from the fault on', said, seconds });
});

test('the password changes', async () => {
  const server = await redisOf();
  await createReader(server);
  await suffer({
    fault: 'The password of the Redis user is changed, and changed back',
    context: contextOf(server.url, {}, { user: 'jobwatch', secrets: { password: 'PASSWORD' } }),
    async make() {
      await server.client.call('ACL', 'SETUSER', 'jobwatch', 'resetpass', '>OTHER');
      await server.client.call('CLIENT', 'KILL', 'USER', 'jobwatch');
    },
    mend: () => server.client.call('ACL', 'SETUSER', 'jobwatch', 'resetpass', '>PASSWORD'),
    says: /refused the user name or password/,
  });
});

test('SELECT is refused at a reconnect', async () => {
  const server = await redisOf();
  await createReader(server);
  await server.client.call('SELECT', '2');
  await writeFleet(server.client, QUEUES, 2);
  await suffer({
    fault: 'SELECT is refused at a reconnect; database 0 holds another application',
    context: contextOf(server.url, { database: 2 }, { user: 'jobwatch', secrets: { password: 'PASSWORD' } }),
    async make() {
      await server.client.call('ACL', 'SETUSER', 'jobwatch', '-select');
      await server.client.call('CLIENT', 'KILL', 'USER', 'jobwatch');
    },
    mend: () => server.client.call('ACL', 'SETUSER', 'jobwatch', '+select'),
    says: /may not do this: NOPERM.*select/,
  });
});

test('a command is refused', async () => {
  const server = await redisOf();
  await createReader(server);
  await suffer({
    fault: 'LLEN is refused to the Redis user',
    context: contextOf(server.url, {}, { user: 'jobwatch', secrets: { password: 'PASSWORD' } }),
    make: () => server.client.call('ACL', 'SETUSER', 'jobwatch', '-llen'),
    mend: () => server.client.call('ACL', 'SETUSER', 'jobwatch', '+llen'),
    says: /No queue sizes: .*NOPERM/,
  });
});

test('Redis accepts no further client', async () => {
  const server = await redisOf();
  const others: Redis[] = [];
  await suffer({
    fault: 'maxclients is reached',
    context: contextOf(server.url),
    async make() {
      await server.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
      await server.client.config('SET', 'maxclients', '3');
      others.push(...Array.from({ length: 4 }, () => new Redis(server.port, { retryStrategy: () => 20 })));
      others.forEach((other) => other.on('error', () => undefined));
      await vi.waitFor(() => expect(others.filter(({ status }) => status === 'ready')).toHaveLength(2));
    },
    async mend() {
      others.forEach((other) => other.disconnect());
      await server.client.config('SET', 'maxclients', '1000');
    },
    says: /accepts no further client|closed before Redis answered/,
  });
});

test('Redis has no memory left', async () => {
  const server = await redisOf();
  await suffer({
    fault: 'Redis refuses writes for lack of memory (maxmemory, noeviction)',
    context: contextOf(server.url),
    make: () => server.client.config('SET', 'maxmemory', '1mb'),
    mend: () => server.client.config('SET', 'maxmemory', '0'),
    says: /queues/,
    harmless: true,
  });
});

test('a replica has lost its master', async () => {
  const replica = await redisOf(['--replica-serve-stale-data', 'no']);
  await suffer({
    fault: 'A replica has lost its master (MASTERDOWN)',
    context: contextOf(replica.url),
    make: () => replica.client.call('REPLICAOF', '127.0.0.1', '1'),
    mend: () => replica.client.call('REPLICAOF', 'NO', 'ONE'),
    says: /not ready yet \(MASTERDOWN/,
  });
});

test('Redis loads its data', async () => {
  const port = await freePort();
  const data = join(folder, 'loading');
  mkdirSync(data);
  const server = await startRedis(['--dir', data], port);
  await writeFleet(server.client, QUEUES, 2);
  const filling = server.client.pipeline();
  for (let index = 0; index < 5000; index += 1) {
    filling.set(`other:${index}`, 'x');
  }
  await filling.exec();
  await server.client.save();
  await suffer({
    fault: 'Redis is restarted and loads its data (LOADING)',
    context: contextOf(server.url),
    async make() {
      await server.stop();
      // A millisecond for each key, and answers meanwhile.
      const slowly = ['--key-load-delay', '1000', '--loading-process-events-interval-bytes', '1024'];
      void redisOf(['--dir', data, ...slowly], port);
    },
    mend: () => new Redis(port, { enableReadyCheck: false }).config('SET', 'key-load-delay', '0'),
    says: /not ready yet \(LOADING/,
  });
});

test('the database is flushed', async () => {
  const server = await redisOf();
  await suffer({
    fault: 'The database is flushed',
    context: contextOf(server.url),
    make: () => server.client.flushdb(),
    mend: () => writeFleet(server.client, QUEUES, 2),
    says: /holds no Sidekiq/,
  });
});

test('TLS on one side only is named', async () => {
  const certificate = join(folder, 'cert.pem');
  const key = join(folder, 'key.pem');
  spawnSync('openssl', [
    ...['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-subj', '/CN=127.0.0.1'],
    ...['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', key, '-out', certificate],
  ]);
  const tlsPort = await freePort();
  const server = await redisOf([
    ...['--tls-port', String(tlsPort), '--tls-cert-file', certificate, '--tls-key-file', key],
    ...['--tls-ca-cert-file', certificate, '--tls-auth-clients', 'no'],
  ]);
  const well = contextOf(`rediss://127.0.0.1:${tlsPort}`, { tlsSkipVerify: true });
  expect(isWell(await health(well))).toBe(true);
  for (const [fault, context, says] of [
    ['Plain connection to a TLS port', contextOf(`redis://127.0.0.1:${tlsPort}`), /expects TLS/],
    ['TLS connection to a plain port', contextOf(`rediss://127.0.0.1:${server.port}`), /speaks? TLS/],
    ['Certificate of an unknown authority', contextOf(`rediss://127.0.0.1:${tlsPort}`), /TLS connection .* failed/],
  ] as const) {
    const { message } = await health(context);
    expect(message, fault).toMatch(says);
    rows.push({ fault, said: message, seconds: null });
  }
});

test('Sentinel fails over, and its sentinels are silent or gone', async () => {
  const master = await redisOf();
  const replica = await startRedis(['--replicaof', '127.0.0.1', String(master.port)]);
  closers.push(() => replica.stop());
  await vi.waitFor(async () => expect(await replica.client.scard('queues')).toBe(QUEUES), { timeout: 20_000 });
  const sentinel = await startSentinel(master.port);
  closers.push(() => sentinel.stop());
  const silent = createServer(() => undefined);
  await new Promise<void>((resolve) => silent.listen(0, '127.0.0.1', resolve));
  closers.push(() => void silent.close());
  const silentPort = (silent.address() as { port: number }).port;
  await suffer({
    fault: 'The master behind Sentinel is killed; the first Sentinel of the list accepts and never answers',
    context: contextOf('', { topology: 'sentinel', sentinels: `127.0.0.1:${silentPort}, 127.0.0.1:${sentinel.port}` }),
    make: () => master.stop(),
    mend: () => sentinel.names(replica.port),
    says: /Redis at|Sentinel|Nothing listens|connection/,
  });
  const watched = contextOf('', { topology: 'sentinel', sentinels: `127.0.0.1:${sentinel.port}` });
  await suffer({
    fault: 'All Sentinels are gone while the master lives',
    context: watched,
    make: () => sentinel.stop(),
    says: /No Sentinel of .* answers/,
    harmless: true,
  });
});

test('the history file is locked, corrupted, removed, of a newer version', async () => {
  const server = await redisOf();
  const files = () =>
    spawnSync('ls', [folder], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((name) => name.endsWith('.db'));
  const sqlite = (path: string, statement: string) =>
    spawnSync('python3', [
      '-c',
      `import sqlite3,sys; c=sqlite3.connect(sys.argv[1]); c.executescript(sys.argv[2])`,
      path,
      statement,
    ]);
  const fileOf = async (name: string) => {
    const before = new Set(files());
    const context = contextOf(server.url, { historyFile: name });
    expect(isWell(await health(context))).toBe(true);
    return {
      context,
      path: join(
        folder,
        files().find((each) => !before.has(each))!
      ),
    };
  };
  const kept = /history is kept in memory/;

  const removed = await fileOf('removed.db');
  await suffer({
    fault: 'The history file is removed',
    context: removed.context,
    make: () => rmSync(removed.path),
    says: kept,
    harmless: true,
  });

  const corrupted = await fileOf('corrupted.db');
  await suffer({
    fault: 'The history file is cut to nothing while it is open',
    context: corrupted.context,
    make: () => truncateSync(corrupted.path, 100),
    says: kept,
    harmless: true,
  });

  const locked = await fileOf('locked.db');
  const lock = spawn('python3', [
    '-c',
    'import sqlite3,sys,time; c=sqlite3.connect(sys.argv[1],isolation_level=None); c.execute("BEGIN EXCLUSIVE"); print("locked",flush=True); time.sleep(600)',
    locked.path,
  ]);
  closers.push(() => void lock.kill('SIGKILL'));
  await new Promise((resolve) => lock.stdout.once('data', resolve));
  await suffer({
    fault: 'The history file is locked by a backup',
    context: locked.context,
    make: () => undefined,
    says: kept,
    harmless: true,
  });

  const newer = await fileOf('newer.db');
  sqlite(newer.path, 'PRAGMA user_version = 99');
  const again = contextOf(server.url, { historyFile: 'x' });
  Object.assign(again.dataSourceInstanceSettings, {
    ...newer.context.dataSourceInstanceSettings,
    lastUpdatedMS: 2,
    jsonData: Buffer.from(JSON.stringify({ reuseSeconds: 0, historyFile: 'newer.db', historyRetentionDays: 5 })),
  });
  const { message } = await health(again);
  expect(message).toMatch(/newer version of Jobwatch/);
  rows.push({ fault: 'The history file is of a newer version', said: message, seconds: null });
});

test('a port of the settings is taken', async () => {
  const server = await redisOf();
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  const context = contextOf(server.url, { exporterListen: `127.0.0.1:${port}` });
  const { message } = await health(context);
  expect(message).toMatch(/the port is taken/);
  await new Promise((resolve) => other.close(resolve));
  const from = performance.now();
  await vi.waitFor(async () => expect(isWell(await health(context))).toBe(true), { timeout: 30_000, interval: 50 });
  rows.push({ fault: 'The port of the endpoint is taken', said: message, seconds: (performance.now() - from) / 1000 });
});

test('a flood of invented DogStatsD series leaves the rest as it is', async () => {
  const server = await redisOf();
  const port = await freePort();
  const context = contextOf(server.url, { statsdListen: `127.0.0.1:${port}`, seriesLimit: 3000 });
  const socket = createSocket('udp4');
  closers.push(() => void socket.close());
  await suffer({
    fault: 'A flood of 100,000 invented DogStatsD series',
    context,
    async make() {
      for (let index = 0; index < 100_000; index += 1) {
        socket.send(`flood.jobs.count:1|c|#worker:W${index}`, port, '127.0.0.1');
        if (index % 500 === 0) {
          await new Promise(setImmediate);
        }
      }
    },
    says: /queues/,
    harmless: true,
  });
});

function recovery(seconds: number | null, harmless = false): string {
  return harmless ? 'figures not affected' : seconds === null ? 'by correcting the setting' : seconds.toFixed(1);
}

function page(): string {
  const version = (command: string, args: string[]) =>
    spawnSync(command, args, { encoding: 'utf8' }).stdout.trim().split('\n')[0] ?? '';
  const cell = (text: string) =>
    text
      .replaceAll('|', '\\|')
      .replaceAll(folder, '…')
      .replace(/127\.0\.0\.1:\d+/g, 'host:port')
      .replace(/\s+/g, ' ');
  const lines = rows.map(
    ({ fault, said, seconds, harmless }) => `| ${cell(fault)} | ${cell(said)} | ${recovery(seconds, harmless)} |`
  );
  return [
    '<!-- Written by npm run test:long. -->',
    '',
    '# Reliability',
    '',
    'Faults made against the built plugin and real servers, one after the other. For each: what the health check of the data source says while the fault lasts, and the seconds from its end until the health check is well and names the right number of queues again. The run fails where that takes more than five seconds, where a wrong figure is shown, or where the plugin ends.',
    '',
    `Run on ${new Date().toISOString().slice(0, 10)} with ${version('redis-server', ['--version']).replace(/ sha=.*/, '')}; reproduce with \`npm run test:long\`.`,
    '',
    '| Fault | What a person sees | Seconds to recover |',
    '| --- | --- | --- |',
    ...lines,
    '',
    'Where a fault does not touch the figures (history, DogStatsD, memory), the health check stays well and says what is missing.',
    '',
  ].join('\n');
}

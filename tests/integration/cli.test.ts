import { createSocket } from 'node:dgram';
import { spawn, spawnSync } from 'node:child_process';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeFleet } from '../support/fleet';
import { EXECUTABLE } from '../support/plugin';
import { startScripted } from '../support/scriptedRedis';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing } from '../support/serve';

let server: RedisServer;
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-cli-'));

beforeAll(async () => {
  server = await startRedis();
  await writeFleet(server.client, 3, 2, 1);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await server.stop();
});

function run(args: string[], env: NodeJS.ProcessEnv = {}) {
  return spawnSync(EXECUTABLE, args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], REDIS_URL: server.url, ...env },
  });
}

/** Connections that are kept alive hold an endpoint open for up to a second. */
const SOON = { timeout: 10_000 };

test('what-if answers from a recording, with the changes of its flags', () => {
  const recording = join(__dirname, '../recordings/data/incident-7.3.10.rec');
  const past = ['what-if', '--replay', recording, '--at', '-1800', '--from', '-420', '--by', 'workerType', '--json'];
  const { status, stdout, stderr } = run([...past, '--threads', 'web=1', '--traffic', '2']);
  expect(status).toBe(0);
  const rows = JSON.parse(stdout) as Array<Record<string, number | string>>;
  expect(rows.find(({ workerType }) => workerType === 'web')).toMatchObject({ threads: 4, threadsIf: 1 });
  expect(stderr).toContain('Assumed:');
  const refused = run([...past, '--threads', 'nobody=1']);
  expect([refused.status, refused.stderr]).toEqual([2, expect.stringContaining('"threads"')]);
});

test('query --json prints one array of row objects', () => {
  const { status, stdout } = run(['query', 'queues', '--json', '--filter', 'queue=~queue_[01]', '--figures', 'size']);
  expect(status).toBe(0);
  expect(JSON.parse(stdout)).toEqual([
    { queue: 'queue_0', size: 1 },
    { queue: 'queue_1', size: 1 },
  ]);
});

test('query prints a table for people', () => {
  const { status, stdout } = run(['query', 'busy']);
  expect(status).toBe(0);
  expect(stdout).toMatch(/Class.*Run time/);
  expect(stdout).toMatch(/PlainJob/);
});

test.each([
  [['query', 'nope'], 2, /no query type "nope"/],
  [['query', 'queues', '--filter', 'queue'], 2, /filter "queue" cannot be read/],
  [['query', 'queues', '--redis-url', 'http://x'], 2, /scheme other than redis/],
  [['query', 'queues', '--redis-url', 'redis://127.0.0.1:1'], 1, /Nothing listens at 127\.0\.0\.1:1/],
  [['query', 'queues', '--reuse-seconds', 'often'], 2, /"reuseSeconds" must be a number/],
  [['serve', '--listen', 'nowhere'], 2, /listen invalid format, expected host:port, got: "nowhere"/],
  [['serve', '--tls-cert-file', 'x'], 2, /Only one of --tls-cert-file and --tls-key-file/],
  [['query', 'queues', '--redis-url', 'redis://:secret@h'], 2, /holds a password.*REDIS_URL/s],
  [['query', 'queues', '--config', '/nope.yaml'], 2, /configuration file \/nope\.yaml cannot be read/],
  [['nope'], 2, /unknown command/],
])('%j exits with %i and says why', (args, code, message) => {
  const { status, stderr } = run(args);
  expect(stderr).toMatch(message);
  expect(status).toBe(code);
});

test('check finds what is wrong and exits by it', async () => {
  const bad = run(['check']);
  expect(bad.stdout).toMatch(/^Redis at .*: \d+ commands in 2 round trips/);
  expect(bad.stdout).toMatch(/\nSidekiq 8\.1\.7\n/);
  expect(bad.status).toBe(0);
  await server.client.lpush('queue:orphan', '{"class":"X","jid":"1","enqueued_at":1}');
  await server.client.sadd('queues', 'orphan');
  const unserved = run(['check']);
  await server.client.srem('queues', 'orphan');
  expect(unserved.stdout).toMatch(
    /✘ No process serves orphan; 1 job waits\.\n.*\n  No process is configured for this queue\.\n  Start a worker for the queue/
  );
  expect(unserved.status).toBe(1);
});

test('what may not be read is told by check and top, and is not said to be none', async () => {
  const rules = ['on', '>p', '+@read', '+ping', '+time', '~queue*', '~stat*', '~retry', '~schedule', '~dead'];
  await server.client.call('ACL', 'SETUSER', 'noproc', ...rules);
  const env = { REDIS_URL: server.url.replace('redis://', 'redis://noproc:p@') };
  const refused = /process names.*NOPERM/i;
  const checked = run(['check'], env);
  expect(checked.stdout).toContain('\nSidekiq (its processes are unknown)\n');
  expect(checked.stdout).not.toContain('no process is running');
  expect(checked.stdout).toMatch(refused);
  expect(run(['top'], env).stdout.match(new RegExp(refused, 'gi'))).toHaveLength(1);
  await server.client.call('ACL', 'DELUSER', 'noproc');
});

test('top without a terminal fails where Redis cannot be reached', () => {
  const { status, stdout, stderr } = run(['top'], { REDIS_URL: 'redis://127.0.0.1:1' });
  expect([status, stdout]).toEqual([1, '']);
  expect(stderr).toMatch(/Nothing listens at 127\.0\.0\.1:1/);
});

test.each([
  ['query', 'queues'],
  ['query', 'busy'],
  ['query', 'processes'],
  ['query', 'findings'],
  ['check'],
  ['top'],
  ['report'],
])('%s %s writes no control of a terminal that a name in Redis holds', async (...args) => {
  const name = 'esc\u001b[31m\u009b2J\u0007';
  await server.client.lpush(`queue:${name}`, JSON.stringify({ class: name, jid: name, queue: name, enqueued_at: 1 }));
  await server.client.sadd('queues', name);
  const { stdout, stderr } = run(args.filter((arg) => arg !== ''));
  await server.client.srem('queues', name);
  await server.client.del(`queue:${name}`);
  expect(stdout + stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
});

test('a file sets what flags and the environment leave open', () => {
  const file = join(folder, 'jobwatch.yaml');
  writeFileSync(file, `url: ${server.url}\nqueueExclude: _2$\n`);
  const { stdout } = run(['query', 'queues', '--json', '--figures', 'size', '--config', file], { REDIS_URL: '' });
  expect(JSON.parse(stdout)).toHaveLength(2);
});

test('a history file outlives the process that wrote it', () => {
  const file = join(folder, 'history.db');
  const ask = () =>
    JSON.parse(
      run([
        'query',
        'history',
        '--json',
        '--figures',
        'enqueued',
        '--history-file',
        file,
        '--sample-seconds',
        '1',
        '--from',
        '-60',
      ]).stdout
    ) as Array<{ enqueued: number | null }>;
  ask();
  ask();
  // One look each; both may fall into one interval, so the mean of two equal looks is what must be there.
  expect(ask().filter(({ enqueued }) => enqueued === 3).length).toBeGreaterThan(0);
  const database = run(['query', 'history', '--figures', 'enqueued', '--history-file', '/nope/history.db']);
  expect(database.status).toBe(0);
  expect(database.stdout).toMatch(/warning: The history file "\/nope\/history.db" cannot be opened.*kept in memory/);
});

test('acl prints the line, for a prefix too', () => {
  expect(run(['acl']).stdout).toMatch(/^ACL SETUSER jobwatch reset on >PASSWORD resetchannels ~\* -@all \+auth/);
  expect(run(['acl', '--user', 'me', '--key-prefix', 'app:']).stdout).toMatch(/SETUSER me .* ~app:\* /);
});

test('a mistake in the YAML of a file is told by its place, without the line that may hold a password', () => {
  const file = join(folder, 'broken.yaml');
  writeFileSync(file, 'url: redis://h\npassword: [Canary\nx: }\n');
  const { status, stderr } = run(['query', 'queues', '--config', file]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/broken\.yaml cannot be read: [A-Z_]+ in line \d+, column \d+/);
  expect(stderr).not.toContain('Canary');
});

test('serve ends with 0 on a signal that comes while Redis does not answer, and leaves no socket', async () => {
  const silent = await startScripted(() => undefined);
  const socket = join(folder, 'early.sock');
  const child = spawn(
    EXECUTABLE,
    ['serve', '--listen', `127.0.0.1:${await freePort()}`, '--statsd-listen', `unixgram://${socket}`],
    { env: { PATH: process.env['PATH'], REDIS_URL: silent.url }, stdio: 'ignore' }
  );
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  await expect.poll(() => existsSync(socket), SOON).toBe(true);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
  expect(existsSync(socket)).toBe(false);
  await silent.stop();
});

test('demo does not write into a real Sidekiq', () => {
  const { status, stderr } = run(['demo', '--redis-url', server.url]);
  expect(status).toBe(2);
  expect(stderr).toMatch(/already holds a Sidekiq/);
});

test('serve answers, reads its configuration again on SIGHUP and ends on SIGTERM', async () => {
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn(EXECUTABLE, ['serve', '--listen', listen], {
    env: { PATH: process.env['PATH'], REDIS_URL: server.url },
  });
  const lines: string[] = [];
  child.stderr.on('data', (bytes: Buffer) => lines.push(bytes.toString()));
  const exited = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const up = () =>
    fetch(`http://${listen}/metrics`).then(
      async (answer) => (await answer.text()).includes('sidekiq_up 1'),
      () => false
    );
  await expect.poll(up, { timeout: 10_000 }).toBe(true);
  child.kill('SIGHUP');
  await expect.poll(() => lines.join('')).toMatch(/configuration reloaded/);
  expect(await up()).toBe(true);
  child.kill('SIGTERM');
  expect(await exited).toBe(0);
});

test('a reload keeps what was counted, also where a configuration cannot be used', async () => {
  const file = join(folder, 'counted.yaml');
  const statsd = await freePort();
  const config = `url: ${server.url}\nstatsdListen: 127.0.0.1:${statsd}\n`;
  writeFileSync(file, config);
  const serving = await startServing('', ['--config', file]);
  const socket = createSocket('udp4');
  const sendOne = () => socket.send('lago-api.jobs.count:1|c|#worker:A', statsd, '127.0.0.1');
  const counted = async () => (await serving.scrape()).value('lago_api_jobs_count', { worker: 'A' });
  const said = (text: string) => serving.log.filter((line) => String(line['@message']).startsWith(text)).length;
  sendOne();
  await expect.poll(counted).toBe(1);
  writeFileSync(file, `${config}targets:\n  other:\n    url: redis://127.0.0.1:${server.port}/1\n`);
  serving.child.kill('SIGHUP');
  await expect.poll(() => said('configuration reloaded'), SOON).toBe(1);
  expect((await serving.scrape(`${serving.url}/probe?target=other`)).value('sidekiq_up')).toBe(1);
  writeFileSync(file, `${config}targets:\n  other:\n    url: http://x\n`);
  serving.child.kill('SIGHUP');
  await expect.poll(() => said('reload failed'), SOON).toBe(1);
  sendOne();
  await expect.poll(counted, SOON).toBe(2);
  expect((await serving.scrape(`${serving.url}/probe?target=other`)).value('sidekiq_up')).toBe(1);
  socket.close();
  expect(await serving.stop()).toBe(0);
});

test('a configuration that cannot be used leaves the former one running', async () => {
  const file = join(folder, 'reload.yaml');
  writeFileSync(file, `url: ${server.url}\n`);
  const serving = await startServing('', ['--config', file]);
  const said = () => serving.log.map((line) => line['@message']);
  // A second endpoint on the port of the first one.
  writeFileSync(file, `url: ${server.url}\nstatsdMetricsListen: ${serving.url.replace('http://', '')}\n`);
  serving.child.kill('SIGHUP');
  await expect.poll(said).toContain('reload failed; the former configuration stays');
  expect((await serving.scrape()).value('sidekiq_up')).toBe(1);
  writeFileSync(file, 'url: [not, a, url\n');
  serving.child.kill('SIGHUP');
  await expect.poll(() => said().filter((message) => String(message).startsWith('reload failed')).length).toBe(2);
  expect((await serving.scrape()).value('sidekiq_up')).toBe(1);
  await serving.stop();
});

test.skipIf(process.platform !== 'linux')('connections take half of the descriptors at most', async () => {
  const listen = `127.0.0.1:${await freePort()}`;
  const child = spawn('sh', ['-c', 'ulimit -n 128; exec "$0" "$@"', EXECUTABLE, 'serve', '--listen', listen], {
    env: { ...process.env, REDIS_URL: server.url },
    stdio: 'ignore',
  });
  const sockets: Socket[] = [];
  try {
    await vi.waitFor(async () => expect((await fetch(`http://${listen}/-/healthy`)).status).toBe(200), 10_000);
    const { hostname, port } = new URL(`http://${listen}`);
    // The one that asks stays open, as that of a scraper does.
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = () =>
      new Promise<number>((resolve, reject) => {
        get({ host: hostname, port, path: '/-/ready', agent }, (answer) => {
          answer.resume().on('end', () => resolve(answer.statusCode!));
        }).on('error', reject);
      });
    expect(await ask()).toBe(200);
    let closed = 0;
    const opened = Array.from({ length: 200 }, () => {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => undefined).on('close', () => (closed += 1));
      sockets.push(socket);
      return new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    });
    await Promise.all(opened);
    await vi.waitFor(() => expect(closed).toBeGreaterThanOrEqual(200 - 64), SOON);
    // Redis can be reached anew, and the scraper is answered.
    await server.client.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes');
    expect(await ask()).toBe(200);
    agent.destroy();
  } finally {
    sockets.forEach((socket) => socket.destroy());
    child.kill('SIGKILL');
  }
});

import { spawn, spawnSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { firstEvent } from '../support/pageEvents';
import { startServing, type Serving } from '../support/serve';

/** Ruby finds the client among its gems or in RUBYLIB; without it that test cannot run. */
const hasRubyClient = spawnSync('ruby', ['-e', 'require "datadog/statsd"']).status === 0;

let redis: RedisServer;
const started: Serving[] = [];
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-statsd-'));

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(async () => {
  await Promise.all(started.map((serving) => serving.stop()));
  await redis.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function serve(args: string[], env: NodeJS.ProcessEnv = {}): Promise<Serving> {
  const serving = await startServing(redis.url, args, env);
  started.push(serving);
  return serving;
}

async function send(port: number, ...packets: string[]): Promise<void> {
  const socket = createSocket('udp4');
  await Promise.all(packets.map((packet) => new Promise((resolve) => socket.send(packet, port, '127.0.0.1', resolve))));
  socket.close();
}

const TAGS = '#env:production,service:sidekiq,queue:billing,worker:Bills::Job';
const LABELS = { env: 'production', queue: 'billing', service: 'sidekiq', worker: 'Bills::Job' };

test('what Sidekiq Pro 7 and 8 send becomes the series that Lago documents, on the main and on a second endpoint', async () => {
  const port = await freePort();
  const second = await freePort();
  const serving = await serve([
    '--statsd-listen',
    `127.0.0.1:${port}`,
    '--statsd-metrics-listen',
    `127.0.0.1:${second}`,
  ]);
  await send(
    port,
    [
      `lago-api.jobs.count:1|c|${TAGS}`,
      `lago-api.jobs.perform:1500|ms|${TAGS}`,
      `lago-api.jobs.success:1|c|${TAGS}`,
      'lago-api.jobs.recovered.fetch:2|c|#queue:billing',
    ].join('\n'),
    [
      `lago-api.sidekiq.jobs.count:1|c|${TAGS}`,
      `lago-api.sidekiq.jobs.failure:1|c|${TAGS},error_type:RuntimeError`,
      `lago-api.sidekiq.jobs.perform_dist:500|d|${TAGS}`,
      'not a line',
    ].join('\n')
  );
  for (const endpoint of [`${serving.url}/metrics`, `http://127.0.0.1:${second}/metrics`]) {
    const { value, types } = await vi.waitFor(async () => {
      const found = await serving.scrape(endpoint);
      expect(found.value('jobwatch_statsd_lines_total')).toBe(8);
      return found;
    });
    expect(value('lago_api_jobs_count', LABELS)).toBe(2);
    expect(value('lago_api_jobs_success', LABELS)).toBe(1);
    expect(value('lago_api_jobs_failure', { ...LABELS, error_type: 'RuntimeError' })).toBe(1);
    expect(value('lago_api_jobs_recovered_fetch', { queue: 'billing' })).toBe(2);
    expect(value('lago_api_jobs_perform', { ...LABELS, quantile: '0.99' })).toBeCloseTo(1.5, 1);
    expect(value('lago_api_jobs_perform_sum', LABELS)).toBe(1.5);
    expect(value('lago_api_jobs_perform_count', LABELS)).toBe(1);
    expect(value('lago_api_jobs_perform_dist_sum', LABELS)).toBe(0.5);
    expect(value('lago_api_jobs_perform_seconds_bucket', { ...LABELS, le: '1.7' })).toBe(1);
    expect(value('lago_api_jobs_perform_seconds_bucket', { ...LABELS, le: '1.1' })).toBe(0);
    expect(value('jobwatch_statsd_malformed_lines_total')).toBe(1);
    expect(types.get('lago_api_jobs_perform')).toBe('summary');
    expect(types.get('lago_api_jobs_count')).toBe('counter');
  }
  expect((await serving.scrape(`http://127.0.0.1:${second}/metrics`)).value('sidekiq_up')).toBeUndefined();
  expect((await firstEvent(serving.url)).receiver).toBe(
    `DogStatsD at 127.0.0.1:${port}: 8 lines, 6 label sets, 1 malformed`
  );
  expect(serving.log.filter((line) => line['@message'] === 'malformed DogStatsD line')).toMatchObject([
    { sample: 'not a line', '@level': 'warn' },
  ]);
});

test('the prefix is the operator’s', async () => {
  const port = await freePort();
  const serving = await serve(['--statsd-listen', `127.0.0.1:${port}`, '--statsd-prefix', 'shop']);
  await send(port, 'anything.jobs.count:3|c|#worker:A');
  await vi.waitFor(async () => expect((await serving.scrape()).value('shop_jobs_count', { worker: 'A' })).toBe(3));
});

test('what came by DogStatsD is answered though Redis is away', async () => {
  const port = await freePort();
  const serving = await startServing('redis://127.0.0.1:1', ['--statsd-listen', `127.0.0.1:${port}`]);
  started.push(serving);
  await send(port, 'lago-api.jobs.count:1|c|#worker:A');
  await vi.waitFor(async () => {
    const found = await serving.scrape();
    expect(found.value('sidekiq_up')).toBe(0);
    expect(found.value('lago_api_jobs_count', { worker: 'A' })).toBe(1);
  });
});

test('a unix datagram socket receives too', async () => {
  const path = join(folder, 'statsd.sock');
  const serving = await serve(['--statsd-listen', `unixgram://${path}`]);
  const lines = 'lago-api.jobs.count:1|c|#worker:A\\nlago-api.jobs.count:1|c|#worker:A\\n';
  const script = `import socket; s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect("${path}"); [s.send(b"${lines}") for _ in range(200)]`;
  expect(statSync(path).mode & 0o777).toBe(0o660);
  expect(spawnSync('python3', ['-c', script]).status).toBe(0);
  await vi.waitFor(async () =>
    expect((await serving.scrape()).value('lago_api_jobs_count', { worker: 'A' })).toBe(400)
  );
});

test('a flood at a unix datagram socket leaves others their turns', async () => {
  const path = join(folder, 'flood.sock');
  const serving = await serve(['--statsd-listen', `unixgram://${path}`]);
  const script = `import socket
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM); s.connect("${path}"); s.setblocking(True)
while True: s.send(b"lago-api.jobs.count:1|c|#worker:A")`;
  const flood = spawn('python3', ['-c', script], { stdio: 'ignore' });
  try {
    await vi.waitFor(async () => {
      expect((await serving.scrape()).value('lago_api_jobs_count', { worker: 'A' })).toBeGreaterThan(1000);
    }, 10_000);
    for (let asked = 0; asked < 5; asked += 1) {
      await serving.scrape();
    }
  } finally {
    flood.kill('SIGKILL');
  }
});

test('at a unix address only a socket is removed: a file with that name stays, and the receiver says why', async () => {
  const path = join(folder, 'precious');
  writeFileSync(path, 'data');
  const serving = await serve(['--statsd-listen', `unixgram://${path}`]);
  await vi.waitFor(() =>
    expect(serving.log.map((line) => line['@message'])).toContain(`Cannot listen at the unix socket ${path}.`)
  );
  await serving.stop();
  expect(readFileSync(path, 'utf8')).toBe('data');
});

test.skipIf(!hasRubyClient)('packets of dogstatsd-ruby are read', async () => {
  const port = await freePort();
  const serving = await serve(['--statsd-listen', `127.0.0.1:${port}`]);
  const script = `
    require "datadog/statsd"
    statsd = Datadog::Statsd.new("127.0.0.1", ${port}, namespace: "lago-api", tags: ["env:production", "service:sidekiq"])
    tags = ["queue:billing", "worker:Bills::Job"]
    statsd.batch do |batch|
      50.times do
        batch.increment("jobs.count", tags: tags)
        batch.timing("jobs.perform", 250, tags: tags)
        batch.distribution("sidekiq.jobs.perform_dist", 250, tags: tags)
      end
      batch.increment("jobs.failure", tags: tags + ["error_type:Net::ReadTimeout"])
    end
    statsd.close`;
  const ruby = spawnSync('ruby', ['-e', script], { encoding: 'utf8' });
  expect(ruby.stderr).toBe('');
  await vi.waitFor(async () => {
    const { value } = await serving.scrape();
    expect(value('lago_api_jobs_count', LABELS)).toBe(50);
    expect(value('lago_api_jobs_perform_sum', LABELS)).toBeCloseTo(12.5, 6);
    expect(value('lago_api_jobs_perform_dist_count', LABELS)).toBe(50);
    expect(value('lago_api_jobs_failure', { ...LABELS, error_type: 'Net::ReadTimeout' })).toBe(1);
    expect(value('jobwatch_statsd_malformed_lines_total')).toBe(0);
  });
});

describe('LAGO_SIDEKIQ_STATSD_ENDPOINT', () => {
  const NAME = 'LAGO_SIDEKIQ_STATSD_ENDPOINT';

  test('says where to listen', async () => {
    const port = await freePort();
    const serving = await serve([], { [NAME]: ` 127.0.0.1:${port} ` });
    await send(port, 'lago-api.jobs.count:1|c|#worker:A');
    await vi.waitFor(async () =>
      expect((await serving.scrape()).value('lago_api_jobs_count', { worker: 'A' })).toBe(1)
    );
  });

  test('unset is a warning where Lago is watched, and everything else runs', async () => {
    expect(JSON.stringify((await serve([])).log)).not.toContain('LAGO');
    const serving = await serve(['--preset', 'lago']);
    expect(serving.log[0]).toMatchObject({
      '@level': 'warn',
      '@message': `${NAME} not set, Sidekiq Pro metrics will not be reported`,
    });
    expect((await serving.scrape()).value('sidekiq_up')).toBe(1);
  });

  test.each(['', 'host', 'host:', ':9125', 'host:abc', 'host:0', 'host:70000', 'udp://h:9125', 'a:1:2'])(
    '%j is an error, and everything else runs',
    async (endpoint) => {
      const serving = await serve([], { [NAME]: endpoint });
      expect(serving.log[0]).toMatchObject({
        '@level': 'error',
        '@message': `${NAME} invalid format, expected host:port, got: "${endpoint}".`,
      });
      const { value } = await serving.scrape();
      expect(value('sidekiq_up')).toBe(1);
      expect(value('jobwatch_statsd_lines_total')).toBeUndefined();
    }
  );
});

test('a port that is taken is told, and everything else runs', async () => {
  const port = await freePort();
  await serve(['--statsd-listen', `127.0.0.1:${port}`]);
  const second = await serve(['--statsd-listen', `127.0.0.1:${port}`]);
  expect(second.log).toContainEqual(
    expect.objectContaining({
      '@level': 'error',
      '@message': `Cannot receive DogStatsD at 127.0.0.1:${port}: the port is taken.`,
    })
  );
  expect((await second.scrape()).value('sidekiq_up')).toBe(1);
});

import { spawnSync } from 'node:child_process';
import { get } from 'node:http';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { METRICS_PATHS, startExporter } from '../../pkg/listeners/exporter';
import { scrape } from '../../pkg/metrics/scrape';
import { JOBWATCH_METRICS } from '../../pkg/metrics/jobwatchMetrics';
import { Installation } from '../../pkg/installation/installation';
import { parseSettings } from '../../pkg/settings/settings';
import { parseExposition } from '../support/exposition';
import { createReader, openAsReader } from '../support/installation';
import { loadRecording } from '../support/recordings';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { sendPacket } from '../support/statsd';

let server: RedisServer;
let installation: Installation;
const closers: Array<() => Promise<void>> = [];

beforeAll(async () => {
  server = await startRedis();
  await loadRecording(server.client, '8.1.7');
  await createReader(server);
  installation = openAsReader(server);
});
afterAll(async () => {
  await Promise.all(closers.map((close) => close()));
  installation.close();
  await server.stop();
});

async function expose(more: Partial<Parameters<typeof startExporter>[0]> = {}): Promise<string> {
  const listen = `127.0.0.1:${await freePort()}`;
  closers.push(await startExporter({ listen, source: installation, ...more }));
  return `http://${listen}`;
}

test.each(METRICS_PATHS)('%s answers the text format, and promtool reads it', async (path) => {
  const answer = await fetch((await expose()) + path);
  const text = await answer.text();
  expect(answer.status).toBe(200);
  expect(answer.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  expect(answer.headers.get('content-encoding')).toBe('gzip');
  expect(parseExposition(text).samples.length).toBeGreaterThan(80);
  const { stderr, error } = spawnSync('promtool', ['check', 'metrics'], { input: text, encoding: 'utf8' });
  expect(error).toBeUndefined();
  expect(stderr).not.toMatch(/error while linting|parse/i);
  // The names of the Ruby exporter are what they are; those of ours must be clean.
  const ours = stderr.split('\n').filter((line) => JOBWATCH_METRICS.some(({ name }) => line.startsWith(`${name} `)));
  expect(ours).toEqual([]);
});

test('every family has HELP and TYPE, and label values are escaped', async () => {
  await server.client.sadd('queues', 'odd"\\\nname');
  const text = await (await fetch(`${await expose()}/metrics`)).text();
  await server.client.srem('queues', 'odd"\\\nname');
  const { samples, types } = parseExposition(text);
  for (const { name } of samples) {
    const family = [...types.keys()].find(
      (known) =>
        name === known || (name.startsWith(`${known}_`) && ['histogram', 'summary'].includes(types.get(known)!))
    );
    expect(family, name).toBeDefined();
    expect(text).toContain(`# HELP ${family!} `);
  }
  expect(text).toContain('sidekiq_queue_enqueued_jobs{name="odd\\"\\\\\\nname"} 0');
});

test('OpenMetrics is answered to who asks for it', async () => {
  const answer = await fetch(`${await expose()}/metrics`, {
    headers: { Accept: 'application/openmetrics-text;version=1.0.0' },
  });
  const text = await answer.text();
  expect(answer.headers.get('content-type')).toMatch(/^application\/openmetrics-text; version=1\.0\.0/);
  expect(text).toMatch(/# TYPE sidekiq_processed_jobs counter\n/);
  expect(text).toMatch(/\nsidekiq_processed_jobs_total 31462\n/);
  expect(text.endsWith('# EOF\n')).toBe(true);
});

test('Redis away is an answer: up 0, no gauge of before, within the scrape timeout', async () => {
  const away = new Installation(parseSettings({ url: `redis://127.0.0.1:${await freePort()}` }));
  const url = await expose({ source: away });
  const answer = await fetch(`${url}/metrics`, { headers: { 'X-Prometheus-Scrape-Timeout-Seconds': '2' } });
  expect(answer.status).toBe(200);
  expect(parseExposition(await answer.text()).samples).toEqual([{ name: 'sidekiq_up', labels: {}, value: 0 }]);
  expect((await fetch(`${url}/-/ready`)).status).toBe(503);
  expect((await fetch(`${url}/-/healthy`)).status).toBe(200);
  away.close();
});

test('a thousand scrapes at once cost Redis one reading and the process one text', async () => {
  const shared = openAsReader(server, { reuseSeconds: 60 });
  const url = `${await expose({ source: shared })}/metrics`;
  // The connection and its authentication are made before.
  await shared.state();
  const texts = await Promise.all(Array.from({ length: 1000 }, async () => (await fetch(url)).text()));
  expect(new Set(texts).size).toBe(1);
  const first = await scrape(shared, '', 9);
  expect(await scrape(shared, '', 9)).toBe(first);
  expect(await scrape(shared, 'application/openmetrics-text', 9)).not.toBe(first);
  // What arrives by DogStatsD is in the next scrape, though the reading is the same.
  sendPacket(shared.statsd, 'lago-api.jobs.count:1|c|#worker:A', Date.now() / 1000);
  expect((await scrape(shared, '', 9)).body).toContain('lago_api_jobs_count{worker="A"} 1\n');
  shared.close();
});

test.each([
  ['application/openmetrics-text;q=0,text/plain', 'text/plain'],
  ['application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3', 'application/openmetrics-text'],
  ['application/openmetrics-text; q=0.0', 'text/plain'],
  ['*/*', 'text/plain'],
])('Accept %s is answered with %s', async (accept, type) => {
  const answer = await fetch(`${await expose()}/metrics`, { headers: { Accept: accept } });
  expect(answer.headers.get('content-type')).toMatch(new RegExp(`^${type}`));
});

describe('access', () => {
  test('a token is asked for, as bearer or as basic password', async () => {
    const url = `${await expose({ token: 'secret' })}/metrics`;
    const basic = (password: string) => `Basic ${Buffer.from(`any:${password}`).toString('base64')}`;
    const status = async (authorization?: string) =>
      (await fetch(url, { headers: authorization ? { authorization } : {} })).status;
    expect(await status()).toBe(401);
    expect(await status('Bearer wrong')).toBe(401);
    expect(await status(basic('wrong'))).toBe(401);
    expect(await status('Bearer secret')).toBe(200);
    expect(await status(basic('secret'))).toBe(200);
  });

  test('only reads are allowed', async () => {
    const answer = await fetch(`${await expose()}/metrics`, { method: 'POST' });
    expect(answer.status).toBe(405);
    expect(answer.headers.get('allow')).toBe('GET, HEAD');
  });

  test('an unknown path says what there is', async () => {
    const answer = await fetch(`${await expose()}/nope`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toContain('/metrics');
  });
});

test('several installations are probed by name', async () => {
  const other = openAsReader(server, { database: 3 });
  const url = await expose({ targets: new Map([['other', other]]) });
  expect(parseExposition(await (await fetch(`${url}/probe?target=other`)).text()).samples).toContainEqual({
    name: 'sidekiq_enqueued_jobs',
    labels: {},
    value: 0,
  });
  const unknown = await fetch(`${url}/probe?target=nope`);
  expect(unknown.status).toBe(404);
  expect(await unknown.text()).toMatch(/no target "nope".*other/);
  other.close();
});

test('a port that is taken is told with a remedy', async () => {
  const url = new URL(await expose());
  await expect(startExporter({ listen: url.host, source: installation })).rejects.toThrow(
    /Cannot listen at .*: the port is taken/
  );
});

/** `fetch` sets the Host header itself. */
function statusFor(url: string, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    get(`${url}/metrics`, { headers: { host } }, (answer) => {
      answer.resume();
      resolve(answer.statusCode!);
    }).on('error', reject);
  });
}

test('without a token, a listener of this host answers no name that a stranger made resolve to it', async () => {
  const open = await expose();
  const answers = await Promise.all(
    [
      'evil.example',
      'evil.example:9292',
      'evil.',
      'localhost:9292',
      '127.0.0.1',
      '[::1]:9292',
      'app.localhost',
      'sidekiq-exporter:9292',
    ].map((host) => statusFor(open, host))
  );
  expect(answers).toEqual([403, 403, 403, 200, 200, 200, 200, 200]);
  // Whoever knows the token is no page of a stranger.
  expect(await statusFor(await expose({ token: 'T' }), 'evil.example')).toBe(401);
});

test('a database without Sidekiq is not ready', async () => {
  const empty = await startRedis();
  const other = new Installation(parseSettings({ url: empty.url }));
  const answer = await fetch(`${await expose({ source: other })}/-/ready`);
  expect(answer.status).toBe(503);
  expect(await answer.text()).toMatch(/this database holds no Sidekiq/);
  expect((await fetch(`${await expose()}/-/ready`)).status).toBe(200);
  other.close();
  await empty.stop();
});

test.each(['1e12', 'Infinity', '-5', 'x', '999999999999999'])('a scrape timeout of %s is answered', async (seconds) => {
  const headers = { 'x-prometheus-scrape-timeout-seconds': seconds };
  const answer = await fetch(`${await expose()}/metrics`, { headers });
  expect(parseExposition(await answer.text()).value('sidekiq_up')).toBe(1);
});

test('an unexpected error is told in the log, and nothing of it to the caller', async () => {
  const written = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  const targets = new Map<string, Installation>();
  targets.keys = () => {
    throw new TypeError('reading /etc/secret failed');
  };
  const answer = await fetch(`${await expose({ targets })}/sd`);
  const lines = written.mock.calls.map(([line]) => String(line)).join('');
  written.mockRestore();
  expect({ status: answer.status, body: await answer.text() }).toEqual({
    status: 500,
    body: 'The request failed inside Jobwatch; its log has the details.\n',
  });
  expect(lines).toMatch(/a request failed unexpectedly.*TypeError: reading \/etc\/secret failed/);
});

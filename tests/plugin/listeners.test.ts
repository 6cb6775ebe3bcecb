import { createSocket } from 'node:dgram';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { parseExposition } from '../support/exposition';
import { writeFleet } from '../support/fleet';
import { dataQuery, pluginContext, startPlugin, type RunningPlugin } from '../support/plugin';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

let redis: RedisServer;
let plugin: RunningPlugin;
let nextId = 10;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 2, 1);
  plugin = await startPlugin();
});
afterAll(async () => {
  plugin.stop();
  await redis.stop();
});

interface HealthAnswer {
  status: number;
  message: string;
}

function health(context: ReturnType<typeof pluginContext>): Promise<HealthAnswer> {
  return plugin.call('pluginv2.Diagnostics', 'CheckHealth', { pluginContext: context });
}

async function metrics(port: number, headers: Record<string, string> = {}) {
  const answer = await fetch(`http://127.0.0.1:${port}/metrics`, { headers });
  return { status: answer.status, found: parseExposition(await answer.text()) };
}

test('the settings switch on an endpoint and a receiver in the plugin’s process', async () => {
  const [web, statsd, second] = [await freePort(), await freePort(), await freePort()];
  const context = pluginContext(redis.url, {
    id: nextId++,
    jsonData: {
      exporterListen: `127.0.0.1:${web}`,
      statsdListen: `127.0.0.1:${statsd}`,
      statsdMetricsListen: `127.0.0.1:${second}`,
    },
    secrets: { exporterToken: 'TOKEN' },
  });
  expect(await health(context)).toMatchObject({ status: 1 });
  const socket = createSocket('udp4');
  socket.send('lago-api.jobs.count:1|c|#queue:q,worker:W', statsd, '127.0.0.1', () => socket.close());
  const labels = { queue: 'q', worker: 'W' };
  await vi.waitFor(async () =>
    expect((await metrics(second, { Authorization: 'Bearer TOKEN' })).found.value('lago_api_jobs_count', labels)).toBe(
      1
    )
  );
  expect((await metrics(web)).status).toBe(401);
  const { found } = await metrics(web, { Authorization: 'Bearer TOKEN' });
  expect(found.value('sidekiq_up')).toBe(1);
  expect(found.value('lago_api_jobs_count', labels)).toBe(1);
});

test('a port that is taken is told by the health check, while queries work, and is used once it is free', async () => {
  const port = await freePort();
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(port, '127.0.0.1', resolve));
  const context = pluginContext(redis.url, { id: nextId++, jsonData: { exporterListen: `127.0.0.1:${port}` } });
  const answer = await health(context);
  expect(answer.status).toBe(2);
  expect(answer.message).toMatch(new RegExp(`Cannot listen at 127.0.0.1:${port}: the port is taken.*Sidekiq 8`));
  const { responses } = await plugin.call<{ responses: Record<string, { error: string }> }>(
    'pluginv2.Data',
    'QueryData',
    { pluginContext: context, headers: {}, queries: [dataQuery('A', { queryType: 'queues' })] }
  );
  expect(responses['A']!.error).toBe('');
  await new Promise((resolve) => other.close(resolve));
  await vi.waitFor(async () => expect((await metrics(port)).status).toBe(200), { timeout: 10_000 });
  expect(await health(context)).toMatchObject({ status: 1 });
});

test('saving the settings again frees the former port', async () => {
  const [first, second] = [await freePort(), await freePort()];
  const id = nextId++;
  const saved = (lastUpdatedMS: number, port: number) =>
    pluginContext(redis.url, { id, lastUpdatedMS, jsonData: { exporterListen: `127.0.0.1:${port}` } });
  await health(saved(1, first));
  expect((await metrics(first)).status).toBe(200);
  await health(saved(2, second));
  expect((await metrics(second)).status).toBe(200);
  await expect(metrics(first)).rejects.toThrow();
});

test('a malformed address is told with the form that is expected', async () => {
  const { status, message } = await health(
    pluginContext(redis.url, { id: nextId++, jsonData: { statsdListen: 'udp://h:9125' } })
  );
  expect(status).toBe(2);
  expect(message).toMatch(/statsdListen invalid format, expected host:port, got: "udp:\/\/h:9125"/);
});

describe('what only the administrator decides', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-data-'));
  let confined: RunningPlugin;
  beforeAll(async () => {
    confined = await startPlugin({ GF_PLUGIN_DATA_DIR: folder });
  });
  afterAll(() => {
    confined.stop();
    rmSync(folder, { recursive: true, force: true });
  });
  const healthOf = (jsonData: object, of = confined) => {
    const id = nextId++;
    const context = pluginContext(redis.url, { id, jsonData });
    return of.call<HealthAnswer>('pluginv2.Diagnostics', 'CheckHealth', { pluginContext: context });
  };

  test('a data source cannot create or change a file by a path; its history goes on in memory', async () => {
    const target = join(folder, 'elsewhere.db');
    const answer = await healthOf({ historyFile: target });
    expect(answer).toMatchObject({ status: 1 });
    expect(answer.message).toMatch(/"historyFile" holds a path.*history is kept in memory/);
    expect(existsSync(target)).toBe(false);
  });

  test('a data source names a history file, which lies in the data directory under its own name', async () => {
    expect((await healthOf({ historyFile: 'history.db' })).message).not.toMatch(/historyFile/);
    expect(readdirSync(folder).filter((name) => name.endsWith('-history.db'))).toHaveLength(1);
  });

  test('without a data directory a history file is refused in a sentence', async () => {
    expect((await healthOf({ historyFile: 'history.db' }, plugin)).message).toMatch(/has no data directory.*data_dir/);
  });

  test('a data source shows a recording that the administrator has put there, and no other file', async () => {
    mkdirSync(join(folder, 'recordings'));
    copyFileSync(join(__dirname, '../recordings/data/incident-7.3.10.rec'), join(folder, 'recordings/night.rec'));
    const shown = await healthOf({ replayFile: 'night.rec' });
    expect(shown).toMatchObject({ status: 1 });
    expect(shown.message).toContain('night.rec · 4 queues');
    for (const [replayFile, told] of [
      ['other.rec', /"replayFile"|cannot be read: ENOENT/],
      ['../1-uid-1-history.db', /"replayFile" holds a path/],
      ['/etc/passwd', /"replayFile" holds a path/],
    ] as const) {
      const answer = await healthOf({ replayFile });
      expect(answer.status, replayFile).toBe(2);
      expect(answer.message, replayFile).toMatch(told);
    }
  });

  test('a unix socket cannot be put at a path, nor remove what is there', async () => {
    const precious = join(folder, 'precious');
    writeFileSync(precious, 'data');
    const answer = await healthOf({ statsdListen: `unixgram://${precious}` });
    expect(answer).toMatchObject({ status: 2 });
    expect(answer.message).toMatch(/"statsdListen" holds a path/);
    expect(readFileSync(precious, 'utf8')).toBe('data');
    expect(await healthOf({ statsdListen: 'unixgram://jobs.sock' })).toMatchObject({ status: 1 });
    expect(readdirSync(folder).filter((name) => name.endsWith('-jobs.sock'))).toHaveLength(1);
  });

  test('an endpoint beyond this host needs a token, or the word of the administrator', async () => {
    const exporterListen = `0.0.0.0:${await freePort()}`;
    expect((await healthOf({ exporterListen })).message).toMatch(/beyond this host .* without a token/);
    const open = await startPlugin({ GF_PLUGIN_LISTEN_WITHOUT_TOKEN: 'true' });
    expect(await healthOf({ exporterListen }, open)).toMatchObject({ status: 1 });
    open.stop();
  });
});

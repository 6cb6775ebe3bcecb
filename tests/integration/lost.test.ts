import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeFleet } from '../support/fleet';
import { EXECUTABLE } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';
import { startServing } from '../support/serve';

/** Losses that `serve` noticed, asked for on the command line after it has ended, by way of the history file. */

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-lost-'));
const file = join(folder, 'history.db');
let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 1, 2, 1);
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

function lost(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(EXECUTABLE, ['query', 'lost', '--json', ...args], {
    env: { PATH: process.env['PATH'], REDIS_URL: redis.url },
    encoding: 'utf8',
  });
  expect(status, stderr).toBe(0);
  return { rows: JSON.parse(stdout) as Array<Record<string, unknown>>, stderr };
}

test('are answered from the history file over a restart, and without one the need for a watcher is told', async () => {
  const watch = await startServing(redis.url, ['--history-file', file, '--sample-seconds', '1']);
  await vi.waitUntil(async () => (await watch.scrape()).value('sidekiq_up') === 1);
  // Killed: its hash expires, its name stays.
  await redis.client.del('host-0:0:abcdef', 'host-0:0:abcdef:work');
  await vi.waitUntil(async () => (await watch.scrape()).value('sidekiq_ghost_processes') === 1, {
    timeout: 10_000,
    interval: 200,
  });
  // It may be frozen and come back within the minute, and a counter cannot fall.
  expect((await watch.scrape()).value('sidekiq_lost_jobs_total')).toBe(0);
  expect(await watch.stop()).toBe(0);

  expect(lost('--history-file', file).rows).toMatchObject([
    { process: 'host-0:0:abcdef', host: 'host-0', jid: '0-0', class: 'PlainJob', lost: null, outcome: 'open' },
  ]);
  const { rows, stderr } = lost();
  expect(rows).toEqual([]);
  expect(stderr).toMatch(/Lost jobs are noticed by a process that watches/);

  const again = await startServing(redis.url, ['--history-file', file]);
  await again.stop();
  expect(lost('--history-file', file).rows).toHaveLength(1);
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { writeFleet } from '../support/fleet';
import { EXECUTABLE } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';

const ROOT = join(__dirname, '../..');
const pages = [
  'README.md',
  ...readdirSync(join(ROOT, 'docs'))
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name}`),
];

/** Commands in the pages' code blocks that end by themselves; `serve` and `top` have tests of their own. */
const commands = pages.flatMap((page) =>
  [...readFileSync(join(ROOT, page), 'utf8').matchAll(/^\s*gpx_sidekiq ((?:query|check|acl)\b[^\n#]*)/gm)].map(
    ([, command]): [string, string] => [command!.trim(), page]
  )
);

let redis: RedisServer;
let folder: string;
beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 3, 2, 1);
  folder = mkdtempSync(join(tmpdir(), 'jobwatch-documented-'));
  // The pages speak of a recording.
  spawnSync(EXECUTABLE, ['record', '--out', 'incident.rec', '--for', '0.2'], { cwd: folder, env: environment() });
});
afterAll(async () => {
  await redis.stop();
  rmSync(folder, { recursive: true });
});

const environment = () => ({ PATH: process.env['PATH'], REDIS_URL: redis.url });

test.each(commands)('gpx_sidekiq %s (%s) runs as written', (command) => {
  const { status, stderr } = spawnSync('sh', ['-c', `${EXECUTABLE} ${command}`], {
    encoding: 'utf8',
    cwd: folder,
    env: environment(),
  });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

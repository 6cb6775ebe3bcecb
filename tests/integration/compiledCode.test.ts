import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { EXECUTABLE } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';
import { startServing } from '../support/serve';

let redis: RedisServer;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

/** A file of /proc that holds texts, each with its end (Linux, proc(5)). */
function textsOf(pid: number, file: 'cmdline' | 'environ'): string[] {
  return readFileSync(`/proc/${pid}/${file}`, 'utf8').split('\0').slice(0, -1);
}

// What is in /proc is Linux'.
test.runIf(process.platform === 'linux').each([
  ['keeps compiled code', {}, 'true'],
  ['leaves the option to whoever gives it', { BUN_JSC_forceCodeBlockLiveness: 'false' }, 'false'],
])('serve %s, as the same process with the same arguments', async (_, env, expected) => {
  const serving = await startServing(redis.url, ['--web-path', '/a path'], {
    TOLD: 'a b',
    ...env,
  });
  const pid = serving.child.pid!;
  const [name, ...args] = textsOf(pid, 'cmdline');
  expect(name).toBe(EXECUTABLE);
  expect(args).toEqual(['serve', '--listen', new URL(serving.url).host, '--web-path', '/a path']);
  const environment = textsOf(pid, 'environ');
  expect(environment).toContain('TOLD=a b');
  expect(environment).toContain(`BUN_JSC_forceCodeBlockLiveness=${expected}`);
  await serving.scrape();
  expect(await serving.stop()).toBe(0);
});

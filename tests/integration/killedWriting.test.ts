import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { FileBlockStore } from '../../pkg/series/fileBlockStore';
import { EXECUTABLE } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';

/** The built executable is killed while it writes as fast as it can: the demo's past, samples and recorded readings of a day. */

let server: RedisServer;
const directory = mkdtempSync(join(tmpdir(), 'jobwatch-killed-'));
beforeAll(async () => {
  server = await startRedis();
});
afterAll(async () => {
  await server.stop();
  rmSync(directory, { recursive: true, force: true });
});

const sizeOf = (path: string) => statSync(path, { throwIfNoEntry: false })?.size ?? 0;

/** Kills the writer as soon as the file and its log have so many bytes, plus a time within a write. */
async function killedAt(file: string, bytes: number, milliseconds: number): Promise<void> {
  const child = spawn(EXECUTABLE, ['demo', '--redis-url', server.url, '--history-file', file], { stdio: 'ignore' });
  const exited = new Promise((resolve) => child.once('exit', resolve));
  await vi.waitUntil(() => sizeOf(file) + sizeOf(`${file}-wal`) >= bytes, { timeout: 60_000, interval: 5 });
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  child.kill('SIGKILL');
  await exited;
}

function run(...args: string[]) {
  const { status, stdout, stderr } = spawnSync(EXECUTABLE, args, {
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], REDIS_URL: server.url },
  });
  return { status, stdout, stderr };
}

test('a history file whose writer is killed at any instant has what was there before, and takes more', async () => {
  let before = 0;
  const readings: number[] = [];
  for (const [index, bytes] of [200_000, 900_000, 1_700_000, 2_900_000, 4_500_000].entries()) {
    const file = join(directory, `${index}.db`);
    await server.client.flushall();
    await killedAt(file, bytes, index * 7);

    const figures = () => {
      const asked = ['--history-file', file, '--from', 'now-26h', '--to', 'now', '--figures', 'enqueued', '--json'];
      const { status, stdout, stderr } = run('query', 'history', '--option', 'by=total', ...asked);
      expect(status, stderr).toBe(0);
      expect(stderr).not.toMatch(/cannot be|kept in memory/);
      return (JSON.parse(stdout) as Array<{ time: number; enqueued: number | null }>).filter(
        ({ enqueued }) => enqueued !== null
      );
    };
    const shown = figures();
    // Of a longer life there is more: what had been written is there.
    expect(shown.length).toBeGreaterThan(before);
    before = shown.length;
    const piece = join(directory, `${index}.rec`);
    const made = run('record', '--in', file, '--out', piece);
    if (made.status === 0) {
      // A block that is damaged would not be told as one, and one that is listed can be read.
      const blocks = FileBlockStore.open(piece);
      readings.push(blocks.all.reduce((sum, each) => sum + each.readings, 0));
      blocks.all.forEach(({ id }) => expect(blocks.read(id).body.length).toBeGreaterThan(0));
      blocks.close();
      const { stdout } = run('query', 'queues', '--replay', piece, '--json');
      expect((JSON.parse(stdout) as unknown[]).length).toBeGreaterThan(5);
    }
  }
  expect(readings.length).toBeGreaterThan(2);
  expect(readings).toEqual([...readings].sort((a, b) => a - b));
});

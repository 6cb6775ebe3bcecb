import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFleet } from '../support/fleet';
import { EXECUTABLE } from '../support/plugin';
import { freePort, startRedis } from '../support/redisServer';
import { cpuSeconds } from './processes';

const SECONDS = 20;

/** CPU of `serve` when nobody asks: the sampler's own readings, and what an open DogStatsD port adds. */
export async function benchRest(): Promise<string[]> {
  const redis = await startRedis();
  await writeFleet(redis.client, 24, 16, 10);
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-rest-'));
  const rows: string[] = [];
  for (const [what, args] of [
    ['reading 24 queues and 16 processes at the default pace', []],
    ['nothing: no reading within the time', ['--sample-seconds', '60']],
    [
      'nothing, with a unix datagram socket open',
      ['--sample-seconds', '60', '--statsd-listen', `unixgram://${join(folder, 'jobs.sock')}`],
    ],
  ] as const) {
    const serving = spawn(EXECUTABLE, ['serve', '--listen', `127.0.0.1:${await freePort()}`, ...args], {
      env: { PATH: process.env['PATH'], REDIS_URL: redis.url },
      stdio: 'ignore',
    });
    await sleep(3000);
    const before = cpuSeconds(serving);
    await sleep(SECONDS * 1000);
    const milliseconds = ((cpuSeconds(serving) - before) / SECONDS) * 1000;
    rows.push(`| ${what} | ${milliseconds.toFixed(1)} |`);
    serving.kill('SIGKILL');
  }
  await redis.stop();
  rmSync(folder, { recursive: true });
  return ['## At rest', '', '| serve does | CPU ms a second |', '| --- | --- |', ...rows];
}

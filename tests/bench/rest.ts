import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { writeFleet } from '../support/fleet';
import { EXECUTABLE } from '../support/plugin';
import { freePort, startRedis } from '../support/redisServer';
import { cpuSeconds } from './processes';
import { reach } from './reach';

/** Bun collects every second until a process has been quiet for half a minute. */
const START_SECONDS = 40;
const SECONDS = 30;

/** CPU of `serve` when nobody asks: the sampler's own readings, and what an open DogStatsD port adds. */
export async function benchRest(): Promise<string[]> {
  const redis = await startRedis();
  await writeFleet(redis.client, 24, 16, 10);
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-rest-'));
  const kinds: Array<[string, string[]]> = [
    ['reading 24 queues and 16 processes at the default pace', []],
    ['nothing: no reading within the time', ['--sample-seconds', '600']],
    [
      'nothing, with a unix datagram socket open',
      ['--sample-seconds', '600', '--statsd-listen', `unixgram://${join(folder, 'jobs.sock')}`],
    ],
  ];
  const ports = await Promise.all(kinds.map(() => freePort()));
  const serving = kinds.map(([, args], index) =>
    spawn(EXECUTABLE, ['serve', '--listen', `127.0.0.1:${ports[index]}`, ...args], {
      env: { PATH: process.env['PATH'], REDIS_URL: redis.url },
      stdio: 'ignore',
    })
  );
  await sleep(START_SECONDS * 1000);
  const before = serving.map(cpuSeconds);
  await sleep(SECONDS * 1000);
  const shares = serving.map((child, index) => ((cpuSeconds(child) - before[index]!) / SECONDS) * 1000);
  reach('CPU of serve at rest', shares[0]!, 3, 'ms a second');
  reach('A unix datagram socket at rest', Math.max(0, shares[2]! - shares[1]!), 3, 'ms a second');
  serving.forEach((child) => child.kill('SIGKILL'));
  await redis.stop();
  rmSync(folder, { recursive: true });
  return [
    '## At rest',
    '',
    `Over ${SECONDS} seconds, ${START_SECONDS} seconds after the start.`,
    '',
    '| serve does | CPU ms a second |',
    '| --- | --- |',
    ...shares.map((share, index) => `| ${kinds[index]![0]} | ${share.toFixed(1)} |`),
  ];
}

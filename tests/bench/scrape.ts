import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { Agent, get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Redis } from 'ioredis';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { writeFleet } from '../support/fleet';
import { EXECUTABLE } from '../support/plugin';
import { startProxy } from '../support/proxy';
import { freePort, startRedis } from '../support/redisServer';
import { startCountingProxy } from '../support/roundTrips';
import { cpuSeconds, residentBytes } from './processes';
import { reach } from './reach';
import { percentile } from './spread';

const SIZES = [
  { queues: 24, processes: 16, busyThreads: 10, classes: 20, runs: 300, delayMs: 0, wantedWall: 8, wantedCpu: 6 },
  { queues: 24, processes: 16, busyThreads: 10, classes: 20, runs: 50, delayMs: 1, wantedWall: 8, wantedCpu: 6 },
  { queues: 100, processes: 40, busyThreads: 10, classes: 50, runs: 100, delayMs: 0, wantedWall: 8, wantedCpu: 6 },
  { queues: 1000, processes: 500, busyThreads: 10, classes: 200, runs: 30, delayMs: 0, wantedWall: 5, wantedCpu: 4 },
];
/** The shipped executable is asked a few times before, not for minutes. */
const WARM_UP = 30;
const MARKER = 'END-OF-BENCH';
const ECHO = `*2\r\n$4\r\nECHO\r\n$${MARKER.length}\r\n${MARKER}\r\n`;

/** Something that answers scrapes, and its process. */
export interface Peer {
  name: string;
  child: ChildProcess;
  port: number;
  agent: Agent;
}

/**
 * A scrape the whole way: over HTTP from the shipped executable, beside the Ruby exporter on Puma where its gems are at
 * hand (RUBYLIB), and the same bytes sent to Redis over a bare socket and not parsed. All of them alternate, so that
 * whatever else the machine does concerns all.
 */
export async function benchScrape(): Promise<string[]> {
  const hasRuby = rubyIsAtHand();
  const report = [
    '## Scrape',
    '',
    'Milliseconds: median (10th to 90th percentile). CPU is user and system time of the process, per scrape.',
    '',
    '| Size | Target | Wall | CPU | Wall, share of the Ruby exporter | CPU, share | Wall, multiple of the floor | Resident |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
  ];
  for (const { queues, processes, busyThreads, classes, runs, delayMs, wantedWall, wantedCpu } of SIZES) {
    const redis = await startRedis();
    await writeFleet(redis.client, queues, processes, busyThreads);
    await writeClasses(redis.client, classes);
    const delay = delayMs > 0 ? await startDelay(redis.port, delayMs) : undefined;
    const port = delay?.port ?? redis.port;
    const env = { ...process.env, REDIS_URL: `redis://127.0.0.1:${port}/0` };
    const trips = await recordTrips(redis.port);
    const peers = [await ours(env), ...(hasRuby ? [await ruby(env)] : [])];
    const bare = connect(port, '127.0.0.1').setNoDelay(true);
    const walls = new Map<string, number[]>([
      ['floor', []],
      ...peers.map(({ name }) => [name, []] as [string, number[]]),
    ]);
    const before = new Map<string, number>();
    for (let run = -WARM_UP; run < runs; run += 1) {
      if (run === 0) {
        walls.forEach((times) => (times.length = 0));
        peers.forEach(({ name, child }) => before.set(name, cpuSeconds(child)));
      }
      walls.get('floor')!.push(await timed(() => replay(bare, trips)));
      for (const peer of peers) {
        walls.get(peer.name)!.push(await timed(() => scrape(peer)));
      }
    }
    const cpu = new Map(
      peers.map(({ name, child }) => [name, ((cpuSeconds(child) - before.get(name)!) / runs) * 1000])
    );
    const floor = percentile(walls.get('floor')!, 0.5);
    const their = { wall: percentile(walls.get('ruby') ?? [NaN], 0.5), cpu: cpu.get('ruby') ?? NaN };
    const size = `${queues} queues × ${processes} processes × ${busyThreads} busy, ${classes} classes${delayMs > 0 ? `, ${delayMs} ms of added delay each way` : ''}`;
    report.push(`| ${size} | floor (${trips.length} round trips) | ${spread(walls.get('floor')!)} | | | | 1 | |`);
    noteReach(
      { size, wantedCpu, wantedWall },
      percentile(walls.get('jobwatch')!, 0.5),
      cpu.get('jobwatch')!,
      their,
      floor
    );
    for (const { name, child } of peers) {
      const times = walls.get(name)!;
      const share = (own: number, other: number) =>
        name === 'ruby' || Number.isNaN(other) ? '' : `1/${(other / own).toFixed(1)}`;
      report.push(
        `| ${size} | ${LABELS[name]} | ${spread(times)} | ${cpu.get(name)!.toFixed(2)} | ${share(percentile(times, 0.5), their.wall)} | ` +
          `${share(cpu.get(name)!, their.cpu)} | ${(percentile(times, 0.5) / floor).toFixed(1)} | ${(residentBytes(child) / 2 ** 20).toFixed(0)} MiB |`
      );
    }
    bare.destroy();
    peers.forEach(({ child, agent }) => {
      agent.destroy();
      child.kill('SIGKILL');
    });
    await delay?.close();
    await redis.stop();
  }
  return hasRuby ? report : [...report, '', WITHOUT_RUBY];
}

export const WITHOUT_RUBY =
  'The Ruby exporter was not at hand: put its gems, Rack and Puma where Ruby finds them (RUBYLIB).';

export function rubyIsAtHand(): boolean {
  return spawnSync('ruby', ['-e', 'require "sidekiq/prometheus/exporter"; require "rack"']).status === 0;
}

/** Shares of the Ruby exporter's, in per cent, and the multiple of the floor. */
function noteReach(
  { size, wantedWall, wantedCpu }: { size: string; wantedWall: number; wantedCpu: number },
  wall: number,
  cpu: number,
  their: { wall: number; cpu: number },
  floor: number
): void {
  if (!Number.isNaN(their.wall)) {
    reach(`Scrape of ${size}: wall`, (wall / their.wall) * 100, 100 / wantedWall, '% of the Ruby exporter’s');
    reach(`Scrape of ${size}: CPU`, (cpu / their.cpu) * 100, 100 / wantedCpu, '% of the Ruby exporter’s');
  }
  reach(`Scrape of ${size}: wall`, wall / floor, 6, '× the floor’s');
}

/** An hour of job metrics, as Sidekiq 7 keeps them: the version whose gem is at hand reads no newer keys. */
export async function writeClasses(client: Redis, classes: number): Promise<void> {
  const current = Math.floor(Date.now() / 60_000) * 60;
  for (let minute = 0; minute < 60; minute += 1) {
    const fields = Array.from({ length: classes }, (_, index) => [
      `Some::Job${index}|p`,
      5,
      `Some::Job${index}|ms`,
      1234,
    ]);
    await client.hset(String(metricKeys.oldMinute(current - minute * 60)), ...fields.flat());
  }
}

/** A way to Redis that takes time: what arrives at either end goes on after the delay. */
function startDelay(redisPort: number, milliseconds: number) {
  const later = (bytes: Buffer, send: (bytes: Buffer) => void) => void setTimeout(() => send(bytes), milliseconds);
  return startProxy(redisPort, later, later);
}

export const LABELS: Record<string, string> = { jobwatch: 'Jobwatch', ruby: 'sidekiq-prometheus-exporter on Puma' };

/** @param own settings of ours, `JOBWATCH_…` */
export async function ours(
  env: NodeJS.ProcessEnv,
  own: NodeJS.ProcessEnv = { JOBWATCH_REUSE_SECONDS: '0', JOBWATCH_SAMPLER_ENABLED: 'false' }
): Promise<Peer> {
  const port = await freePort();
  const child = spawn(EXECUTABLE, ['serve', '--listen', `127.0.0.1:${port}`], {
    env: { ...env, ...own },
    stdio: 'ignore',
  });
  return ready({ name: 'jobwatch', child, port, agent: new Agent({ keepAlive: true }) });
}

export async function ruby(env: NodeJS.ProcessEnv): Promise<Peer> {
  const port = await freePort();
  const rackup = join(__dirname, 'exporter.ru');
  const child = spawn('puma', ['-e', 'production', '-t', '1:1', '-b', `tcp://127.0.0.1:${port}`, rackup], {
    env,
    stdio: 'ignore',
  });
  return ready({ name: 'ruby', child, port, agent: new Agent({ keepAlive: true }) });
}

async function ready(peer: Peer): Promise<Peer> {
  for (let tries = 0; tries < 400; tries += 1) {
    if (await scrape(peer).then(Boolean, () => false)) {
      return peer;
    }
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`${peer.name} does not answer.`);
}

/** @returns the bytes of the answer */
export function scrape({ port, agent }: Peer): Promise<number> {
  return new Promise((resolve, reject) => {
    get({ host: '127.0.0.1', port, path: '/metrics', agent }, (answer) => {
      let bytes = 0;
      answer.on('data', (chunk: Buffer) => (bytes += chunk.length));
      answer.on('end', () =>
        answer.statusCode === 200 ? resolve(bytes) : reject(new Error(String(answer.statusCode)))
      );
    }).on('error', reject);
  });
}

/** What a warm scrape sends, one buffer a round trip. */
async function recordTrips(redisPort: number): Promise<Buffer[]> {
  const proxy = await startCountingProxy(redisPort);
  const peer = await ours({ ...process.env, REDIS_URL: `redis://127.0.0.1:${proxy.port}/0` });
  await scrape(peer);
  proxy.reset();
  await scrape(peer);
  peer.child.kill('SIGKILL');
  await proxy.close();
  return proxy.sent();
}

async function replay(socket: Socket, trips: readonly Buffer[]): Promise<void> {
  for (const trip of trips) {
    await new Promise<void>((resolve) => {
      const onData = (bytes: Buffer) => {
        if (bytes.includes(MARKER)) {
          socket.off('data', onData);
          resolve();
        }
      };
      socket.on('data', onData);
      socket.write(Buffer.concat([trip, Buffer.from(ECHO)]));
    });
  }
}

export async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  await work();
  return performance.now() - startedAt;
}

function spread(values: readonly number[]): string {
  return `${percentile(values, 0.5).toFixed(2)} (${percentile(values, 0.1).toFixed(2)} to ${percentile(values, 0.9).toFixed(2)})`;
}

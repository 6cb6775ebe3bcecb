import { spawn, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import type { CapsuleSpec, FetchMode } from '../../pkg/engine/engine';
import { Installation } from '../../pkg/installation/installation';
import { parseSettings } from '../../pkg/settings/settings';
import { startRedis, type RedisServer } from '../support/redisServer';

/** A capsule as a real process is given it. */
export interface RealCapsule {
  threads: number;
  mode: FetchMode;
  weights: Record<string, number>;
}

/** A job of the validation: when it is pushed (seconds after the beginning; negative: it waits then), where, and how long it takes. */
export interface RealJob {
  at: number;
  queue: string;
  seconds: number;
  fails: boolean;
}

/** What a real run measured, by queue: waits in seconds; and how busy the threads were. */
export interface Measured {
  waits: Map<string, number[]>;
  utilisation: number;
  /** Seconds until all jobs of a queue had started that waited at the beginning; no entry where none did or some never have. */
  drainedAt: Map<string, number>;
  /** Version of the Sidekiq that ran, as its processes tell it. */
  sidekiq: string;
}

/** Processes of a run, each with its capsules. */
export type RealTopology = ReadonlyArray<readonly RealCapsule[]>;

const APP = join(__dirname, 'app.rb');
const BOOT_MS = 60_000;
/** How long a backlog waits before the beginning, at which its processes start: Jobwatch samples every ten seconds. */
export const BACKLOG_SECONDS = 30;

/** Runs jobs on a real Sidekiq. With `watch`, Jobwatch looks on all the while, and is handed over before anything ends. */
export async function realRun(
  topology: RealTopology,
  jobs: readonly RealJob[],
  seconds: number,
  jobClass: string,
  watch?: (installation: Installation, from: number) => Promise<void>
): Promise<Measured> {
  const redis = await startRedis();
  const installation = watch && new Installation(parseSettings({ url: redis.url, options: { reuseSeconds: 0 } }));
  const hasBacklog = jobs.some(({ at }) => at < 0);
  // Minutes are fitted whole: the first one begins with the first job that comes, once the processes have booted.
  const from = Math.ceil((Date.now() / 1000 + BACKLOG_SECONDS) / 60) * 60;
  const processes = topology.map((capsules) => startProcess(redis, capsules, hasBacklog ? from : 0));
  try {
    installation?.startSampling();
    if (!hasBacklog) {
      await booted(redis, processes.length);
    }
    await until(from - BACKLOG_SECONDS);
    await pushAll(redis, jobs, from, jobClass);
    await booted(redis, processes.length);
    await until(from + seconds);
    const to = from + seconds;
    // Heartbeats write the last minute within ten seconds; it is fitted once it is a minute old.
    await until(to + (watch ? 65 : 15));
    if (installation && watch) {
      await watch(installation, from);
    }
    return await measured(redis, { topology, jobs, from, to });
  } finally {
    installation?.close();
    processes.forEach((process) => process.kill('SIGKILL'));
    await redis.stop();
  }
}

/** @param takesFrom epoch seconds from which on it takes jobs */
function startProcess(redis: RedisServer, capsules: readonly RealCapsule[], takesFrom: number): ChildProcess {
  const described = capsules.map(({ threads, weights, mode }, index) => ({
    name: `capsule${index}`,
    concurrency: threads,
    queues: Object.entries(weights).map(([queue, weight]) =>
      mode === 'strict' ? queue : `${queue},${mode === 'random' ? 1 : weight}`
    ),
  }));
  return spawn(
    'ruby',
    ['-r', 'sidekiq/cli', '-e', `cli = Sidekiq::CLI.instance; cli.parse(["-r", ${JSON.stringify(APP)}]); cli.run`],
    {
      env: { ...process.env, REDIS_URL: redis.url, CAPSULES: JSON.stringify(described), TAKES_FROM: String(takesFrom) },
      stdio: ['ignore', 'ignore', process.env['VALIDATE_LOG'] ? 'inherit' : 'ignore'],
    }
  );
}

async function booted({ client }: RedisServer, count: number): Promise<void> {
  const end = Date.now() + BOOT_MS;
  while ((await client.scard('processes')) < count) {
    if (Date.now() > end) {
      throw new Error('the real Sidekiq does not start; RUBYLIB names its gems');
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Each job at its time, as `perform_async` would. */
async function pushAll(
  { client }: RedisServer,
  jobs: readonly RealJob[],
  from: number,
  jobClass: string
): Promise<void> {
  const queues = [...new Set(jobs.map(({ queue }) => queue))];
  await client.sadd('queues', ...queues);
  for (const [index, { at, queue, seconds, fails }] of jobs.entries()) {
    if (from + at > Date.now() / 1000) {
      await until(from + at);
    }
    const now = Date.now() / 1000;
    const job = {
      retry: fails ? 3 : false,
      queue,
      class: `${jobClass}${queue.toUpperCase()}`,
      args: [seconds, queue, fails],
      jid: index.toString(16).padStart(24, '0'),
      created_at: now,
      enqueued_at: now,
    };
    void client.lpush(`queue:${queue}`, JSON.stringify(job));
  }
}

interface Ran {
  topology: RealTopology;
  jobs: readonly RealJob[];
  from: number;
  to: number;
}

async function measured({ client }: RedisServer, { topology, jobs, from, to }: Ran): Promise<Measured> {
  const waits = new Map<string, number[]>();
  const drainedAt = new Map<string, number>();
  let busy = 0;
  const queues = new Set(topology.flatMap((capsules) => capsules.flatMap(({ weights }) => Object.keys(weights))));
  for (const queue of queues) {
    const initial: number[] = [];
    for (const line of await client.lrange(`measured:${queue}`, 0, -1)) {
      const [pushedAt, began, ended] = line.split(' ').map(Number) as [number, number, number];
      busy += Math.max(0, Math.min(ended, to) - Math.max(began, from));
      if (began <= to) {
        waits.set(queue, [...(waits.get(queue) ?? []), began - pushedAt]);
      }
      if (pushedAt < from && began <= to) {
        initial.push(began - from);
      }
    }
    if (initial.length > 0 && initial.length === jobs.filter((job) => job.queue === queue && job.at < 0).length) {
      drainedAt.set(queue, Math.max(...initial));
    }
  }
  const threads = topology
    .flatMap((capsules) => capsules.map((each) => each.threads))
    .reduce((sum, each) => sum + each, 0);
  return { waits, drainedAt, utilisation: busy / (threads * (to - from)), sidekiq: await versionOf(client) };
}

async function versionOf(client: RedisServer['client']): Promise<string> {
  const [identity = ''] = await client.smembers('processes');
  const { version } = JSON.parse((await client.hget(identity, 'info')) ?? '{}') as { version?: string };
  return version ?? 'before 7';
}

/** A capsule as the engine takes it. */
export function specOf({ threads, mode, weights }: RealCapsule): CapsuleSpec {
  return { threads, mode, weights: new Map(Object.entries(weights)) };
}

function until(at: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, at * 1000 - Date.now())));
}

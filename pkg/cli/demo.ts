import { Redis } from 'ioredis';
import { Fault } from '../faults/fault';
import { log } from '../log';
import { backfill } from '../simulator/backfill';
import { parseEndpoint } from '../settings/endpoint';
import { FORMATS } from '../simulator/format';
import { Locks } from '../simulator/locks';
import { startProReporter } from '../simulator/proReporter';
import { Simulator } from '../simulator/simulator';
import { PAST_SECONDS, Story } from '../simulator/story';
import type { SidekiqVersion } from '../simulator/workload';
import { pastBegins, recordPast, type Past } from './demoPast';

/** Flags of the command, as commander reads them. */
export interface DemoFlags {
  redisUrl: string;
  sidekiq: string;
  seed: number;
  force?: boolean;
  statsdEndpoint?: string;
  historyFile?: string;
}

const STEP_SECONDS = 0.25;
/** Locks follow their jobs so often. */
const LOCKS_SECONDS = 5;
/** Lived through before the demo begins, so that retries, deaths and scheduled jobs are there at the first look. */
const BEFORE_SECONDS = 300;

/** Runs a simulated Sidekiq in a Redis until SIGINT or SIGTERM. @throws Fault when that Redis holds a real one */
export async function demo({ redisUrl, sidekiq, seed, force, statsdEndpoint, historyFile }: DemoFlags): Promise<void> {
  const version = sidekiq as SidekiqVersion;
  const redis = new Redis(redisUrl, { lazyConnect: true, maxRetriesPerRequest: 1 });
  redis.on('error', () => undefined);
  try {
    await redis.connect();
    if (!force && (await redis.exists('stat:processed', 'processes', 'queues')) > 0) {
      throw new Fault({
        kind: 'settings',
        message: 'This Redis already holds a Sidekiq.',
        remedy: 'Use an empty database, or --force where it is a demo of before.',
      });
    }
  } catch (error) {
    redis.disconnect();
    throw error instanceof Fault
      ? error
      : new Fault({
          kind: 'connection',
          message: `Redis cannot be reached: ${(error as Error).message}.`,
          remedy: 'Check --redis-url.',
          cause: error,
        });
  }
  const now = Date.now() / 1000;
  const past: Past | undefined =
    historyFile === undefined
      ? undefined
      : { redis, redisUrl, version, seed, endsAt: now, seconds: PAST_SECONDS, historyFile, story: new Story(now) };
  const startsAt = past ? pastBegins(past) : now - BEFORE_SECONDS;
  const reporter =
    statsdEndpoint === undefined
      ? undefined
      : startProReporter(parseEndpoint('statsdEndpoint', statsdEndpoint), version);
  // What Sidekiq Pro sends arrives when it happens.
  let caughtUp = false;
  const simulator = new Simulator(redis, {
    version,
    seed,
    startsAt,
    ...(past && { story: { story: past.story, until: now } }),
    onFinished: (...execution) => {
      if (caughtUp) {
        reporter?.report(...execution);
      }
    },
  });
  let lived = now;
  if (past) {
    lived = await recordPast(past, simulator);
  } else {
    await backfill(redis, version, seed, startsAt);
    await simulator.advance(BEFORE_SECONDS);
  }
  caughtUp = true;
  log('info', 'simulating Sidekiq', { sidekiq: version, seed });
  let stopped = false;
  const stop = () => (stopped = true);
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  const locks = new Locks(redis, FORMATS[version], now);
  let lockedAt = 0;
  while (!stopped) {
    await new Promise((resolve) => setTimeout(resolve, STEP_SECONDS * 1000));
    const current = Date.now() / 1000;
    await simulator.advance(current - lived);
    lived = current;
    if (current - lockedAt >= LOCKS_SECONDS) {
      lockedAt = current;
      await locks.refresh();
    }
  }
  reporter?.close();
  redis.disconnect();
}

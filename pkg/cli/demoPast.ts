import type { Redis } from 'ioredis';
import { Installation } from '../installation/installation';
import { parseSettings } from '../settings/settings';
import { backfill, forgetOldMinutes } from '../simulator/backfill';
import type { Simulator } from '../simulator/simulator';
import { PAST_SECONDS } from '../simulator/story';
import type { SidekiqVersion } from '../simulator/workload';

/** Seconds from one reading to the next by how long before the end: the older part is read less often, as a recording thins it. */
const PACES = [
  { before: 6 * 3600, seconds: 300 },
  { before: 3600, seconds: 60 },
  { before: 0, seconds: 15 },
] as const;

/** A simulated past and where it is to be kept. */
export interface Past {
  redis: Redis;
  redisUrl: string;
  version: SidekiqVersion;
  seed: number;
  /** Epoch seconds. */
  endsAt: number;
  historyFile: string;
}

/** When the past begins (epoch seconds). */
export function pastBegins({ endsAt }: Pick<Past, 'endsAt'>): number {
  return endsAt - PAST_SECONDS;
}

/**
 * Lives through a day and records it as an installation that has watched all the time: by the same readings, into the same
 * kind of history file.
 */
export async function recordPast(
  { redis, redisUrl, version, seed, endsAt, historyFile }: Past,
  simulator: Simulator
): Promise<void> {
  const startsAt = endsAt - PAST_SECONDS;
  await backfill(redis, version, seed, startsAt, 0);
  let now = startsAt;
  const installation = new Installation(
    parseSettings({ url: redisUrl, options: { historyFile, preset: 'lago', reuseSeconds: 0, samplerEnabled: false } }),
    () => now
  );
  installation.startSampling();
  while (now < endsAt) {
    const left = endsAt - now;
    const step = Math.min(left, PACES.find(({ before }) => left > before)?.seconds ?? left);
    await simulator.advance(step);
    now += step;
    await installation.state();
  }
  installation.close();
  await forgetOldMinutes(redis, version, startsAt, endsAt);
}

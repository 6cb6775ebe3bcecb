import type { Redis } from 'ioredis';
import { Installation } from '../installation/installation';
import { parseSettings } from '../settings/settings';
import { backfill, forgetOldMinutes } from '../simulator/backfill';
import type { Simulator } from '../simulator/simulator';
import type { Story } from '../simulator/story';
import type { SidekiqVersion } from '../simulator/workload';

/** Seconds from one reading to the next by how long before the end: the older part is read less often, as a recording thins it. */
const PACES = [
  { before: 6 * 3600, seconds: 300 },
  { before: 3600, seconds: 60 },
  { before: 0, seconds: 15 },
] as const;
const ACT_PACE_SECONDS = 5;

/** A simulated past and where it is to be kept. */
export interface Past {
  redis: Redis;
  redisUrl: string;
  version: SidekiqVersion;
  seed: number;
  /** Epoch seconds. */
  endsAt: number;
  /** How long it is. */
  seconds: number;
  historyFile: string;
  story: Story;
}

/** When the past begins (epoch seconds). */
export function pastBegins({ endsAt, seconds }: Pick<Past, 'endsAt' | 'seconds'>): number {
  return endsAt - seconds;
}

/**
 * Lives through a day and records it as an installation that has watched all the time: by the same readings, into the same
 * kind of history file.
 */
export async function recordPast(
  { redis, redisUrl, version, seed, endsAt, seconds, historyFile, story }: Past,
  simulator: Simulator
): Promise<void> {
  const startsAt = endsAt - seconds;
  await backfill(redis, version, seed, startsAt, 0);
  let now = startsAt;
  let watching: Installation | undefined;
  for (const { before, seconds: pace } of PACES) {
    // Another pace is another setting: what is recorded says how dense it is.
    const former = watching;
    watching = new Installation(
      parseSettings({
        url: redisUrl,
        options: { historyFile, preset: 'lago', reuseSeconds: 0, samplerEnabled: false, sampleSeconds: pace },
      }),
      { clock: () => now, former }
    );
    former?.close();
    watching.startSampling();
    while (now < endsAt - before) {
      const left = endsAt - before - now;
      const step = Math.min(left, pace, Math.max(ACT_PACE_SECONDS, story.secondsToAct(now)));
      await simulator.advance(step);
      now += step;
      await watching.state();
    }
  }
  watching?.close();
  await forgetOldMinutes(redis, version, startsAt, endsAt);
}

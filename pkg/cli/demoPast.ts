import type { Redis } from 'ioredis';
import { Installation } from '../installation/installation';
import { parseSettings } from '../settings/settings';
import { backfill, forgetOldMinutes } from '../simulator/backfill';
import type { Simulator } from '../simulator/simulator';
import type { Story } from '../simulator/story';
import type { SidekiqVersion } from '../simulator/workload';

const LAST_PACE_SECONDS = 15;
/** Seconds from one reading to the next by how long before the end: the older part is read less often, as a recording thins it. */
const PACES = [
  { before: 6 * 3600, seconds: 300 },
  { before: 3600, seconds: 60 },
  { before: 0, seconds: LAST_PACE_SECONDS },
] as const;
const ACT_PACE_SECONDS = 15;
/** What is left for the present when the past has been lived through. */
const CAUGHT_UP_SECONDS = 2;

/** A simulated past and where it is to be kept. */
export interface Past {
  redis: Redis;
  redisUrl: string;
  version: SidekiqVersion;
  seed: number;
  /** Epoch seconds; what has gone by since then is recorded too. */
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
 *
 * @returns until when it has lived (epoch seconds): the present, less two seconds at most
 */
export async function recordPast(
  { redis, redisUrl, version, seed, endsAt, seconds, historyFile, story }: Past,
  simulator: Simulator,
  clock = () => Date.now() / 1000
): Promise<number> {
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
  await forgetOldMinutes(redis, version, startsAt, endsAt);
  // A day takes its time to be lived through, which would be a gap before the present.
  for (let left = clock() - now; left > CAUGHT_UP_SECONDS; left = clock() - now) {
    const step = Math.min(left, LAST_PACE_SECONDS);
    await simulator.advance(step);
    now += step;
    await watching?.state();
  }
  watching?.close();
  return now;
}

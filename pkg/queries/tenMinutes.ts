import { groupBy } from '../sidekiq/groupBy';
import { isOfOldSidekiq, sumCounts, type Bucket } from '../sidekiq/jobMetrics';
import { TEN_MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { Notice } from '../sidekiq/model';
import { instantText } from '../source/instants';
import type { Range, Reads } from '../source/reads';

const SECONDS = 600;
/** A minute is taken from Redis while it is kept there for this much longer. */
const SPARE_SECONDS = 300;

/** From when on Redis surely has all minutes: an instant at which a bucket of that length begins. */
export function minutesFrom(
  now: number,
  { minutesKeptSeconds }: Pick<Reads, 'minutesKeptSeconds'>,
  seconds: number
): number {
  const minute = Math.floor((now - minutesKeptSeconds + SPARE_SECONDS) / 60) * 60;
  return Math.ceil(minute / seconds) * seconds;
}

/**
 * Executions of a range that reaches back beyond the minutes that Redis keeps, by ten minutes that are whole, oldest first. The
 * last hours are summed from their minutes, which every version of Sidekiq writes. Those before come from the counters of ten
 * minutes (Sidekiq ≥ 8.0), or from minutes that were recorded where these tell of more executions of a class. Where an older
 * Sidekiq ran, a ten minutes without counters is known as far as it was recorded.
 */
export async function readTenMinutes(
  range: Range,
  now: number,
  reads: Reads
): Promise<{ buckets: Bucket[]; notices: Notice[] }> {
  const recentFrom = minutesFrom(now, reads, SECONDS);
  const endsAt = Math.ceil(range.to / SECONDS) * SECONDS;
  const before = { from: Math.floor(range.from / SECONDS) * SECONDS, to: Math.min(endsAt, recentFrom) - 1 };
  const kept = await reads.buckets(before, SECONDS, now);
  const recorded = await reads.recordedMinutes(before);
  // The first ones tell which Sidekiq ran before them.
  const recent = await reads.buckets({ from: recentFrom, to: Math.max(endsAt, recentFrom + SECONDS) - 1 }, 60, now);
  const isOld = recent.buckets.some(isOfOldSidekiq);
  const former = largest(kept.buckets, summed(recorded.minutes), isOld);
  const buckets = [...former, ...summed(recent.buckets.filter(({ startsAt }) => startsAt < endsAt))];
  const notices: Notice[] = [...kept.notices, ...recent.notices];
  if (range.from < now - TEN_MINUTES_KEPT_SECONDS) {
    notices.push({
      severity: 'info',
      text: `Sidekiq keeps its job metrics for ${TEN_MINUTES_KEPT_SECONDS / 3600} hours (per ten minutes, since Sidekiq 8.0); there is nothing from before.`,
    });
  }
  if (isOld) {
    const minutes = recorded.minutes.length;
    notices.push({
      severity: 'warning',
      text: `Before ${instantText(recentFrom)} executions by Sidekiq older than 8.0 are ${minutes === 0 ? 'not known' : `those of the ${minutes} minutes that were recorded`}: it keeps its job metrics for ${reads.minutesKeptSeconds / 3600} hours.`,
    });
  }
  // Minutes of the running ten that are still to come are not unknown.
  if (buckets.some((bucket) => (bucket.knownSeconds ?? SECONDS) < SECONDS && bucket.startsAt + SECONDS <= now)) {
    notices.push({ severity: 'info', text: 'Rates and means are of the time that is known.' });
  }
  notices.push({
    severity: 'info',
    text: 'Sidekiq keeps durations for 8 hours, so there are no quantiles for this time range.',
  });
  return { buckets, notices };
}

/** Minutes as buckets of ten, of which as much is known as there are minutes: one that was refused is not among them. */
function summed(minutes: readonly Bucket[]): Array<Bucket & { knownSeconds: number }> {
  return [...groupBy(minutes, ({ startsAt }) => Math.floor(startsAt / SECONDS) * SECONDS)].map(
    ([startsAt, members]) => ({
      startsAt,
      classes: sumCounts(members),
      knownSeconds: 60 * members.length,
    })
  );
}

/**
 * Of each class that which tells of more executions: neither has those of the other beside its own.
 *
 * @param isOld whether a bucket without counters may be of a Sidekiq that writes none
 */
function largest(
  kept: readonly Bucket[],
  recorded: ReadonlyArray<Bucket & { knownSeconds: number }>,
  isOld: boolean
): Bucket[] {
  const others = new Map(recorded.map((bucket) => [bucket.startsAt, bucket]));
  const starts = [...new Set([...kept, ...recorded].map(({ startsAt }) => startsAt))].sort((a, b) => a - b);
  const counters = new Map(kept.map(({ startsAt, classes }) => [startsAt, classes]));
  return starts.map((startsAt) => {
    const other = others.get(startsAt);
    const classes = new Map(counters.get(startsAt));
    const counted = classes.size > 0;
    const recordedSeconds = other?.knownSeconds ?? 0;
    for (const [jobClass, counts] of other?.classes ?? []) {
      if (counts.processed > (classes.get(jobClass)?.processed ?? 0)) {
        classes.set(jobClass, counts);
      }
    }
    if (counters.has(startsAt) && !isOld) {
      return { startsAt, classes };
    }
    // Where an older Sidekiq ran beside, counters are a part of what ran: of no time is all known.
    const knownSeconds = counted && recordedSeconds < SECONDS ? 0 : recordedSeconds;
    return { startsAt, classes, ...(knownSeconds < SECONDS && { knownSeconds }) };
  });
}

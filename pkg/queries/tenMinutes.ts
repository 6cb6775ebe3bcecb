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
 * Executions of a range that reaches back beyond the minutes that Redis keeps, by ten minutes, oldest first. The last hours
 * are summed from their minutes, which every version of Sidekiq writes. Those before come from the counters of ten minutes
 * (Sidekiq ≥ 8.0), or from minutes that were recorded where these tell of more executions of a class.
 */
export async function readTenMinutes(
  range: Range,
  now: number,
  reads: Reads
): Promise<{ buckets: Bucket[]; notices: Notice[] }> {
  const recentFrom = minutesFrom(now, reads, SECONDS);
  const before = { from: range.from, to: Math.min(range.to, recentFrom - 1) };
  const kept = await reads.buckets(before, SECONDS, now);
  const recorded = await reads.recordedMinutes(before);
  const recent =
    range.to < recentFrom
      ? { buckets: [], notices: [] }
      : await reads.buckets({ from: recentFrom, to: range.to }, 60, now);
  const notices: Notice[] = [...kept.notices, ...recent.notices];
  if (range.from < now - TEN_MINUTES_KEPT_SECONDS) {
    notices.push({
      severity: 'info',
      text: `Sidekiq keeps its job metrics for ${TEN_MINUTES_KEPT_SECONDS / 3600} hours (per ten minutes, since Sidekiq 8.0); there is nothing from before.`,
    });
  }
  if (recent.buckets.some(isOfOldSidekiq)) {
    notices.push({
      severity: 'warning',
      text: `Before ${instantText(recentFrom)} executions by Sidekiq older than 8.0 are ${recorded.minutes.length === 0 ? 'not known' : 'those that were recorded'}: it keeps its job metrics for ${reads.minutesKeptSeconds / 3600} hours.`,
    });
  }
  notices.push({
    severity: 'info',
    text: 'Sidekiq keeps durations for 8 hours, so there are no quantiles for this time range.',
  });
  return { buckets: [...largest(kept.buckets, summed(recorded.minutes)), ...summed(recent.buckets)], notices };
}

/** Minutes as buckets of ten. */
function summed(minutes: readonly Bucket[]): Bucket[] {
  return [...groupBy(minutes, ({ startsAt }) => Math.floor(startsAt / SECONDS) * SECONDS)].map(
    ([startsAt, members]) => ({
      startsAt,
      classes: sumCounts(members),
    })
  );
}

/** Of each class that which tells of more executions: neither has those of the other beside its own. */
function largest(kept: readonly Bucket[], recorded: readonly Bucket[]): Bucket[] {
  const others = new Map(recorded.map(({ startsAt, classes }) => [startsAt, classes]));
  const starts = [...new Set([...kept, ...recorded].map(({ startsAt }) => startsAt))].sort((a, b) => a - b);
  const known = new Map(kept.map(({ startsAt, classes }) => [startsAt, classes]));
  return starts.map((startsAt) => {
    const classes = new Map(known.get(startsAt));
    for (const [jobClass, counts] of others.get(startsAt) ?? []) {
      if (counts.processed > (classes.get(jobClass)?.processed ?? 0)) {
        classes.set(jobClass, counts);
      }
    }
    return { startsAt, classes };
  });
}

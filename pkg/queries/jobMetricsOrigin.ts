import type { Reads } from '../source/reads';
import type { State } from '../watch/state';
import type { Bucket, Durations } from '../sidekiq/jobMetrics';
import { MINUTES_KEPT_SECONDS, TEN_MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { Notice } from '../sidekiq/model';
import type { Resolution } from '../sidekiq/parts/minute';
import type { QueryRequest } from './queryType';

/** Where job metrics come from; `auto` takes DogStatsD from the time it arrives. */
export const JOB_METRICS_ORIGINS = ['auto', 'redis', 'statsd'] as const;
export type JobMetricsOrigin = (typeof JOB_METRICS_ORIGINS)[number];

/** Sidekiq Pro sends with every job; nothing for so long means that it no longer does. */
const SILENT_SECONDS = 600;

interface DurationsRead {
  durations: Durations[];
  notices: readonly Notice[];
}

/** Executions of a range, whichever way they were learned. */
export interface Executions {
  /** Oldest first, those without executions included. */
  buckets: Bucket[];
  resolution: Resolution;
  notices: Notice[];
  now: number;
  /** Durations of classes by minute; none where buckets are of ten minutes, which have none. */
  durationsOf(jobClasses: readonly string[]): Promise<DurationsRead>;
}

/**
 * Reads the asked range. Where DogStatsD arrives, its minutes are used from its first whole minute on, and those of
 * Redis before, so that no minute is counted from both; a notice says which is which.
 */
export async function readExecutions(
  { statsd, now }: State,
  { range }: QueryRequest,
  reads: Reads,
  origin: JobMetricsOrigin
): Promise<Executions> {
  const { minutes } = statsd;
  const arrives = minutes.lastAt > 0 && now - minutes.lastAt < SILENT_SECONDS;
  if (origin === 'redis' || (origin === 'auto' && !arrives)) {
    return fromRedis(range, now, reads);
  }
  if (minutes.lastAt === 0) {
    const text = 'Nothing has arrived by DogStatsD. Set "statsdListen" and send Sidekiq Pro’s metrics there.';
    return {
      buckets: [],
      resolution: 60,
      notices: [{ severity: 'warning', text }],
      now,
      durationsOf: async () => ({ durations: [], notices: [] }),
    };
  }
  const firstWhole = Math.ceil(minutes.firstAt / 60) * 60;
  if (origin === 'auto' && firstWhole >= range.to) {
    return fromRedis(range, now, reads);
  }
  const since = new Date(firstWhole * 1000).toISOString().slice(11, 16);
  const buckets = firstWhole >= range.to ? [] : minutes.read(Math.max(range.from, firstWhole), Math.min(range.to, now));
  const earlier =
    origin === 'auto' && range.from < firstWhole
      ? await fromRedis({ from: range.from, to: Math.min(range.to, firstWhole - 1) }, now, reads)
      : undefined;
  if (earlier?.resolution === 600) {
    // Beyond eight hours only Redis has figures, and in steps of ten minutes.
    return fromRedis(range, now, reads);
  }
  const text = earlier
    ? `From Sidekiq’s metrics in Redis until ${since} UTC, then from Sidekiq Pro by DogStatsD.`
    : 'From Sidekiq Pro by DogStatsD.';
  return {
    buckets: [...(earlier?.buckets ?? []), ...buckets],
    resolution: 60,
    notices: [...(earlier?.notices ?? []), { severity: 'info', text }],
    now,
    async durationsOf(jobClasses) {
      const before = await earlier?.durationsOf(jobClasses);
      return {
        durations: [...(before?.durations ?? []), ...minutes.readDurations(jobClasses, buckets)],
        notices: before?.notices ?? [],
      };
    },
  };
}

async function fromRedis(range: QueryRequest['range'], now: number, reads: Reads): Promise<Executions> {
  const resolution: Resolution = now - range.from <= MINUTES_KEPT_SECONDS + 60 ? 60 : 600;
  const kept = resolution === 60 ? MINUTES_KEPT_SECONDS : TEN_MINUTES_KEPT_SECONDS;
  const { buckets, notices } = await reads.buckets(range, resolution, now);
  const told: Notice[] = [...notices];
  if (range.from < now - kept) {
    told.push({
      severity: 'info',
      text: `Sidekiq keeps its job metrics for ${kept / 3600} hours${resolution === 600 ? ' (per ten minutes, since Sidekiq 8.0)' : ''}; there is nothing from before.`,
    });
  }
  if (resolution === 600) {
    told.push({
      severity: 'info',
      text: 'Sidekiq keeps durations for 8 hours, so there are no quantiles for this time range.',
    });
  }
  return {
    buckets,
    resolution,
    notices: told,
    now,
    durationsOf: async (jobClasses) =>
      resolution === 60 ? reads.durations(jobClasses, buckets, now) : { durations: [], notices: [] },
  };
}

import type { Bucket } from '../sidekiq/jobMetrics';
import {
  MINUTES_KEPT_SECONDS,
  TEN_MINUTES_KEPT_SECONDS,
  type Histogram,
  type Resolution,
} from '../sidekiq/jobMetricsReader';
import type { Notice } from '../sidekiq/snapshot';
import type { QueryContext } from './context';

/** Where job metrics come from; `auto` takes DogStatsD from the time it arrives. */
export const JOB_METRICS_ORIGINS = ['auto', 'redis', 'statsd'] as const;
export type JobMetricsOrigin = (typeof JOB_METRICS_ORIGINS)[number];

/** Sidekiq Pro sends with every job; nothing for so long means that it no longer does. */
const SILENT_SECONDS = 600;

/** Executions of a range, whichever way they were learned. */
export interface Executions {
  /** Oldest first, those without executions included. */
  buckets: Bucket[];
  resolution: Resolution;
  notices: Notice[];
  now: number;
  /** Durations of a class by minute; empty where buckets are of ten minutes, which have none. */
  histogramsOf(jobClass: string): Promise<Histogram[]>;
}

/**
 * Reads the asked range. With DogStatsD at hand its minutes are used from its first whole minute on, and Redis' before
 * that, so that no minute is counted from both; a notice says which is which.
 */
export async function readExecutions(context: QueryContext, origin: JobMetricsOrigin): Promise<Executions> {
  const { at: now } = await context.snapshot();
  const { minutes } = context.pro;
  const arrives = minutes.lastAt > 0 && now - minutes.lastAt < SILENT_SECONDS;
  if (origin === 'redis' || (origin === 'auto' && !arrives)) {
    return fromRedis(context, now, context.range.to);
  }
  const { from, to } = context.range;
  if (minutes.lastAt === 0) {
    const text = 'Nothing has arrived by DogStatsD. Set "statsdListen" and send Sidekiq Pro’s metrics there.';
    return { buckets: [], resolution: 60, notices: [{ severity: 'warning', text }], now, histogramsOf: async () => [] };
  }
  const firstWhole = Math.ceil(minutes.firstAt / 60) * 60;
  const since = new Date(firstWhole * 1000).toISOString().slice(11, 16);
  const buckets = minutes.read(Math.max(from, firstWhole), Math.min(to, now));
  const earlier = origin === 'auto' && from < firstWhole ? await fromRedis(context, now, firstWhole - 1) : undefined;
  if (earlier?.resolution === 600) {
    // Beyond eight hours only Redis has figures, and in steps of ten minutes.
    return fromRedis(context, now, to);
  }
  const text = earlier
    ? `From Sidekiq’s metrics in Redis until ${since} UTC, then from Sidekiq Pro by DogStatsD.`
    : 'From Sidekiq Pro by DogStatsD.';
  return {
    buckets: [...(earlier?.buckets ?? []), ...buckets],
    resolution: 60,
    notices: [...(earlier?.notices ?? []), { severity: 'info', text }],
    now,
    histogramsOf: async (jobClass) => [
      ...((await earlier?.histogramsOf(jobClass)) ?? []),
      ...minutes.histograms(jobClass, buckets),
    ],
  };
}

async function fromRedis(context: QueryContext, now: number, to: number): Promise<Executions> {
  const { from } = context.range;
  const resolution: Resolution = now - from <= MINUTES_KEPT_SECONDS + 60 ? 60 : 600;
  const kept = resolution === 60 ? MINUTES_KEPT_SECONDS : TEN_MINUTES_KEPT_SECONDS;
  const start = Math.max(from, now - kept);
  const buckets = await context.jobMetrics.read(start, to, resolution, now, context.signal);
  const notices: Notice[] = [];
  if (from < now - kept) {
    notices.push({
      severity: 'info',
      text: `Sidekiq keeps its job metrics for ${kept / 3600} hours${resolution === 600 ? ' (per ten minutes, since Sidekiq 8.0)' : ''}; there is nothing from before.`,
    });
  }
  if (resolution === 600) {
    notices.push({
      severity: 'info',
      text: 'Over more than eight hours Sidekiq keeps no durations, so there are no quantiles.',
    });
  }
  return {
    buckets,
    resolution,
    notices,
    now,
    histogramsOf: async (jobClass) =>
      resolution === 60 ? context.jobMetrics.readHistograms(jobClass, buckets, now, context.signal) : [],
  };
}

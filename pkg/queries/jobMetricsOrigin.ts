import type { Reads } from '../source/reads';
import type { State } from '../watch/state';
import { sumCounts, timedOf, type Bucket, type Durations } from '../sidekiq/jobMetrics';
import type { Notice } from '../sidekiq/model';
import type { Resolution } from '../sidekiq/parts/minute';
import type { QueryRequest } from './queryType';
import { namesText } from '../sidekiq/namesText';
import { FEWEST_EXECUTIONS } from '../sidekiq/totals';
import { minutesFrom, readTenMinutes } from './tenMinutes';

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
 * Redis before, so that no minute is counted from both; a notice says which is which. Classes that do not arrive, or in part,
 * are those of Redis.
 */
export async function readExecutions(
  state: State,
  { range }: Pick<QueryRequest, 'range'>,
  reads: Reads,
  origin: JobMetricsOrigin
): Promise<Executions> {
  const {
    statsd: { minutes },
    now,
  } = state;
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
  const firstWhole = minutes.wholeFrom();
  if (origin === 'auto' && firstWhole >= range.to) {
    return fromRedis(range, now, reads);
  }
  const since = new Date(firstWhole * 1000).toISOString().slice(11, 16);
  const buckets = firstWhole >= range.to ? [] : minutes.read(Math.max(range.from, firstWhole), Math.min(range.to, now));
  const absent = origin === 'auto' ? notArriving(state, firstWhole) : new Set<string>();
  // Of a class that arrived later than others there may be more in Redis.
  const isLater = (jobClass: string) => (minutes.firstOf(jobClass) ?? firstWhole) > Math.max(range.from, firstWhole);
  const needsAll = origin === 'auto' && (absent.size > 0 || [...minutes.arrived].some(isLater));
  const ofRedis =
    origin === 'auto' && (range.from < firstWhole || needsAll)
      ? await fromRedis(needsAll ? range : { from: range.from, to: Math.min(range.to, firstWhole - 1) }, now, reads)
      : undefined;
  if (ofRedis?.resolution === 600) {
    // Beyond eight hours only Redis has figures, and in steps of ten minutes.
    return needsAll ? ofRedis : fromRedis(range, now, reads);
  }
  const text =
    range.from < firstWhole && origin === 'auto'
      ? `From Sidekiq’s metrics in Redis until ${since} UTC, then from Sidekiq Pro by DogStatsD.`
      : 'From Sidekiq Pro by DogStatsD.';
  const others = new Map(ofRedis?.buckets.map(({ startsAt, classes }) => [startsAt, classes]));
  const isOfRedis = (startsAt: number, jobClass: string) =>
    startsAt < firstWhole ||
    ((absent.has(jobClass) || (isLater(jobClass) && startsAt <= minutes.firstOf(jobClass)!)) &&
      others.get(startsAt)?.has(jobClass) === true);
  return {
    buckets: [
      ...(ofRedis?.buckets.filter(({ startsAt }) => startsAt < firstWhole) ?? []),
      ...buckets.map(({ startsAt, classes }) => {
        const own = [...(others.get(startsAt) ?? [])].filter(([jobClass]) => isOfRedis(startsAt, jobClass));
        return own.length === 0 ? { startsAt, classes } : { startsAt, classes: new Map([...classes, ...own]) };
      }),
    ],
    resolution: 60,
    notices: [...(ofRedis?.notices ?? []), { severity: 'info', text: text + explained(absent) + timesText(buckets) }],
    now,
    async durationsOf(jobClasses) {
      const read = await ofRedis?.durationsOf(jobClasses);
      return {
        durations: [
          ...(read?.durations.filter(({ startsAt, jobClass }) => isOfRedis(startsAt, jobClass)) ?? []),
          ...minutes
            .readDurations(jobClasses, buckets)
            .filter(({ startsAt, jobClass }) => !isOfRedis(startsAt, jobClass)),
        ],
        notices: read?.notices ?? [],
      };
    },
  };
}

/** Minutes by which it is seen whether all of a class arrives. */
const MINUTES_COMPARED = 5;
/** The share of the executions in Redis that arrives at least: processes write there a few seconds late. */
const LEAST_SHARE = 0.7;

/**
 * Classes of which nothing arrives by DogStatsD though they run, or a part: another application on the same Redis, processes
 * without the middleware, datagrams that are lost.
 *
 * @param since epoch seconds from which on DogStatsD is used
 */
function notArriving({ classTotals, snapshot, statsd: { minutes } }: State, since: number): Set<string> {
  const absent = new Set<string>();
  for (const [jobClass, { lastRunAt }] of classTotals) {
    if (lastRunAt >= since + 60 && minutes.firstOf(jobClass) === undefined) {
      absent.add(jobClass);
    }
  }
  const compared = snapshot.minutes.items.slice(1, MINUTES_COMPARED + 1).filter(({ startsAt }) => startsAt >= since);
  const arrived = sumCounts(compared.flatMap(({ startsAt }) => minutes.read(startsAt, startsAt)));
  for (const [jobClass, { processed }] of sumCounts(compared)) {
    if (processed >= FEWEST_EXECUTIONS && (arrived.get(jobClass)?.processed ?? 0) < LEAST_SHARE * processed) {
      absent.add(jobClass);
    }
  }
  return absent;
}

const NAMED = 5;

function explained(absent: ReadonlySet<string>): string {
  if (absent.size === 0) {
    return '';
  }
  const named = namesText([...absent], NAMED);
  return absent.size === 1
    ? ` One class does not arrive there, or in part, and comes from Redis: ${named}.`
    : ` ${absent.size} classes do not arrive there, or in part, and come from Redis: ${named}.`;
}

/** Sidekiq Pro sends the time of failed executions too, before 8.0.2. */
function timesText(buckets: readonly Bucket[]): string {
  const sums = [...sumCounts(buckets).values()];
  const timed = sums.reduce((sum, counts) => sum + timedOf(counts), 0);
  const succeeded = sums.reduce((sum, { processed, failed }) => sum + Math.max(0, processed - failed), 0);
  return timed > TIMED_MORE * succeeded ? ' Times there include failed executions.' : '';
}

/** An execution is timed and counted in two datagrams, of which one may lie in the next minute. */
const TIMED_MORE = 1.05;

/** Recorded minutes are used where no more than this share of them is missing. */
const MISSING_SHARE = 0.1;
async function fromRedis(range: QueryRequest['range'], now: number, reads: Reads): Promise<Executions> {
  const { minutesKeptSeconds } = reads;
  if (now - range.from <= minutesKeptSeconds + 60) {
    const { buckets, notices } = await reads.buckets(range, 60, now);
    return {
      buckets,
      resolution: 60,
      notices: range.from < now - minutesKeptSeconds ? [...notices, beginning(minutesKeptSeconds)] : [...notices],
      now,
      durationsOf: (jobClasses) => reads.durations(jobClasses, buckets, now),
    };
  }
  return (await fromRecording(range, now, reads)) ?? fromTenMinutes(range, now, reads);
}

/** Minutes that Redis no longer has, from what was recorded; `null` where too little was. */
async function fromRecording(range: QueryRequest['range'], now: number, reads: Reads): Promise<Executions | null> {
  const inRedisFrom = minutesFrom(now, reads, 60);
  const recorded = await reads.recordedMinutes({ from: range.from, to: Math.min(range.to, inRedisFrom - 1) });
  const { minutes, durations, missing } = recorded;
  if (missing > MISSING_SHARE * (minutes.length + missing)) {
    return null;
  }
  const recent =
    range.to <= inRedisFrom
      ? { buckets: [], notices: [] }
      : await reads.buckets({ from: inRedisFrom, to: range.to }, 60, now);
  const notices: Notice[] = [
    ...recent.notices,
    { severity: 'info', text: 'Minutes that Sidekiq no longer keeps come from the recording.' },
  ];
  if (missing > 0) {
    notices.push({ severity: 'warning', text: `${missing} minutes of this time range were not recorded.` });
  }
  return {
    buckets: [...minutes, ...recent.buckets],
    resolution: 60,
    notices,
    now,
    async durationsOf(jobClasses) {
      const wanted = new Set(jobClasses);
      const known = durations.filter(({ jobClass }) => wanted.has(jobClass));
      const read = await reads.durations(jobClasses, recent.buckets, now);
      return { durations: [...known, ...read.durations], notices: read.notices };
    },
  };
}

function beginning(keptSeconds: number): Notice {
  const text = `Sidekiq keeps its job metrics for ${keptSeconds / 3600} hours; there is nothing from before.`;
  return { severity: 'info', text };
}

async function fromTenMinutes(range: QueryRequest['range'], now: number, reads: Reads): Promise<Executions> {
  const { buckets, notices } = await readTenMinutes(range, now, reads);
  return { buckets, resolution: 600, notices, now, durationsOf: async () => ({ durations: [], notices: [] }) };
}

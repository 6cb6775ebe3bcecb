import { LRUCache } from 'lru-cache';
import { redisFault } from '../redis/faults';
import { command, type Command, type ReadOnlyRedis } from '../redis/readOnlyRedis';
import { addCounts, noCounts, readCounts, readHistogram, type Bucket } from './jobMetrics';
import { metricKeys } from './keys';

/** How finely a range is read: per minute (Sidekiq keeps 8 hours) or per ten minutes (8.x keeps 72 hours). */
export type Resolution = 60 | 600;

export const MINUTES_KEPT_SECONDS = 8 * 3600;
export const TEN_MINUTES_KEPT_SECONDS = 72 * 3600;

/** A bucket younger than this may still change: heartbeats flush late, clocks differ. */
export const CHANGING_SECONDS = 180;
/** Commands of one round trip at most, so that no reply grows without bound. */
const BATCH_SIZE = 1000;

/** A read bucket, and which key shapes held it: histograms have the same shape. */
interface ReadBucket extends Bucket {
  shapes: ReadonlyArray<'new' | 'old'>;
}

/** Durations of one class in one minute, see {@link readHistogram}. */
export interface Histogram {
  startsAt: number;
  counts: number[];
}

/**
 * Reads Sidekiq's job metrics of any range it still holds. Buckets of the past are final, so they are
 * fetched once and kept.
 */
export class JobMetricsReader {
  private readonly buckets = new LRUCache<string, ReadBucket>({ max: 2000 });
  private readonly histograms = new LRUCache<string, number[]>({ max: 20_000 });

  constructor(private readonly redis: ReadOnlyRedis) {}

  /**
   * Buckets from `from` to `to` (epoch seconds), oldest first, those without executions included.
   *
   * @throws Fault when Redis refuses or is away
   */
  async read(
    from: number,
    to: number,
    resolution: Resolution,
    now: number,
    signal?: AbortSignal
  ): Promise<ReadBucket[]> {
    const first = Math.floor(from / resolution) * resolution;
    const starts: number[] = [];
    for (let startsAt = first; startsAt <= Math.min(to, now); startsAt += resolution) {
      starts.push(startsAt);
    }
    const missing = starts.filter((startsAt) => !this.buckets.has(`${resolution}:${startsAt}`));
    const keyPairs = missing.map((startsAt) =>
      resolution === 60
        ? [metricKeys.minute(startsAt), metricKeys.oldMinute(startsAt)]
        : [metricKeys.tenMinutes(startsAt)]
    );
    const replies = await this.fetch(
      keyPairs.flat().map((key) => command('hgetall', key)),
      signal
    );
    const fetched = new Map<number, ReadBucket>();
    let next = 0;
    missing.forEach((startsAt, index) => {
      const hashes = keyPairs[index]!.map(() => (replies[next++] ?? {}) as Record<string, string>);
      const shapes = (['new', 'old'] as const).filter((_, at) => Object.keys(hashes[at] ?? {}).length > 0);
      const bucket = { startsAt, classes: readCounts(hashes), shapes };
      fetched.set(startsAt, bucket);
      if (now - (startsAt + resolution) > CHANGING_SECONDS) {
        this.buckets.set(`${resolution}:${startsAt}`, bucket);
      }
    });
    return starts.map((startsAt) => fetched.get(startsAt) ?? this.buckets.get(`${resolution}:${startsAt}`)!);
  }

  /** Durations of a class in each of the given minutes in which it ran. Failures are not in them. */
  async readHistograms(
    jobClass: string,
    buckets: readonly ReadBucket[],
    now: number,
    signal?: AbortSignal
  ): Promise<Histogram[]> {
    const ran = buckets.filter(({ classes }) => classes.has(jobClass));
    const missing = ran.filter(({ startsAt }) => !this.histograms.has(`${jobClass}\0${startsAt}`));
    const asked = missing.flatMap(({ startsAt, shapes }) =>
      shapes.map((shape) => ({
        startsAt,
        get: {
          ...command('get', (shape === 'new' ? metricKeys.histogram : metricKeys.oldHistogram)(jobClass, startsAt)),
          binary: true,
        },
      }))
    );
    const replies = await this.fetch(
      asked.map(({ get }) => get),
      signal
    );
    const fetched = new Map<number, number[]>();
    asked.forEach(({ startsAt }, index) => {
      fetched.set(startsAt, addCounts(fetched.get(startsAt), readHistogram(replies[index])));
    });
    for (const [startsAt, counts] of fetched) {
      if (now - (startsAt + 60) > CHANGING_SECONDS) {
        this.histograms.set(`${jobClass}\0${startsAt}`, counts);
      }
    }
    return ran.map(({ startsAt }) => ({
      startsAt,
      counts: fetched.get(startsAt) ?? this.histograms.get(`${jobClass}\0${startsAt}`) ?? noCounts(),
    }));
  }

  private async fetch(commands: readonly Command[], signal?: AbortSignal): Promise<unknown[]> {
    const values: unknown[] = [];
    for (let start = 0; start < commands.length; start += BATCH_SIZE) {
      const { replies } = await this.redis.batch(commands.slice(start, start + BATCH_SIZE), signal);
      const refused = replies.find(({ error }) => error)?.error;
      if (refused) {
        throw redisFault(refused, this.redis.address);
      }
      values.push(...replies.map(({ value }) => value));
    }
    return values;
  }
}

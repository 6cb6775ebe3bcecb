import { LRUCache } from 'lru-cache';
import type { ReadOnlyRedis } from '../redis/readOnlyRedis';
import { Turns } from '../turns';
import { sumDurations, type Durations, type MinuteCounts, type Shape } from './jobMetrics';
import type { Notice } from './model';
import { histogram } from './parts/histogram';
import { bucketCounts, type Resolution } from './parts/minute';
import { Trip, type Ticket } from './parts/part';

export const MINUTES_KEPT_SECONDS = 8 * 3600;
export const TEN_MINUTES_KEPT_SECONDS = 72 * 3600;
/** A bucket that ended less than this ago may still change: heartbeats flush late, clocks differ. */
export const CHANGING_SECONDS = 180;

/** Counts of classes kept at most, over all buckets: some 100 bytes each. */
const CLASSES_KEPT = 1_000_000;
/** What a reading asks for at the usual pace. */
const BUCKETS_TOGETHER = 6;
const HISTOGRAMS_KEPT = 20_000;
/** Histograms of one round trip; their answers take some milliseconds to read. */
const HISTOGRAMS_TOGETHER = 1000;

/** Buckets of a range with what should be known of them. */
export interface BucketsRead {
  /** Oldest first, those without executions included. */
  buckets: MinuteCounts[];
  notices: readonly Notice[];
}

/**
 * The buckets of Sidekiq's job metrics that have been read, for snapshots and for queries alike. A bucket of the past
 * is final, so it is kept; one that may still change, or that Redis refused, is not.
 */
export class Minutes {
  private readonly buckets = new LRUCache<string, MinuteCounts>({
    maxSize: CLASSES_KEPT,
    sizeCalculation: ({ classes }) => classes.size + 1,
  });
  private readonly histograms = new LRUCache<string, readonly number[]>({ max: HISTOGRAMS_KEPT });

  /** Forgets what was read by a clock that was ahead: minutes that are still to come were empty then. */
  forget(): void {
    this.buckets.clear();
    this.histograms.clear();
  }

  /** A final bucket that was read before. */
  known(startsAt: number, resolution: Resolution): MinuteCounts | undefined {
    return this.buckets.get(`${resolution}:${startsAt}`);
  }

  /** Keeps a bucket where it is final at the instant it was read (epoch seconds). */
  keep(bucket: MinuteCounts, resolution: Resolution, readAt: number): void {
    if (isFinal(bucket.startsAt, resolution, readAt)) {
      this.buckets.set(`${resolution}:${bucket.startsAt}`, bucket);
    }
  }

  /**
   * Buckets from `from` to `to` (epoch seconds) that Sidekiq may still hold; what is not known yet is read.
   *
   * @throws Fault when Redis refuses or is away
   */
  async read(
    redis: ReadOnlyRedis,
    range: { from: number; to: number },
    resolution: Resolution,
    now: number,
    signal?: AbortSignal
  ): Promise<BucketsRead> {
    const kept = resolution === 60 ? MINUTES_KEPT_SECONDS : TEN_MINUTES_KEPT_SECONDS;
    const starts = bucketStarts(Math.max(range.from, now - kept), Math.min(range.to, now), resolution);
    const trip = new Trip();
    const unknown = starts.filter((startsAt) => !this.known(startsAt, resolution));
    const tickets = askMinutes(trip, unknown, resolution);
    const brought = await trip.go(redis, signal);
    const read = new Map<number, MinuteCounts>();
    for (const ticket of tickets) {
      const found = brought.read(ticket);
      if (found.ok) {
        read.set(found.value.startsAt, found.value);
        this.keep(found.value, resolution, now);
      }
    }
    return {
      buckets: starts.flatMap((startsAt) => read.get(startsAt) ?? this.known(startsAt, resolution) ?? []),
      notices: brought.notices,
    };
  }

  /**
   * Durations of classes in each of the given minutes in which they ran. Failures are not in them. They are read some
   * thousand at a time, so that those of 1,000 classes over hours hold up nobody else.
   *
   * @throws Fault
   */
  async readDurations(
    redis: ReadOnlyRedis,
    jobClasses: readonly string[],
    buckets: readonly MinuteCounts[],
    now: number,
    signal?: AbortSignal
  ): Promise<{ durations: Durations[]; notices: readonly Notice[] }> {
    const durations: Durations[] = [];
    const notices = new Map<string, Notice>();
    const turns = new Turns();
    let trip = new Trip();
    let asked: AskedDurations[] = [];
    const settle = async () => {
      // Without durations the counts are still known.
      const brought = await trip.go(redis, signal, 'tell');
      brought.notices.forEach((notice) => notices.set(notice.text, notice));
      for (const { jobClass, startsAt, key, tickets } of asked) {
        const reads = tickets.map((ticket) => brought.read(ticket));
        if (reads.every(({ ok }) => ok)) {
          const counts = sumDurations(reads.map((read) => (read.ok ? read.value : [])));
          if (isFinal(startsAt, 60, now)) {
            this.histograms.set(key, counts);
          }
          durations.push({ startsAt, jobClass, counts });
        }
      }
      trip = new Trip();
      asked = [];
    };
    for (const jobClass of jobClasses) {
      for (const { startsAt, classes, shapes } of buckets) {
        if (!classes.has(jobClass)) {
          continue;
        }
        const key = `${startsAt}\0${jobClass}`;
        const counts = this.histograms.get(key);
        if (counts) {
          durations.push({ startsAt, jobClass, counts });
          continue;
        }
        const ask = (shape: Shape) => trip.ask(histogram, { jobClass, startsAt, shape });
        asked.push({ jobClass, startsAt, key, tickets: (shapes.get(jobClass) ?? []).map(ask) });
        if (asked.length >= HISTOGRAMS_TOGETHER) {
          await settle();
        }
      }
      await turns.give();
    }
    if (asked.length > 0) {
      await settle();
    }
    return { durations, notices: [...notices.values()] };
  }
}

interface AskedDurations {
  jobClass: string;
  startsAt: number;
  key: string;
  tickets: Array<Ticket<number[]>>;
}

/**
 * Asks for buckets. Those of hours, as at the first reading, are asked for apart: with 10,000 classes a bucket has
 * 30,000 fields, and 60 of them at once would take a gigabyte while they are read.
 */
export function askMinutes(trip: Trip, starts: readonly number[], resolution: Resolution): Array<Ticket<MinuteCounts>> {
  const apart = starts.length > BUCKETS_TOGETHER;
  return starts.map((startsAt) => trip[apart ? 'askApart' : 'ask'](bucketCounts, { startsAt, resolution }));
}

/**
 * The buckets that a range touches, oldest first: at least the one in which it begins, and not one that begins where the
 * range ends; none where it ends before it begins. Epoch seconds.
 */
export function bucketStarts(from: number, to: number, resolution: Resolution): number[] {
  const first = Math.floor(from / resolution) * resolution;
  return Array.from({ length: bucketsTouched(from, to, resolution) }, (_, index) => first + index * resolution);
}

/** How many they are. */
export function bucketsTouched(from: number, to: number, resolution: Resolution): number {
  return to < from ? 0 : Math.max(1, Math.ceil(to / resolution) - Math.floor(from / resolution));
}

/** Whether a bucket is one of them. */
export function isTouched(startsAt: number, from: number, to: number, resolution: Resolution): boolean {
  return from <= to && startsAt + resolution > from && (startsAt < to || startsAt <= from);
}

function isFinal(startsAt: number, resolution: Resolution, readAt: number): boolean {
  return readAt - (startsAt + resolution) > CHANGING_SECONDS;
}

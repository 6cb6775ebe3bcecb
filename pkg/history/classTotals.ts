import { addCounts, noCounts, type Bucket, type ClassCounts } from '../sidekiq/jobMetrics';
import { MINUTES_KEPT_SECONDS } from '../sidekiq/jobMetricsReader';
import type { Durations, Snapshot } from '../sidekiq/snapshot';

/** Executions of a class since the count began; only ever growing. */
export interface ClassTotal extends ClassCounts {
  /** Successful executions per duration bucket, see HISTOGRAM_BOUNDS_MS. */
  durations: number[];
  /** Epoch seconds of the minute in which it was last seen to run. */
  lastRunAt: number;
}

interface Seen {
  /** By minute (epoch seconds), then by class. */
  counts: Map<number, Map<string, ClassCounts>>;
  durations: Map<number, Map<string, readonly number[]>>;
}

/**
 * Counters per job class, made of Sidekiq's minute buckets: each bucket's growth is counted once, whenever it is
 * seen. So late heartbeats are not lost, nothing is counted twice, and a bucket that is gone (expired, flushed, refused)
 * takes nothing away.
 *
 * The first look is the point from which it counts, as a counter that starts at 0; a saved state goes on where it was.
 */
export class ClassTotals {
  private readonly totals = new Map<string, ClassTotal>();
  private readonly seen: Seen = { counts: new Map(), durations: new Map() };
  private begun = false;
  /** Epoch seconds of the last look, 0 before the first. */
  lastAt = 0;

  observe({ at, minutes, durations }: Pick<Snapshot, 'at' | 'minutes' | 'durations'>): void {
    this.absorb(minutes, durations);
    this.begun = true;
    this.lastAt = at;
    for (const seen of [this.seen.counts, this.seen.durations]) {
      for (const startsAt of seen.keys()) {
        if (startsAt < at - MINUTES_KEPT_SECONDS) {
          seen.delete(startsAt);
        }
      }
    }
  }

  /** Counts buckets that the snapshots have missed, after a pause longer than those look back. */
  absorb(minutes: readonly Bucket[], durations: readonly Durations[]): void {
    for (const { startsAt, classes } of minutes) {
      const seen = within(this.seen.counts, startsAt);
      for (const [jobClass, counts] of classes) {
        const total = this.totalOf(jobClass);
        const before = seen.get(jobClass);
        if (this.begun) {
          total.processed += growth(counts.processed, before?.processed);
          total.failed += growth(counts.failed, before?.failed);
          total.milliseconds += growth(counts.milliseconds, before?.milliseconds);
        }
        total.lastRunAt = Math.max(total.lastRunAt, startsAt);
        seen.set(jobClass, { ...counts });
      }
    }
    for (const { startsAt, jobClass, counts } of durations) {
      const seen = within(this.seen.durations, startsAt);
      const before = seen.get(jobClass);
      if (this.begun) {
        const total = this.totalOf(jobClass);
        total.durations = addCounts(
          total.durations,
          counts.map((count, index) => growth(count, before?.[index]))
        );
      }
      seen.set(jobClass, counts);
    }
  }

  /** Totals by class, in the order in which classes were first seen. */
  get byClass(): ReadonlyMap<string, Readonly<ClassTotal>> {
    return this.totals;
  }

  /** The whole state as text, to go on from after a restart. */
  save(): string {
    const nested = <T>(map: Map<number, Map<string, T>>) => [...map].map(([at, classes]) => [at, [...classes]]);
    return JSON.stringify({
      lastAt: this.lastAt,
      totals: [...this.totals],
      counts: nested(this.seen.counts),
      durations: nested(this.seen.durations),
    });
  }

  /** Goes on from a saved state. */
  restore(saved: string): void {
    const { lastAt, totals, counts, durations } = JSON.parse(saved) as {
      lastAt: number;
      totals: Array<[string, ClassTotal]>;
      counts: Array<[number, Array<[string, ClassCounts]>]>;
      durations: Array<[number, Array<[string, number[]]>]>;
    };
    totals.forEach(([jobClass, total]) => this.totals.set(jobClass, total));
    counts.forEach(([at, classes]) => this.seen.counts.set(at, new Map(classes)));
    durations.forEach(([at, classes]) => this.seen.durations.set(at, new Map(classes)));
    this.lastAt = lastAt;
    this.begun = true;
  }

  private totalOf(jobClass: string): ClassTotal {
    let total = this.totals.get(jobClass);
    if (!total) {
      total = { processed: 0, failed: 0, milliseconds: 0, durations: noCounts(), lastRunAt: 0 };
      this.totals.set(jobClass, total);
    }
    return total;
  }
}

function growth(now: number, before = 0): number {
  // Less than before: Redis was flushed and the minute began anew.
  return now >= before ? now - before : now;
}

function within<T>(map: Map<number, Map<string, T>>, startsAt: number): Map<string, T> {
  let inner = map.get(startsAt);
  if (!inner) {
    inner = new Map();
    map.set(startsAt, inner);
  }
  return inner;
}

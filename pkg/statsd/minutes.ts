import { HISTOGRAM_BOUNDS_MS, noCounts, type Bucket, type TimedCounts, type Durations } from '../sidekiq/jobMetrics';
import { bucketStarts, MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import type { StatsdLine } from './line';
import type { Series } from './registry';

interface Executions extends TimedCounts {
  durations: number[];
  /** Executions with a duration: before Pro 8.0.2 those that failed have one, too. */
  timed: number;
}

/** Classes of all minutes kept at most, some 400 bytes each: 400 classes over eight hours. The oldest minutes go first. */
const KEPT = 200_000;
/** Classes kept of one minute: more than any application has, and a bound for a flood of invented ones. */
const CLASSES_CAP = 2000;

/**
 * A consumer of the registry: what arrived by DogStatsD, minute by minute and class by class, in the shape of Sidekiq's own job metrics and
 * kept as long as those (eight hours), so that the same query reads either.
 */
export class StatsdMinutes {
  private readonly minutes = new Map<number, Map<string, Executions>>();
  /** In how many of the minutes each class is, and the first of them. */
  private readonly classes = new Map<string, { many: number; first: number }>();
  private kept = 0;
  /** Epoch seconds of the last duration, 0 before any. */
  lastAt = 0;
  /** Epoch seconds of the first arrival: there is nothing from before. */
  firstAt = 0;

  /** Counts a line that a series of the registry has taken. @param now epoch seconds */
  take({ metric, worker }: Series, { values, rate }: StatsdLine, now: number): void {
    if (worker === '') {
      return;
    }
    const { wire } = metric;
    if (wire !== 'jobs.perform' && wire !== 'jobs.count' && wire !== 'jobs.failure') {
      return;
    }
    const executions = this.of(worker, now);
    if (!executions) {
      return;
    }
    const weight = 1 / rate;
    for (const value of values) {
      if (wire === 'jobs.count') {
        executions.processed += value * weight;
      } else if (wire === 'jobs.failure') {
        executions.failed += value * weight;
      } else {
        const milliseconds = Math.max(0, value);
        executions.milliseconds += milliseconds * weight;
        executions.timed += weight;
        // Exclusive, as Sidekiq's own bounds are.
        executions.durations[HISTOGRAM_BOUNDS_MS.findIndex((bound) => milliseconds < bound)]! += weight;
        this.lastAt = now;
      }
    }
  }

  /** Minutes from `from` to `to`, oldest first, those without executions included. */
  read(from: number, to: number): Bucket[] {
    return bucketStarts(from, to, 60).map((startsAt) => ({
      startsAt,
      classes: this.minutes.get(startsAt) ?? new Map(),
    }));
  }

  /** The first whole minute that is kept (epoch seconds); infinite where nothing is. */
  wholeFrom(): number {
    const [oldest = Infinity] = this.minutes.keys();
    return Math.max(Math.ceil(this.firstAt / 60) * 60, oldest);
  }

  /** The first of the kept minutes in which some of a class arrived; `undefined` where none did. */
  firstOf(jobClass: string): number | undefined {
    return this.classes.get(jobClass)?.first;
  }

  /** The classes that arrived in the minutes that are kept. */
  get arrived(): Iterable<string> {
    return this.classes.keys();
  }

  /** Durations of classes in each of the given minutes. */
  readDurations(jobClasses: readonly string[], buckets: readonly Bucket[]): Durations[] {
    return jobClasses.flatMap((jobClass) =>
      buckets.flatMap(({ startsAt }) => {
        const executions = this.minutes.get(startsAt)?.get(jobClass);
        return executions ? [{ startsAt, jobClass, counts: [...executions.durations] }] : [];
      })
    );
  }

  private drop(startsAt: number): void {
    const dropped = this.minutes.get(startsAt) ?? new Map<string, Executions>();
    this.kept -= dropped.size;
    for (const jobClass of dropped.keys()) {
      const known = this.classes.get(jobClass)!;
      known.many -= 1;
      if (known.many === 0) {
        this.classes.delete(jobClass);
      }
    }
    this.minutes.delete(startsAt);
  }

  private of(jobClass: string, now: number): Executions | undefined {
    const startsAt = Math.floor(now / 60) * 60;
    let minute = this.minutes.get(startsAt);
    if (!minute) {
      minute = new Map();
      this.minutes.set(startsAt, minute);
      this.firstAt ||= now;
      for (const old of this.minutes.keys()) {
        if (old < now - MINUTES_KEPT_SECONDS - 60) {
          this.drop(old);
        }
      }
    }
    let executions = minute.get(jobClass);
    if (!executions && minute.size < CLASSES_CAP) {
      executions = {
        processed: 0,
        failed: 0,
        milliseconds: 0,
        timed: 0,
        durations: noCounts(),
      };
      minute.set(jobClass, executions);
      const known = this.classes.get(jobClass) ?? { many: 0, first: startsAt };
      known.many += 1;
      this.classes.set(jobClass, known);
      this.kept += 1;
      for (const old of this.minutes.keys()) {
        if (this.kept <= KEPT || old === startsAt) {
          break;
        }
        this.drop(old);
      }
    }
    return executions;
  }
}

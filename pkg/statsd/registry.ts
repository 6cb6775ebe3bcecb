import { HISTOGRAM_BOUNDS_MS, noCounts } from '../sidekiq/jobMetrics';
import { labelsOf, type Labels } from './labels';
import type { StatsdLine } from './line';
import type { StatsdMetric, StatsdName } from './metrics';
import { SlidingSummary } from './summary';

/** One label set of a metric. */
export interface Series {
  readonly metric: StatsdMetric;
  /** Of the sender; it begins the metric's name. */
  readonly namespace: string;
  readonly labels: Labels;
  /** The job class, or `''`. */
  readonly worker: string;
  /** Counters and gauges. */
  value: number;
  /** Of timings: durations in seconds, and observations per duration bucket of Sidekiq (not cumulative). */
  readonly timing: { summary: SlidingSummary; buckets: number[] } | null;
  /** Epoch seconds of the last arrival. */
  lastAt: number;
}

export interface Limits {
  /** Label sets of one metric at most. */
  series: number;
  /** Seconds after which a silent counter or timing is forgotten. */
  expireSeconds: number;
}

/** Namespaces at most: each application has one, and each makes some twenty metrics. */
const NAMESPACES = 50;
/** Enterprise sends its gauges every 30 seconds; one that stopped tells nothing any more. */
const GAUGE_EXPIRE_SECONDS = 300;
const SWEEP_SECONDS = 10;
/** A series that was silent for so long gives way to a new one of its metric where that is at its limit. */
const SILENT_SECONDS = 600;

/**
 * Series of DogStatsD by metric and label set. Bounded: label sets of each metric, their size, and how long silent ones
 * are kept. Each metric has its own limit, so that a flood of label sets of one does not keep the others out.
 */
export class StatsdRegistry {
  private readonly series = new Map<StatsdMetric, Map<string, Series>>();
  private named = new Set<string>();
  /** Until when no series of a metric can have been silent long enough to give way. */
  private readonly fullUntil = new Map<StatsdMetric, number>();
  private kept = 0;
  private sweptAt = 0;
  /** Grows whenever a series is forgotten, so that who remembers series looks again. */
  generation = 0;

  constructor(private readonly limits: Limits) {}

  /** Namespaces of the senders whose series live, in the order of their first arrival. */
  get namespaces(): readonly string[] {
    return [...this.named];
  }

  /** The series of a name and tags; made where there is room, else `null`. @param now epoch seconds */
  seriesFor({ metric, namespace }: StatsdName, tags: string, now: number): Series | null {
    if (!this.named.has(namespace) && this.named.size >= NAMESPACES) {
      return null;
    }
    const labels = labelsOf(tags);
    const key = JSON.stringify([namespace, labels]);
    let siblings = this.series.get(metric);
    const known = siblings?.get(key);
    if (known) {
      return known;
    }
    if (!siblings) {
      siblings = new Map();
      this.series.set(metric, siblings);
    }
    if (siblings.size >= this.limits.series && !this.dropSilent(metric, siblings, now)) {
      return null;
    }
    this.named.add(namespace);
    const series: Series = {
      metric,
      namespace,
      labels,
      worker: labels.find(([name]) => name === 'worker')?.[1] ?? '',
      value: 0,
      timing: metric.kind === 'timing' ? { summary: new SlidingSummary(), buckets: noCounts() } : null,
      lastAt: now,
    };
    siblings.set(key, series);
    this.kept += 1;
    return series;
  }

  /** Adds a line to a series. @param now epoch seconds */
  take(series: Series, { type, values, rate }: StatsdLine, now: number): void {
    series.lastAt = now;
    const weight = 1 / rate;
    for (const value of values) {
      if (series.timing) {
        const milliseconds = Math.max(0, value);
        series.timing.summary.observe(milliseconds / 1000, weight, now);
        // Inclusive, as Prometheus' `le` is.
        series.timing.buckets[HISTOGRAM_BOUNDS_MS.findIndex((bound) => milliseconds <= bound)]! += weight;
      } else if (type === 'g') {
        series.value = value;
      } else {
        series.value += value * weight;
      }
    }
  }

  /** Series of a metric that still live, in the order of their first arrival. @param now epoch seconds */
  seriesOf(metric: StatsdMetric, now: number): Series[] {
    this.sweep(now);
    return [...(this.series.get(metric)?.values() ?? [])];
  }

  /** Label sets kept now. */
  get size(): number {
    return this.kept;
  }

  /** Forgets the series of a metric that has been silent longest, where that is long. @returns whether there was one */
  private dropSilent(metric: StatsdMetric, siblings: Map<string, Series>, now: number): boolean {
    // A flood of new label sets must not look through all known ones for each line.
    if (now < (this.fullUntil.get(metric) ?? 0)) {
      return false;
    }
    let oldest: [string, Series] | undefined;
    for (const entry of siblings) {
      if (!oldest || entry[1].lastAt < oldest[1].lastAt) {
        oldest = entry;
      }
    }
    if (!oldest || now - oldest[1].lastAt < SILENT_SECONDS) {
      this.fullUntil.set(metric, (oldest?.[1].lastAt ?? now) + SILENT_SECONDS);
      return false;
    }
    this.forget(siblings, oldest[0]);
    return true;
  }

  private sweep(now: number): void {
    if (now - this.sweptAt < SWEEP_SECONDS) {
      return;
    }
    this.sweptAt = now;
    const before = this.kept;
    for (const [{ kind }, siblings] of this.series) {
      const expire = kind === 'gauge' ? GAUGE_EXPIRE_SECONDS : this.limits.expireSeconds;
      for (const [key, { lastAt }] of siblings) {
        if (now - lastAt > expire) {
          this.forget(siblings, key);
        }
      }
    }
    if (this.kept < before) {
      const living = [...this.series.values()].flatMap((siblings) => [...siblings.values()]);
      this.named = new Set(living.map(({ namespace }) => namespace));
    }
  }

  private forget(siblings: Map<string, Series>, key: string): void {
    siblings.delete(key);
    this.kept -= 1;
    this.generation += 1;
  }
}

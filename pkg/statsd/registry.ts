import { HISTOGRAM_BOUNDS_MS, noCounts } from '../sidekiq/jobMetrics';
import { MemoryBudget } from './budget';
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
  /**
   * Of timings: durations in seconds, observations per duration bucket of Sidekiq (not cumulative), and the part of an
   * observation that sample rates have left over: counts are whole, as those of statsd_exporter are.
   */
  readonly timing: { summary: SlidingSummary; buckets: number[]; carried: number } | null;
  readonly sender: Pick<Sender, 'lastAt' | 'series'>;
  /** Estimated memory, without that of the summary. */
  readonly bytes: number;
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
/** So does a namespace: Sidekiq Pro sends with every job, and Enterprise every half minute. */
const NAMESPACE_SILENT_SECONDS = 60;
/** Estimated bytes that all series may take together; the chart allows the whole process 384 MiB. */
const MEMORY_BYTES = 96 * 1024 * 1024;
/** What a series takes beside its text, and what a timing adds. */
const SERIES_BYTES = 900;
const TIMING_BYTES = 500;
const CHARACTER_BYTES = 4;
/** Three times a third is one. */
const ROUNDING = 1e-9;
/** Label names of which it is remembered whether their values differ, for each namespace. */
const NAMES_WATCHED = 500;

/** A sender, by its namespace. */
interface Sender {
  /** Epoch seconds of its last line. */
  lastAt: number;
  /** Number of its series; a sender that has none left is forgotten. */
  series: number;
  /** The one value of a label so far, or `null` where it has had several. */
  values: Map<string, string | null>;
}

/**
 * Series of DogStatsD by metric and label set. Bounded: label sets of each metric, their size, and how long silent ones
 * are kept. Each metric has its own limit, so that a flood of label sets of one does not keep the others out.
 */
export class StatsdRegistry {
  private readonly series = new Map<StatsdMetric, Map<string, Series>>();
  private readonly senders = new Map<string, Sender>();
  /** Until when no sender can have been silent long enough to give way. */
  private sendersUntil = 0;
  /** Until when no series of a metric can have been silent long enough to give way. */
  private readonly fullUntil = new Map<StatsdMetric, number>();
  private kept = 0;
  private sweptAt = 0;
  /** Grows whenever a series is forgotten, so that who remembers series looks again. */
  generation = 0;

  /** Memory of all series; where it is used up, new label sets are dropped and quantiles are unknown. */
  readonly budget: MemoryBudget;

  constructor(
    private readonly limits: Limits,
    memoryBytes = MEMORY_BYTES
  ) {
    this.budget = new MemoryBudget(memoryBytes);
  }

  /** Namespaces of the senders whose series live, in the order of their first arrival. */
  get namespaces(): readonly string[] {
    return [...this.senders.keys()];
  }

  /**
   * The series of a name and tags; made where there is room, else `null`.
   *
   * @param now epoch seconds
   * @returns the series, and how many tags found no place among its labels
   */
  seriesFor({ metric, namespace }: StatsdName, tags: string, now: number): { series: Series; cut: number } | null {
    const sender = this.senderOf(namespace, now);
    if (!sender) {
      return null;
    }
    const { labels, cut } = labelsOf(tags, (name) => sender.values.get(name) === null);
    watchValues(sender.values, labels);
    const key = JSON.stringify([namespace, labels]);
    let siblings = this.series.get(metric);
    const known = siblings?.get(key);
    if (known) {
      return { series: known, cut };
    }
    if (!siblings) {
      siblings = new Map();
      this.series.set(metric, siblings);
    }
    const bytes = bytesOf(metric, key);
    const fits = siblings.size < this.limits.series && this.budget.take(bytes);
    // One that gives way is not smaller than the new one by much, so that one is enough.
    if (!fits && !(this.dropSilent(metric, siblings, now) && this.budget.take(bytes))) {
      this.forgetEmpty(namespace, sender);
      return null;
    }
    const series: Series = {
      metric,
      namespace,
      labels,
      worker: labels.find(([name]) => name === 'worker')?.[1] ?? '',
      value: 0,
      timing:
        metric.kind === 'timing' ? { summary: new SlidingSummary(this.budget), buckets: noCounts(), carried: 0 } : null,
      sender,
      bytes,
      lastAt: now,
    };
    siblings.set(key, series);
    sender.series += 1;
    this.kept += 1;
    return { series, cut };
  }

  /** Adds a line to a series. @param now epoch seconds */
  take(series: Series, { type, values, rate }: StatsdLine, now: number): void {
    series.lastAt = now;
    series.sender.lastAt = now;
    const weight = 1 / rate;
    for (const value of values) {
      const { timing } = series;
      if (timing) {
        const milliseconds = Math.max(0, value);
        const events = Math.floor(timing.carried + weight + ROUNDING);
        timing.carried += weight - events;
        timing.summary.observe(milliseconds / 1000, events, now);
        // Inclusive, as Prometheus' `le` is.
        timing.buckets[HISTOGRAM_BOUNDS_MS.findIndex((bound) => milliseconds <= bound)]! += events;
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
    for (const [{ kind }, siblings] of this.series) {
      const expire = kind === 'gauge' ? GAUGE_EXPIRE_SECONDS : this.limits.expireSeconds;
      for (const [key, { lastAt }] of siblings) {
        if (now - lastAt > expire) {
          this.forget(siblings, key);
        }
      }
    }
    this.senders.forEach((sender, namespace) => this.forgetEmpty(namespace, sender));
  }

  /** The sender of a namespace; where there are as many as may be, that which has been silent longest gives way. */
  private senderOf(namespace: string, now: number): Sender | undefined {
    const known = this.senders.get(namespace);
    if (known) {
      return known;
    }
    if (this.senders.size >= NAMESPACES && !this.dropSilentSender(now)) {
      return undefined;
    }
    const sender: Sender = { lastAt: now, series: 0, values: new Map() };
    this.senders.set(namespace, sender);
    return sender;
  }

  private dropSilentSender(now: number): boolean {
    if (now < this.sendersUntil) {
      return false;
    }
    const [silent] = [...this.senders].sort(([, a], [, b]) => a.lastAt - b.lastAt);
    const silentSince = silent?.[1].lastAt ?? now;
    if (!silent || now - silentSince < NAMESPACE_SILENT_SECONDS) {
      this.sendersUntil = silentSince + NAMESPACE_SILENT_SECONDS;
      return false;
    }
    for (const siblings of this.series.values()) {
      for (const [key, { namespace }] of siblings) {
        if (namespace === silent[0]) {
          this.forget(siblings, key);
        }
      }
    }
    this.senders.delete(silent[0]);
    return true;
  }

  /** A namespace counts only while it has series. */
  private forgetEmpty(namespace: string, { series }: Sender): void {
    if (series === 0) {
      this.senders.delete(namespace);
    }
  }

  private forget(siblings: Map<string, Series>, key: string): void {
    const series = siblings.get(key)!;
    series.timing?.summary.close();
    this.budget.give(series.bytes);
    series.sender.series -= 1;
    siblings.delete(key);
    this.kept -= 1;
    this.generation += 1;
  }
}

function bytesOf({ kind }: StatsdMetric, key: string): number {
  return SERIES_BYTES + (kind === 'timing' ? TIMING_BYTES : 0) + key.length * CHARACTER_BYTES;
}

function watchValues(values: Map<string, string | null>, labels: Labels): void {
  for (const [name, value] of labels) {
    const seen = values.get(name);
    if (seen === undefined ? values.size < NAMES_WATCHED : seen !== null && seen !== value) {
      values.set(name, seen === undefined ? value : null);
    }
  }
}

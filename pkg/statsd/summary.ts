import { LogCollapsingLowestDenseDDSketch as Sketch } from '@datadog/sketches-js';
import type { MemoryBudget } from './budget';

/** Seconds a quantile looks back, and into how many windows that is parted: statsd_exporter's defaults. */
export const MAX_AGE_SECONDS = 600;
const AGE_BUCKETS = 5;
const WINDOW_SECONDS = MAX_AGE_SECONDS / AGE_BUCKETS;
/** The quantiles that are shown: statsd_exporter's defaults, and p95. */
export const QUANTILES = [0.5, 0.9, 0.95, 0.99] as const;
/** A quantile lies within this share of the true value. */
export const RELATIVE_ACCURACY = 0.005;
/** Durations outside are counted as these. */
const SHORTEST_SECONDS = 1e-6;
const LONGEST_SECONDS = 1e8;
/** Bins from the shortest to the longest at that accuracy, and some more: none shares another's bin. */
const BINS = 3500;
/** What a bin of a map and a window take in V8 and JavaScriptCore, measured and rounded up. */
const BIN_BYTES = 48;
const WINDOW_BYTES = 300;

/** A rank that is whole is reached by as many. */
const BELOW = 1 - 1e-9;

const { mapping } = newSketch();

interface Window {
  index: number;
  /** Weight by bin. A service has few distinct durations in two minutes, so only bins that hold something are kept. */
  bins: Map<number, number>;
  /** Some observation found no place in the budget: no quantile can be told. */
  incomplete: boolean;
}

/**
 * Quantiles over the last eight to ten minutes, and sum and count since the start.
 *
 * Observations go into windows of two minutes, which are dropped whole when they are ten minutes old, as
 * Prometheus' own summaries do. Each window holds the bins of a DDSketch: a value goes in at constant cost, and windows
 * merge. Memory is taken from a budget that all summaries share.
 */
export class SlidingSummary {
  sum = 0;
  count = 0;
  private readonly windows: Window[] = [];

  constructor(private readonly budget: MemoryBudget) {}

  /** @param weight how many executions the value stands for (one over the sample rate) */
  observe(value: number, weight: number, now: number): void {
    this.sum += value * weight;
    this.count += weight;
    const index = Math.floor(now / WINDOW_SECONDS);
    let window = this.windows[this.windows.length - 1];
    if (window?.index !== index) {
      this.dropOld(index);
      const fits = this.budget.take(WINDOW_BYTES);
      window = { index, bins: new Map(), incomplete: !fits };
      this.windows.push(window);
    }
    if (window.incomplete) {
      return;
    }
    const bin = mapping.key(Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, value)));
    const held = window.bins.get(bin);
    if (held === undefined && !this.budget.take(BIN_BYTES)) {
      this.release(window);
      window.incomplete = true;
      return;
    }
    window.bins.set(bin, (held ?? 0) + weight);
  }

  /**
   * The quantile's value; NaN where nothing was observed in the last ten minutes, as Prometheus has it, and where not
   * every observation found a place.
   */
  quantiles(wanted: readonly number[], now: number): number[] {
    this.dropOld(Math.floor(now / WINDOW_SECONDS));
    if (this.windows.length === 0 || this.windows.some(({ incomplete }) => incomplete)) {
      return wanted.map(() => NaN);
    }
    const sketch = newSketch();
    for (const { bins } of this.windows) {
      bins.forEach((weight, bin) => sketch.accept(mapping.value(bin), weight));
    }
    // Of n values the one of rank ⌈q·n⌉, as Prometheus takes it; the sketch's own quantile is of a rank below, which is
    // another value where there are few.
    return wanted.map((q) => mapping.value(sketch.store.keyAtRank(q * sketch.count * BELOW)));
  }

  /** Gives back what all windows take; for a series that is forgotten. */
  close(): void {
    this.windows.splice(0).forEach((window) => this.release(window));
  }

  private dropOld(current: number): void {
    while (this.windows[0] && this.windows[0].index <= current - AGE_BUCKETS) {
      this.release(this.windows.shift()!);
    }
  }

  private release({ bins, incomplete }: Window): void {
    if (!incomplete) {
      this.budget.give(WINDOW_BYTES + bins.size * BIN_BYTES);
    }
    bins.clear();
  }
}

function newSketch(): Sketch {
  return new Sketch({ relativeAccuracy: RELATIVE_ACCURACY, binLimit: BINS });
}

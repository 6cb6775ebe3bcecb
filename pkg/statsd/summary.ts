import { LogCollapsingLowestDenseDDSketch as Sketch } from '@datadog/sketches-js';

/** Seconds a quantile looks back, and into how many windows that is parted: statsd_exporter's defaults. */
export const MAX_AGE_SECONDS = 600;
const AGE_BUCKETS = 5;
const WINDOW_SECONDS = MAX_AGE_SECONDS / AGE_BUCKETS;
/** The quantiles that are shown: statsd_exporter's defaults, and p95. */
export const QUANTILES = [0.5, 0.9, 0.95, 0.99] as const;
/** A quantile lies within this share of the true value. */
export const RELATIVE_ACCURACY = 0.005;
/** Bins of a window at most: with that accuracy a range from 1 to 26,000. Shorter durations share the lowest one. */
const BINS = 1024;
/** Durations outside are counted as these: the store of a sketch spans from the shortest to the longest. */
const SHORTEST_SECONDS = 1e-6;
const LONGEST_SECONDS = 1e8;

/**
 * Quantiles over the last eight to ten minutes, and sum and count since the start.
 *
 * Observations go into windows of two minutes, which are dropped whole when they are ten minutes old, as
 * Prometheus' own summaries do. Each window is a DDSketch: a value goes in at constant cost, and windows merge.
 */
export class SlidingSummary {
  sum = 0;
  count = 0;
  private readonly windows: Array<{ index: number; sketch: Sketch }> = [];

  /** @param weight how many executions the value stands for (one over the sample rate) */
  observe(value: number, weight: number, now: number): void {
    this.sum += value * weight;
    this.count += weight;
    const index = Math.floor(now / WINDOW_SECONDS);
    let window = this.windows[this.windows.length - 1];
    if (window?.index !== index) {
      window = { index, sketch: newSketch() };
      this.windows.push(window);
      this.dropOld(index);
    }
    window.sketch.accept(Math.min(LONGEST_SECONDS, Math.max(SHORTEST_SECONDS, value)), weight);
  }

  /** The quantile's value, NaN where nothing was observed in the last ten minutes, as Prometheus has it. */
  quantiles(wanted: readonly number[], now: number): number[] {
    this.dropOld(Math.floor(now / WINDOW_SECONDS));
    const [first, ...rest] = this.windows;
    if (!first) {
      return wanted.map(() => NaN);
    }
    let { sketch } = first;
    if (rest.length > 0) {
      sketch = newSketch();
      this.windows.forEach((window) => sketch.merge(window.sketch));
    }
    return wanted.map((q) => sketch.getValueAtQuantile(q));
  }

  private dropOld(current: number): void {
    while (this.windows[0] && this.windows[0].index <= current - AGE_BUCKETS) {
      this.windows.shift();
    }
  }
}

function newSketch(): Sketch {
  return new Sketch({ relativeAccuracy: RELATIVE_ACCURACY, binLimit: BINS });
}

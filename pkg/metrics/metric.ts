import { createHash } from 'node:crypto';
import type { State } from '../watch/state';
import { HISTOGRAM_BOUNDS_MS } from '../sidekiq/jobMetrics';
import { remembered } from '../sidekiq/remembered';
import type { StatsdIntake } from '../statsd/intake';
import type { Labels } from '../statsd/labels';
import { QUANTILES } from '../statsd/summary';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** The upper bounds of a histogram's buckets, rising, the last one infinite; those of one metric are one list. */
export type Bounds = readonly number[];

/** A counter or gauge at a label set. */
export interface NumberSample {
  labels?: Labels;
  /** A number, or the digits to print where their form matters. */
  value: number | string;
}

/** A histogram at a label set. */
export interface HistogramSample {
  labels?: Labels;
  bounds: Bounds;
  /** Observations by bucket, not added up. */
  counts: readonly number[];
  sum: number;
}

/** A summary at a label set. */
export interface SummarySample {
  labels?: Labels;
  quantiles: ReadonlyArray<readonly [quantile: number, value: number]>;
  sum: number;
  count: number;
}

/** What a metric is at one label set. Text, and what is pushed, are renderings of it. */
export type Sample = NumberSample | HistogramSample | SummarySample;

/** What metrics of the DogStatsD receiver are read off; it does not depend on Redis. */
export interface StatsdState {
  statsd: Pick<StatsdIntake, 'registry' | 'counts' | 'listening'>;
  /** Epoch seconds by the clock of this host, by which arrivals are timed. */
  arrivedBy: number;
}

/** What metrics are read off: the state, and what the scrapes themselves have counted. */
export type MetricState = State &
  StatsdState & {
    /** Label sets left out so far, by metric. */
    droppedSeries: ReadonlyMap<string, number>;
    /** Seconds by which the event loop was late at worst since the last scrape. */
    loopDelaySeconds: number;
  };

/**
 * One Prometheus metric: a row of the metric table, from which the endpoint's text, the docs page and
 * the editor's list are made.
 *
 * `read` gives its samples, one for each label set, in the order of printing, or `null` where the whole family is left out.
 * It may stop after `most` label sets. It must not keep or change the state, and it never throws: what is not known is a missing sample, never a zero.
 */
export interface Metric<Read = MetricState> {
  name: string;
  type: MetricType;
  help: string;
  unit?: 'seconds' | 'bytes' | 'ratio';
  labels: readonly string[];
  /** Where the figure comes from in Redis, for the reference page. */
  source: string;
  read(state: Read, most: number): Sample[] | null;
  /** Label sets that it would give, where counting them is much cheaper than making their lines. */
  labelSets?(state: Read): number;
}

/** A metric with its samples, ready to print. */
export interface Family extends Pick<Metric, 'name' | 'type' | 'help' | 'unit'> {
  samples: Sample[];
}

/**
 * Reads every metric of a table off one state.
 *
 * @param limit lines of one metric at most; a label set is given whole or not at all, and one always is
 * @param dropped counts, by metric, what was left out
 */
export function readFamilies<Read>(
  metrics: ReadonlyArray<Metric<Read>>,
  state: Read,
  limit: number,
  dropped: Map<string, number>
): Family[] {
  const families: Family[] = [];
  for (const metric of metrics) {
    const lines = LINES[metric.type] ?? 1;
    const sets = Math.max(1, Math.floor(limit / lines));
    const samples = metric.read(state, sets);
    if (samples === null) {
      continue;
    }
    const left = (metric.labelSets?.(state) ?? samples.length) - sets;
    if (left > 0) {
      dropped.set(metric.name, (dropped.get(metric.name) ?? 0) + left);
    }
    const { name, type, help, unit } = metric;
    families.push({
      name,
      type,
      help,
      ...(unit && { unit }),
      samples: samples.length > sets ? samples.slice(0, sets) : samples,
    });
  }
  return families;
}

/** Lines that one label set takes. */
const LINES: Partial<Record<MetricType, number>> = {
  histogram: HISTOGRAM_BOUNDS_MS.length + 2,
  summary: QUANTILES.length + 2,
};

/** Longest label value that comes from Redis; names are longer only by mistake, and each is printed many times. */
const LABEL_LENGTH = 500;

/** A name as a label value: cut where it is longer than anybody reads, with a digest that keeps such names apart. */
export function labelValue(name: string): string {
  if (name.length <= LABEL_LENGTH) {
    return name;
  }
  const digest = createHash('sha256').update(name).digest('hex').slice(0, DIGEST_LENGTH);
  return `${name.slice(0, LABEL_LENGTH - DIGEST_LENGTH - 1).replace(/[\ud800-\udbff]$/, '')}…${digest}`;
}

const DIGEST_LENGTH = 8;

/**
 * Makes the labels of one name, the same list for the same name: what prints them need not print them again.
 *
 * @param label of the one label
 */
export function labelsOfName(label: string): (name: string) => Labels {
  return remembered((name: string): Labels => [[label, labelValue(name)]]);
}

/** Labels of a queue, as the Ruby exporter names it. */
export const queueLabels = labelsOfName('name');
export const classLabels = labelsOfName('class');
export const hostLabels = labelsOfName('host');

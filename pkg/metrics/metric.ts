import type { ClassTotals } from '../history/classTotals';
import type { Flow } from '../history/flow';
import type { LossWatch } from '../history/lossWatch';
import type { Cadence, WorkerType } from '../settings/workerTypes';
import { HISTOGRAM_BOUNDS_MS } from '../sidekiq/jobMetrics';
import type { QueueFacts } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import type { InstallationTotals } from '../sidekiq/totals';
import type { ProJobs } from '../statsd/proJobs';
import { QUANTILES } from '../statsd/slidingSummary';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** One line of exposition. Label order is the order of printing. */
export interface Sample {
  labels?: Readonly<Record<string, string>>;
  /** A number, or the digits to print where their form matters. */
  value: number | string;
  /** `_bucket`, `_sum`, `_count` of histograms and summaries. */
  suffix?: string;
}

/** What metrics of the DogStatsD receiver are read off; it does not depend on Redis. */
export interface ReceiverState {
  pro: ProJobs;
  /** This host's clock in epoch seconds, by which arrivals are timed. */
  now: number;
}

/** What metrics are read off: a snapshot and what was derived from it once. */
export interface MetricState extends ReceiverState {
  snapshot: Snapshot;
  totals: InstallationTotals;
  queues: readonly QueueFacts[];
  flow: Flow;
  watch: LossWatch;
  classTotals: ClassTotals;
  /** Label sets left out so far, by metric. */
  droppedSeries: ReadonlyMap<string, number>;
  workerTypes: readonly WorkerType[];
  cadences: readonly Cadence[];
  /** Sidekiq’s dead_max_jobs, which is not in Redis. */
  deadMaxJobs: number;
}

/**
 * One Prometheus metric: a row of the metric table, from which the endpoint's text, the docs page and
 * the editor's list are made.
 *
 * `read` gives its samples in the order of printing, or `null` where the whole family is left out. It
 * must not keep or change the state, and it never throws: what a snapshot lacks is a missing sample.
 */
export interface Metric<State = MetricState> {
  name: string;
  type: MetricType;
  help: string;
  unit?: 'seconds' | 'bytes' | 'ratio';
  labels: readonly string[];
  /** Where the figure comes from in Redis, for the reference page. */
  source: string;
  read(state: State): Sample[] | null;
}

/** A metric with its samples, ready to print. */
export interface Family extends Pick<Metric, 'name' | 'type' | 'help' | 'unit'> {
  samples: Sample[];
}

/**
 * Reads every metric of a table off one state.
 *
 * @param limit label sets of one metric at most
 * @param dropped counts, by metric, what was left out
 */
export function readFamilies<State>(
  metrics: ReadonlyArray<Metric<State>>,
  state: State,
  limit: number,
  dropped: Map<string, number>
): Family[] {
  return metrics.flatMap((metric) => {
    const samples = metric.read(state);
    if (samples === null) {
      return [];
    }
    const lines = LINES[metric.type] ?? 1;
    const most = limit * lines;
    if (samples.length > most) {
      const count = Math.ceil((samples.length - most) / lines);
      dropped.set(metric.name, (dropped.get(metric.name) ?? 0) + count);
    }
    return [{ ...metric, samples: samples.slice(0, most) }];
  });
}

/** Lines that one label set takes. */
const LINES: Partial<Record<MetricType, number>> = {
  histogram: HISTOGRAM_BOUNDS_MS.length + 2,
  summary: QUANTILES.length + 2,
};

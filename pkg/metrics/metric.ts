import type { Flow } from '../history/flow';
import type { LossWatch } from '../history/lossWatch';
import type { QueueFacts } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import type { InstallationTotals } from '../sidekiq/totals';

export type MetricType = 'counter' | 'gauge' | 'histogram' | 'summary';

/** One line of exposition. Label order is the order of printing. */
export interface Sample {
  labels?: Record<string, string>;
  /** A number, or the digits to print where their form matters. */
  value: number | string;
  /** `_bucket`, `_sum`, `_count` of histograms and summaries. */
  suffix?: string;
}

/** What metrics are read off: a snapshot and what was derived from it once. */
export interface MetricState {
  snapshot: Snapshot;
  totals: InstallationTotals;
  queues: readonly QueueFacts[];
  flow: Flow;
  watch: LossWatch;
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
export interface Metric {
  name: string;
  type: MetricType;
  help: string;
  unit?: 'seconds' | 'bytes' | 'ratio';
  labels: readonly string[];
  /** Where the figure comes from in Redis, for the reference page. */
  source: string;
  read(state: MetricState): Sample[] | null;
}

/** A metric with its samples, ready to print. */
export interface Family extends Pick<Metric, 'name' | 'type' | 'help' | 'unit'> {
  samples: Sample[];
}

/** Reads every metric of a table off one state. */
export function readFamilies(metrics: readonly Metric[], state: MetricState): Family[] {
  return metrics.flatMap((metric) => {
    const samples = metric.read(state);
    return samples === null ? [] : [{ ...metric, samples }];
  });
}

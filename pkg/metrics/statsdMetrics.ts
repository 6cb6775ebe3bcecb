import { HISTOGRAM_BOUNDS_MS } from '../sidekiq/jobMetrics';
import type { Labels } from '../statsd/labels';
import { STATSD_METRICS, type StatsdMetric } from '../statsd/metrics';
import { QUANTILES, type SlidingSummary } from '../statsd/summary';
import type { Bounds, Metric, Sample, StatsdState } from './metric';

/**
 * Everything that the DogStatsD receiver gives: what Sidekiq sends, and how receiving goes.
 *
 * @param namespaces of the senders; each has metrics of its own
 */
export function receiverMetrics(namespaces: readonly string[]): ReadonlyArray<Metric<StatsdState>> {
  return [...namespaces.flatMap(senderMetrics), ...RECEIVER_METRICS];
}

/**
 * The metrics that Sidekiq Pro and Enterprise send by DogStatsD. Where nothing has arrived a family is left out. Counters
 * have no `_total`, as users of statsd_exporter know them.
 */
function senderMetrics(namespace: string): Array<Metric<StatsdState>> {
  return STATSD_METRICS.flatMap((metric) =>
    metric.kind === 'timing' ? [summary(namespace, metric), histogram(namespace, metric)] : [plain(namespace, metric)]
  );
}

function plain(namespace: string, metric: StatsdMetric): Metric<StatsdState> {
  return {
    name: `${namespace}_${metric.name}`,
    type: metric.kind === 'gauge' ? 'gauge' : 'counter',
    help: metric.help,
    labels: metric.labels,
    source: `DogStatsD ${metric.wire}`,
    read: (state) => filled(seriesOf(namespace, metric, state).map(({ labels, value }) => ({ labels, value }))),
  };
}

function summary(namespace: string, metric: StatsdMetric): Metric<StatsdState> {
  return {
    name: `${namespace}_${metric.name}`,
    type: 'summary',
    help: metric.help,
    labels: [...metric.labels, 'quantile'],
    source: `DogStatsD ${metric.wire}, milliseconds to seconds`,
    read: (state) =>
      filled(
        seriesOf(namespace, metric, state).flatMap(({ labels, timing }) =>
          timing ? [summarySample(labels, timing.summary, state.arrivedBy)] : []
        )
      ),
  };
}

function histogram(namespace: string, metric: StatsdMetric): Metric<StatsdState> {
  return {
    name: `${namespace}_${metric.name}_seconds`,
    type: 'histogram',
    help: `${metric.help.replace(', over the last ten minutes', '')} As a histogram, in Sidekiq’s buckets.`,
    unit: 'seconds',
    labels: metric.labels,
    source: `DogStatsD ${metric.wire}`,
    read: (state) =>
      filled(
        seriesOf(namespace, metric, state).flatMap(({ labels, timing }) =>
          timing ? [{ labels, bounds: DURATION_BOUNDS, counts: timing.buckets, sum: timing.summary.sum }] : []
        )
      ),
  };
}

function summarySample(labels: Labels, summary: SlidingSummary, now: number): Sample {
  return {
    labels,
    quantiles: summary.quantiles(QUANTILES, now).map((value, index) => [QUANTILES[index]!, value]),
    sum: summary.sum,
    count: summary.count,
  };
}

/** Bounds of buckets in seconds. */
export function boundsOf(milliseconds: readonly number[]): Bounds {
  return milliseconds.map((bound) => bound / 1000);
}

/** Those of the durations that Sidekiq keeps. */
export const DURATION_BOUNDS = boundsOf(HISTOGRAM_BOUNDS_MS);

function seriesOf(namespace: string, metric: StatsdMetric, { statsd, arrivedBy }: StatsdState) {
  return statsd.registry.seriesOf(metric, arrivedBy).filter((series) => series.namespace === namespace);
}

function filled(samples: Sample[]): Sample[] | null {
  return samples.length === 0 ? null : samples;
}

const RECEIVER_METRICS: ReadonlyArray<Metric<StatsdState>> = [
  receiver('jobwatch_statsd_packets_total', 'counter', 'DogStatsD packets received.', ({ counts }) => counts.packets),
  receiver('jobwatch_statsd_lines_total', 'counter', 'Lines in those packets.', ({ counts }) => counts.lines),
  receiver(
    'jobwatch_statsd_malformed_lines_total',
    'counter',
    'Lines that are not DogStatsD; the log has a sample a minute.',
    ({ counts }) => counts.malformed
  ),
  receiver(
    'jobwatch_statsd_unused_lines_total',
    'counter',
    'Lines of other metrics, sets, events and service checks.',
    ({ counts }) => counts.unused
  ),
  receiver(
    'jobwatch_statsd_dropped_lines_total',
    'counter',
    'Lines left out because a limit was reached: label sets of a metric, namespaces, or memory.',
    ({ counts }) => counts.dropped
  ),
  receiver(
    'jobwatch_statsd_cut_lines_total',
    'counter',
    'Lines of which some tags were left out or cut: too many, a value of over 200 characters, a name that is reserved or that another tag has.',
    ({ counts }) => counts.cut
  ),
  receiver(
    'jobwatch_statsd_memory_bytes',
    'gauge',
    'Estimated memory of the label sets kept now.',
    ({ registry }) => registry.budget.taken
  ),
  receiver(
    'jobwatch_statsd_memory_limit_bytes',
    'gauge',
    'Limit of that memory; once it is reached, new label sets are dropped and quantiles are NaN.',
    ({ registry }) => registry.budget.limit
  ),
  receiver(
    'jobwatch_statsd_sender_dropped_bytes_total',
    'counter',
    'Bytes dropped by the senders, as reported by them.',
    ({ counts }) => counts.droppedBySenders
  ),
  receiver('jobwatch_statsd_series', 'gauge', 'Label sets kept now.', ({ registry }) => registry.size),
];

function receiver(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  value: (statsd: StatsdState['statsd']) => number
): Metric<StatsdState> {
  return {
    name,
    type,
    help,
    labels: [],
    source: 'the DogStatsD receiver',
    read: ({ statsd }) => (statsd.listening.length === 0 ? null : [{ value: value(statsd) }]),
  };
}

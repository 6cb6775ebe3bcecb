import { CAPACITY_METRICS } from './capacityMetrics';
import { COMPAT_METRICS } from './compatMetrics';
import { EXPORTER_METRICS } from './exporterMetrics';
import { JOBWATCH_METRICS } from './jobwatchMetrics';
import { LOCK_METRICS } from './lockMetrics';
import type { Metric } from './metric';
import { RECURRING_METRICS } from './recurringMetrics';
import { receiverMetrics } from './statsdMetrics';
import { USUAL_METRICS } from './usualMetrics';
import { WAIT_METRICS } from './waitMetrics';

/**
 * Every metric of the endpoint, in the order of printing. A sender's metric that would have the name of another is left
 * out: Prometheus refuses a text in which a name comes twice.
 *
 * @param namespaces of those who send by DogStatsD
 * @param compatNames whether the names of other exporters are given too; they come first, as one of them is a name of the
 * Ruby exporter with a label more
 */
export function metricTable(namespaces: readonly string[], compatNames = false): readonly Metric[] {
  const metrics: readonly Metric[] = [
    ...(compatNames ? COMPAT_METRICS : []),
    ...EXPORTER_METRICS,
    ...JOBWATCH_METRICS,
    ...CAPACITY_METRICS,
    ...WAIT_METRICS,
    ...RECURRING_METRICS,
    ...LOCK_METRICS,
    ...USUAL_METRICS,
    ...receiverMetrics(namespaces),
  ];
  const names = new Set<string>();
  return metrics.filter(({ name }) => !names.has(name) && names.add(name));
}

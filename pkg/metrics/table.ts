import { CAPACITY_METRICS } from './capacityMetrics';
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
 */
export function metricTable(namespaces: readonly string[]): readonly Metric[] {
  const metrics: readonly Metric[] = [
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

import { CAPACITY_METRICS } from './capacityMetrics';
import { EXPORTER_METRICS } from './exporterMetrics';
import { JOBWATCH_METRICS } from './jobwatchMetrics';
import type { Metric } from './metric';
import { RECURRING_METRICS } from './recurringMetrics';
import { receiverMetrics } from './statsdMetrics';
import { WAIT_METRICS } from './waitMetrics';

/** Every metric of the endpoint, in the order of printing. @param statsdPrefix stands before what Sidekiq Pro sends */
export function metricTable(statsdPrefix: string): readonly Metric[] {
  return [
    ...EXPORTER_METRICS,
    ...JOBWATCH_METRICS,
    ...CAPACITY_METRICS,
    ...WAIT_METRICS,
    ...RECURRING_METRICS,
    ...receiverMetrics(statsdPrefix),
  ];
}

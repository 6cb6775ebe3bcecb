import { EXPORTER_METRICS } from './exporterMetrics';
import { JOBWATCH_METRICS } from './jobwatchMetrics';
import type { Metric } from './metric';

/** Every metric of the endpoint that is read off a snapshot, in the order of printing. */
export const METRICS: readonly Metric[] = [...EXPORTER_METRICS, ...JOBWATCH_METRICS];

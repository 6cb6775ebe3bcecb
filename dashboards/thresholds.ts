import { ThresholdsConfigBuilder, ThresholdsMode } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Step } from './panel';

/** Colours from a value upwards, as Grafana has them; green where nothing is said. */
export function thresholds(steps: Step[] = [{ from: null, color: 'green' }]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(({ from, color }) => ({ value: from as never, color })));
}

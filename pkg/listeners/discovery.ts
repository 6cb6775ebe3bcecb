/** One group of targets as Prometheus' HTTP service discovery reads them. */
export interface TargetGroup {
  targets: string[];
  labels: Record<string, string>;
}

/**
 * The targets of this collector for Prometheus' `http_sd_configs`: each is scraped here, at `/probe`, under its own name.
 *
 * @param address `host:port` by which the collector was asked
 * @see https://prometheus.io/docs/prometheus/latest/http_sd/
 */
export function discoveredTargets(names: Iterable<string>, address: string): TargetGroup[] {
  return [...names].map((name) => ({
    targets: [address],
    labels: { __metrics_path__: '/probe', __param_target: name, instance: name },
  }));
}

import { Counter, Gauge, Registry, collectDefaultMetrics } from 'prom-client';
import type { Instances } from './instances';

const registry = new Registry();
// The default precision of 10 ms would wake an idle process 100 times a second.
collectDefaultMetrics({ register: registry, prefix: 'jobwatch_plugin_', eventLoopMonitoringPrecision: 1000 });

const openInstances = new Gauge({
  name: 'jobwatch_plugin_instances',
  help: 'Data sources that are open now.',
  registers: [registry],
});

/** Query types answered by the plugin, by outcome. */
export const queriesTotal = new Counter({
  name: 'jobwatch_plugin_queries_total',
  help: 'Queries answered, by type and outcome (ok or the HTTP status of the failure).',
  labelNames: ['type', 'outcome'],
  registers: [registry],
});

/** The plugin's own figures as Prometheus text, for Grafana's CollectMetrics. */
export async function selfMetrics(instances: Instances): Promise<string> {
  openInstances.set(instances.open.length);
  return registry.metrics();
}

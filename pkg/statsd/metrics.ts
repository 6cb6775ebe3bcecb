/** How a metric is kept: `timing` arrives in milliseconds and is kept in seconds. */
export type StatsdKind = 'counter' | 'gauge' | 'timing';

/** A metric that Sidekiq Pro or Enterprise sends. */
export interface StatsdMetric {
  /** Its name on the wire, without namespace. */
  wire: string;
  /** Its name here, to which the prefix is put: `jobs_count`. */
  name: string;
  kind: StatsdKind;
  help: string;
  /** Labels that Sidekiq gives it, beside the client's own tags. */
  labels: readonly string[];
}

/**
 * What Sidekiq Pro ≥ 5 and Enterprise send (sidekiq.org, wiki Pro-Metrics and Ent-Historical-Metrics, and the
 * changelogs of Pro 8.0.2 for the `_dist` names).
 */
export const STATSD_METRICS: readonly StatsdMetric[] = [
  counter('jobs.count', 'Executions.', ['queue', 'worker']),
  counter('jobs.success', 'Executions that succeeded.', ['queue', 'worker']),
  counter('jobs.failure', 'Executions that raised, by error class.', ['queue', 'worker', 'error_type']),
  timing('jobs.perform', 'Duration of executions, over the last ten minutes.', ['queue', 'worker']),
  timing('jobs.perform_dist', 'The same as Sidekiq Pro ≥ 8.0.2 sends it as a distribution.', ['queue', 'worker']),
  counter('jobs.expired', 'Jobs that were too old to be run.', ['class']),
  counter('jobs.poison', 'Jobs that ended their process again and again, and were discarded.', ['queue', 'class']),
  counter('jobs.recovered.fetch', 'Jobs recovered from a process that ended while it ran them.', ['queue', 'class']),
  counter('jobs.recovered.push', 'Jobs enqueued late, since Redis was away when they were pushed.', []),
  counter('batch.created', 'Batches created.', []),
  counter('batch.complete', 'Batches whose jobs have all run.', []),
  counter('batch.success', 'Batches whose jobs have all succeeded.', []),
  timing('batch.duration', 'Time from creation to success of batches.', []),
  timing('batch.duration_dist', 'The same as Sidekiq Pro ≥ 8.0.2 sends it as a distribution.', []),
  gauge('processed', 'Executions in total, as Sidekiq Enterprise counts.', []),
  gauge('failures', 'Failed executions in total, as Sidekiq Enterprise counts.', []),
  gauge('enqueued', 'Jobs in all queues.', []),
  gauge('retries', 'Jobs that wait for a retry.', []),
  gauge('dead', 'Jobs in the dead set.', []),
  gauge('scheduled', 'Scheduled jobs.', []),
  gauge('busy', 'Busy threads.', []),
  gauge('queue.size', 'Jobs in the queue.', ['queue']),
  gauge('queue.latency', 'Latency of the queue in seconds.', ['queue']),
];

const BY_WIRE = new Map(STATSD_METRICS.map((metric) => [metric.wire, metric]));
/** Names that other software uses too: they count as Sidekiq's only after its own `sidekiq.`. */
const AMBIGUOUS = new Set(STATSD_METRICS.filter(({ kind }) => kind === 'gauge').map(({ wire }) => wire));

/** A name on the wire: the metric that it means, and the sender's own namespace as Prometheus takes it. */
export interface StatsdName {
  metric: StatsdMetric;
  namespace: string;
}

/** Parts of the longest name on the wire. */
const MOST_PARTS = Math.max(...STATSD_METRICS.map(({ wire }) => wire.split('.').length));

/** Stands before the names of a sender that has no namespace of its own. */
const NO_NAMESPACE = 'sidekiq';
const NAMESPACE_LENGTH = 100;

/**
 * Reads a name on the wire. `lago-api.jobs.count` and Pro 8's `lago-api.sidekiq.jobs.count` are both `jobs.count` of
 * `lago_api`; characters that Prometheus does not take become `_`, as statsd_exporter makes them.
 */
export function statsdNameOf(wireName: string): StatsdName | undefined {
  const parts = wireName.split('.');
  // A name may be as long as a packet.
  for (let start = Math.max(0, parts.length - MOST_PARTS); start < parts.length; start += 1) {
    const metric = BY_WIRE.get(parts.slice(start).join('.'));
    const ofSidekiq = parts[start - 1] === 'sidekiq';
    if (metric && (!AMBIGUOUS.has(metric.wire) || ofSidekiq)) {
      return { metric, namespace: namespaceOf(parts.slice(0, ofSidekiq ? start - 1 : start)) };
    }
  }
  return undefined;
}

function namespaceOf(parts: readonly string[]): string {
  const name = parts.join('_').slice(0, NAMESPACE_LENGTH);
  return name === '' ? NO_NAMESPACE : name.replace(/[^a-zA-Z0-9_]/g, '_').replace(/^(?=\d)/, '_');
}

function counter(wire: string, help: string, labels: readonly string[]): StatsdMetric {
  return { wire, name: wire.replaceAll('.', '_'), kind: 'counter', help, labels };
}

function gauge(wire: string, help: string, labels: readonly string[]): StatsdMetric {
  return { wire, name: wire.replaceAll('.', '_'), kind: 'gauge', help, labels };
}

function timing(wire: string, help: string, labels: readonly string[]): StatsdMetric {
  return { wire, name: wire.replaceAll('.', '_'), kind: 'timing', help, labels };
}

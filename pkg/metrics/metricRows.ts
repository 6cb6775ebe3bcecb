import type { Process } from '../sidekiq/process';
import type { QueueFacts } from '../sidekiq/queueFacts';
import type { Metric, MetricState, Sample } from './metric';

/** A gauge of the whole installation; `null` leaves its sample out. */
export function single(
  name: string,
  help: string,
  source: string,
  value: (state: MetricState) => number | null,
  unit?: Metric['unit']
): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: [],
    source,
    ...(unit && { unit }),
    read: (state) => samplesOf({}, value(state)),
  };
}

/** The same as a counter. */
export function counter(...row: Parameters<typeof single>): Metric {
  return { ...single(...row), type: 'counter' };
}

/** A gauge per known queue, also an idle one. */
export function perQueue(
  name: string,
  help: string,
  source: string,
  value: (queue: QueueFacts, state: MetricState) => number | null
): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['name'],
    source,
    read: (state) => state.queues.flatMap((queue) => samplesOf({ name: queue.name }, value(queue, state))),
  };
}

/** A counter per job class, as {@link ClassTotals} counts. */
export function perClass(name: string, help: string, part: 'processed' | 'failed'): Metric {
  return {
    name,
    type: 'counter',
    help,
    labels: ['class'],
    source: 'growth of the job metrics’ minutes (Sidekiq ≥ 7.0)',
    read: ({ classTotals }) =>
      [...classTotals.byClass].map(([jobClass, total]) => ({ labels: { class: jobClass }, value: total[part] })),
  };
}

/** A gauge per live process. */
export function perProcess(
  name: string,
  help: string,
  value: (process: Process) => number | null,
  unit?: Metric['unit']
): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['host', 'process'],
    source: 'hash of each process',
    ...(unit && { unit }),
    read: ({ snapshot }) =>
      snapshot.processes.flatMap((process) =>
        samplesOf({ host: process.host, process: process.identity }, value(process))
      ),
  };
}

function samplesOf(labels: Record<string, string>, value: number | null): Sample[] {
  return value === null ? [] : [{ labels, value }];
}

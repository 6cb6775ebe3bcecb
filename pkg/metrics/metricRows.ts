import type { QueueState } from '../observe/queueState';
import type { ClassCounts } from '../sidekiq/jobMetrics';
import type { Process } from '../sidekiq/model';
import type { Labels } from '../statsd/labels';
import { classLabels, labelValue, queueLabels, type Metric, type MetricState, type Sample } from './metric';

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
    read: (state) => samplesOf([], value(state)),
  };
}

/** The same as a counter. */
export function counter(...row: Parameters<typeof single>): Metric {
  return { ...single(...row), type: 'counter' };
}

/** The labels of what a row tells of: their names, and how they are made. */
export interface Labelled<T> {
  names: readonly string[];
  of(what: T): Labels;
}

/** What a row of {@link gaugePer} is made of. */
interface GaugeRow<T> extends Pick<Metric, 'name' | 'help' | 'source'> {
  unit?: Metric['unit'] | undefined;
  labelled: Labelled<T>;
  /** What it tells of, in the order of printing; `null` leaves the whole family out. */
  things(state: MetricState): readonly T[] | null;
  /** `null` leaves the sample out. */
  value(thing: T, state: MetricState): number | string | null;
}

/** A gauge at each of some things. */
export function gaugePer<T>({ name, help, source, unit, labelled, things, value }: GaugeRow<T>): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: labelled.names,
    source,
    ...(unit && { unit }),
    read(state) {
      const all = things(state);
      if (all === null) {
        return null;
      }
      const samples: Sample[] = [];
      for (const thing of all) {
        const found = value(thing, state);
        if (found !== null) {
          samples.push({ labels: labelled.of(thing), value: found });
        }
      }
      return samples;
    },
  };
}

/** A gauge per known queue, also an idle one. */
export function perQueue(
  name: string,
  help: string,
  source: string,
  value: (queue: QueueState) => number | boolean | null,
  unit?: Metric['unit']
): Metric {
  return gaugePer<QueueState>({
    name,
    help,
    source,
    unit,
    labelled: { names: ['name'], of: (queue) => queueLabels(queue.name) },
    things: ({ queues }) => queues,
    value(queue) {
      const found = value(queue);
      return found === null ? null : Number(found);
    },
  });
}

/** A gauge per queue in the set of queues, as other exporters have it. */
export function perKnownQueue(
  name: string,
  help: string,
  source: string,
  { names, of }: Labelled<string>,
  value: (queue: QueueState) => number | string | null,
  unit?: Metric['unit']
): Metric {
  return gaugePer<QueueState>({
    name,
    help,
    source,
    unit,
    labelled: { names, of: (queue) => of(queue.name) },
    things: ({ queues }) => queues.filter(({ known }) => known),
    value,
  });
}

/** A counter per job class, as the class totals count. */
export function perClass(name: string, help: string, part: keyof ClassCounts): Metric {
  return {
    name,
    type: 'counter',
    help,
    labels: ['class'],
    source: 'growth of the job metrics’ minutes (Sidekiq ≥ 7.0)',
    read: ({ classTotals }) =>
      [...classTotals].map(([jobClass, total]) => ({ labels: classLabels(jobClass), value: total[part] })),
  };
}

/** A gauge per live process. */
export function perProcess(
  name: string,
  help: string,
  value: (process: Process) => number | null,
  unit?: Metric['unit'],
  labelled: Labelled<Process> = HOST_AND_PROCESS
): Metric {
  return gaugePer<Process>({
    name,
    help,
    source: 'hash of each process',
    unit,
    labelled,
    things: ({ snapshot }) => snapshot.processes.items,
    value,
  });
}

const HOST_AND_PROCESS: Labelled<Process> = { names: ['host', 'process'], of: processLabels };

function samplesOf(labels: Labels, value: number | string | null): Sample[] {
  return value === null ? [] : [{ labels, value }];
}

const labelsByProcess = new WeakMap<Process, Labels>();

/** The metrics of a process share its labels, so that they are printed once. */
function processLabels(process: Process): Labels {
  let labels = labelsByProcess.get(process);
  if (!labels) {
    labels = [
      ['host', labelValue(process.host)],
      ['process', labelValue(process.identity)],
    ];
    labelsByProcess.set(process, labels);
  }
  return labels;
}

import { capacityOfTypes, headroom, threadsNeeded, type Capacity } from '../watch/capacity';
import { labelsOfName, type Metric, type Sample } from './metric';

const typeLabels = labelsOfName('worker_type');

function perWorkerType(name: string, help: string, value: (row: Capacity) => number | null): Metric {
  return {
    name,
    type: 'gauge',
    help,
    labels: ['worker_type'],
    source: 'minutes of job metrics, queue sizes, process records',
    read: (state) =>
      state.snapshot.queues.whole
        ? capacityOfTypes(state).flatMap((row): Sample[] => {
            const found = value(row);
            return found === null ? [] : [{ labels: typeLabels(row.workerType), value: found }];
          })
        : null,
  };
}

/** What an autoscaler asks: threads that are needed, and to spare, by worker type. */
export const CAPACITY_METRICS: readonly Metric[] = [
  perWorkerType(
    'sidekiq_threads_needed',
    'Threads to keep up and to work off the backlog within the objective of the worker type.',
    (row) => threadsNeeded(row)
  ),
  perWorkerType('sidekiq_headroom_threads', 'Ready threads less those that the work keeps busy.', headroom),
];

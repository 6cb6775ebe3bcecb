import { objectiveOf } from '../settings/workerTypes';
import type { State } from '../watch/state';
import { capacityOfQueues, capacityOfTypes, headroom, threadsNeeded, type Capacity } from '../watch/capacity';
import { remembered } from '../sidekiq/remembered';
import type { Labels } from '../statsd/labels';
import { gaugePer } from './metricRows';
import { labelsOfName, labelValue, type Metric, type Sample } from './metric';

const typeLabels = labelsOfName('worker_type');

function perWorkerType(
  name: string,
  help: string,
  value: (row: Capacity, state: State) => number | null,
  unit?: Metric['unit']
): Metric {
  return gaugePer<Capacity>({
    name,
    help,
    source: 'minutes of job metrics, queue sizes, process records',
    unit,
    labelled: { names: ['worker_type'], of: ({ workerType }) => typeLabels(workerType) },
    things: (state) => (state.snapshot.queues.whole ? capacityOfTypes(state) : null),
    value,
  });
}

const BOUNDS = ['earliest', 'latest'] as const;

/** When queues breach their objective. */
const BREACH: Metric = {
  name: 'sidekiq_queue_breach_seconds',
  type: 'gauge',
  unit: 'seconds',
  help: 'Time until the latency of the queue exceeds its objective if its flow goes on, at least and at most; missing where that is not expected within a day.',
  labels: ['name', 'bound'],
  source: 'flow of the queue over two minutes at most, and what is usual for the hours ahead',
  read: (state) =>
    capacityOfQueues(state).flatMap(({ queue, breach }) =>
      BOUNDS.flatMap((bound): Sample[] => {
        const value = breach?.[bound] ?? null;
        return value === null ? [] : [{ labels: breachLabels(queue)[bound], value }];
      })
    ),
};

const breachLabels = remembered((queue: string) => {
  const name = ['name', labelValue(queue)] as const;
  return { earliest: [name, ['bound', 'earliest']], latest: [name, ['bound', 'latest']] } satisfies Record<
    (typeof BOUNDS)[number],
    Labels
  >;
});

/** When Redis can hold no more. */
const MEMORY_FULL: Metric = {
  name: 'sidekiq_redis_memory_full_seconds',
  type: 'gauge',
  unit: 'seconds',
  help: 'Time until Redis reaches its maxmemory if it grows on, at least and at most; missing where that is not expected within a day, where INFO may not be read, and where Redis has no limit.',
  labels: ['bound'],
  source: 'INFO once a minute: growth over the last quarter of an hour and over the last two hours',
  read: ({ redisMemory }) =>
    BOUNDS.flatMap((bound): Sample[] => {
      const value = redisMemory?.full?.[bound] ?? null;
      return value === null ? [] : [{ labels: [['bound', bound]], value }];
    }),
};

/** What burn rates are made of. */
const OBJECTIVE: readonly Metric[] = [
  perWorkerType(
    'sidekiq_objective_met',
    '1 while the latency of the worker type is within its objective, 0 while it is not.',
    ({ waitSeconds, objectiveSeconds }) => (waitSeconds === null ? null : Number(waitSeconds <= objectiveSeconds))
  ),
  perWorkerType(
    'sidekiq_objective_target_ratio',
    'Share of the time for which the latency should be within the objective, by the settings.',
    ({ workerType }, { options }) => objectiveOf(workerType, options.workerTypes).share,
    'ratio'
  ),
];

/** What an autoscaler asks: threads that are needed, and to spare, by worker type. */
export const CAPACITY_METRICS: readonly Metric[] = [
  perWorkerType(
    'sidekiq_threads_needed',
    'Threads to keep up and to work off the backlog within the objective of the worker type.',
    (row) => threadsNeeded(row)
  ),
  BREACH,
  MEMORY_FULL,
  ...OBJECTIVE,
  perWorkerType(
    'sidekiq_supply_threads',
    'Ready threads that may run the jobs of the worker type, each counted once.',
    ({ supply }) => supply
  ),
  perWorkerType('sidekiq_headroom_threads', 'Ready threads less those that the work keeps busy.', headroom),
];

import { Fault } from '../faults/fault';
import { capacityOfAll, capacityOfQueues, threadsNeeded, type Capacity } from '../installation/capacity';
import type { State } from '../installation/state';
import type { ScaledObject } from './scaledObject';

/** What KEDA is told of one ScaledObject. */
export interface Scale {
  /** Something is to do, so that there must be a replica. */
  active: boolean;
  value: number;
  target: number;
}

/**
 * How far to scale, from one state. Paused queues neither need threads nor are late.
 *
 * @throws Fault `query` for a queue or a worker type that is not there, `data` where a figure is not known: KEDA then
 *   leaves the replicas as they are, so that nothing is scaled down for lack of a figure
 */
export function scaleOf(state: State, asked: ScaledObject): Scale {
  const all = capacityOf(state, asked);
  const { size, waitSeconds, demand } = all;
  if (size === null || demand === null) {
    throw unknown(asked, 'sizes or running jobs');
  }
  const target =
    asked.metric === 'latency' ? (asked.objectiveSeconds ?? all.objectiveSeconds) : asked.threadsPerReplica;
  const active = size > 0 || demand > 0;
  if (asked.metric === 'latency') {
    if (waitSeconds === null) {
      throw unknown(asked, 'waits');
    }
    return { active, value: waitSeconds, target };
  }
  const needed = threadsNeeded(all, asked.metric === 'drain' ? asked.drainSeconds : asked.objectiveSeconds);
  if (needed === null && all.supply !== 0) {
    throw unknown(asked, 'run times of the waiting classes');
  }
  // Without a thread nothing runs whose time could be known: one is needed to learn it.
  return { active, value: needed ?? 1, target };
}

function capacityOf(state: State, { workerType, queues }: ScaledObject): Capacity {
  if (!state.snapshot.queues.whole) {
    throw new Fault({
      kind: 'data',
      message: 'Not all queues could be read.',
      remedy: 'Grant the Redis user what gpx_sidekiq acl prints.',
    });
  }
  const paused = new Set(state.queues.filter((queue) => queue.paused === true).map(({ name }) => name));
  const wanted = capacityOfQueues(state).filter((row) =>
    workerType === '' ? queues.includes(row.queue) : (row.workerType || 'other') === workerType
  );
  if (wanted.length === 0) {
    // Sidekiq knows a queue once something was pushed to it: until then nothing waits in it.
    if (workerType === '') {
      return NOTHING;
    }
    throw new Fault({
      kind: 'query',
      message: `No queue is of the worker type "${workerType}".`,
      remedy: 'Name a worker type of the settings, or the queues.',
    });
  }
  const rows = wanted.map((row) =>
    paused.has(row.queue) ? { ...row, size: 0, waitSeconds: 0, drainSeconds: 0 } : row
  );
  return capacityOfAll(workerType, rows);
}

const NOTHING: Capacity = {
  workerType: '',
  queue: '',
  size: 0,
  waitSeconds: 0,
  objectiveSeconds: 300,
  supply: 0,
  demand: 0,
  meanSeconds: null,
  inRate: null,
  outRate: null,
  drainSeconds: 0,
  unserved: 0,
  starved: 0,
};

function unknown({ workerType, queues }: ScaledObject, what: string): Fault {
  return new Fault({
    kind: 'data',
    message: `The ${what} of ${workerType || queues.join(', ')} are not known now.`,
    remedy: 'The replicas stay as they are until they are known.',
  });
}

/** Scaled objects that are remembered; more are told without holding. */
const KEPT = 1000;

/**
 * Holds the largest value of the last while, so that a queue that empties for a moment takes no workers away. Bounded by
 * the number of scaled objects and by the time they hold.
 */
export class Hold {
  private readonly told = new Map<string, Array<{ at: number; scale: Scale }>>();

  /** @param key what is scaled, by what; @param now epoch seconds */
  keep(key: string, scale: Scale, holdSeconds: number, now: number): Scale {
    const since = now - holdSeconds;
    // A smaller value before a larger one is never told again.
    const before = (this.told.get(key) ?? []).filter(
      ({ at, scale: each }) => at > since && (each.value > scale.value || (each.active && !scale.active))
    );
    const kept = [...before, { at: now, scale }];
    this.told.delete(key);
    this.told.set(key, kept);
    const oldest = this.told.size > KEPT ? this.told.keys().next() : undefined;
    if (oldest && !oldest.done) {
      this.told.delete(oldest.value);
    }
    return {
      ...scale,
      value: Math.max(...kept.map((each) => each.scale.value)),
      active: kept.some((each) => each.scale.active),
    };
  }
}

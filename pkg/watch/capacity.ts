import { sharesOf } from '../observe/classShares';
import { isLate, stateOfQueue, worstState, type QueueStateName } from '../observe/queueCondition';
import type { QueueState } from '../observe/queueState';
import { breachOf, type Breach, type UsualPushes } from '../outlook/breach';
import { groupBy } from '../sidekiq/groupBy';
import { sumCounts } from '../sidekiq/jobMetrics';
import { sumOrNull } from '../sidekiq/parts/process';
import { threadsServing } from '../sidekiq/queueFacts';
import type { State } from './state';

/** What a queue, or the queues of a worker type together, want of threads. `null` where it is not known. */
export interface Capacity {
  workerType: string;
  /** `''` of a worker type. */
  queue: string;
  /** The queue, where it has no worker type and stands for itself; else `null`. */
  alone: string | null;
  /** The worst of the queues. */
  state: QueueStateName;
  /** Whether a served queue is late. */
  late: boolean | null;
  size: number | null;
  /** Jobs that wait and may be taken: none of a paused queue. */
  takeable: number | null;
  waitSeconds: number | null;
  objectiveSeconds: number;
  /** Ready threads that may do the work, each counted once. */
  supply: number | null;
  /** Jobs in progress, those of quiet processes too. */
  running: number | null;
  /** Threads that the work keeps busy. */
  demand: number | null;
  /** Jobs wait that nobody has worked on lately, so that their demand is not known. */
  unmeasured: boolean;
  meanSeconds: number | null;
  inRate: number | null;
  outRate: number | null;
  drainSeconds: number | null;
  /** When the latency reaches the objective; of a worker type that of the queue which comes first. */
  breach: Breach | null;
  /** Queues that nobody serves; where some are not known, those that are. */
  unserved: number | null;
  starved: number | null;
}

/** Complete minutes of job metrics that demand is taken from. */
const MINUTES = 10;

/**
 * Threads to keep up and to work off the backlog within a time: demand + backlog × mean time / time, rounded up.
 *
 * @param seconds the objective where it is left out
 */
export function threadsNeeded(
  {
    demand,
    takeable,
    meanSeconds,
    objectiveSeconds,
  }: Pick<Capacity, 'demand' | 'takeable' | 'meanSeconds' | 'objectiveSeconds'>,
  seconds = objectiveSeconds
): number | null {
  if (demand === null || takeable === null || (meanSeconds === null && takeable > 0)) {
    return null;
  }
  // Sums of floats may lie a hair above a whole number.
  return Math.max(0, Math.ceil(demand + (takeable * (meanSeconds ?? 0)) / seconds - 1e-9));
}

/**
 * Threads to keep up, and to work off what waits in each of several queues within its own objective.
 *
 * @param all of the queues together
 * @param seconds the objectives where it is left out
 */
export function threadsNeededBy(all: Capacity, rows: readonly Capacity[], seconds?: number): number | null {
  const waiting = rows.filter(({ takeable }) => takeable !== 0);
  if (seconds !== undefined || waiting.some(({ takeable }) => takeable === null)) {
    return threadsNeeded(all, seconds);
  }
  const means = waiting.map((row) => row.meanSeconds ?? all.meanSeconds);
  const backlog = means.includes(null)
    ? null
    : waiting.reduce((sum, row, index) => sum + (row.takeable! * means[index]!) / row.objectiveSeconds, 0);
  // Threads for a second are the work of one job that takes as many seconds.
  return threadsNeeded({ ...all, takeable: Math.sign(waiting.length), meanSeconds: backlog }, 1);
}

/** Threads that the work as it comes keeps busy, rounded up: fewer, and the backlog grows. */
export function threadsToKeepUp({ demand }: Capacity): number | null {
  // Never −0.
  return demand === null ? null : Math.max(0, Math.ceil(demand - 1e-9));
}

/** Demand over supply; above 1 the backlog grows. `null` without threads. */
export function utilisationOf(row: Pick<Capacity, 'demand' | 'supply'> | undefined): number | null {
  return row === undefined || row.demand === null || row.supply === null || row.supply === 0
    ? null
    : row.demand / row.supply;
}

/** The worker type of the highest utilisation; `undefined` where none is known. */
export function busiestType(state: State): Capacity | undefined {
  return capacityOfTypes(state)
    .filter((row) => utilisationOf(row) !== null)
    .sort((one, other) => utilisationOf(other)! - utilisationOf(one)!)[0];
}

/** Threads to spare: supply less demand. */
export function headroom({ demand, supply }: Capacity): number | null {
  return demand === null || supply === null ? null : supply - demand;
}

/** Of the states that are in use: several metrics, queries and scalers ask one state. */
const byQueue = new WeakMap<State, readonly Capacity[]>();

/** By queue, in the order of the state. */
export function capacityOfQueues(state: State): readonly Capacity[] {
  const known = byQueue.get(state) ?? readQueues(state);
  byQueue.set(state, known);
  return known;
}

function readQueues(state: State): Capacity[] {
  const work = workByQueue(state);
  const pushes = usualPushes(state);
  return state.queues.map((queue: QueueState): Capacity => {
    const { inRate, outRate } = queue;
    const { seconds: worked, executions } = work?.get(queue.name) ?? { seconds: 0, executions: 0 };
    const isPaused = queue.paused === true;
    const meanSeconds = executions === 0 ? null : worked / executions;
    // Of work that nobody does it is not known how many threads it takes.
    const isUnmeasured =
      !isPaused && queue.unserved === true && queue.readyThreads === 0 && queue.size !== 0 && executions === 0;
    return {
      workerType: queue.workerType,
      queue: queue.name,
      alone: queue.workerType === '' ? queue.name : null,
      state: stateOfQueue(queue),
      late: isLate(queue),
      size: queue.size,
      takeable: isPaused ? 0 : queue.size,
      waitSeconds: queue.waitSeconds,
      objectiveSeconds: queue.objectiveSeconds,
      supply: queue.readyThreads,
      running: queue.busy,
      demand:
        work === null || queue.readyBusy === null || isUnmeasured
          ? null
          : Math.max(
              isPaused ? 0 : loadOf({ worked, meanSeconds, inRate, outRate }),
              // The time of executions that fail is in no metric.
              isPaused ? 0 : (state.busyMeans.get(queue.name) ?? 0),
              queue.readyBusy
            ),
      unmeasured: isUnmeasured,
      meanSeconds,
      inRate,
      outRate,
      drainSeconds: queue.drainSeconds,
      breach: breachOf(queue, pushes.get(queue.name)),
      unserved: queue.unserved === null ? null : Number(queue.unserved),
      starved: queue.starved === null ? null : Number(queue.starved),
    };
  });
}

/**
 * Threads that work as it comes keeps busy: those that it kept busy, and more where more comes than is done. Rates are those of
 * the last minutes: where threads were lost lately, the work is still that of all of them, and no more comes than comes.
 */
function loadOf({
  worked,
  meanSeconds,
  inRate,
  outRate,
}: Pick<Capacity, 'meanSeconds' | 'inRate' | 'outRate'> & { worked: number }): number {
  const load = worked / (MINUTES * 60);
  return meanSeconds !== null && inRate !== null && outRate !== null && outRate > 0 && inRate > outRate
    ? Math.max(load, Math.min(load * (inRate / outRate), inRate * meanSeconds))
    : load;
}

/**
 * Seconds of successful work and executions of the last complete minutes, by the queues a class is known to run from: one that
 * runs from several is shared among them. `null` where a minute was refused.
 */
function workByQueue(state: State): Map<string, { seconds: number; executions: number }> | null {
  const { minutes } = state.snapshot;
  if (!minutes.whole) {
    return null;
  }
  const byQueue = new Map<string, { seconds: number; executions: number }>();
  for (const [jobClass, counts] of sumCounts(minutes.items.slice(1, MINUTES + 1))) {
    for (const [queue, share] of sharesOf(state, jobClass)) {
      const sum = byQueue.get(queue) ?? { seconds: 0, executions: 0 };
      byQueue.set(queue, {
        seconds: sum.seconds + (share * counts.milliseconds) / 1000,
        executions: sum.executions + share * (counts.processed - counts.failed),
      });
    }
  }
  return byQueue;
}

const byType = new WeakMap<State, readonly Capacity[]>();

/** By worker type. A queue without one stands for itself: such queues have nothing in common. */
export function capacityOfTypes(state: State): readonly Capacity[] {
  const known =
    byType.get(state) ??
    [...groupBy(capacityOfQueues(state), typeOf)].map(([workerType, members]) =>
      capacityOfAll(state, workerType, members)
    );
  byType.set(state, known);
  return known;
}

/** The worker type of a queue, or `other: ` and its name. */
export function typeOf({ workerType, queue }: Pick<Capacity, 'workerType' | 'queue'>): string {
  return workerType === '' ? `other: ${queue}` : workerType;
}

/** Of several queues together: threads that serve more than one of them are counted once, the rest adds up. */
export function capacityOfAll({ snapshot }: State, workerType: string, members: readonly Capacity[]): Capacity {
  const sum = (value: (row: Capacity) => number | null) => sumOrNull(members.map(value));
  const largest = (value: (row: Capacity) => number | null) =>
    members.some((row) => value(row) === null) ? null : Math.max(...members.map((row) => value(row)!));
  const rates = (value: (row: Capacity) => number | null) =>
    members.every((row) => value(row) === null) ? null : members.reduce((total, row) => total + (value(row) ?? 0), 0);
  // What is not known of one queue does not hide what is known of another.
  const atLeast = (value: (row: Capacity) => number | null) => {
    const known = members.reduce((total, row) => total + (value(row) ?? 0), 0);
    return known > 0 ? known : sum(value);
  };
  const lates = members.map(({ late }) => late);
  const waiting = members.filter((row) => row.takeable !== 0);
  // What nobody works on is left out beside what is measured.
  const measured = sumOrNull(members.filter((row) => !row.unmeasured).map(({ demand }) => demand));
  const unmeasured = measured === 0 && members.some((row) => row.unmeasured);
  return {
    workerType,
    queue: '',
    alone: members.length === 1 ? members[0]!.alone : null,
    state: worstState(members.map(({ state }) => state)),
    late: lates.includes(true) ? true : lates.includes(null) ? null : false,
    size: sum((row) => row.size),
    takeable: sum((row) => row.takeable),
    waitSeconds: largest((row) => row.waitSeconds),
    objectiveSeconds: members[0]!.objectiveSeconds,
    supply: threadsServing(snapshot.processes, new Set(members.map(({ queue }) => queue)), 'ready'),
    running: sum((row) => row.running),
    demand: unmeasured ? null : measured,
    unmeasured,
    meanSeconds: meanTime(waiting),
    inRate: rates((row) => row.inRate),
    outRate: rates((row) => row.outRate),
    drainSeconds: drainTime(members.filter((row) => row.size !== 0)),
    breach: firstToBreach(members)?.breach ?? null,
    unserved: atLeast((row) => row.unserved),
    starved: atLeast((row) => row.starved),
  };
}

/** Of the waiting jobs whose class has a known mean time, weighted by their number. */
function meanTime(waiting: readonly Capacity[]): number | null {
  const known = waiting.filter(({ meanSeconds, takeable }) => meanSeconds !== null && takeable !== null);
  const jobs = known.reduce((total, { takeable }) => total + takeable!, 0);
  return jobs === 0
    ? null
    : known.reduce((total, { takeable, meanSeconds }) => total + takeable! * meanSeconds!, 0) / jobs;
}

/** The row whose breach comes first; `undefined` for none. */
export function firstToBreach(rows: readonly Capacity[]): Capacity | undefined {
  const compare = (one: Breach, other: Breach) =>
    one.earliest - other.earliest || (one.latest ?? Infinity) - (other.latest ?? Infinity);
  return rows.filter(({ breach }) => breach !== null).sort((one, other) => compare(one.breach!, other.breach!))[0];
}

const HOUR = 3600;

/** By queue. */
function usualPushes({ usual, now }: State): ReadonlyMap<string, UsualPushes> {
  const hourEndsIn = HOUR - (now % HOUR);
  return new Map(usual?.ahead.map(({ queue, inRates }) => [queue, { inRates, hourEndsIn }]));
}

/** The type is drained with its last queue. */
function drainTime(waiting: readonly Capacity[]): number | null {
  return waiting.some(({ drainSeconds }) => drainSeconds === null)
    ? null
    : waiting.reduce((longest, { drainSeconds }) => Math.max(longest, drainSeconds!), 0);
}

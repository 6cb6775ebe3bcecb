import type { FetchMode } from '../engine/engine';
import type { Computing } from './contention';
import type { Scaling } from './scaling';

/** Threads of all processes that serve the same queues in the same order: they can stand for one another. */
export interface ThreadGroup {
  readonly threads: number;
  /** The threads of such a capsule in each process that has one, by identity, as it is. */
  readonly processes: ReadonlyMap<string, number>;
  readonly mode: FetchMode;
  /** Weight by queue in the order of service. */
  readonly weights: ReadonlyMap<string, number>;
}

/** Who serves what. */
export interface Topology {
  readonly groups: readonly ThreadGroup[];
  readonly paused: ReadonlySet<string>;
}

/** Executions of one class in one queue over a stretch of time. */
export interface ClassDemand {
  readonly class: string;
  readonly queue: string;
  /** Jobs that come in each slot, on average. */
  readonly arrivals: readonly number[];
  readonly durations: DurationModel;
  /** Share of the jobs that Sidekiq's poller brings, all that are due at once: retries. */
  readonly polled: number;
  /** Executions that were measured: rate and mean run time are as sure as so many tell. */
  readonly executions: number;
  /** Its part, beside the other classes of the queue, of the jobs that wait and that run at the beginning. No change moves it. */
  readonly atBeginning: { readonly waiting: number; readonly running: number };
}

/** How long executions take. */
export interface DurationModel {
  /** Cumulative shares of the buckets, the last 1. */
  readonly cumulative: readonly number[];
  /** Bounds of each bucket in seconds. */
  readonly bounds: ReadonlyArray<readonly [lower: number, upper: number]>;
  /** Logarithm of the upper bound by the lower one; 0 for a bucket that begins at 0, which is even. */
  readonly logs: readonly number[];
  /** The same shares of the time that executions take, and not of their number. */
  readonly cumulativeTime: readonly number[];
  /** Factor by which the mean of what is drawn equals the measured one. */
  readonly scale: number;
  readonly meanSeconds: number;
  /** Variance by the square of the mean. */
  readonly variation: number;
}

/** Jobs of a queue that wait and run at the beginning. */
export interface Backlog {
  readonly jobs: number;
  readonly running: number;
  /** Seconds for which they have waited, of some at even distances from the oldest to the newest; at least two. */
  readonly ages: readonly number[];
}

/** Work that comes. */
export interface Demand {
  readonly classes: readonly ClassDemand[];
  readonly slotSeconds: number;
  readonly slots: number;
  /** By queue. */
  readonly backlog: ReadonlyMap<string, Backlog>;
}

/** What is simulated. */
export interface Scenario {
  readonly topology: Topology;
  readonly demand: Demand;
  /** Replaces the threads that serve its queues. */
  readonly scaling?: Scaling;
  /** Run times depend on how many jobs run in a process. */
  readonly computing?: Computing;
}

/** Jobs of a class that come, on average. */
export function jobsOfClass({ arrivals }: Pick<ClassDemand, 'arrivals'>): number {
  return arrivals.reduce((sum, each) => sum + each, 0);
}

/** Thread-seconds that the jobs of some classes take, on average. */
export function workOf(classes: readonly ClassDemand[]): number {
  return classes.reduce((sum, each) => sum + each.durations.meanSeconds * jobsOfClass(each), 0);
}

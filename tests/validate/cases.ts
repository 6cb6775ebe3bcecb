import type { RealCapsule, RealTopology } from './real';

/** A load on a real Sidekiq, and a change that is predicted from it. */
export interface Case {
  name: string;
  jobClass: 'SleepJob' | 'ComputeJob' | 'MixedJob';
  /** Mean run time in seconds by queue; lognormal. */
  means: Record<string, number>;
  /** Pushes per second by queue. */
  rates: Record<string, number>;
  /** Share of the executions that raise and are retried. */
  failing?: number;
  /** Mean processor seconds of an execution: by them and the measured run times the option `computing` is given. */
  computes?: number;
  /** Jobs by queue that wait at the beginning: their drain time is measured. */
  backlog?: Record<string, number>;
  before: RealTopology;
  after: RealTopology;
  /** The change as the query type takes it. */
  change: Record<string, string[]>;
}

const strict = (threads: number, ...queues: string[]): RealCapsule => ({
  threads,
  mode: 'strict',
  weights: Object.fromEntries(queues.map((queue) => [queue, 0])),
});
const weighted = (threads: number, weights: Record<string, number>): RealCapsule => ({
  threads,
  mode: 'weighted',
  weights,
});
const random = (threads: number, ...queues: string[]): RealCapsule => ({
  threads,
  mode: 'random',
  weights: Object.fromEntries(queues.map((queue) => [queue, 1])),
});

/** Two queues of which the first is a third of the work, at a load on so many threads. */
function load(share: number, threads: number, mean = 0.2): Pick<Case, 'means' | 'rates'> {
  const perSecond = (share * threads) / mean;
  return { means: { a: mean, b: mean }, rates: { a: perSecond / 3, b: (2 * perSecond) / 3 } };
}

/** Loads from light to overloaded, in every order of service that Sidekiq knows. */
export const CASES: readonly Case[] = [
  {
    name: 'strict, load 0.40, 6 threads to 4 (load 0.60)',
    jobClass: 'SleepJob',
    ...load(0.4, 6),
    before: [[strict(6, 'a', 'b')]],
    after: [[strict(4, 'a', 'b')]],
    change: { threads: ['a=4'] },
  },
  {
    name: 'strict, load 0.59, 7 threads to 5 (load 0.82)',
    jobClass: 'SleepJob',
    ...load(0.82, 5),
    before: [[strict(7, 'a', 'b')]],
    after: [[strict(5, 'a', 'b')]],
    change: { threads: ['a=5'] },
  },
  {
    name: 'weighted 3:1, load 0.82, to strict',
    jobClass: 'SleepJob',
    ...load(0.82, 5),
    before: [[weighted(5, { a: 3, b: 1 })]],
    after: [[strict(5, 'a', 'b')]],
    change: { order: ['a=a>b'] },
  },
  {
    name: 'strict, load 0.75, to weights 3:1',
    jobClass: 'SleepJob',
    ...load(0.75, 5),
    before: [[strict(5, 'a', 'b')]],
    after: [[weighted(5, { a: 3, b: 1 })]],
    change: { order: ['a=a:3>b:1'] },
  },
  {
    name: 'random, load 0.70, 5 threads to 4 (load 0.88)',
    jobClass: 'SleepJob',
    ...load(0.7, 5),
    before: [[random(5, 'a', 'b')]],
    after: [[random(4, 'a', 'b')]],
    change: { threads: ['a=4'] },
  },
  {
    name: 'two capsules, 3 and 4 threads, to 2 and 5',
    jobClass: 'SleepJob',
    means: { a: 0.2, b: 0.2 },
    rates: { a: 7, b: 15 },
    before: [[strict(3, 'a'), strict(4, 'b')]],
    after: [[strict(2, 'a'), strict(5, 'b')]],
    change: { threads: ['a=2', 'b=5'] },
  },
  {
    name: 'two processes of 4 threads, one lost (load 0.40 to 0.80)',
    jobClass: 'SleepJob',
    ...load(0.4, 8),
    before: [[strict(4, 'a', 'b')], [strict(4, 'a', 'b')]],
    after: [[strict(4, 'a', 'b')]],
    change: { processes: ['a=1'] },
  },
  {
    name: 'retries: one of ten raises, load 0.6, 6 threads to 5',
    jobClass: 'SleepJob',
    ...load(0.6, 6),
    failing: 0.1,
    before: [[strict(6, 'a', 'b')]],
    after: [[strict(5, 'a', 'b')]],
    change: { threads: ['a=5'] },
  },
  {
    name: 'overloaded: load 1.10, 4 threads to 6 (load 0.73)',
    jobClass: 'SleepJob',
    ...load(1.1, 4),
    before: [[strict(4, 'a', 'b')]],
    after: [[strict(6, 'a', 'b')]],
    change: { threads: ['a=6'] },
  },
  {
    name: 'strict, load 0.50, backlog of 1,500 jobs, 4 threads to 6',
    jobClass: 'SleepJob',
    ...load(0.5, 4),
    backlog: { a: 300, b: 1200 },
    before: [[strict(4, 'a', 'b')]],
    after: [[strict(6, 'a', 'b')]],
    change: { threads: ['a=6'] },
  },
  {
    name: 'weighted 3:1, load 0.50, backlog of 1,500 jobs, 4 threads to 3',
    jobClass: 'SleepJob',
    ...load(0.5, 4),
    backlog: { a: 900, b: 600 },
    before: [[weighted(4, { a: 3, b: 1 })]],
    after: [[weighted(3, { a: 3, b: 1 })]],
    change: { threads: ['a=3'] },
  },
  {
    name: 'jobs that compute, one process, load 0.5 of a core, 2 threads to 8',
    jobClass: 'ComputeJob',
    means: { a: 0.05, b: 0.05 },
    rates: { a: 3, b: 5 },
    computes: 0.05,
    before: [[strict(2, 'a', 'b')]],
    after: [[strict(8, 'a', 'b')]],
    change: { threads: ['a=8'] },
  },
  {
    name: 'jobs that compute half of their time alone, 0.6 of a core, two processes of 3 threads to one of 3',
    jobClass: 'MixedJob',
    means: { a: 0.4, b: 0.4 },
    rates: { a: 1, b: 2 },
    computes: 0.2,
    before: [[strict(3, 'a', 'b')], [strict(3, 'a', 'b')]],
    after: [[strict(3, 'a', 'b')]],
    change: { processes: ['a=1'] },
  },
];

import { groupBy } from '../sidekiq/groupBy';
import type { Turns } from '../turns';
import { sum } from './arrivals';
import { scaled } from './durations';
import type { ClassDemand, Demand, ThreadGroup, Topology } from './model';

/** Of the classes that compute, by {@link classKey}: what is known of their run times. */
export type Computing = ReadonlyMap<string, Computes>;

export interface Computes {
  /** Share of the run time, as it was measured, in which the processor is used. */
  readonly share: number;
  /** By how many times computing took longer when that was measured than it would alone. */
  readonly stretch: number;
}

/** Threads of processes that run them together. */
interface Domain {
  /** Threads that serve a queue. */
  readonly serving: ReadonlyMap<string, number>;
  readonly threads: number;
  readonly processes: number;
}

/** Of more others each further one waits for the processor. */
const STEPS_MOST = 1000;
const SETTLED_ROUNDS = 10;
/** Until the number of jobs that run changes by less than this share. */
const SETTLED = 0.002;
const ROUNDS_MOST = 200;
/** Parts of a job by which the stretch is told. */
const STEPS_A_JOB = 50;

/** By what a class is known in one queue. */
export function classKey({ queue, class: name }: Pick<ClassDemand, 'queue' | 'class'>): string {
  return `${queue}\0${name}`;
}

/**
 * By how many times computing takes longer beside other jobs of the same process: Ruby runs one thread of a process at a
 * time. By mean value analysis of a closed network of one processor that is shared and of time without it (Reiser and
 * Lavenberg 1980), which is exact for a processor that is shared evenly.
 *
 * @param others jobs that run beside it on average, not necessarily whole
 * @param share of their time, alone, in which they compute
 */
export function stretchBeside(others: number, share: number): number {
  let waiting = 0;
  for (let jobs = 1; jobs <= Math.min(STEPS_MOST, Math.ceil(others)); jobs += 1) {
    const computes = share * (1 + waiting);
    const all = computes === 0 ? 0 : (jobs * computes) / (1 - share + computes);
    // Between two numbers of jobs in proportion.
    waiting += (all - waiting) * Math.min(1, others - (jobs - 1));
  }
  return 1 + waiting + Math.max(0, others - STEPS_MOST);
}

/**
 * What is known of the classes that compute, by the work as it was measured.
 *
 * @param shareOf share of the run time of a class in which it computes
 */
export async function measuredContention(
  topology: Topology,
  demand: Demand,
  shareOf: (of: ClassDemand) => number,
  turns: Turns
): Promise<Computing> {
  const placed = await place(topology, demand, turns);
  let known: Computing = new Map(demand.classes.map((of) => [classKey(of), { share: shareOf(of), stretch: 1 }]));
  // The stretch depends on what the classes beside do without the processor, and that on the stretch.
  for (let round = 0; round < SETTLED_ROUNDS; round += 1) {
    const stretches = await stretchesOf(placed, demand, known, true, turns);
    known = new Map(
      demand.classes.map((of) => {
        const { share } = known.get(classKey(of))!;
        // What computes all of its time was not stretched further than that.
        return [classKey(of), { share, stretch: share === 0 ? 1 : Math.min(1 / share, stretches.get(of)!) }];
      })
    );
  }
  return known;
}

/**
 * The work with the run times that it has on some threads.
 *
 * @returns with the factor of each class, by {@link classKey}, by which its run time is another one
 */
export async function underContention(
  topology: Topology,
  demand: Demand,
  computing: Computing,
  turns: Turns
): Promise<{ demand: Demand; factors: ReadonlyMap<string, number> }> {
  const stretches = await stretchesOf(await place(topology, demand, turns), demand, computing, false, turns);
  const factors = new Map<string, number>();
  const classes = demand.classes.map((of) => {
    const { share, idle } = partsOf(of, computing);
    const factor = share * stretches.get(of)! + idle;
    factors.set(classKey(of), factor);
    return { ...of, durations: scaled(of.durations, factor) };
  });
  return { demand: { ...demand, classes }, factors };
}

/** Run times of the same threads that come out by more than this share other than they were measured are not explained. */
const EXPLAINED = 0.1;
const HALVINGS = 10;

/**
 * What is known of the classes that compute, and by which factor (`explained`) their shares must be lower so that they explain
 * the run times that were measured: executions that computed more would have taken longer beside each other. 1 where they
 * explain them.
 */
export async function explainedContention(
  topology: Topology,
  demand: Demand,
  shareOf: (of: ClassDemand) => number,
  turns: Turns
): Promise<{ computing: Computing; explained: number }> {
  const at = async (times: number) => {
    const computing = await measuredContention(topology, demand, (of) => times * shareOf(of), turns);
    const { factors } = await underContention(topology, demand, computing, turns);
    return { computing, isExplained: [...factors.values()].every((factor) => Math.abs(factor - 1) <= EXPLAINED) };
  };
  const { computing, isExplained } = await at(1);
  if (isExplained) {
    return { computing, explained: 1 };
  }
  let [least, most] = [0, 1];
  for (let halved = 0; halved < HALVINGS; halved += 1) {
    const middle = (least + most) / 2;
    [least, most] = (await at(middle)).isExplained ? [middle, most] : [least, middle];
  }
  return { computing, explained: least };
}

/** The work with the run times that its executions have alone in their processes. */
export function alone(demand: Demand, computing: Computing): Demand {
  const classes = demand.classes.map((of) => {
    const { share, idle } = partsOf(of, computing);
    return { ...of, durations: scaled(of.durations, share + idle) };
  });
  return { ...demand, classes };
}

/** Shares of the measured run time: what computing takes alone, and what neither uses the processor nor waits for it. */
function partsOf(of: ClassDemand, computing: Computing): { share: number; idle: number } {
  const { share, stretch } = computing.get(classKey(of)) ?? { share: 0, stretch: 1 };
  return { share, idle: 1 - share * stretch };
}

/** Work of one domain, in thread-seconds as they were measured. */
interface Placed {
  readonly domain: Domain;
  readonly classes: ReadonlyArray<{ of: ClassDemand; seconds: number }>;
  /** What comes in each slot, the backlog in the first one. */
  readonly coming: Float64Array;
}

/** The work of each domain: of a queue that several serve by their threads. */
async function place({ groups, paused }: Topology, demand: Demand, turns: Turns): Promise<Placed[]> {
  const { slots, backlog } = demand;
  const byQueue = groupBy(
    demand.classes.filter(({ queue }) => !paused.has(queue)),
    ({ queue }) => queue
  );
  const threadsFor = new Map<string, number>();
  for (const { threads, weights } of groups) {
    weights.forEach((_, queue) => threadsFor.set(queue, (threadsFor.get(queue) ?? 0) + threads));
  }
  const placed: Placed[] = [];
  for (const domain of domainsOf(groups)) {
    const coming = new Float64Array(slots);
    const classes: Array<{ of: ClassDemand; seconds: number }> = [];
    for (const [queue, threads] of domain.serving) {
      const members = byQueue.get(queue) ?? [];
      const part = threads / threadsFor.get(queue)!;
      const waiting = sum(members.map(({ atBeginning }) => atBeginning.waiting));
      for (const of of part > 0 ? members : []) {
        const each = part * of.durations.meanSeconds;
        const jobs = waiting === 0 ? 0 : ((backlog.get(queue)?.jobs ?? 0) * of.atBeginning.waiting) / waiting;
        coming[0]! += each * jobs;
        of.arrivals.forEach((count, slot) => (coming[slot]! += each * count));
        classes.push({ of, seconds: each * (jobs + sum(of.arrivals)) });
      }
    }
    placed.push({ domain, classes, coming });
    await turns.give();
  }
  return placed;
}

/** By class the stretch that its executions see on average. @param measured whether run times are those that were measured */
async function stretchesOf(
  placed: readonly Placed[],
  { classes, slotSeconds }: Demand,
  computing: Computing,
  measured: boolean,
  turns: Turns
): Promise<Map<ClassDemand, number>> {
  const sums = new Map<string, { threads: number; stretched: number }>();
  for (const each of placed) {
    const stretch = stretchIn(each, slotSeconds, computing, measured);
    for (const [queue, threads] of each.domain.serving) {
      const before = sums.get(queue) ?? { threads: 0, stretched: 0 };
      sums.set(queue, { threads: before.threads + threads, stretched: before.stretched + threads * stretch });
    }
    await turns.give();
  }
  return new Map(
    classes.map((of) => {
      const { threads = 0, stretched = 0 } = sums.get(of.queue) ?? {};
      return [of, threads === 0 ? 1 : stretched / threads];
    })
  );
}

/** The stretch within one domain, slot by slot: what does not fit into a slot is left for the next one. */
function stretchIn(
  { domain: { threads, processes }, classes, coming }: Placed,
  slotSeconds: number,
  computing: Computing,
  measured: boolean
): number {
  const all = sum(classes.map(({ seconds }) => seconds));
  const parts = classes.map(({ of, seconds }) => ({ ...partsOf(of, computing), seconds }));
  const computes = sum(parts.map(({ share, seconds }) => share * seconds));
  if (computes === 0 || threads === 0) {
    return 1;
  }
  const idles = sum(parts.map(({ idle, seconds }) => idle * seconds));
  const share = computes / (computes + idles);
  const stretches = new Map<number, number>();
  const stretchAt = (busy: number) => {
    const rounded = Math.round(besideIn(busy, threads, processes) * STEPS_A_JOB);
    const stretch = stretches.get(rounded) ?? stretchBeside(rounded / STEPS_A_JOB, share);
    stretches.set(rounded, stretch);
    return stretch;
  };
  // By how many times the measured work takes so long, beside what runs.
  const timesAt = (busy: number) => (measured ? 1 : (computes * stretchAt(busy) + idles) / all);
  let [left, stretched, lived] = [0, 0, 0];
  for (const each of coming) {
    left += each;
    const busy = settled((running) => Math.min(threads, (left * timesAt(running)) / slotSeconds));
    stretched += busy * stretchAt(busy);
    lived += busy;
    left = Math.max(0, left - (busy * slotSeconds) / timesAt(busy));
  }
  return lived === 0 ? 1 : stretched / lived;
}

/**
 * Jobs that run in the process where a job starts, on any of the idle threads: of those that run, which are all other threads
 * at most, as many as are on the other threads of that process.
 */
function besideIn(busy: number, threads: number, processes: number): number {
  const others = busy * (1 - (busy / threads) ** 2 / threads);
  return threads > 1 ? (others * Math.max(0, threads / processes - 1)) / (threads - 1) : 0;
}

/** The least value that a rising function gives for itself. */
function settled(next: (value: number) => number): number {
  let value = 0;
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    const following = next(value);
    if (following - value <= SETTLED * following) {
      return following;
    }
    value = following;
  }
  return value;
}

/** Capsules of the same processes share their processors. A group of no process that is known is one of its own. */
function domainsOf(groups: readonly ThreadGroup[]): Domain[] {
  const byProcess = new Map<string, Set<ThreadGroup>>();
  const domains = new Set<Set<ThreadGroup>>();
  for (const group of groups) {
    const joined = new Set([...group.processes].flatMap((name) => byProcess.get(name) ?? []));
    const domain = new Set([...[...joined].flatMap((each) => [...each]), group]);
    joined.forEach((each) => domains.delete(each));
    domains.add(domain);
    domain.forEach(({ processes }) => processes.forEach((name) => byProcess.set(name, domain)));
  }
  return [...domains].map((members) => {
    const serving = new Map<string, number>();
    for (const { threads, weights } of members) {
      weights.forEach((_, queue) => serving.set(queue, (serving.get(queue) ?? 0) + threads));
    }
    const names = new Set([...members].flatMap(({ processes }) => [...processes]));
    const threads = sum([...members].map((each) => each.threads));
    return { serving, threads, processes: Math.max(1, names.size) };
  });
}

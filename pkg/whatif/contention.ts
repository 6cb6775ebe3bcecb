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
  readonly groups: readonly ThreadGroup[];
  readonly threads: number;
  readonly processes: number;
}

/** Of more others each further one waits for the processor. */
const STEPS_MOST = 1000;
const SETTLED_ROUNDS = 10;
/** Until the number of jobs that run changes by less than this share. */
const SETTLED = 0.002;
const ROUNDS_MOST = 200;

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
export function measuredContention(
  topology: Topology,
  demand: Demand,
  shareOf: (of: ClassDemand) => number
): Computing {
  let known: Computing = new Map(demand.classes.map((of) => [classKey(of), { share: shareOf(of), stretch: 1 }]));
  // The stretch depends on what the classes beside do without the processor, and that on the stretch.
  for (let round = 0; round < SETTLED_ROUNDS; round += 1) {
    const stretches = stretchesOf(topology, demand, known, true);
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
 * @returns with the factor of each class by which its run time is another one
 */
export function underContention(
  topology: Topology,
  demand: Demand,
  computing: Computing
): { demand: Demand; factors: ReadonlyMap<string, number> } {
  const stretches = stretchesOf(topology, demand, computing, false);
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
 * By which factor shares must be lower so that they explain the run times that were measured: executions that computed more
 * would have taken longer beside each other. 1 where they explain them.
 */
export function explainedShare(topology: Topology, demand: Demand, shareOf: (of: ClassDemand) => number): number {
  const explains = (times: number) => {
    const computing = measuredContention(topology, demand, (of) => times * shareOf(of));
    const { factors } = underContention(topology, demand, computing);
    return [...factors.values()].every((factor) => Math.abs(factor - 1) <= EXPLAINED);
  };
  if (explains(1)) {
    return 1;
  }
  let [least, most] = [0, 1];
  for (let halved = 0; halved < HALVINGS; halved += 1) {
    const middle = (least + most) / 2;
    [least, most] = explains(middle) ? [middle, most] : [least, middle];
  }
  return least;
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

/** By class the stretch that its executions see on average. @param measured whether run times are those that were measured */
function stretchesOf(
  { groups, paused }: Topology,
  demand: Demand,
  computing: Computing,
  measured: boolean
): Map<ClassDemand, number> {
  const threadsFor = (of: Pick<Domain, 'groups'>, queue: string) =>
    sum(of.groups.filter(({ weights }) => weights.has(queue)).map(({ threads }) => threads));
  const taken = demand.classes.filter(({ queue }) => !paused.has(queue));
  const told = domainsOf(groups).map((domain) => {
    const work = taken.flatMap((of) => {
      const share = threadsFor(domain, of.queue) / threadsFor({ groups }, of.queue);
      return share > 0 ? [{ of, share }] : [];
    });
    return { domain, stretch: stretchIn(domain, work, demand, computing, measured) };
  });
  return new Map(
    demand.classes.map((of) => {
      const serving = told.map(({ domain, stretch }) => ({ threads: threadsFor(domain, of.queue), stretch }));
      const all = sum(serving.map(({ threads }) => threads));
      return [of, all === 0 ? 1 : sum(serving.map(({ threads, stretch }) => threads * stretch)) / all];
    })
  );
}

/** The stretch within one domain, slot by slot: what does not fit into a slot is left for the next one. */
function stretchIn(
  { threads, processes }: Domain,
  work: ReadonlyArray<{ of: ClassDemand; share: number }>,
  { slots, slotSeconds, backlog }: Demand,
  computing: Computing,
  measured: boolean
): number {
  const left = { computing: 0, idle: 0, measured: 0 };
  const come = (jobsOf: (of: ClassDemand) => number) => {
    for (const { of, share: part } of work) {
      const seconds = part * jobsOf(of) * of.durations.meanSeconds;
      const { share, idle } = partsOf(of, computing);
      left.computing += seconds * share;
      left.idle += seconds * idle;
      left.measured += seconds;
    }
  };
  const beside = (busy: number) => besideIn(busy, threads, processes);
  come((of) => waitingOf(of, work, backlog));
  let [stretched, lived] = [0, 0];
  for (let slot = 0; slot < slots && threads > 0; slot += 1) {
    come(({ arrivals }) => arrivals[slot]!);
    const share = left.computing / (left.computing + left.idle || 1);
    const stretchAt = (busy: number) => stretchBeside(beside(busy), share);
    const secondsAt = (busy: number) => (measured ? left.measured : left.computing * stretchAt(busy) + left.idle);
    const busy = settled((each) => Math.min(threads, secondsAt(each) / slotSeconds));
    stretched += busy * stretchAt(busy);
    lived += busy;
    const rest = 1 - Math.min(1, (busy * slotSeconds) / (secondsAt(busy) || 1));
    left.computing *= rest;
    left.idle *= rest;
    left.measured *= rest;
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

/** Jobs of a class that wait at the beginning, by its part of those of the queue. */
function waitingOf(
  { queue, atBeginning }: ClassDemand,
  work: ReadonlyArray<{ of: ClassDemand }>,
  backlog: Demand['backlog']
): number {
  const all = sum(work.filter(({ of }) => of.queue === queue).map(({ of }) => of.atBeginning.waiting));
  return all === 0 ? 0 : ((backlog.get(queue)?.jobs ?? 0) * atBeginning.waiting) / all;
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
  let domains: Array<{ groups: ThreadGroup[]; names: Set<string> }> = [];
  for (const group of groups) {
    const same = domains.filter(({ names }) => [...group.processes].some((name) => names.has(name)));
    domains = [
      ...domains.filter((each) => !same.includes(each)),
      {
        groups: [...same.flatMap((each) => each.groups), group],
        names: new Set([...same.flatMap(({ names }) => [...names]), ...group.processes]),
      },
    ];
  }
  return domains.map(({ groups: members, names }) => ({
    groups: members,
    threads: sum(members.map(({ threads }) => threads)),
    processes: Math.max(1, names.size),
  }));
}

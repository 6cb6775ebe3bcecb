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
  /** By how many times run times come out longer than they were measured, on the same threads: about 1. */
  readonly excess: number;
}

/** Jobs that are alike. */
interface Alike {
  /** How many run on average, not necessarily a whole number. */
  readonly jobs: number;
  /** Share of their time, alone, in which they compute. */
  readonly share: number;
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
const ROUNDS_MOST = 100;
/** Steps that are taken at once are four times the last one at most. */
const MOST_AHEAD = 0.8;
/** Parts of a job by which the stretch is told; of many jobs by such a share of them. */
const STEPS_A_JOB = 50;

/** By what a class is known in one queue. */
export function classKey({ queue, class: name }: Pick<ClassDemand, 'queue' | 'class'>): string {
  return `${queue}\0${name}`;
}

/**
 * By how many times computing takes longer beside other jobs of the same process: Ruby runs one thread of a process at a
 * time. By mean value analysis of a closed network of one processor that is shared and of time without it (Reiser and
 * Lavenberg 1980), which is exact for jobs that are alike and a processor that is shared evenly.
 *
 * @param beside jobs that run beside it
 */
export function stretchBeside(beside: readonly Alike[]): number {
  // Those that never compute leave the processor to the others.
  const computing = beside.filter(({ share }) => share > 0);
  const others = sum(computing.map(({ jobs }) => jobs));
  let waiting = 0;
  for (let jobs = 1; jobs <= Math.min(STEPS_MOST, Math.ceil(others)); jobs += 1) {
    let all = 0;
    for (const { jobs: many, share } of computing) {
      const computes = share * (1 + waiting);
      all += ((jobs * many) / others) * (computes / (1 - share + computes));
    }
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
  const placed = await place(topology, demand, shareOf, turns);
  let known: Computing = new Map(
    demand.classes.map((of) => [classKey(of), { share: shareOf(of), stretch: 1, excess: 1 }])
  );
  // The stretch depends on what the classes beside do without the processor, and that on the stretch.
  for (let round = 0; round < SETTLED_ROUNDS; round += 1) {
    const stretches = await stretchesOf(placed, demand, known, true, turns);
    const before = known;
    known = new Map(
      demand.classes.map((of) => {
        const { share } = before.get(classKey(of))!;
        // What computes all of its time was not stretched further than that.
        const stretch = share === 0 ? 1 : Math.min(1 / share, stretches.get(of) ?? 1);
        return [classKey(of), { share, stretch, excess: 1 }];
      })
    );
    if ([...known].every(([key, { stretch }]) => Math.abs(stretch / before.get(key)!.stretch - 1) <= SETTLED)) {
      break;
    }
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
  const shareOf = (of: ClassDemand) => computing.get(classKey(of))?.share ?? 0;
  const placed = await place(topology, demand, shareOf, turns);
  const stretches = await stretchesOf(placed, demand, computing, false, turns);
  const factors = new Map<string, number>();
  const classes = demand.classes.map((of) => {
    const { share, idle } = partsOf(of, computing);
    const stretch = stretches.get(of);
    // What nobody runs has the run times of before.
    const factor = stretch === undefined ? 1 : (share * stretch + idle) / (computing.get(classKey(of))?.excess ?? 1);
    factors.set(classKey(of), factor);
    return { ...of, durations: scaled(of.durations, factor) };
  });
  return { demand: { ...demand, classes }, factors };
}

/** Run times of the same threads that come out by more than this share other than they were measured are not explained. */
const EXPLAINED = 0.1;
const HALVINGS = 4;

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
    const isExplained = [...factors.values()].every((factor) => Math.abs(factor - 1) <= EXPLAINED);
    // By as much as they are off they are off on other threads too.
    const settledOn = [...computing].map(([key, of]) => [key, { ...of, excess: factors.get(key) ?? 1 }] as const);
    return { computing: new Map(settledOn), isExplained };
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
    const { excess = 1 } = computing.get(classKey(of)) ?? {};
    return { ...of, durations: scaled(of.durations, Math.min(1, (share + idle) / excess)) };
  });
  return { ...demand, classes };
}

/** Shares of the measured run time: what computing takes alone, and what neither uses the processor nor waits for it. */
function partsOf(of: ClassDemand, computing: Computing): { share: number; idle: number } {
  const { share, stretch } = computing.get(classKey(of)) ?? { share: 0, stretch: 1 };
  return { share, idle: 1 - share * stretch };
}

/** Work of classes that compute for the same share of their time, in thread-seconds as they were measured. */
interface Work {
  readonly share: number;
  readonly classes: Array<{ of: ClassDemand; seconds: number }>;
  /** What comes in each slot, the backlog in the first one. */
  readonly coming: Float64Array;
}

/** Work of one domain. */
interface Placed {
  readonly domain: Domain;
  readonly works: readonly Work[];
}

/** The work of each domain: of a queue that several serve by their threads. */
async function place(
  { groups, paused }: Topology,
  demand: Demand,
  shareOf: (of: ClassDemand) => number,
  turns: Turns
): Promise<Placed[]> {
  const { slots, slotSeconds, backlog } = demand;
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
    const works = new Map<number, Work>();
    for (const [queue, threads] of domain.serving) {
      const members = byQueue.get(queue) ?? [];
      const part = threads === 0 ? 0 : threads / threadsFor.get(queue)!;
      const waiting = sum(members.map(({ atBeginning }) => atBeginning.waiting));
      for (const of of part > 0 ? members : []) {
        const jobs = waiting === 0 ? 0 : ((backlog.get(queue)?.jobs ?? 0) * of.atBeginning.waiting) / waiting;
        const share = shareOf(of);
        const work = works.get(share) ?? { share, classes: [], coming: new Float64Array(slots) };
        works.set(share, work);
        spread(work.coming, of, part, jobs, slotSeconds);
        work.classes.push({ of, seconds: part * of.durations.meanSeconds * (jobs + sum(of.arrivals)) });
      }
    }
    placed.push({ domain, works: [...works.values()] });
    await turns.give();
  }
  return placed;
}

/** Adds the work of a class to the slots in which it can be done: a job keeps one thread busy at most. */
function spread(
  coming: Float64Array,
  { arrivals, durations: { meanSeconds } }: ClassDemand,
  part: number,
  backlog: number,
  slotSeconds: number
): void {
  const whole = Math.floor(meanSeconds / slotSeconds);
  const rest = meanSeconds - whole * slotSeconds;
  const countAt = (slot: number) => (slot < 0 ? 0 : part * ((arrivals[slot] ?? 0) + (slot === 0 ? backlog : 0)));
  let running = 0;
  for (let slot = 0; slot < coming.length; slot += 1) {
    // Never below none by a rounding.
    running = Math.max(0, running + countAt(slot) - countAt(slot - whole));
    coming[slot]! += slotSeconds * (whole === 0 ? 0 : running) + rest * countAt(slot - whole);
  }
}

/**
 * By class the stretch that its executions see on average; none of what nobody serves.
 *
 * @param measured whether run times are those that were measured
 */
async function stretchesOf(
  placed: readonly Placed[],
  { slotSeconds }: Demand,
  computing: Computing,
  measured: boolean,
  turns: Turns
): Promise<Map<ClassDemand, number>> {
  const sums = new Map<ClassDemand, { threads: number; stretched: number }>();
  for (const each of placed) {
    const stretches = stretchesIn(each, slotSeconds, computing, measured);
    each.works.forEach(({ classes }, index) => {
      for (const { of } of classes) {
        const threads = each.domain.serving.get(of.queue) ?? 0;
        const before = sums.get(of) ?? { threads: 0, stretched: 0 };
        sums.set(of, {
          threads: before.threads + threads,
          stretched: before.stretched + threads * stretches[index]!,
        });
      }
    });
    await turns.give();
  }
  return new Map([...sums].map(([of, { threads, stretched }]) => [of, stretched / threads]));
}

/** The stretch of each work within one domain, slot by slot: what does not fit into a slot is left for the next one. */
function stretchesIn(
  { domain: { threads, processes }, works }: Placed,
  slotSeconds: number,
  computing: Computing,
  measured: boolean
): number[] {
  const parts = works.map(({ share, classes }) => {
    const all = sum(classes.map(({ seconds }) => seconds));
    const meanOf = (value: (of: ClassDemand) => number, otherwise: number) =>
      all === 0 ? otherwise : sum(classes.map(({ of, seconds }) => seconds * value(of))) / all;
    const idle = meanOf((of) => partsOf(of, computing).idle, 1 - share);
    return {
      ...{ share, idle },
      alone: share === 0 ? 0 : share / (share + idle),
      // Of those that run in a slot a job that lasts longer is one itself; short ones come and go.
      itself: meanOf((of) => 1 - Math.min(1, slotSeconds / of.durations.meanSeconds), 0),
    };
  });
  if (parts.every(({ share }) => share === 0) || threads === 0) {
    return works.map(() => 1);
  }
  const known = new Map<string, number>();
  const stretchOf = (others: readonly number[]): number => {
    const all = sum(others);
    const part = all > 0 ? besideIn(all, threads, processes) / all : 0;
    const beside = others.map((jobs, index) => (parts[index]!.alone === 0 ? 0 : rounded(jobs * part)));
    const key = beside.join();
    let stretch = known.get(key);
    if (stretch === undefined) {
      stretch = stretchBeside(parts.map(({ alone: share }, index) => ({ jobs: beside[index]!, share })));
      known.set(key, stretch);
    }
    return stretch;
  };
  const stretchesBeside = (running: readonly number[]): readonly number[] => {
    let ofShort: number | undefined;
    return running.map((jobs, index) => {
      const { share, itself } = parts[index]!;
      if (jobs === 0 || share === 0) {
        return 1;
      }
      if (itself === 0) {
        ofShort ??= stretchOf(running);
        return ofShort;
      }
      return stretchOf(running.map((each, other) => (other === index ? each - itself * Math.min(1, each) : each)));
    });
  };
  // By how many times the measured work takes so long where computing is stretched.
  const timesAt = (index: number, stretch: number) =>
    measured ? 1 : parts[index]!.share * stretch + parts[index]!.idle;
  const left = works.map(() => 0);
  const lived = works.map(() => 0);
  const stretched = works.map(() => 0);
  for (let slot = 0; slot < works[0]!.coming.length; slot += 1) {
    works.forEach(({ coming }, index) => (left[index]! += coming[slot]!));
    const runningAt = (stretches: readonly number[]) => {
      const wanted = left.map((seconds, index) => (seconds * timesAt(index, stretches[index]!)) / slotSeconds);
      const all = sum(wanted);
      return all <= threads ? wanted : wanted.map((each) => (each * threads) / all);
    };
    const stretchesAt = (before: readonly number[]) => stretchesBeside(runningAt(before));
    const none = works.map(() => 1);
    const stretches = measured ? stretchesAt(none) : settled(none, stretchesAt);
    runningAt(stretches).forEach((running, index) => {
      lived[index]! += running;
      stretched[index]! += running * stretches[index]!;
      left[index] = Math.max(0, left[index]! - (running * slotSeconds) / timesAt(index, stretches[index]!));
    });
  }
  return works.map((_, index) => (lived[index] === 0 ? 1 : stretched[index]! / lived[index]!));
}

/**
 * Jobs that run in the process where a job starts, on any of the idle threads: of those that run, which are all other threads
 * at most, as many as are on the other threads of that process.
 */
function besideIn(busy: number, threads: number, processes: number): number {
  const others = busy * (1 - (busy / threads) ** 2 / threads);
  return threads > 1 ? (others * Math.max(0, threads / processes - 1)) / (threads - 1) : 0;
}

/** To a part of a job, or two significant digits. */
function rounded(jobs: number): number {
  const step = jobs <= 1 ? 1 / STEPS_A_JOB : 2 ** Math.floor(Math.log2(jobs)) / STEPS_A_JOB;
  return Math.round(jobs / step) * step;
}

/**
 * Values that a rising function gives for themselves, from below. Of steps that shrink evenly those to come are taken at once
 * (Aitken 1926).
 *
 * @param least where it begins
 */
function settled(least: readonly number[], next: (values: readonly number[]) => readonly number[]): readonly number[] {
  let [before, values] = [least, next(least)];
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    const following = next(values);
    if (following.every((value, index) => Math.abs(value - values[index]!) <= SETTLED * value)) {
      return following;
    }
    const ahead = following.map((value, index) => {
      const [step, last] = [value - values[index]!, values[index]! - before[index]!];
      const ratio = last > 0 && step > 0 ? Math.min(MOST_AHEAD, step / last) : 0;
      return value + (step * ratio) / (1 - ratio);
    });
    before = ahead;
    values = next(ahead);
  }
  return values;
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

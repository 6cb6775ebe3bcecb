import { LRUCache } from 'lru-cache';
import { sum } from './arrivals';
import { classKey, partsOf, type Computing } from './contention';
import { jobsOfClass, type ClassDemand, type Demand, type ThreadGroup, type Topology } from './model';
import { capsuleOf } from './placedWork';
import { fixedJobs } from './processor';

/** What the jobs of a group are on average, of a second of their run time as it was measured. */
interface Mix {
  readonly computes: number;
  readonly rests: number;
  readonly processes: number;
  /** Others that run in the process of a job, of each other that runs in the group. */
  readonly near: number;
  /** Other groups whose jobs compute in the same processes, with the share of these that they are in. */
  readonly beside: ReadonlyArray<readonly [group: number, share: number]>;
}

/** Stretches by the numbers of jobs that run. */
const STRETCHES_KEPT = 10_000;

/** Parts of the run time of a class, see partsOf, and its factors so far. */
interface Told {
  readonly share: number;
  readonly idle: number;
  count: number;
  total: number;
}

/**
 * How the run time of an execution differs from its mean by the jobs that run where it starts: those that start while many
 * compute are slow, and so jobs pile up. The mean stays: by the factors that were told before, in all runs of a scenario.
 */
export class Crowding {
  private readonly mixes: readonly Mix[];
  private readonly told: ReadonlyMap<string, Told>;
  private readonly stretches = new LRUCache<string, number>({ max: STRETCHES_KEPT });

  constructor(
    { groups }: Topology,
    private readonly demand: Demand,
    private readonly computing: Computing
  ) {
    this.mixes = groups.map((group, index) => this.mixOf(group, index, groups));
    this.told = new Map(demand.classes.map((of) => [classKey(of), { ...partsOf(of, computing), count: 0, total: 0 }]));
  }

  /**
   * @param group in which it starts
   * @param busyOf jobs that run in a group, the starting one included
   */
  factorOf(of: ClassDemand, group: number, busyOf: (group: number) => number): number {
    const told = this.told.get(classKey(of))!;
    if (told.share === 0) {
      return 1;
    }
    const factor = told.share * this.stretchAt(group, busyOf) + told.idle;
    told.count += 1;
    told.total += factor;
    // What lasts long outlives the jobs that ran when it started.
    const part = Math.min(1, this.demand.slotSeconds / of.durations.meanSeconds);
    return 1 + part * ((factor * told.count) / told.total - 1);
  }

  private stretchAt(group: number, busyOf: (group: number) => number): number {
    const { computes, rests, near, beside } = this.mixes[group]!;
    const busy = [group, ...beside.map(([other]) => other)].map(busyOf);
    const key = `${group}:${busy.join()}`;
    let stretch = this.stretches.get(key);
    if (stretch === undefined) {
      const others = beside.map(([other, share], place) => {
        const mix = this.mixes[other]!;
        return share * fixedJobs(busy[place + 1]! / mix.processes, { ...mix, beside: 0 }).computing;
      });
      stretch = fixedJobs(1 + near * (busy[0]! - 1), { computes, rests, beside: sum(others) }).stretch;
      this.stretches.set(key, stretch);
    }
    return stretch;
  }

  private mixOf(group: ThreadGroup, index: number, groups: readonly ThreadGroup[]): Mix {
    let [work, computes, rests] = [0, 0, 0];
    for (const of of this.demand.classes.filter(({ queue }) => group.weights.has(queue))) {
      const own = jobsOfClass(of) * of.durations.meanSeconds;
      const { share, idle } = partsOf(of, this.computing);
      work += own;
      computes += own * share;
      rests += own * idle;
    }
    const { threads, processes, shared } = capsuleOf(group, groups);
    return {
      computes: work === 0 ? 0 : computes / work,
      rests: work === 0 ? 1 : rests / work,
      processes,
      near: threads > 1 ? Math.max(0, threads / processes - 1) / (threads - 1) : 0,
      beside: [...shared.entries()].filter(([other, share]) => other !== index && share > 0),
    };
  }
}

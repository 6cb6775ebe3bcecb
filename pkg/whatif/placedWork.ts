import { groupBy } from '../sidekiq/groupBy';
import type { Turns } from '../turns';
import { sum } from './arrivals';
import type { ClassDemand, Demand, ThreadGroup, Topology } from './model';

/** Threads of processes that take jobs of the same queues. */
export interface Capsule {
  readonly threads: number;
  /** Processes that have it. */
  readonly processes: number;
  /** Of each capsule beside which it is placed the share of these processes that has it. */
  readonly shared: readonly number[];
}

/** Work of classes that compute for the same share of their time, in thread-seconds as they were measured. */
interface Work {
  /** Place among the capsules of the domain. */
  readonly capsule: number;
  readonly share: number;
  readonly classes: Array<{ of: ClassDemand; seconds: number; threads: number }>;
  /** What comes in each slot, the backlog in the first one. */
  readonly coming: Float64Array;
}

/** Work of capsules whose processes run them together. */
export interface Placed {
  readonly capsules: readonly Capsule[];
  readonly works: readonly Work[];
}

/** The work of the capsules: of a queue that several serve by their threads. */
export async function place(
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
  for (const members of domainsOf(groups)) {
    const works: Work[] = [];
    for (const [capsule, { threads, weights }] of members.entries()) {
      const byShare = new Map<number, Work>();
      for (const queue of threads === 0 ? [] : weights.keys()) {
        const classes = byQueue.get(queue) ?? [];
        const part = threads / threadsFor.get(queue)!;
        const waiting = sum(classes.map(({ atBeginning }) => atBeginning.waiting));
        for (const of of classes) {
          const jobs = waiting === 0 ? 0 : ((backlog.get(queue)?.jobs ?? 0) * of.atBeginning.waiting) / waiting;
          const share = shareOf(of);
          const work = byShare.get(share) ?? { capsule, share, classes: [], coming: new Float64Array(slots) };
          byShare.set(share, work);
          spread(work.coming, of, part, jobs, slotSeconds);
          const seconds = part * of.durations.meanSeconds * (jobs + sum(of.arrivals));
          work.classes.push({ of, seconds, threads });
        }
      }
      works.push(...byShare.values());
    }
    placed.push({ capsules: members.map((group) => capsuleOf(group, members)), works });
    await turns.give();
  }
  return placed;
}

/** A group as a capsule among others of its domain, itself included. */
export function capsuleOf({ threads, processes }: ThreadGroup, members: readonly ThreadGroup[]): Capsule {
  const names = [...processes.keys()];
  const shared = members.map((other) =>
    names.length === 0 ? 0 : names.filter((name) => other.processes.has(name)).length / names.length
  );
  return { threads, processes: Math.max(1, names.length), shared };
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

/** Capsules of the same processes share their processors. A group of no process that is known is one of its own. */
function domainsOf(groups: readonly ThreadGroup[]): ThreadGroup[][] {
  const byProcess = new Map<string, Set<ThreadGroup>>();
  const domains = new Set<Set<ThreadGroup>>();
  for (const group of groups) {
    const joined = new Set([...group.processes.keys()].flatMap((name) => byProcess.get(name) ?? []));
    const domain = new Set([...[...joined].flatMap((each) => [...each]), group]);
    joined.forEach((each) => domains.delete(each));
    domains.add(domain);
    domain.forEach(({ processes }) => processes.forEach((_, name) => byProcess.set(name, domain)));
  }
  return [...domains].map((each) => [...each]);
}

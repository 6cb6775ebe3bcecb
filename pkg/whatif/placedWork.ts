import { groupBy } from '../sidekiq/groupBy';
import type { Turns } from '../turns';
import { sum } from './arrivals';
import type { ClassDemand, Demand, ThreadGroup, Topology } from './model';

/** Threads of processes that run them together. */
interface Domain {
  /** Threads that serve a queue. */
  readonly serving: ReadonlyMap<string, number>;
  readonly threads: number;
  readonly processes: number;
}

/** Work of classes that compute for the same share of their time, in thread-seconds as they were measured. */
interface Work {
  readonly share: number;
  readonly classes: Array<{ of: ClassDemand; seconds: number }>;
  /** What comes in each slot, the backlog in the first one. */
  readonly coming: Float64Array;
}

/** Work of one domain. */
export interface Placed {
  readonly domain: Domain;
  readonly works: readonly Work[];
}

/** The work of each domain: of a queue that several serve by their threads. */
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

/** Capsules of the same processes share their processors. A group of no process that is known is one of its own. */
function domainsOf(groups: readonly ThreadGroup[]): Domain[] {
  const byProcess = new Map<string, Set<ThreadGroup>>();
  const domains = new Set<Set<ThreadGroup>>();
  for (const group of groups) {
    const joined = new Set([...group.processes.keys()].flatMap((name) => byProcess.get(name) ?? []));
    const domain = new Set([...[...joined].flatMap((each) => [...each]), group]);
    joined.forEach((each) => domains.delete(each));
    domains.add(domain);
    domain.forEach(({ processes }) => processes.forEach((_, name) => byProcess.set(name, domain)));
  }
  return [...domains].map((members) => {
    const serving = new Map<string, number>();
    for (const { threads, weights } of members) {
      weights.forEach((_, queue) => serving.set(queue, (serving.get(queue) ?? 0) + threads));
    }
    const names = new Set([...members].flatMap(({ processes }) => [...processes.keys()]));
    const threads = sum([...members].map((each) => each.threads));
    return { serving, threads, processes: Math.max(1, names.size) };
  });
}

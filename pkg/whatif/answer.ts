import type { DDSketch } from '@datadog/sketches-js';
import { median } from 'simple-statistics';
import { Fault } from '../faults/fault';
import { Turns } from '../turns';
import { underContention } from './contention';
import { Crowding } from './crowding';
import type { Scenario, ThreadGroup } from './model';
import { jobsOf, newSketch, simulate, type Outcome, type QueueOutcome } from './simulate';

/**
 * A figure of several runs: its median, least and most. A further run lies between these in all but two of as many cases as
 * there are runs and one: of twenty runs in 19 of 21.
 */
export interface Told {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/** What the runs of a scenario tell of some queues together. Times are seconds; `null` where no job came. */
export interface Answer {
  readonly jobs: Told;
  readonly p50: Told | null;
  readonly p95: Told | null;
  readonly p99: Told | null;
  /** Share of the jobs that waited no longer than the objective. */
  readonly within: Told | null;
  readonly backlogEnd: Told;
  /** Until what waited at the beginning had started; `null` where nothing waited, or not in every run. */
  readonly drainedAt: Told | null;
}

/** The runs of one scenario. */
export interface Runs {
  readonly groups: readonly ThreadGroup[];
  readonly outcomes: readonly Outcome[];
  readonly seconds: number;
  /** Where run times depend on the threads, by how many times they are as long as measured, by `classKey`. */
  readonly factors: ReadonlyMap<string, number> | null;
}

/** Simulated jobs of one answer at most, all scenarios and runs together. */
export const JOBS_MOST = 2_600_000;
const RUNS_MOST = 20;
const RUNS_LEAST = 3;

/** By which share a time must be shortened so that its scenarios can be lived through; 1 where it need not be. */
export function shareThatFits(scenarios: readonly Scenario[]): number {
  return Math.min(1, JOBS_MOST / RUNS_LEAST / Math.max(1, total(scenarios)));
}

function total(scenarios: readonly Scenario[]): number {
  return scenarios.reduce((sum, { demand }) => sum + jobsOf(demand), 0);
}

/**
 * How often a scenario is lived through: as often as the bound of jobs allows.
 *
 * @param scenarios that are compared
 * @throws Fault `query` where that is not even three times
 */
export function runsFor(scenarios: readonly Scenario[]): number {
  const jobs = total(scenarios);
  const runs = Math.min(RUNS_MOST, Math.floor(JOBS_MOST / Math.max(1, jobs)));
  if (!(runs >= RUNS_LEAST)) {
    const waiting = scenarios.reduce(
      (sum, { demand }) => sum + [...demand.backlog.values()].reduce((all, each) => all + each.jobs, 0),
      0
    );
    throw new Fault({
      kind: 'query',
      message: `There are too many jobs to simulate: ${Math.round(jobs).toLocaleString('en')}, of which ${waiting.toLocaleString('en')} wait at the beginning.`,
      remedy: `Choose a shorter time range, or one that begins with a smaller backlog; ${Math.round(JOBS_MOST / RUNS_LEAST).toLocaleString('en')} jobs are simulated at most, as it is and with the changes together.`,
    });
  }
  return runs;
}

/** Lives through a scenario several times, with the run times that it has on its threads. @throws the reason of the signal once it is aborted */
export async function runs(
  scenario: Scenario,
  { count, seed, objectiveOf }: { count: number; seed: number; objectiveOf: (queue: string) => number },
  signal?: AbortSignal
): Promise<Runs> {
  const turns = new Turns();
  const outcomes: Outcome[] = [];
  const { topology, demand, computing } = scenario;
  const contended = computing ? await underContention(topology, demand, computing, turns) : null;
  const lived = contended ? { ...scenario, demand: contended.demand } : scenario;
  const crowding = contended && computing ? new Crowding(topology, demand, computing) : undefined;
  for (let run = 0; run < count; run += 1) {
    outcomes.push(await simulate(lived, seed * 1000 + run, objectiveOf, turns, { signal, crowding }));
  }
  const { slots, slotSeconds } = demand;
  return { groups: topology.groups, outcomes, seconds: slots * slotSeconds, factors: contended?.factors ?? null };
}

/** What the runs tell of some queues together. */
export function answerOf({ outcomes }: Runs, queues: readonly string[]): Answer {
  const merged = outcomes.map(({ queues: all }) => mergeOf(queues.flatMap((queue) => all.get(queue) ?? [])));
  const waits = (q: number) => toldOf(merged.map(({ waits: sketch }) => quantileOf(sketch, q)));
  return {
    jobs: toldOf(merged.map(({ jobs }) => jobs))!,
    p50: waits(0.5),
    p95: waits(0.95),
    p99: waits(0.99),
    within: toldOf(merged.map(({ within, jobs }) => (jobs === 0 ? null : within / jobs))),
    backlogEnd: toldOf(merged.map(({ backlogEnd }) => backlogEnd))!,
    drainedAt: toldOf(merged.map(({ drainedAt }) => drainedAt)),
  };
}

/** Busy share of the threads that serve one of some queues; `null` without threads. */
export function utilisation({ groups, outcomes }: Runs, isCounted: (group: ThreadGroup) => boolean): Told | null {
  const sum = (values: readonly number[]) =>
    values.reduce((total, value, index) => total + (isCounted(groups[index]!) ? value : 0), 0);
  return toldOf(
    outcomes.map(({ busySeconds, threadSeconds }) => {
      const there = sum(threadSeconds);
      return there === 0 ? null : sum(busySeconds) / there;
    })
  );
}

/** Threads that serve one of some queues, on average over the time of the runs. */
export function threads({ groups, outcomes, seconds }: Runs, isCounted: (group: ThreadGroup) => boolean): number {
  const sums = outcomes.map(({ threadSeconds }) =>
    threadSeconds.reduce((total, value, index) => total + (isCounted(groups[index]!) ? value : 0), 0)
  );
  return median(sums) / seconds;
}

function mergeOf(all: readonly QueueOutcome[]): Omit<QueueOutcome, 'waits'> & { waits: DDSketch | null } {
  const sum = (value: (each: QueueOutcome) => number) => all.reduce((total, each) => total + value(each), 0);
  let waits = all[0]?.waits ?? null;
  if (all.length > 1) {
    waits = newSketch();
    for (const each of all) {
      waits.merge(each.waits);
    }
  }
  const drained = all.map(({ drainedAt }) => drainedAt).filter((at) => at !== null);
  return {
    jobs: sum(({ jobs }) => jobs),
    within: sum(({ within }) => within),
    backlogEnd: sum(({ backlogEnd }) => backlogEnd),
    waits,
    initialLeft: sum(({ initialLeft }) => initialLeft),
    drainedAt: drained.length === 0 || all.some(({ initialLeft }) => initialLeft > 0) ? null : Math.max(...drained),
  };
}

function quantileOf(sketch: DDSketch | null, q: number): number | null {
  return sketch === null || sketch.count === 0 ? null : Math.max(0, sketch.getValueAtQuantile(q));
}

/** `null` where one run tells nothing. */
function toldOf(values: ReadonlyArray<number | null>): Told | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 || known.length < values.length
    ? null
    : { median: median(known), least: Math.min(...known), most: Math.max(...known) };
}

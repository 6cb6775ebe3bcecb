import { Fault } from '../faults/fault';
import { answerOf, JOBS_MOST, runs, runsFor, type Runs } from './answer';
import { orderText, serves, withThreads } from './changes';
import type { Scenario, ThreadGroup } from './model';
import { jobsOf } from './simulate';

/** Queues that keep one objective together: a worker type, or a queue of none. */
export interface Aim {
  readonly name: string;
  readonly queues: readonly string[];
  /** Seconds that a job may wait. */
  readonly objectiveSeconds: number;
  /** Share of the jobs that should wait no longer. */
  readonly share: number;
}

export interface Found {
  readonly scenario: Scenario;
  readonly runs: Runs;
  /** What was found, in a sentence. */
  readonly text: string;
}

interface SearchOptions {
  seed: number;
  objectiveOf(queue: string): number;
}

/** Runs of each scenario that is tried: as many as the bound of jobs allows. */
const TRIED_RUNS = { least: 3, most: 9 };
const TRIES_MOST = 14;
const MOST_THREADS = 4096;
const WEIGHTS_MOST = 10;

/**
 * The fewest threads by which all objectives are met, worker type by worker type: between none and what is needed, halved
 * again and again, all types at once. A type whose threads serve another type too is searched after it.
 *
 * @throws Fault `query` where there are too many jobs to simulate
 */
export async function fewestThreads(
  scenario: Scenario,
  aims: readonly Aim[],
  options: SearchOptions,
  signal?: AbortSignal
): Promise<Found> {
  const sought = aims.filter(({ queues }) => scenario.topology.groups.some((group) => serves(group, queues)));
  const bounds = new Map(
    sought.map((aim) => [aim.name, { least: 1, most: Math.max(2, 2 * threadsOf(scenario, aim)), isEnough: false }])
  );
  const asked = (name: string) => {
    const { least, most } = bounds.get(name)!;
    return Math.floor((least + most) / 2);
  };
  const withAll = (threads: (name: string) => number): Scenario => ({
    ...scenario,
    topology: {
      ...scenario.topology,
      groups: sought.reduce(
        (groups, { name, queues }) => withThreads(groups, queues, threads(name)),
        scenario.topology.groups
      ),
    },
  });
  const count = triedRuns(scenario, TRIES_MOST);
  for (let tried = 0; tried < TRIES_MOST && [...bounds.values()].some(({ least, most }) => least < most); tried += 1) {
    const lived = await runs(withAll(asked), { count, ...options }, signal);
    for (const aim of sought) {
      const bound = bounds.get(aim.name)!;
      const threads = asked(aim.name);
      if (isMet(lived, aim)) {
        bound.most = threads;
      } else {
        bound.least = threads + 1;
        if (bound.least >= bound.most && !bound.isEnough) {
          // As many as were thought to be enough are not.
          bound.most = Math.min(MOST_THREADS, 2 * bound.most);
        }
      }
      bound.isEnough ||= bound.most === threads;
    }
  }
  const found = withAll((name) => bounds.get(name)!.most);
  const lived = await runs(found, { count: runsFor([found]), ...options }, signal);
  const missed = sought.filter((aim) => !isMet(lived, aim)).map(({ name }) => name);
  const told = sought.map(({ name }) => `${name}: ${bounds.get(name)!.most}`).join(', ');
  return {
    scenario: found,
    runs: lived,
    text:
      missed.length === 0
        ? `Fewest threads that meet the objectives: ${told}.`
        : `No number of threads that was tried meets the objectives of ${missed.join(', ')}. Threads: ${told}.`,
  };
}

/**
 * The order of service by which the worst wait, measured by its objective, is least: strict by objective, equal weights,
 * weights by objective and by work, and small changes of the best of them.
 */
export async function bestOrder(
  scenario: Scenario,
  aims: readonly Aim[],
  options: SearchOptions,
  signal?: AbortSignal
): Promise<Found> {
  const objective = (queue: string) => options.objectiveOf(queue);
  const work = (queue: string) =>
    scenario.demand.classes
      .filter((each) => each.queue === queue)
      .reduce(
        (sum, { arrivals, durations }) =>
          sum + durations.meanSeconds * arrivals.reduce((total, count) => total + count, 0),
        0
      );
  const candidates: Array<(group: ThreadGroup) => ThreadGroup> = [
    (group) => group,
    (group) => ({ ...group, mode: 'strict', weights: sortedBy(group, objective) }),
    (group) => ({ ...group, mode: 'random', weights: new Map([...group.weights].map(([queue]) => [queue, 1])) }),
    (group) => weighted(group, (queue) => 1 / objective(queue)),
    (group) => weighted(group, (queue) => 1 / Math.sqrt(objective(queue))),
    (group) => weighted(group, work),
  ];
  const count = triedRuns(scenario, candidates.length);
  let best: { score: number; scenario: Scenario } | undefined;
  for (const reorder of candidates) {
    const tried = {
      ...scenario,
      topology: { ...scenario.topology, groups: scenario.topology.groups.map((group) => reorder(group)) },
    };
    const lived = await runs(tried, { count, ...options }, signal);
    const score = worst(lived, scenario, objective);
    // What changes nothing is not changed.
    if (best === undefined || score < best.score * 0.98) {
      best = { score, scenario: tried };
    }
  }
  const found = best!.scenario;
  const lived = await runs(found, { count: runsFor([found]), ...options }, signal);
  const told = found.topology.groups.filter(({ weights }) => weights.size > 1).map(orderText);
  const missed = aims.filter((aim) => !isMet(lived, aim)).map(({ name }) => name);
  return {
    scenario: found,
    runs: lived,
    text: `Best order that was tried: ${told.length === 0 ? 'each capsule serves one queue' : told.join('; ')}.${
      missed.length === 0 ? '' : ` It does not meet the objectives of ${missed.join(', ')}.`
    }`,
  };
}

function threadsOf({ topology }: Scenario, { queues }: Aim): number {
  return topology.groups.filter((group) => serves(group, queues)).reduce((sum, { threads }) => sum + threads, 0);
}

/** Whether an objective is met by the median of the runs; one without jobs is. */
function isMet(lived: Runs, { queues, share }: Aim): boolean {
  const { within } = answerOf(lived, queues);
  return within === null || within.median >= share;
}

/** The largest 95th percentile of a queue's waits, by its objective. */
function worst(lived: Runs, { demand }: Scenario, objective: (queue: string) => number): number {
  const queues = [...new Set(demand.classes.map(({ queue }) => queue))];
  return Math.max(...queues.map((queue) => (answerOf(lived, [queue]).p95?.median ?? 0) / objective(queue)));
}

function sortedBy({ weights }: ThreadGroup, value: (queue: string) => number): Map<string, number> {
  return new Map([...weights.keys()].sort((a, b) => value(a) - value(b)).map((queue) => [queue, 0]));
}

/** Weights from 1 to 10 in the proportion of a value. */
function weighted(group: ThreadGroup, value: (queue: string) => number): ThreadGroup {
  const queues = [...group.weights.keys()];
  const largest = Math.max(...queues.map(value), Number.MIN_VALUE);
  const weights = queues.map((queue): [string, number] => [
    queue,
    Math.max(1, Math.round((WEIGHTS_MOST * value(queue)) / largest)),
  ]);
  return { ...group, mode: 'weighted', weights: new Map(weights) };
}

/** @throws Fault `query` where the tries would take too many jobs */
function triedRuns({ demand }: Scenario, tries: number): number {
  const runsOfAll = Math.floor((2 * JOBS_MOST) / Math.max(1, jobsOf(demand)) / tries);
  if (runsOfAll < TRIED_RUNS.least) {
    throw new Fault({
      kind: 'query',
      message: 'There are too many jobs for a search.',
      remedy: 'Choose a shorter time range, for example a quarter of an hour at the busiest time.',
    });
  }
  return Math.min(TRIED_RUNS.most, runsOfAll);
}

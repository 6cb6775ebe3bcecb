import { median } from 'simple-statistics';
import { Fault } from '../faults/fault';
import { answerOf, JOBS_MOST, runs, runsFor, type Runs } from './answer';
import { orderText, serves, withThreads } from './changes';
import { alone } from './contention';
import { workOf, type Demand, type Scenario, type ThreadGroup } from './model';
import { thresholdOf, withThreshold } from './scaling';
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
const MORE_MOST = 4;
/** One more of a few, and a fiftieth of many. */
const MORE_BY = 1.02;
const ROUNDING = 1e-6;
const WEIGHTS_MOST = 10;

/**
 * The fewest threads by which all objectives are met, worker type by worker type: between those that the work keeps busy (by
 * fewer the backlog grows) and what is needed, halved again and again, all types at once. Types that the same threads serve
 * are searched together; queues that are paused or that nobody serves are left out, and named.
 *
 * @throws Fault `query` where there are too many jobs to simulate
 */
export async function fewestThreads(
  scenario: Scenario,
  aims: readonly Aim[],
  options: SearchOptions,
  signal?: AbortSignal
): Promise<Found> {
  const { aims: kept, without } = takenOnly(scenario, aims);
  const sought = together(scenario, kept);
  // Beside fewer others what computes takes less time.
  const fastest = scenario.computing ? alone(scenario.demand, scenario.computing) : scenario.demand;
  const bounds = new Map(
    sought.map((part) => {
      const least = Math.min(MOST_THREADS, Math.max(1, Math.ceil(busyThreads(fastest, part) - ROUNDING)));
      return [part.name, { least, most: Math.max(least, enoughFor(scenario, part)), isEnough: false }];
    })
  );
  // Until as many are found as are enough, the most is tried itself.
  const asked = (name: string) => {
    const { least, most, isEnough } = bounds.get(name)!;
    return isEnough ? Math.floor((least + most) / 2) : most;
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
    for (const { name, aims: all } of sought) {
      const bound = bounds.get(name)!;
      const threads = asked(name);
      if (all.every((aim) => isMet(lived, aim))) {
        bound.most = threads;
        bound.isEnough = true;
      } else {
        bound.least = threads + 1;
        if (!bound.isEnough) {
          bound.most = Math.max(bound.least, Math.min(MOST_THREADS, 2 * bound.most));
        }
      }
    }
  }
  let found = withAll((name) => bounds.get(name)!.most);
  let lived = await runs(found, { count: runsFor([found]), ...options }, signal);
  const isMissed = ({ aims: all }: Part) => all.some((aim) => !isMet(lived, aim));
  let missed = sought.filter(isMissed);
  // More runs are more exact than those of the search.
  for (let more = 0; more < MORE_MOST && missed.length > 0; more += 1) {
    for (const { name } of missed) {
      const bound = bounds.get(name)!;
      bound.most = Math.min(MOST_THREADS, Math.ceil(bound.most * MORE_BY));
    }
    found = withAll((name) => bounds.get(name)!.most);
    lived = await runs(found, { count: runsFor([found]), ...options }, signal);
    missed = sought.filter(isMissed);
  }
  const told = sought.map(({ name }) => `${name}: ${bounds.get(name)!.most}`).join(', ');
  return {
    scenario: found,
    runs: lived,
    text:
      (missed.length === 0
        ? `Fewest threads that meet the objectives: ${told}.`
        : `No number of threads that was tried meets the objectives of ${missed.map(({ name }) => name).join(', ')}. Threads: ${told}.`) +
      leftOut(without),
  };
}

/**
 * The order of service by which the worst wait, measured by its objective, is least: as it is, strict by objective, equal
 * weights, and weights by objective and by work.
 */
export async function bestOrder(
  scenario: Scenario,
  aims: readonly Aim[],
  options: SearchOptions,
  signal?: AbortSignal
): Promise<Found> {
  const { aims: kept, without } = takenOnly(scenario, aims);
  const queues = kept.flatMap((aim) => aim.queues);
  const objective = (queue: string) => options.objectiveOf(queue);
  const work = (queue: string) => workOf(scenario.demand.classes.filter((each) => each.queue === queue));
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
    const score = worst(lived, queues, objective);
    // What changes nothing is not changed.
    if (best === undefined || score < best.score * 0.98) {
      best = { score, scenario: tried };
    }
  }
  const found = best!.scenario;
  const lived = await runs(found, { count: runsFor([found]), ...options }, signal);
  const told = found.topology.groups.filter(({ weights }) => weights.size > 1).map(orderText);
  const missed = kept.filter((aim) => !isMet(lived, aim)).map(({ name }) => name);
  return {
    scenario: found,
    runs: lived,
    text: `Best order that was tried: ${told.length === 0 ? 'each capsule serves one queue' : told.join('; ')}.${
      missed.length === 0 ? '' : ` It does not meet the objectives of ${missed.join(', ')}.`
    }${leftOut(without)}`,
  };
}

function leftOut(queues: readonly string[]): string {
  return queues.length === 0 ? '' : ` Left out, as nobody takes jobs of them: ${queues.join(', ')}.`;
}

/** Objectives without the queues of which no thread takes jobs: no number of threads meets those. */
function takenOnly({ topology, demand }: Scenario, aims: readonly Aim[]): { aims: Aim[]; without: string[] } {
  const isTaken = (queue: string) =>
    !topology.paused.has(queue) && topology.groups.some((group) => group.weights.has(queue));
  const hasJobs = (queue: string) => demand.backlog.has(queue) || demand.classes.some((each) => each.queue === queue);
  return {
    aims: aims.map((aim) => ({ ...aim, queues: aim.queues.filter(isTaken) })).filter(({ queues }) => queues.length > 0),
    without: aims.flatMap(({ queues }) => queues.filter((queue) => !isTaken(queue) && hasJobs(queue))),
  };
}

/** Objectives that the same threads keep. */
interface Part {
  name: string;
  queues: readonly string[];
  aims: readonly Aim[];
}

/** Objectives of threads that serve more than one of them are searched together; those that nobody serves are left out. */
function together({ topology }: Scenario, aims: readonly Aim[]): Part[] {
  let parts: Array<{ aims: Aim[]; groups: Set<number> }> = [];
  for (const aim of aims) {
    const groups = topology.groups.flatMap((group, index) => (serves(group, aim.queues) ? [index] : []));
    if (groups.length === 0) {
      continue;
    }
    const touched = parts.filter((part) => groups.some((index) => part.groups.has(index)));
    parts = [
      ...parts.filter((part) => !touched.includes(part)),
      {
        aims: [...touched.flatMap((part) => part.aims), aim],
        groups: new Set([...touched.flatMap((part) => [...part.groups]), ...groups]),
      },
    ];
  }
  return parts.map(({ aims: all }) => ({
    name: all.map(({ name }) => name).join(' with '),
    queues: all.flatMap(({ queues }) => queues),
    aims: all,
  }));
}

/** Thresholds that are tried, by the one that is given. */
const THRESHOLD_FACTORS = [0.05, 0.1, 0.25, 0.5, 0.75, 1, 1.5, 2, 3];

/**
 * The threshold of a scaling by which the objectives of its queues are met at the least cost in thread-hours.
 *
 * @throws Fault `query` where there are too many jobs to simulate
 */
export async function bestThreshold(
  scenario: Scenario,
  aims: readonly Aim[],
  options: SearchOptions,
  signal?: AbortSignal
): Promise<Found> {
  const { scaling } = scenario;
  if (!scaling) {
    throw new Fault({
      kind: 'query',
      message: 'The option "search" looks for a threshold, but no scaling is given.',
      remedy: 'Give a ScaledObject in "scaledObject".',
    });
  }
  const count = triedRuns(scenario, THRESHOLD_FACTORS.length);
  const concerned = aims.filter(({ queues }) => queues.some((queue) => scaling.queues.includes(queue)));
  const tried: Array<{ scenario: Scenario; hours: number; isMet: boolean; within: number; seconds: number }> = [];
  for (const factor of THRESHOLD_FACTORS) {
    const other = { ...scenario, scaling: withThreshold(scaling, factor) };
    const lived = await runs(other, { count, ...options }, signal);
    tried.push({
      scenario: other,
      hours:
        median(lived.outcomes.map(({ threadSeconds }) => threadSeconds.reduce((sum, each) => sum + each, 0))) / 3600,
      isMet: concerned.every((aim) => isMet(lived, aim)),
      within: Math.min(1, ...concerned.map(({ queues }) => answerOf(lived, queues).within?.median ?? 1)),
      seconds: thresholdOf(other.scaling).seconds,
    });
  }
  // Where none meets them, the one that comes closest.
  const [best] = [...tried].sort(
    (one, other) =>
      Number(other.isMet) - Number(one.isMet) || (one.isMet ? 0 : other.within - one.within) || one.hours - other.hours
  );
  const lived = await runs(best!.scenario, { count: runsFor([best!.scenario]), ...options }, signal);
  const told = tried.map(
    ({ seconds, hours, isMet: met }) =>
      `${Number(seconds.toPrecision(3))} s: ${hours.toFixed(1)} thread-hours${met ? '' : ', missed'}`
  );
  const { field } = thresholdOf(scaling);
  return {
    scenario: best!.scenario,
    runs: lived,
    text: `${
      best!.isMet
        ? `Least thread-hours that meet the objectives: ${field} of ${Number(best!.seconds.toPrecision(3))} s.`
        : 'No threshold that was tried meets the objectives.'
    } Tried: ${told.join('; ')}.`,
  };
}

/** Twice the threads that the work keeps busy, and not fewer than there are. */
function enoughFor(scenario: Scenario, part: Part): number {
  return Math.min(
    MOST_THREADS,
    Math.max(2, threadsOf(scenario, part), Math.ceil(2 * busyThreads(scenario.demand, part)))
  );
}

/** Threads that the work keeps busy on average. */
function busyThreads({ classes, slots, slotSeconds }: Demand, { queues }: Pick<Part, 'queues'>): number {
  return workOf(classes.filter(({ queue }) => queues.includes(queue))) / Math.max(1, slots * slotSeconds);
}

function threadsOf({ topology }: Scenario, { queues }: Pick<Part, 'queues'>): number {
  return topology.groups.filter((group) => serves(group, queues)).reduce((sum, { threads }) => sum + threads, 0);
}

/** Whether each queue meets an objective by the median of the runs; one without jobs does. A busy queue hides no other. */
function isMet(lived: Runs, { queues, share }: Aim): boolean {
  return queues.every((queue) => {
    const { within } = answerOf(lived, [queue]);
    return within === null || within.median >= share;
  });
}

/** The largest 95th percentile of a queue's waits, by its objective. */
function worst(lived: Runs, queues: readonly string[], objective: (queue: string) => number): number {
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

/** By which share a time must be shortened so that it can be searched; 1 where it need not be. */
export function shareToSearch({ demand }: Scenario): number {
  return Math.min(1, (2 * JOBS_MOST) / TRIES_MOST / TRIED_RUNS.least / Math.max(1, jobsOf(demand)));
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

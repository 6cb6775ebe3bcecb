import { DDSketch } from '@datadog/sketches-js';
import { Dice, namedDice } from '../engine/dice';
import { Engine, type Capsule } from '../engine/engine';
import type { Crowding } from './crowding';
import { groupBy } from '../sidekiq/groupBy';
import type { Turns } from '../turns';
import { drawDuration, drawRest, scaled } from './durations';
import { ScaledWorkers } from './scaledWorkers';
import { Arrivals, initialJobs, type SimulatedJob } from './simulatedJobs';
import { jobsOfClass, type ClassDemand, type Demand, type Scenario } from './model';

/** Error of a wait at most, relative to it. */
const ACCURACY = 0.01;
/** Jobs between two looks at the clock. */
const JOBS_PER_TURN = 500;

/** What one run tells of a queue. Times are seconds. */
export interface QueueOutcome {
  readonly jobs: number;
  /** Waits of the jobs; those that had not started count by their age at the end. */
  readonly waits: DDSketch;
  /** Jobs whose wait was within the objective; of those that wait at the end, the ones that start in time after it. */
  readonly within: number;
  readonly backlogEnd: number;
  /** When what waited at the beginning had started; `null` where it had not, or where nothing waited. */
  readonly drainedAt: number | null;
  /** Jobs that waited at the beginning and had not started. */
  readonly initialLeft: number;
}

export interface Outcome {
  readonly queues: ReadonlyMap<string, QueueOutcome>;
  /** Seconds that threads were busy and there, by group. */
  readonly busySeconds: readonly number[];
  readonly threadSeconds: readonly number[];
  /** Of the scenario's scaling: least, mean and most replicas. */
  readonly replicas: { readonly least: number; readonly mean: number; readonly most: number } | null;
}

/** Waits by their size, of a bounded error. */
export function newSketch(): DDSketch {
  return new DDSketch({ relativeAccuracy: ACCURACY });
}

class Tally {
  jobs = 0;
  within = 0;
  started = 0;
  initial = 0;
  drainedAt: number | null = null;
  readonly waits = newSketch();

  constructor(readonly objective: number) {}
}

/** Jobs that one run of a demand takes, about. */
export function jobsOf({ classes, backlog }: Demand): number {
  const coming = classes.reduce((sum, each) => sum + jobsOfClass(each), 0);
  return coming + [...backlog.values()].reduce((sum, { jobs }) => sum + jobs, 0);
}

/**
 * Lives through a scenario once. The same seed gives the same jobs whatever the topology, and of other classes whatever
 * changes of one, so that scenarios are compared on the same work, and a queue that a change does not reach stays as it is.
 * Rates and mean run times differ between runs by as much as the measured executions leave open.
 *
 * @param objectiveOf seconds that a job of a queue may wait
 * @param crowding how run times depend on the jobs that run at an instant; they do not where it is left out
 * @throws the reason of the signal once it is aborted
 */
export async function simulate(
  { topology, demand: measured, scaling }: Scenario,
  seed: number,
  objectiveOf: (queue: string) => number,
  turns: Turns,
  { signal, crowding }: { signal?: AbortSignal | undefined; crowding?: Crowding | undefined } = {}
): Promise<Outcome> {
  const diceOf = namedDice(seed);
  const durationDice = new Map<ClassDemand, Dice>();
  const durationDiceOf = (of: ClassDemand): Dice => {
    const dice = durationDice.get(of) ?? diceOf(`durations ${of.queue} ${of.class}`);
    durationDice.set(of, dice);
    return dice;
  };
  const demand = asMayBe(measured, new Dice(5 * seed + 3));
  const measuredOf = new Map(demand.classes.map((each, index) => [each, measured.classes[index]!]));
  const seconds = demand.slots * demand.slotSeconds;
  const tallies = new Map<string, Tally>();
  const tallyOf = (queue: string): Tally => {
    let tally = tallies.get(queue);
    if (!tally) {
      tally = new Tally(objectiveOf(queue));
      tallies.set(queue, tally);
    }
    return tally;
  };
  const pause = async () => {
    signal?.throwIfAborted();
    await turns.give();
  };
  const busySeconds = topology.groups.map(() => 0);
  /** Jobs that waited at the end and may still start within their objective. */
  const open = new Set<SimulatedJob>();
  let isOver = false;
  const groupOf = new Map<Capsule<SimulatedJob>, number>();
  const capsules: Array<Capsule<SimulatedJob>> = [];
  let workers: ScaledWorkers | undefined;
  const engine = new Engine<SimulatedJob>(
    {
      seconds({ of, from }, _queue, _startsAt, capsule) {
        const drawn = (from === 'running' ? drawRest : drawDuration)(of.durations, durationDiceOf(of));
        const busyOf = (group: number) => capsules[group]!.busy + Number(capsules[group] === capsule);
        return drawn * (crowding?.factorOf(measuredOf.get(of)!, groupOf.get(capsule)!, busyOf) ?? 1);
      },
      started({ job, queue, capsule, startsAt, endsAt }) {
        if (!isOver) {
          busySeconds[groupOf.get(capsule)!]! += Math.min(endsAt, seconds) - startsAt;
        }
        if (job.from === 'running') {
          return;
        }
        workers?.started(queue);
        const tally = tallyOf(queue);
        const wait = startsAt - job.at;
        if (isOver) {
          tally.within += Number(open.delete(job) && wait <= tally.objective);
          return;
        }
        tally.waits.accept(wait);
        tally.within += Number(wait <= tally.objective);
        tally.started += 1;
        if (job.from === 'waiting') {
          tally.initial -= 1;
          tally.drainedAt = tally.initial === 0 ? startsAt : null;
        }
      },
      finished: (run) => workers?.finished(run),
    },
    diceOf
  );
  const threadSeconds = topology.groups.map(({ threads }) => threads * seconds);
  if (scaling) {
    workers = new ScaledWorkers(scaling, { topology, demand }, engine);
  }
  topology.groups.forEach(({ threads, mode, weights }, index) =>
    engine.addCapsule({ threads: workers?.isReplaced(index) ? 0 : threads, mode, weights }, (added) => {
      groupOf.set(added, index);
      capsules[index] = added;
      workers?.added(index, added);
    })
  );
  const byQueue = groupBy(demand.classes, ({ queue }) => queue);
  // What runs takes its threads first.
  for (const from of ['running', 'waiting'] as const) {
    if (from === 'waiting') {
      // Of a queue that is paused no job is taken, and what runs goes on.
      topology.paused.forEach((queue) => engine.pause(queue));
    }
    for (const [queue, backlog] of demand.backlog) {
      let told = 0;
      for (const job of initialJobs(byQueue.get(queue) ?? [], backlog, from, diceOf(`${from} ${queue}`))) {
        if (from === 'waiting') {
          tallyOf(queue).initial += 1;
          tallyOf(queue).jobs += 1;
        }
        engine.push(queue, job);
        told += 1;
        if (told % JOBS_PER_TURN === 0) {
          await pause();
        }
      }
    }
  }
  let count = 0;
  const arrivals = new Arrivals(demand, diceOf);
  const live = async (slot: number, from: number) => {
    workers?.step(from);
    for (const job of arrivals.of(slot, from)) {
      engine.advance(job.at);
      if (!isOver) {
        tallyOf(job.of.queue).jobs += 1;
      }
      workers?.pushed(job.of.queue);
      engine.push(job.of.queue, job);
      count += 1;
      if (count % JOBS_PER_TURN === 0) {
        await pause();
      }
    }
    // Jobs that nobody pushes any more end too.
    while (!engine.advance(from + demand.slotSeconds, JOBS_PER_TURN)) {
      await pause();
    }
    await pause();
  };
  for (let slot = 0; slot < demand.slots; slot += 1) {
    await live(slot, slot * demand.slotSeconds);
  }
  let lastChance = seconds;
  for (const [queue, tally] of tallies) {
    // A job that still waits has waited at least for its age.
    let told = 0;
    for (const job of engine.waiting(queue)) {
      if (job.from === 'running') {
        continue;
      }
      tally.waits.accept(seconds - job.at);
      const until = job.at + tally.objective;
      if (until > seconds) {
        open.add(job);
        lastChance = Math.max(lastChance, until);
      }
      told += 1;
      if (told % JOBS_PER_TURN === 0) {
        await pause();
      }
    }
  }
  const backlogs = new Map([...tallies].map(([queue, { jobs, started }]) => [queue, jobs - started]));
  const replicas = workers?.end(seconds) ?? null;
  replicas?.threadSeconds.forEach((each, index) => (threadSeconds[index] = each));
  // Whether those that wait at the end start in time: the same work goes on for as long as that is open, at most as long again.
  isOver = true;
  for (let slot = 0; slot < demand.slots && open.size > 0; slot += 1) {
    const from = seconds + slot * demand.slotSeconds;
    if (from > lastChance) {
      break;
    }
    await live(slot, from);
  }
  const queues = new Map(
    [...tallies].map(([queue, { jobs, waits, within, drainedAt, initial }]): [string, QueueOutcome] => [
      queue,
      { jobs, waits, within, backlogEnd: backlogs.get(queue) ?? 0, drainedAt, initialLeft: initial },
    ])
  );
  return { queues, busySeconds, threadSeconds, replicas };
}

/**
 * The work as it may be behind what was measured: a count of n events has a standard error of the square root of n, a mean
 * of n run times one of their standard deviation by the square root of n.
 */
function asMayBe(demand: Demand, dice: Dice): Demand {
  const classes = demand.classes.map((each): ClassDemand => {
    const executions = Math.max(1, each.executions);
    const rate = factorOf(1 / executions, dice);
    const time = factorOf(each.durations.variation / executions, dice);
    return {
      ...each,
      arrivals: each.arrivals.map((count) => count * rate),
      durations: scaled(each.durations, time),
    };
  });
  return { ...demand, classes };
}

/** A factor around 1 (the median, as medians are told) of a variance: lognormal, as none is negative. */
function factorOf(variance: number, dice: Dice): number {
  return Math.exp(Math.sqrt(Math.log(1 + variance)) * dice.normal());
}

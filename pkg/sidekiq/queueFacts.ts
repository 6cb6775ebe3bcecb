import { runTimesOf } from './clocks';
import { groupBy } from './groupBy';
import type { Capsule, Listed, Process, Queue, Work } from './model';
import type { Snapshot } from './snapshot';

/** What a snapshot says about one queue beyond its length. Figures are `null` where what they need was refused. */
export interface QueueFacts extends Queue {
  /** Threads that may run its jobs, counted by capsule, quiet processes included. */
  readonly threads: number | null;
  /** Threads of processes that still take jobs. */
  readonly readyThreads: number | null;
  /** Processes that serve it, quiet ones included. */
  readonly processes: number | null;
  /** Jobs of this queue that run now, by the work records. */
  readonly busy: number | null;
  /** Those of them that run in processes that still take jobs: what {@link readyThreads} are busy with. */
  readonly readyBusy: number | null;
  /**
   * Threads of processes that still take jobs which serve it and run nothing, by the work records, though jobs wait in it;
   * `null` where none wait.
   */
  readonly readyIdle: number | null;
  /** Seconds for which its longest running job has run; `null` when none runs. */
  readonly longestRunSeconds: number | null;
  /** Jobs wait and no ready thread serves it, though it is not paused. */
  readonly unserved: boolean | null;
  /**
   * Jobs wait for over a minute while every ready process that serves it serves other, non-empty queues
   * before it in strict order. `null` where a process does not tell its order. Not where most threads are idle: a limit of
   * jobs (sidekiq-throttled, sidekiq-limit_fetch) then keeps the queues before it full.
   */
  readonly starved: boolean | null;
}

const STARVED_AFTER_SECONDS = 60;

/** What serves a queue. Threads are `null` where a capsule does not say how many it has. */
interface Service {
  processes: number;
  threads: number | null;
  readyThreads: number | null;
  ready: Process[];
}

interface Running {
  count: number;
  /** Of processes that still take jobs. */
  ready: number;
  /** For how long the longest one has run, in seconds; `null` where none says since when. */
  longestSeconds: number | null;
}

/** Facts of every queue of a snapshot, in its order. */
export function queueFacts({ queues, processes, work, at }: Snapshot): QueueFacts[] {
  const waiting = new Set<string>();
  for (const { name, size, paused } of queues.items) {
    if (size !== 0 && paused !== true) {
      waiting.add(name);
    }
  }
  const serving = servicesOf(processes.items);
  const running = runningByQueue({ processes, work, at });
  const { whole } = processes;
  const idleOf = idleThreads(work.items);
  return queues.items.map((queue) => {
    const { name, size, paused } = queue;
    const { threads, readyThreads, processes: servers, ready } = serving.get(name) ?? UNSERVED;
    const jobs = running.get(name) ?? IDLE;
    const facts = {
      ...queue,
      threads: whole ? threads : null,
      readyThreads: whole ? readyThreads : null,
      processes: whole ? servers : null,
      busy: work.whole ? jobs.count : null,
      readyBusy: work.whole ? jobs.ready : null,
      longestRunSeconds: work.whole ? jobs.longestSeconds : null,
    };
    if (size === 0 || paused === true) {
      return { ...facts, readyIdle: null, unserved: false, starved: false };
    }
    if (size === null || paused === null || !whole) {
      return { ...facts, readyIdle: null, unserved: null, starved: null };
    }
    const readyIdle = work.whole ? idleOf(name, ready) : null;
    const starved = isMostlyIdle(readyIdle, readyThreads) ? false : isStarved(queue, ready, waiting);
    return { ...facts, readyIdle, unserved: ready.length === 0, starved };
  });
}

/**
 * Whether threads have nothing to do that could take jobs. A thread that fetches, or runs jobs of a millisecond, often has no
 * record at the moment, so that one idle thread of two says nothing.
 */
export function isMostlyIdle(idle: number | null, threads: number | null): boolean {
  return idle !== null && threads !== null && idle >= 2 && idle > threads / 2;
}

/**
 * Counts the threads that run nothing in the capsules of some processes that serve a queue. Work records do not tell the
 * capsule: each job whose queue is served by those capsules is taken to run in them.
 */
function idleThreads(work: readonly Work[]): (queue: string, processes: readonly Process[]) => number | null {
  let running: Map<string, Work[]> | undefined;
  const known = new Map<Capsule, number | null>();
  const idleIn = (process: Process, capsules: readonly Capsule[]): number | null => {
    const threads = threadsOf(process, capsules);
    if (threads === null) {
      return null;
    }
    running ??= groupBy(work, (each) => each.process);
    const isIn = ({ queue }: Work) => capsules.some(({ weights }) => weights.has(queue));
    return Math.max(0, threads - (running.get(process.identity)?.filter(isIn).length ?? 0));
  };
  return (queue, processes) =>
    processes.reduce<number | null>((total, process) => {
      const serving = process.capsules.filter(({ weights }) => weights.has(queue));
      const [capsule, another] = serving;
      if (!capsule || another) {
        return sum(total, idleIn(process, serving));
      }
      // Most queues are served by one capsule, with others.
      if (!known.has(capsule)) {
        known.set(capsule, idleIn(process, serving));
      }
      return sum(total, known.get(capsule)!);
    }, 0);
}

function isStarved({ name, latencySeconds }: Queue, ready: readonly Process[], waiting: ReadonlySet<string>) {
  if (latencySeconds !== null && latencySeconds <= STARVED_AFTER_SECONDS) {
    return false;
  }
  if (ready.length === 0) {
    return false;
  }
  let known = latencySeconds !== null;
  for (const process of ready) {
    const held = isHeldBack(process, name, waiting);
    if (held === false) {
      return false;
    }
    known &&= held !== null;
  }
  return known ? true : null;
}

const UNSERVED: Service = { processes: 0, threads: 0, readyThreads: 0, ready: [] };
const IDLE: Running = { count: 0, ready: 0, longestSeconds: null };

function servicesOf(processes: readonly Process[]): Map<string, Service> {
  const services = new Map<string, Service>();
  for (const process of processes) {
    for (const [queue, threads] of threadsByQueue(process)) {
      let service = services.get(queue);
      if (!service) {
        service = { ...UNSERVED, ready: [] };
        services.set(queue, service);
      }
      service.processes += 1;
      service.threads = sum(service.threads, threads);
      // A capsule without threads serves nobody.
      if (!process.quiet && threads !== 0) {
        service.readyThreads = sum(service.readyThreads, threads);
        service.ready.push(process);
      }
    }
  }
  return services;
}

/** Several ask for those of one snapshot. */
const servedBy = new WeakMap<readonly Process[], ReadonlySet<string>>();

/** The queues from which processes take jobs. */
export function servedQueues(processes: readonly Process[]): ReadonlySet<string> {
  const known = servedBy.get(processes);
  if (known) {
    return known;
  }
  const served = new Set<string>();
  servedBy.set(processes, served);
  for (const process of processes) {
    if (!process.quiet) {
      threadsByQueue(process).forEach((threads, queue) => threads !== 0 && served.add(queue));
    }
  }
  return served;
}

type ThreadsByQueue = ReadonlyMap<string, number | null>;

/** Capsules are the same list from reading to reading while a process does not change. */
const knownThreads = new WeakMap<Process['capsules'], { concurrency: number | null; threads: ThreadsByQueue }>();

/** Threads of a process that may run jobs of each queue, counted by capsule. */
function threadsByQueue(process: Process): ThreadsByQueue {
  const { capsules, concurrency } = process;
  const known = knownThreads.get(capsules);
  if (known?.concurrency === concurrency) {
    return known.threads;
  }
  const serving = new Map<string, Capsule[]>();
  for (const capsule of capsules) {
    for (const queue of capsule.weights.keys()) {
      serving.set(queue, [...(serving.get(queue) ?? []), capsule]);
    }
  }
  const threads = new Map([...serving].map(([queue, serve]) => [queue, threadsOf(process, serve)]));
  knownThreads.set(capsules, { concurrency, threads });
  return threads;
}

/**
 * Threads that may run a job of any of some queues, each counted once however many of the queues it serves.
 *
 * @param which `ready` leaves out processes that take no new jobs
 * @returns `null` where a process is not known, or does not tell the threads of the capsules that are meant
 */
export function threadsServing(
  processes: Listed<Process>,
  queues: ReadonlySet<string>,
  which: 'all' | 'ready'
): number | null {
  if (!processes.whole) {
    return null;
  }
  return processes.items
    .filter(({ quiet }) => which === 'all' || !quiet)
    .reduce<number | null>((total, process) => {
      const serving = process.capsules.filter(({ weights }) => servesAny(weights, queues));
      return sum(total, serving.length === 0 ? 0 : threadsOf(process, serving));
    }, 0);
}

function servesAny(weights: Capsule['weights'], queues: ReadonlySet<string>): boolean {
  for (const queue of queues) {
    if (weights.has(queue)) {
      return true;
    }
  }
  return false;
}

/** Threads of some capsules of a process; of all of them, where the record has no threads by capsule, the whole process'. */
export function threadsOf({ capsules: all, concurrency }: Process, some: readonly Capsule[]): number | null {
  const counted = some.reduce<number | null>((total, each) => sum(total, each.concurrency), 0);
  return counted ?? (some.length === all.length ? concurrency : null);
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

/** The jobs that run, by queue. */
export function runningByQueue({
  processes,
  work,
  at,
}: Pick<Snapshot, 'processes' | 'work' | 'at'>): Map<string, Running> {
  const ranFor = runTimesOf({ processes, at });
  const quiet = new Set(processes.items.filter((each) => each.quiet).map(({ identity }) => identity));
  const running = new Map<string, Running>();
  for (const job of work.items) {
    const { queue, process } = job;
    let jobs = running.get(queue);
    if (!jobs) {
      jobs = { ...IDLE };
      running.set(queue, jobs);
    }
    jobs.count += 1;
    jobs.ready += Number(!quiet.has(process));
    const seconds = ranFor(job);
    if (seconds !== null) {
      jobs.longestSeconds = Math.max(0, jobs.longestSeconds ?? 0, seconds);
    }
  }
  return running;
}

/** `null` where a capsule does not tell its order. */
function isHeldBack({ capsules }: Process, queue: string, waiting: ReadonlySet<string>): boolean | null {
  let held: true | null = true;
  for (const { mode, weights, concurrency } of capsules) {
    if (!weights.has(queue) || concurrency === 0) {
      continue;
    }
    if (
      mode === null
        ? !isOtherWaiting(weights, queue, waiting)
        : mode !== 'strict' || !waitsBefore(weights, queue, waiting)
    ) {
      return false;
    }
    if (mode === null) {
      held = null;
    }
  }
  return held;
}

function isOtherWaiting(weights: Capsule['weights'], queue: string, waiting: ReadonlySet<string>): boolean {
  for (const other of weights.keys()) {
    if (other !== queue && waiting.has(other)) {
      return true;
    }
  }
  return false;
}

/** Whether a queue that is served before another has jobs. */
function waitsBefore(weights: Capsule['weights'], queue: string, waiting: ReadonlySet<string>): boolean {
  for (const before of weights.keys()) {
    if (before === queue) {
      return false;
    }
    if (waiting.has(before)) {
      return true;
    }
  }
  return false;
}

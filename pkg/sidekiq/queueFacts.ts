import type { Process, Queue } from './model';
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
  /** Seconds for which its longest running job has run; `null` when none runs. */
  readonly longestRunSeconds: number | null;
  /** Jobs wait and no ready thread serves it, though it is not paused. */
  readonly unserved: boolean | null;
  /**
   * Jobs wait for over a minute while every ready process that serves it serves other, non-empty queues
   * before it in strict order.
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
  /** Epoch seconds at which the oldest began, `Infinity` where none says when. */
  firstRunAt: number;
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
  const running = runningOf(work.items);
  const { whole } = processes;
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
      longestRunSeconds: work.whole && jobs.firstRunAt < Infinity ? Math.max(0, at - jobs.firstRunAt) : null,
    };
    if (size === 0 || paused === true) {
      return { ...facts, unserved: false, starved: false };
    }
    if (size === null || paused === null || facts.readyThreads === null) {
      return { ...facts, unserved: null, starved: null };
    }
    return {
      ...facts,
      unserved: facts.readyThreads === 0,
      starved:
        (queue.latencySeconds ?? 0) > STARVED_AFTER_SECONDS &&
        ready.length > 0 &&
        ready.every((process) => isHeldBack(process, name, waiting)),
    };
  });
}

const UNSERVED: Service = { processes: 0, threads: 0, readyThreads: 0, ready: [] };
const IDLE: Running = { count: 0, firstRunAt: Infinity };

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
      if (!process.quiet) {
        service.readyThreads = sum(service.readyThreads, threads);
        service.ready.push(process);
      }
    }
  }
  return services;
}

/** Threads of a process that may run jobs of each queue, counted by capsule. */
function threadsByQueue({ capsules }: Process): Map<string, number | null> {
  const threads = new Map<string, number | null>();
  for (const { concurrency, weights } of capsules) {
    for (const queue of weights.keys()) {
      threads.set(queue, threads.has(queue) ? sum(threads.get(queue)!, concurrency) : concurrency);
    }
  }
  return threads;
}

function sum(a: number | null, b: number | null): number | null {
  return a === null || b === null ? null : a + b;
}

function runningOf(work: ReadonlyArray<{ queue: string; runAt: number | null }>): Map<string, Running> {
  const running = new Map<string, Running>();
  for (const { queue, runAt } of work) {
    const known = running.get(queue);
    if (known) {
      known.count += 1;
      known.firstRunAt = Math.min(known.firstRunAt, runAt ?? Infinity);
    } else {
      running.set(queue, { count: 1, firstRunAt: runAt ?? Infinity });
    }
  }
  return running;
}

function isHeldBack(process: Process, queue: string, waiting: ReadonlySet<string>): boolean {
  return process.capsules
    .filter(({ weights }) => weights.has(queue))
    .every(({ mode, weights }) => {
      const order = [...weights.keys()];
      return mode === 'strict' && order.slice(0, order.indexOf(queue)).some((before) => waiting.has(before));
    });
}

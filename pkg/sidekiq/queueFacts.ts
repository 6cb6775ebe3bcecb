import { threadsFor, type Process } from './process';
import type { Queue } from './queue';
import type { Snapshot } from './snapshot';

/** What a snapshot says about one queue beyond its length: who serves it and what runs from it. */
export interface QueueFacts extends Queue {
  /** Threads that may run its jobs, counted by capsule, quiet processes included. */
  threads: number;
  /** Threads of processes that still take jobs. */
  readyThreads: number;
  /** Processes that serve it, quiet ones included. */
  processes: number;
  /** Jobs of this queue that run now, by the work records. */
  busy: number;
  /** Seconds for which its longest running job has run; `null` when none runs. */
  longestRunSeconds: number | null;
  /** Jobs wait and no ready thread serves it, though it is not paused. */
  unserved: boolean;
  /**
   * Jobs wait for over a minute while every ready process that serves it serves other, non-empty queues
   * before it in strict order.
   */
  starved: boolean;
}

const STARVED_AFTER_SECONDS = 60;

/** Facts of every queue of a snapshot, in its order. */
export function queueFacts(snapshot: Snapshot): QueueFacts[] {
  const waiting = new Set(snapshot.queues.filter(({ size, paused }) => size > 0 && !paused).map(({ name }) => name));
  const serving = groupBy(snapshot.processes, (process) =>
    process.capsules.flatMap(({ weights }) => Object.keys(weights))
  );
  const running = groupBy(snapshot.work, (work) => [work.queue]);
  return snapshot.queues.map((queue) => {
    const processes = [...new Set(serving.get(queue.name))];
    const ready = processes.filter((process) => !process.quiet);
    const work = running.get(queue.name) ?? [];
    const readyThreads = sum(ready, (process) => threadsFor(process, queue.name));
    return {
      ...queue,
      threads: sum(processes, (process) => threadsFor(process, queue.name)),
      readyThreads,
      processes: processes.length,
      busy: work.length,
      longestRunSeconds: work[0] === undefined ? null : Math.max(0, snapshot.at - work[0].runAt),
      unserved: waiting.has(queue.name) && readyThreads === 0,
      starved:
        waiting.has(queue.name) &&
        (queue.latencySeconds ?? 0) > STARVED_AFTER_SECONDS &&
        ready.length > 0 &&
        ready.every((process) => isHeldBack(process, queue.name, waiting)),
    };
  });
}

function groupBy<T>(items: readonly T[], keysOf: (item: T) => readonly string[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    for (const key of keysOf(item)) {
      const group = groups.get(key);
      if (group) {
        group.push(item);
      } else {
        groups.set(key, [item]);
      }
    }
  }
  return groups;
}

function isHeldBack(process: Process, queue: string, waiting: ReadonlySet<string>): boolean {
  return process.capsules
    .filter(({ weights }) => queue in weights)
    .every(({ mode, weights }) => {
      const order = Object.keys(weights);
      return mode === 'strict' && order.slice(0, order.indexOf(queue)).some((before) => waiting.has(before));
    });
}

function sum<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}

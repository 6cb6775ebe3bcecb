import type { Process, Queue } from './model';
import { sumOrNull, threadsFor } from './parts/process';
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

/** Facts of every queue of a snapshot, in its order. */
export function queueFacts({ queues, processes, work, at }: Snapshot): QueueFacts[] {
  const waiting = new Set(
    queues.items.filter(({ size, paused }) => size !== 0 && paused !== true).map(({ name }) => name)
  );
  const serving = groupBy(processes.items, ({ capsules }) => capsules.flatMap(({ weights }) => [...weights.keys()]));
  const running = groupBy(work.items, ({ queue }) => [queue]);
  return queues.items.map((queue) => {
    const { name, size, paused } = queue;
    const servers = [...new Set(serving.get(name))];
    const ready = servers.filter(({ quiet }) => !quiet);
    const jobs = running.get(name) ?? [];
    const known = <T>(value: T): T | null => (processes.whole ? value : null);
    const readyThreads = known(sumOrNull(ready.map((process) => threadsFor(process, name))));
    const facts = {
      ...queue,
      threads: known(sumOrNull(servers.map((process) => threadsFor(process, name)))),
      readyThreads,
      processes: known(servers.length),
      busy: work.whole ? jobs.length : null,
      longestRunSeconds: work.whole ? longestRun(jobs, at) : null,
    };
    if (size === 0 || paused === true) {
      return { ...facts, unserved: false, starved: false };
    }
    if (size === null || paused === null || readyThreads === null) {
      return { ...facts, unserved: null, starved: null };
    }
    return {
      ...facts,
      unserved: readyThreads === 0,
      starved:
        (queue.latencySeconds ?? 0) > STARVED_AFTER_SECONDS &&
        ready.length > 0 &&
        ready.every((process) => isHeldBack(process, name, waiting)),
    };
  });
}

function longestRun(jobs: ReadonlyArray<{ runAt: number | null }>, now: number): number | null {
  const starts = jobs.flatMap(({ runAt }) => runAt ?? []);
  return starts.length === 0 ? null : Math.max(0, now - Math.min(...starts));
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
    .filter(({ weights }) => weights.has(queue))
    .every(({ mode, weights }) => {
      const order = [...weights.keys()];
      return mode === 'strict' && order.slice(0, order.indexOf(queue)).some((before) => waiting.has(before));
    });
}

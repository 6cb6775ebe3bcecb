import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** Of a class that runs from several queues, which share of its running jobs each has; the shares add up to 1. */
export type ClassSharesView = ReadonlyMap<string, ReadonlyArray<readonly [queue: string, share: number]>>;

/** The queues that a class runs from, with the share of its work; none where it was not seen. */
export function sharesOf(
  { classQueues, classShares }: { classQueues: ReadonlyMap<string, string>; classShares: ClassSharesView },
  jobClass: string
): ReadonlyArray<readonly [queue: string, share: number]> {
  const queue = classQueues.get(jobClass);
  return classShares.get(jobClass) ?? (queue === undefined ? [] : [[queue, 1]]);
}

interface Seen {
  at: number;
  byQueue: Map<string, number>;
}

const CLASSES_KEPT = 5000;
/** Queues of one class: those that it was seen in most. */
const QUEUES_KEPT = 50;
/** After so long what was seen counts half. */
const HALF_SECONDS = 300;
/** What was seen days ago counts nothing. */
const LEAST_WEIGHT = 1e-6;
/** A smaller share is that of a queue that the class has left. */
const LEAST_SHARE = 0.01;

const savedSchema = z.array(
  z.object({ class: z.string(), at: z.number(), queues: z.array(z.tuple([z.string(), z.number().nonnegative()])) })
);

/**
 * How the work of a class is shared among the queues that it runs from: Sidekiq's job metrics know classes only. Jobs are
 * found running in proportion to the time that they take, so the share of what was seen running is that of the work. Holds
 * the 5,000 classes that were seen running last.
 */
export class ClassShares implements Observer<ClassSharesView> {
  private readonly seen = new LRUCache<string, Seen>({ max: CLASSES_KEPT });
  private current: ClassSharesView = new Map();

  observe({ at, work }: Snapshot): void {
    const fresh = new Set<string>();
    for (const { metricsClass, queue } of work.items) {
      let entry = this.seen.get(metricsClass);
      if (!entry || !fresh.has(metricsClass)) {
        entry = { at, byQueue: faded(entry, at) };
        this.seen.set(metricsClass, entry);
        fresh.add(metricsClass);
      }
      entry.byQueue.set(queue, (entry.byQueue.get(queue) ?? 0) + 1);
    }
    if (fresh.size > 0) {
      this.current = this.shares();
    }
  }

  view(): ClassSharesView {
    return this.current;
  }

  save(): z.input<typeof savedSchema> {
    return [...this.seen.entries()].reverse().map(([name, { at, byQueue }]) => ({
      class: name,
      at,
      queues: [...byQueue],
    }));
  }

  restore(saved: unknown): void {
    savedSchema.parse(saved).forEach(({ class: name, at, queues }) => {
      // Earlier versions saved what had faded to nothing.
      this.seen.set(name, { at, byQueue: new Map(queues.filter(([, weight]) => weight > 0)) });
    });
    this.current = this.shares();
  }

  private shares(): ClassSharesView {
    const shares = new Map<string, ReadonlyArray<readonly [string, number]>>();
    for (const [name, { byQueue }] of this.seen.entries()) {
      if (byQueue.size > 1) {
        const sum = [...byQueue.values()].reduce((all, weight) => all + weight, 0);
        shares.set(
          name,
          [...byQueue].map(([queue, weight]) => [queue, weight / sum] as const)
        );
      }
    }
    return shares;
  }
}

/** What was seen before, by how long ago it was; a clock that was put back begins anew. */
function faded(before: Seen | undefined, at: number): Map<string, number> {
  if (!before || at < before.at) {
    return new Map();
  }
  const factor = 0.5 ** ((at - before.at) / HALF_SECONDS);
  const sum = [...before.byQueue.values()].reduce((all, weight) => all + weight, 0);
  const kept = [...before.byQueue]
    .filter(([, weight]) => weight >= LEAST_SHARE * sum && weight * factor >= LEAST_WEIGHT)
    .sort(([, one], [, other]) => other - one)
    .slice(0, QUEUES_KEPT);
  return new Map(kept.map(([queue, weight]) => [queue, weight * factor]));
}

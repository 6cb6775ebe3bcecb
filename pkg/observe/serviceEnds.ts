import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { servedQueues } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** By queue that nobody serves: when it was last seen to be served (epoch seconds). */
export type ServiceEndsView = ReadonlyMap<string, number>;

const QUEUES_KEPT = 5000;
const savedSchema = z.object({
  at: z.number(),
  served: z.array(z.string()),
  ended: z.array(z.object({ queue: z.string(), at: z.number() })),
});

/**
 * Until when queues were served that are not any more: their oldest job may have waited before. A snapshot in which not all
 * processes are known tells nothing. Holds the queues that are served, and the 5,000 that were last.
 */
export class ServiceEnds implements Observer<ServiceEndsView> {
  private at = 0;
  private served: ReadonlySet<string> = new Set();
  private readonly ended = new LRUCache<string, number>({ max: QUEUES_KEPT });
  private current: ServiceEndsView = new Map();

  observe({ at, processes }: Snapshot): void {
    if (!processes.whole) {
      return;
    }
    const served = servedQueues(processes.items);
    for (const queue of this.served) {
      if (!served.has(queue)) {
        this.ended.set(queue, this.at);
      }
    }
    for (const [queue, endedAt] of [...this.ended.entries()].reverse()) {
      if (served.has(queue)) {
        this.ended.delete(queue);
      } else if (endedAt > at) {
        // By a clock that was ahead.
        this.ended.set(queue, at);
      }
    }
    this.at = at;
    this.served = served;
    this.current = new Map(this.ended.entries());
  }

  view(): ServiceEndsView {
    return this.current;
  }

  save(): z.input<typeof savedSchema> {
    return {
      at: this.at,
      served: [...this.served],
      // An LRU tells the last seen first.
      ended: [...this.ended.entries()].reverse().map(([queue, at]) => ({ queue, at })),
    };
  }

  restore(saved: unknown): void {
    const { at, served, ended } = savedSchema.parse(saved);
    this.at = at;
    this.served = new Set(served);
    ended.forEach((each) => this.ended.set(each.queue, each.at));
    this.current = new Map(this.ended.entries());
  }
}

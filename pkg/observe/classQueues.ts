import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** The queue that each job class was last seen in. */
export type ClassQueuesView = ReadonlyMap<string, string>;

const CLASSES_KEPT = 10_000;
const namePairs = z.array(z.tuple([z.string(), z.string()]));

/**
 * Which queue a job class runs from: Sidekiq's job metrics know classes only. A class that was seen in several queues
 * belongs to the one it was seen in last. Holds the 10,000 classes that were seen last.
 */
export class ClassQueues implements Observer<ClassQueuesView> {
  private readonly queueByClass = new LRUCache<string, string>({ max: CLASSES_KEPT });
  private current: ClassQueuesView = new Map();
  private changed = false;

  observe({ work, queues }: Snapshot): void {
    for (const { name, next } of queues.items) {
      if (next) {
        this.learn(next.metricsClass, name);
      }
    }
    for (const { metricsClass, queue } of work.items) {
      this.learn(metricsClass, queue);
    }
  }

  view(): ClassQueuesView {
    if (this.changed) {
      this.current = new Map(this.queueByClass.entries());
      this.changed = false;
    }
    return this.current;
  }

  save(): unknown {
    // An LRU tells the last seen first.
    return [...this.queueByClass.entries()].reverse();
  }

  restore(saved: unknown): void {
    namePairs.parse(saved).forEach(([name, other]) => this.queueByClass.set(name, other));
    this.changed = true;
  }

  private learn(metricsClass: string, queue: string): void {
    this.changed ||= this.queueByClass.get(metricsClass) !== queue;
    this.queueByClass.set(metricsClass, queue);
  }
}

import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Job } from '../sidekiq/payload';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** The class under which Sidekiq keeps metrics, by the class that is shown, where the two differ. */
export type ClassNamesView = ReadonlyMap<string, string>;

const NAMES_KEPT = 10_000;
const namePairs = z.array(z.tuple([z.string(), z.string()]));

/**
 * Which metrics belong to a class as it is shown: a mailer and its method are shown, and metrics are kept under
 * ActionMailer's job; so with every `display_class`. Holds the 10,000 names that were seen last.
 */
export class ClassNames implements Observer<ClassNamesView> {
  private readonly metricsClasses = new LRUCache<string, string>({ max: NAMES_KEPT });
  private current: ClassNamesView = new Map();
  private changed = false;

  observe({ work, queues }: Snapshot): void {
    queues.items.forEach(({ next }) => next && this.learn(next));
    work.items.forEach((job) => this.learn(job));
  }

  view(): ClassNamesView {
    if (this.changed) {
      this.current = new Map(this.metricsClasses.entries());
      this.changed = false;
    }
    return this.current;
  }

  save(): unknown {
    // An LRU tells the last seen first.
    return [...this.metricsClasses.entries()].reverse();
  }

  restore(saved: unknown): void {
    namePairs.parse(saved).forEach(([name, other]) => this.metricsClasses.set(name, other));
    this.changed = true;
  }

  private learn({ class: shown, metricsClass }: Pick<Job, 'class' | 'metricsClass'>): void {
    if (shown !== metricsClass) {
      this.changed ||= this.metricsClasses.get(shown) !== metricsClass;
      this.metricsClasses.set(shown, metricsClass);
    }
  }
}

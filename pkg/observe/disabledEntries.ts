import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { DisabledUntil } from '../sidekiq/browse/recurring';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

const ENTRIES_KEPT = 1000;
const savedEntries = z.array(z.object({ name: z.string(), at: z.number() }));

/**
 * Until when entries of sidekiq-cron were disabled. Redis does not tell, and the runs of that time do not come later:
 * sidekiq-cron makes up for a minute only (`past_scheduled_time?` of its job.rb). sidekiq-scheduler goes on to write the
 * times of runs that it leaves out. Holds the 1,000 entries that were disabled last, until their next run.
 */
export class DisabledEntries implements Observer<DisabledUntil> {
  private readonly seen = new LRUCache<string, number>({ max: ENTRIES_KEPT });
  private current: DisabledUntil = new Map();

  observe({ at, recurring: { items, whole } }: Snapshot): void {
    const entries = items.filter(({ source }) => source === 'sidekiq-cron');
    const names = new Set(entries.map(({ name }) => name));
    for (const [name, seenAt] of [...this.seen.entries()].reverse()) {
      if (whole && !names.has(name)) {
        this.seen.delete(name);
      } else if (seenAt > at) {
        // Seen by a clock that was ahead.
        this.seen.set(name, at);
      }
    }
    for (const { name, enabled, lastAt } of entries) {
      if (!enabled) {
        this.seen.set(name, at);
      } else if (lastAt !== null && lastAt > (this.seen.peek(name) ?? Infinity)) {
        this.seen.delete(name);
      }
    }
    this.current = new Map(this.seen.entries());
  }

  view(): DisabledUntil {
    return this.current;
  }

  save(): unknown {
    // An LRU tells the last seen first.
    return [...this.seen.entries()].reverse().map(([name, at]) => ({ name, at }));
  }

  restore(saved: unknown): void {
    savedEntries.parse(saved).forEach(({ name, at }) => this.seen.set(name, at));
    this.current = new Map(this.seen.entries());
  }
}

import { z } from 'zod';
import { hasBegunAnew } from '../sidekiq/counters';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** stat:processed and stat:failed as counters; `null` where they may not be read. */
export interface RedisCountersView {
  readonly processed: number | null;
  readonly failed: number | null;
}

const amount = z.number().nullable();
const savedSchema = z.object({ processed: amount, failed: amount });

/**
 * Sidekiq's counters as they are exported. Where a master has lost its last writes, they stay where they were until Redis has
 * counted on: Prometheus takes any fall for a reset, and would add all that was ever processed. Holds two numbers.
 */
export class RedisCounters implements Observer<RedisCountersView> {
  private highest: RedisCountersView = { processed: null, failed: null };
  private current: RedisCountersView = this.highest;

  observe({ totals: { processed, failed } }: Pick<Snapshot, 'totals'>): void {
    const highest = {
      processed: held(processed, this.highest.processed),
      failed: held(failed, this.highest.failed),
    };
    this.current = {
      processed: processed === null ? null : highest.processed,
      failed: failed === null ? null : highest.failed,
    };
    this.highest = highest;
  }

  view(): RedisCountersView {
    return this.current;
  }

  save(): z.input<typeof savedSchema> {
    return this.highest;
  }

  restore(saved: unknown): void {
    this.highest = savedSchema.parse(saved);
  }
}

function held(now: number | null, before: number | null): number | null {
  return now === null || before === null || now >= before || hasBegunAnew(now, before) ? (now ?? before) : before;
}

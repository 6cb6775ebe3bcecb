import { z } from 'zod';
import { noCounts, noExecutions, type ClassCounts } from '../sidekiq/jobMetrics';
import { sharesOf, type ClassSharesView } from './classShares';
import { savedExecutions, type ClassTotal, type ClassTotalsView } from './classTotals';

/** Executions of a class in one queue; where it has several, a share of an execution is counted in each. */
export type QueuePart = Omit<ClassTotal, 'lastRunAt'>;

/** Executions by class and queue since the count began, only ever growing; the queue is `''` while none was seen. */
export type ClassQueueTotalsView = ReadonlyMap<string, ReadonlyMap<string, QueuePart>>;

/** Queues that one class is counted by; further ones count where none was seen. */
const QUEUES_KEPT = 50;
const NOTHING: QueuePart = { ...noExecutions(), durations: noCounts() };
const UNSEEN = [['', 1]] as const;

const savedSchema = z.array(
  savedExecutions.extend({ class: z.string(), queues: z.array(savedExecutions.extend({ queue: z.string() })) })
);

/**
 * Divides the totals of job classes by queue: what a class has grown by goes to the queues that it was seen to run from, by
 * their shares at that time. So each of these counters only grows, and those of a class are its total together, whatever
 * queues it moves between: a label that followed the class would have the same executions counted twice.
 *
 * Holds the classes that totals hold, with 50 queues each.
 */
export class ClassQueueTotals {
  /** The totals that have been divided. */
  private readonly divided = new Map<string, QueuePart>();
  private readonly totals = new Map<string, ReadonlyMap<string, QueuePart>>();
  private current: ClassQueueTotalsView = new Map();

  /** @param seen the queues that classes run from */
  next(
    totals: ClassTotalsView,
    seen: { classQueues: ReadonlyMap<string, string>; classShares: ClassSharesView }
  ): ClassQueueTotalsView {
    let changed = false;
    for (const [jobClass, total] of totals) {
      const before = this.divided.get(jobClass);
      if (before === total) {
        continue;
      }
      this.divided.set(jobClass, total);
      // One that was saved is another object with the same counts.
      if (before === undefined || hasGrown(before, total)) {
        const parts = this.totals.get(jobClass) ?? new Map<string, QueuePart>();
        this.totals.set(jobClass, grownBy(parts, before ?? NOTHING, total, sharesOf(seen, jobClass)));
        changed = true;
      }
    }
    if (this.divided.size > totals.size) {
      for (const jobClass of [...this.divided.keys()].filter((each) => !totals.has(each))) {
        this.divided.delete(jobClass);
        changed = this.totals.delete(jobClass) || changed;
      }
    }
    if (changed) {
      this.current = new Map(this.totals);
    }
    return this.current;
  }

  get isEmpty(): boolean {
    return this.divided.size === 0;
  }

  save(): z.input<typeof savedSchema> {
    const saved = ({ processed, failed, milliseconds, durations }: QueuePart) => ({
      ...{ processed, failed, milliseconds },
      durations: [...durations],
    });
    return [...this.divided].map(([jobClass, total]) => ({
      class: jobClass,
      ...saved(total),
      queues: [...(this.totals.get(jobClass) ?? [])].map(([queue, part]) => ({ queue, ...saved(part) })),
    }));
  }

  restore(saved: unknown): void {
    for (const { class: jobClass, queues, ...total } of savedSchema.parse(saved)) {
      this.divided.set(jobClass, total);
      this.totals.set(jobClass, new Map(queues.map(({ queue, ...counts }) => [queue, counts])));
    }
    this.current = new Map(this.totals);
  }
}

function hasGrown(before: QueuePart, now: QueuePart): boolean {
  return (
    now.processed > before.processed ||
    now.failed > before.failed ||
    now.milliseconds > before.milliseconds ||
    now.durations.some((count, bucket) => count > before.durations[bucket]!)
  );
}

function grownBy(
  parts: ReadonlyMap<string, QueuePart>,
  before: QueuePart,
  now: QueuePart,
  shares: ReadonlyArray<readonly [queue: string, share: number]>
): ReadonlyMap<string, QueuePart> {
  const after = new Map(parts);
  const grown = (of: keyof ClassCounts) => Math.max(0, now[of] - before[of]);
  for (const [seen, share] of shares.length === 0 ? UNSEEN : shares) {
    const queue = after.has(seen) || after.size < QUEUES_KEPT ? seen : '';
    const sum = after.get(queue) ?? NOTHING;
    after.set(queue, {
      processed: sum.processed + share * grown('processed'),
      failed: sum.failed + share * grown('failed'),
      milliseconds: sum.milliseconds + share * grown('milliseconds'),
      durations: sum.durations.map(
        (count, bucket) => count + share * Math.max(0, now.durations[bucket]! - before.durations[bucket]!)
      ),
    });
  }
  return after;
}

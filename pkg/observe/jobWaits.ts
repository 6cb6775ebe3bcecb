import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { Work } from '../sidekiq/model';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** Upper bounds of the buckets of waits, in milliseconds: from a tenth of a second to three hours. */
export const WAIT_BOUNDS_MS: readonly number[] = [
  100,
  250,
  500,
  1000,
  2500,
  5000,
  10_000,
  30_000,
  60_000,
  120_000,
  300_000,
  600_000,
  1_800_000,
  3_600_000,
  10_800_000,
  Infinity,
];

/** How long jobs of a class had waited in a queue when they began to run. */
export interface Waits {
  readonly queue: string;
  readonly class: string;
  /** The class under which Sidekiq keeps metrics. */
  readonly metricsClass: string;
  /** Jobs by bucket of {@link WAIT_BOUNDS_MS}, not cumulative. */
  readonly counts: readonly number[];
  readonly sumSeconds: number;
  readonly maxSeconds: number;
}

/** Jobs that were seen. */
export function jobsOf({ counts }: Pick<Waits, 'counts'>): number {
  return counts.reduce((sum, each) => sum + each, 0);
}

/** By queue and class, in the order of their names. */
export type JobWaitsView = readonly Waits[];

const savedSchema = z.object({
  waits: z.array(
    z.object({
      queue: z.string(),
      class: z.string(),
      metricsClass: z.string(),
      counts: z.array(z.number().nonnegative()).length(WAIT_BOUNDS_MS.length),
      sumSeconds: z.number().nonnegative(),
      maxSeconds: z.number().nonnegative(),
    })
  ),
  running: z.array(z.string()),
});
const SETS_KEPT = 5000;
/** Running jobs remembered at most, while not all processes can be read. */
const RUNNING_KEPT = 50_000;

/**
 * Seconds from being enqueued to being run. Sidekiq writes `run_at` as whole seconds, cut off (`Time.now.to_i` of
 * processor.rb): the instant lies anywhere in that second, on average in its middle.
 */
function waitOf(runAt: number, enqueuedAt: number): number {
  return Math.max(0, runAt + (Number.isInteger(runAt) && !Number.isInteger(enqueuedAt) ? 0.5 : 0) - enqueuedAt);
}

/**
 * How long running jobs had waited, since the watch began. Sidekiq keeps no waits, so this is a sample: each job that was
 * seen running counts once, and a job that is shorter than the pace of the readings is seen rarely. Holds the 5,000
 * queues and classes that were seen last, and the running jobs, 50,000 at most.
 */
export class JobWaits implements Observer<JobWaitsView> {
  private readonly waits = new LRUCache<string, Waits>({ max: SETS_KEPT });
  private running: ReadonlySet<string> = new Set();
  private current: JobWaitsView = [];

  observe({ work }: Snapshot): void {
    const running = new Set(work.whole ? [] : this.running);
    let changed = false;
    for (const job of work.items) {
      const key = `${job.process}\0${job.thread}\0${job.jid}`;
      running.delete(key);
      running.add(key);
      if (!this.running.has(key) && job.runAt !== null && job.enqueuedAt !== null) {
        this.add(job, waitOf(job.runAt, job.enqueuedAt));
        changed = true;
      }
    }
    // The names of the present come last.
    this.running = running.size > RUNNING_KEPT ? new Set([...running].slice(-RUNNING_KEPT)) : running;
    if (changed) {
      this.current = this.inOrder();
    }
  }

  save(): unknown {
    return { waits: [...this.waits.values()].reverse(), running: [...this.running] };
  }

  restore(saved: unknown): void {
    const { waits, running } = savedSchema.parse(saved);
    waits.forEach((each) => this.waits.set(keyOf(each), each));
    this.running = new Set(running);
    this.current = this.inOrder();
  }

  view(): JobWaitsView {
    return this.current;
  }

  private inOrder(): Waits[] {
    return [...this.waits.values()].sort((a, b) => compare(a.queue, b.queue) || compare(a.class, b.class));
  }

  private add({ queue, class: name, metricsClass }: Work, seconds: number): void {
    const key = keyOf({ queue, class: name });
    const before = this.waits.get(key);
    const bucket = WAIT_BOUNDS_MS.findIndex((bound) => seconds * 1000 <= bound);
    this.waits.set(key, {
      queue,
      class: name,
      metricsClass,
      counts: WAIT_BOUNDS_MS.map((_, index) => (before?.counts[index] ?? 0) + Number(index === bucket)),
      sumSeconds: (before?.sumSeconds ?? 0) + seconds,
      maxSeconds: Math.max(before?.maxSeconds ?? 0, seconds),
    });
  }
}

function keyOf({ queue, class: name }: Pick<Waits, 'queue' | 'class'>): string {
  return `${queue}\0${name}`;
}

function compare(one: string, other: string): number {
  return one < other ? -1 : Number(one > other);
}

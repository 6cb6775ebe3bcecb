import { z } from 'zod';
import { runningByQueue } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** Threads of processes that still take jobs which a queue has kept busy over the last minutes, on average; by queue. */
export type BusyMeansView = ReadonlyMap<string, number>;

interface Sample {
  at: number;
  byQueue: ReadonlyMap<string, number>;
}

const WINDOW_SECONDS = 120;
/** Of looks that span less no mean is told. */
const LEAST_SECONDS = 30;
const LEAST_STEP_SECONDS = 5;
const savedSchema = z.array(z.object({ at: z.number(), byQueue: z.array(z.tuple([z.string(), z.number()])) }));

/**
 * What queues keep busy, by the work records: Sidekiq's job metrics know the time of executions that succeed alone. Holds at most
 * a look in five seconds of the last two minutes, each with the queues of which something runs.
 */
export class BusyMeans implements Observer<BusyMeansView> {
  private samples: Sample[] = [];
  private current: BusyMeansView = new Map();

  observe({ at, work, processes }: Snapshot): void {
    // Samples of a clock that was put back since are of another time.
    this.samples = this.samples.filter((sample) => sample.at <= at && at - sample.at <= WINDOW_SECONDS);
    this.current = meansOf(this.samples);
    if (!work.whole || !processes.whole) {
      return;
    }
    const last = this.samples.at(-1)?.at ?? -Infinity;
    if (at - last < LEAST_STEP_SECONDS) {
      return;
    }
    const byQueue = [...runningByQueue({ at, processes, work })].map(([queue, { ready }]) => [queue, ready] as const);
    this.samples.push({ at, byQueue: new Map(byQueue.filter(([, ready]) => ready > 0)) });
    this.current = meansOf(this.samples);
  }

  view(): BusyMeansView {
    return this.current;
  }

  save(): z.input<typeof savedSchema> {
    return this.samples.map(({ at, byQueue }) => ({ at, byQueue: [...byQueue] }));
  }

  restore(saved: unknown): void {
    this.samples = savedSchema.parse(saved).map(({ at, byQueue }) => ({ at, byQueue: new Map(byQueue) }));
    this.current = meansOf(this.samples);
  }
}

function meansOf(samples: readonly Sample[]): BusyMeansView {
  const means = new Map<string, number>();
  if (samples.length === 0 || samples.at(-1)!.at - samples[0]!.at < LEAST_SECONDS) {
    return means;
  }
  for (const { byQueue } of samples) {
    byQueue.forEach((busy, queue) => means.set(queue, (means.get(queue) ?? 0) + busy));
  }
  means.forEach((sum, queue) => means.set(queue, sum / samples.length));
  return means;
}

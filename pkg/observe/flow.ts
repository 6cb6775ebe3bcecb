import { z } from 'zod';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** How fast a queue fills and empties. Rates are jobs per second; `null` where they cannot be told. */
export interface QueueFlow {
  inRate: number | null;
  outRate: number | null;
  /** Seconds until it is empty: 0 when it is, `null` while it does not shrink or the rates are unknown. */
  drainSeconds: number | null;
}

/** The flow through each queue, by name. A queue that is not in it has not been seen. */
export type FlowView = ReadonlyMap<string, QueueFlow>;

interface Sample {
  at: number;
  size: number;
  /** When the oldest waiting job was pushed; `null` for an empty queue, and where its time is not known. */
  oldestAt: number | null;
}

const WINDOW_SECONDS = 120;
const SHORTEST_SECONDS = 5;
const savedSchema = z.array(z.tuple([z.string(), z.array(z.tuple([z.number(), z.number(), z.number().nullable()]))]));

/**
 * Estimates the flow through queues from two looks at their two ends.
 *
 * Sidekiq keeps no counter per queue. But a queue is first in, first out: when its oldest job moves from one pushed at
 * `e1` to one pushed at `e2`, all jobs pushed in between have left. How many those were follows from the length at the
 * first look, taking pushes as evenly spread over the waiting time.
 *
 * Holds at most one sample a second of the last two minutes for each queue that was seen in them.
 */
export class Flow implements Observer<FlowView> {
  private readonly samples = new Map<string, Sample[]>();

  observe({ at, queues }: Pick<Snapshot, 'at' | 'queues'>): void {
    for (const { name, size, latencySeconds } of queues.items) {
      const kept = (this.samples.get(name) ?? []).filter(
        // Samples of a clock that was put back since are of another time.
        (sample) => sample.at <= at && at - sample.at <= WINDOW_SECONDS
      );
      const last = kept[kept.length - 1];
      if (size !== null && (!last || at - last.at >= 1)) {
        kept.push({ at, size, oldestAt: size > 0 && latencySeconds !== null ? at - latencySeconds : null });
      }
      this.samples.set(name, kept);
    }
    for (const [name, kept] of this.samples) {
      const last = kept[kept.length - 1];
      if (!last || at - last.at > WINDOW_SECONDS) {
        this.samples.delete(name);
      }
    }
  }

  save(): unknown {
    return [...this.samples].map(([name, samples]) => [
      name,
      samples.map(({ at, size, oldestAt }) => [at, size, oldestAt]),
    ]);
  }

  restore(saved: unknown): void {
    for (const [name, samples] of savedSchema.parse(saved)) {
      this.samples.set(
        name,
        samples.map(([at, size, oldestAt]) => ({ at, size, oldestAt }))
      );
    }
  }

  view(): FlowView {
    return new Map([...this.samples].map(([name, kept]) => [name, flowOf(kept)]));
  }
}

function flowOf(kept: readonly Sample[]): QueueFlow {
  const first = kept[0]!;
  const last = kept[kept.length - 1]!;
  const seconds = last.at - first.at;
  if (seconds < SHORTEST_SECONDS || !isInOrder(kept)) {
    return { inRate: null, outRate: null, drainSeconds: last.size === 0 ? 0 : null };
  }
  const left = departures(first, last);
  const outRate = left === null ? null : left / seconds;
  const inRate = outRate === null ? null : Math.max(0, outRate + (last.size - first.size) / seconds);
  return { inRate, outRate, drainSeconds: drain(last.size, inRate, outRate) };
}

/** Clocks of the hosts that push differ by less. */
const CLOCKS_SECONDS = 2;

/**
 * Whether the oldest job was never older than the one before it. Jobs that are put back, as sidekiq-throttled does with those
 * beyond a limit and a process that stops with those it has taken, leave and come without having run or been pushed.
 */
function isInOrder(kept: readonly Sample[]): boolean {
  let oldest = -Infinity;
  for (const { oldestAt } of kept) {
    if (oldestAt !== null) {
      if (oldestAt < oldest - CLOCKS_SECONDS) {
        return false;
      }
      oldest = oldestAt;
    }
  }
  return true;
}

function departures(first: Sample, last: Sample): number | null {
  if (last.oldestAt === null) {
    // Of an empty queue only that is known which was there: what came and went since left no trace, and may be far more.
    return null;
  }
  if (first.oldestAt === null || last.oldestAt > first.at) {
    const waited = last.at - last.oldestAt;
    // A job that has just come says nothing of the rate.
    if (waited < SHORTEST_SECONDS) {
      return null;
    }
    const pushRate = last.size / waited;
    return first.size + pushRate * (last.oldestAt - first.at);
  }
  const waited = first.at - first.oldestAt;
  return waited <= 0 ? null : Math.max(0, first.size * Math.min(1, (last.oldestAt - first.oldestAt) / waited));
}

function drain(size: number, inRate: number | null, outRate: number | null): number | null {
  if (size === 0) {
    return 0;
  }
  if (inRate === null || outRate === null || outRate <= inRate) {
    return null;
  }
  return size / (outRate - inRate);
}

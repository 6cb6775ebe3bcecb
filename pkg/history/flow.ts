import type { Snapshot } from '../sidekiq/snapshot';

/** How fast a queue fills and empties. Rates are jobs per second; `null` where they cannot be told. */
export interface QueueFlow {
  inRate: number | null;
  outRate: number | null;
  /** Seconds until it is empty: 0 when it is, `null` while it does not shrink or the rates are unknown. */
  drainSeconds: number | null;
}

interface Sample {
  at: number;
  size: number;
  /** When the oldest waiting job was pushed; `null` for an empty queue. */
  oldestAt: number | null;
}

const WINDOW_SECONDS = 120;
const SHORTEST_SECONDS = 5;

/**
 * Estimates the flow through queues from two looks at their two ends.
 *
 * Sidekiq keeps no counter per queue. But a queue is first in, first out: when its oldest job moves from
 * one pushed at `e1` to one pushed at `e2`, all jobs pushed in between have left. How many those were
 * follows from the length at the first look, taking pushes as evenly spread over the waiting time.
 */
export class Flow {
  private readonly samples = new Map<string, Sample[]>();

  /** Remembers a snapshot; looks older than two minutes are forgotten. */
  observe(snapshot: Snapshot): void {
    const { at } = snapshot;
    for (const { name, size, latencySeconds } of snapshot.queues) {
      const kept = (this.samples.get(name) ?? []).filter((sample) => at - sample.at <= WINDOW_SECONDS);
      if (kept.length === 0 || at - kept[kept.length - 1]!.at >= 1) {
        kept.push({ at, size, oldestAt: size > 0 && latencySeconds !== null ? at - latencySeconds : null });
      }
      this.samples.set(name, kept);
    }
    for (const [name, kept] of this.samples) {
      if (at - (kept[kept.length - 1]?.at ?? 0) > WINDOW_SECONDS) {
        this.samples.delete(name);
      }
    }
  }

  /** The flow through a queue over the remembered window. */
  of(queue: { name: string; size: number }): QueueFlow {
    const kept = this.samples.get(queue.name) ?? [];
    const first = kept[0];
    const last = kept[kept.length - 1];
    if (!first || !last || last.at - first.at < SHORTEST_SECONDS) {
      return { inRate: null, outRate: null, drainSeconds: queue.size === 0 ? 0 : null };
    }
    const seconds = last.at - first.at;
    const left = departures(first, last);
    const outRate = left === null ? null : left / seconds;
    const inRate = outRate === null ? null : Math.max(0, outRate + (last.size - first.size) / seconds);
    return { inRate, outRate, drainSeconds: drain(queue.size, inRate, outRate) };
  }
}

function departures(first: Sample, last: Sample): number | null {
  if (last.oldestAt === null) {
    // Everything of the first look has left; what came and went in between left no trace.
    return first.size > 0 ? first.size : null;
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

import { z } from 'zod';
import { servedQueues } from '../sidekiq/queueFacts';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** How fast a queue fills and empties. Rates are jobs per second; `null` where they cannot be told. */
export interface QueueFlow {
  inRate: number | null;
  outRate: number | null;
  /** Seconds over which the rates were measured; `null` where they cannot be told. */
  flowSeconds: number | null;
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
  /** Its jobs were taken then: it was served, and not paused. */
  taken: boolean;
}

const WINDOW_SECONDS = 120;
const SHORTEST_SECONDS = 5;
/** A burst into an idle queue is no flow yet. */
const SHORTEST_SINCE_EMPTY_SECONDS = 30;
/** Earlier versions did not save whether jobs were taken. */
const savedSample = z.union([
  z.tuple([z.number(), z.number(), z.number().nullable(), z.boolean()]),
  z.tuple([z.number(), z.number(), z.number().nullable()]).transform((sample) => [...sample, true] as const),
]);
const savedSchema = z.array(z.tuple([z.string(), z.array(savedSample)]));

/**
 * Estimates the flow through queues from looks at their two ends, since a queue was last seen empty, paused, resumed, or served
 * anew or no more.
 *
 * Sidekiq keeps no counter per queue. But a queue is first in, first out: when its oldest job moves from one pushed at
 * `e1` to one pushed at `e2`, all jobs pushed in between have left. How many those were follows from the length at the
 * former look, taking pushes as evenly spread over the waiting time; from there the next look is taken.
 *
 * Holds at most one sample a second of the last two minutes for each queue that was seen in them.
 */
export class Flow implements Observer<FlowView> {
  private readonly samples = new Map<string, Sample[]>();

  observe({ at, queues, processes }: Pick<Snapshot, 'at' | 'queues' | 'processes'>): void {
    const served = processes.whole ? servedQueues(processes.items) : null;
    for (const { name, size, latencySeconds, paused } of queues.items) {
      const before = this.samples.get(name) ?? [];
      // Samples of a clock that was put back since are of another time, also those that are dated before it was.
      const isPutBack = before.length > 0 && before[before.length - 1]!.at > at;
      const kept = isPutBack ? [] : before.filter((sample) => at - sample.at <= WINDOW_SECONDS);
      const last = kept[kept.length - 1];
      if (size !== null && (!last || at - last.at >= 1)) {
        const taken = paused !== true && (served?.has(name) ?? last?.taken ?? true);
        if (last && last.taken !== taken) {
          // What went on before a queue was paused, resumed, served or not tells nothing of how it goes on; a burst into an
          // empty one is one all the same.
          kept.splice(0, last.size === 0 ? kept.length - 1 : kept.length);
        }
        kept.push({ at, size, oldestAt: size > 0 && latencySeconds !== null ? at - latencySeconds : null, taken });
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
      samples.map(({ at, size, oldestAt, taken }) => [at, size, oldestAt, taken]),
    ]);
  }

  restore(saved: unknown): void {
    for (const [name, samples] of savedSchema.parse(saved)) {
      this.samples.set(
        name,
        samples.map(([at, size, oldestAt, taken]) => ({ at, size, oldestAt, taken }))
      );
    }
  }

  view(): FlowView {
    return new Map([...this.samples].map(([name, kept]) => [name, flowOf(kept)]));
  }
}

/** The flow through a queue of which only its size is known. */
export function unknownFlow(size: number | null): QueueFlow {
  return { inRate: null, outRate: null, flowSeconds: null, drainSeconds: size === 0 ? 0 : null };
}

function flowOf(kept: readonly Sample[]): QueueFlow {
  const last = kept[kept.length - 1]!;
  const unknown = unknownFlow(last.size);
  // Of an empty queue only that is known which was there: what came and went before left no trace, and may be far more.
  const empty = kept.map(({ size }) => size === 0).lastIndexOf(true);
  const waiting = kept.slice(empty + 1);
  const begin = waiting.findIndex(({ at, oldestAt }) => oldestAt !== null && oldestAt < at);
  if (begin < 0 || !isInOrder(kept)) {
    return unknown;
  }
  const seen = waiting.slice(begin);
  const first = seen[0]!;
  const seconds = last.at - first.at;
  if (seconds < (empty < 0 ? SHORTEST_SECONDS : SHORTEST_SINCE_EMPTY_SECONDS)) {
    return unknown;
  }
  const left = departures(seen);
  if (left === null) {
    return unknown;
  }
  // As many have left as it shrank by, whenever they were pushed.
  const gone = Math.max(0, left, first.size - last.size);
  const outRate = gone / seconds;
  const inRate = (gone + last.size - first.size) / seconds;
  return { inRate, outRate, flowSeconds: seconds, drainSeconds: drain(first.size, last.size, seconds) };
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

/** Jobs that left from the first look to the last; `null` where that is not known. All looks saw jobs. */
function departures(seen: readonly Sample[]): number | null {
  let left = 0;
  for (let index = 0; index < seen.length - 1;) {
    const from = seen[index]!;
    const within = lastWithin(seen, index);
    if (within > index) {
      const moved = seen[within]!.oldestAt! - from.oldestAt!;
      left += from.size * Math.min(1, moved / (from.at - from.oldestAt!));
      index = within;
      continue;
    }
    // All that waited has left, and of what came since, at the rate of what is there, that which came before the oldest.
    const next = seen.findIndex(
      // A job that has just come says nothing of the rate.
      ({ at, oldestAt }, place) => place > index && oldestAt !== null && at - oldestAt >= SHORTEST_SECONDS
    );
    if (next < 0) {
      return null;
    }
    const { at, size, oldestAt } = seen[next]!;
    left += from.size + (size / (at - oldestAt!)) * Math.max(0, oldestAt! - from.at);
    index = next;
  }
  return left;
}

/** The last look at which the oldest job was one that waited at a former look; that look itself where there is none. */
function lastWithin(seen: readonly Sample[], from: number): number {
  const { at } = seen[from]!;
  let within = from;
  for (let place = from + 1; place < seen.length; place += 1) {
    const { oldestAt } = seen[place]!;
    if (oldestAt !== null && oldestAt > at + CLOCKS_SECONDS) {
      break;
    }
    within = oldestAt !== null && oldestAt <= at ? place : within;
  }
  return within;
}

/** By the sizes: rates that are alike differ by how floating-point numbers are rounded. */
function drain(before: number, size: number, seconds: number): number | null {
  return size === 0 ? 0 : size < before ? (size * seconds) / (before - size) : null;
}

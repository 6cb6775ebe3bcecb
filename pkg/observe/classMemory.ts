import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import { groupBy } from '../sidekiq/groupBy';
import type { Process } from '../sidekiq/model';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** How the memory of processes changed while a class ran in them, and while it did not. */
export interface ClassMemoryRow {
  /** The class under which Sidekiq keeps metrics. */
  readonly class: string;
  /** Times between two heartbeats in which the class ran, and in which it did not run in processes of the same queues. */
  readonly ran: number;
  readonly rested: number;
  /** Mean change of the resident memory in those times, bytes per minute. */
  readonly growthRan: number;
  readonly growthRested: number;
  /** By how much the first is larger, and the standard error of that. */
  readonly difference: number;
  readonly standardError: number;
}

export type ClassMemoryView = readonly ClassMemoryRow[];

/** A number of values with what their mean and variance are made of. */
interface Sums {
  n: number;
  sum: number;
  squares: number;
}

/** What was seen of a process at its last heartbeat. */
interface Seen {
  beatAt: number;
  rssBytes: number;
  classes: ReadonlySet<string>;
}

const PAIRS_KEPT = 5000;
const KINDS_KEPT = 500;
/** Heartbeats come every ten seconds; after a longer pause it is not known what ran. */
const LONGEST_INTERVAL_SECONDS = 30;
/** No process has more: a pebibyte. */
const LARGEST_BYTES = 2 ** 50;
/** Below this many times on either side nothing is told. */
const LEAST = 20;

const sums = z.object({ n: z.number().int().nonnegative(), sum: z.number(), squares: z.number().nonnegative() });
const savedSchema = z.object({
  kinds: z.array(z.tuple([z.string(), sums])),
  pairs: z.array(z.tuple([z.string(), z.string(), sums])),
});

/**
 * Which classes ran when the memory of a process grew. A process tells its whole memory at each heartbeat and runs several
 * jobs at once, so that this is an estimate: times in which a class ran are compared with times in which it did not, among
 * processes that serve the same queues. Jobs that begin and end between two readings are not seen.
 *
 * Holds sums for 5,000 classes by kind of process, 500 kinds of process, and the processes of the last snapshot.
 */
export class ClassMemory implements Observer<ClassMemoryView> {
  private readonly kinds = new LRUCache<string, Sums>({ max: KINDS_KEPT });
  private readonly pairs = new LRUCache<string, Sums & { kind: string; class: string }>({ max: PAIRS_KEPT });
  private seen = new Map<string, Seen>();
  private current: ClassMemoryView = [];
  private changed = false;

  observe({ processes, work }: Snapshot): void {
    if (!work.whole) {
      // What is not known to run may run.
      this.seen = new Map();
      return;
    }
    const running = groupBy(work.items, ({ process }) => process);
    const seen = new Map<string, Seen>();
    for (const process of processes.items) {
      const { identity, beatAt, rssBytes } = process;
      if (beatAt === null || rssBytes === null || rssBytes > LARGEST_BYTES) {
        continue;
      }
      const classes = new Set((running.get(identity) ?? []).map(({ metricsClass }) => metricsClass));
      const before = this.seen.get(identity);
      if (before && beatAt === before.beatAt) {
        // The memory is still that of the heartbeat; what was seen to run since counts for the next one.
        seen.set(identity, { ...before, classes: new Set([...before.classes, ...classes]) });
        continue;
      }
      if (before && beatAt > before.beatAt && beatAt - before.beatAt <= LONGEST_INTERVAL_SECONDS) {
        const perMinute = ((rssBytes - before.rssBytes) / (beatAt - before.beatAt)) * 60;
        this.add(kindOf(process), new Set([...before.classes, ...classes]), perMinute);
      }
      seen.set(identity, { beatAt, rssBytes, classes });
    }
    this.seen = seen;
  }

  view(): ClassMemoryView {
    if (this.changed) {
      this.current = this.rows();
      this.changed = false;
    }
    return this.current;
  }

  save(): unknown {
    return {
      kinds: [...this.kinds.entries()].reverse().map(([kind, each]) => [kind, { ...each }]),
      pairs: [...this.pairs.values()].reverse().map(({ kind, class: name, ...each }) => [kind, name, each]),
    };
  }

  restore(saved: unknown): void {
    const { kinds, pairs } = savedSchema.parse(saved);
    kinds.forEach(([kind, each]) => this.kinds.set(kind, each));
    pairs.forEach(([kind, name, each]) => this.pairs.set(`${kind}\0${name}`, { ...each, kind, class: name }));
    this.changed = true;
  }

  private add(kind: string, classes: ReadonlySet<string>, value: number): void {
    this.changed = true;
    const sumsOfKind = this.kinds.get(kind) ?? { ...NO_SUMS };
    count(sumsOfKind, value);
    this.kinds.set(kind, sumsOfKind);
    for (const name of classes) {
      const key = `${kind}\0${name}`;
      const before = this.pairs.get(key);
      if (before) {
        count(before, value);
      } else {
        const pair = { ...NO_SUMS, kind, class: name };
        count(pair, value);
        this.pairs.set(key, pair);
      }
    }
  }

  /** A class that runs in several kinds of process is compared within each, then by the times in which it ran. */
  private rows(): ClassMemoryRow[] {
    const byClass = groupBy(
      [...this.pairs.values()].flatMap((ran) => {
        const all = this.kinds.get(ran.kind);
        const rested = all && minus(all, ran);
        return rested && ran.n >= LEAST && rested.n >= LEAST ? [{ class: ran.class, ran, rested }] : [];
      }),
      (each) => each.class
    );
    return [...byClass].map(([name, parts]) => {
      const ran = parts.reduce((sum, each) => sum + each.ran.n, 0);
      const weighted = (value: (part: (typeof parts)[number]) => number) =>
        parts.reduce((sum, part) => sum + part.ran.n * value(part), 0) / ran;
      const error = parts.reduce(
        (sum, { ran: one, rested: other }) => sum + one.n ** 2 * (variance(one) / one.n + variance(other) / other.n),
        0
      );
      const [growthRan, growthRested] = [weighted((part) => mean(part.ran)), weighted((part) => mean(part.rested))];
      return {
        class: name,
        ran,
        rested: parts.reduce((sum, each) => sum + each.rested.n, 0),
        growthRan,
        growthRested,
        difference: growthRan - growthRested,
        standardError: Math.sqrt(error) / ran,
      };
    });
  }
}

/** Processes of the same queues are of one kind. */
function kindOf({ queues }: Process): string {
  return [...queues].sort().join();
}

const NO_SUMS: Readonly<Sums> = { n: 0, sum: 0, squares: 0 };

/** In place: it is done for every class of every process at every reading. */
function count(to: Sums, value: number): void {
  to.n += 1;
  to.sum += value;
  to.squares += value * value;
}

function minus(all: Sums, part: Sums): Sums {
  return {
    n: Math.max(0, all.n - part.n),
    sum: all.sum - part.sum,
    squares: Math.max(0, all.squares - part.squares),
  };
}

function mean({ n, sum }: Sums): number {
  return sum / n;
}

function variance({ n, sum, squares }: Sums): number {
  return Math.max(0, (squares - (sum * sum) / n) / (n - 1));
}

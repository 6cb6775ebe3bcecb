import { z } from 'zod';
import {
  addCounts,
  HISTOGRAM_BOUNDS_MS,
  noCounts,
  noExecutions,
  type Bucket,
  type ClassCounts,
  type Durations,
} from '../sidekiq/jobMetrics';
import { CHANGING_SECONDS, MINUTES_KEPT_SECONDS } from '../sidekiq/minutes';
import { hasBegunAnew } from '../sidekiq/counters';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** Executions of a class since the count began; only ever growing. */
export interface ClassTotal extends Readonly<ClassCounts> {
  /** Successful executions per duration bucket, see HISTOGRAM_BOUNDS_MS. */
  readonly durations: readonly number[];
  /** Epoch seconds of the minute in which it was last seen to run. */
  readonly lastRunAt: number;
}

/** Buckets, and the durations of their executions. */
interface Counted {
  readonly minutes: readonly Bucket[];
  readonly durations: readonly Durations[];
}

const NOTHING_MISSED: Counted = { minutes: [], durations: [] };

/** By how much a count has grown. */
type Growth = (now: number, before?: number) => number;

/** A class that has not run for so long comes after those that have. */
const IDLE_SECONDS = 86_400;

/**
 * By how much a class counts among others where only the first ones are looked at: its executions, where it has run in the
 * last day; those that have not come after all others.
 *
 * @param now epoch seconds
 */
export function weightOfClass(
  { processed, lastRunAt }: Pick<ClassTotal, 'processed' | 'lastRunAt'>,
  now: number
): number {
  return now - lastRunAt <= IDLE_SECONDS ? 1 + processed : processed / (1 + processed);
}

/** Totals by class, in the order in which classes were first seen. */
export type ClassTotalsView = ReadonlyMap<string, ClassTotal>;

/** Classes kept: those that ran last. They are sorted only when a tenth more have come. */
const CLASSES_KEPT = 20_000;
const CLASSES_MOST = 22_000;
/** What another process saved so long ago at most is of one that runs beside this one. */
const ADOPTED_SECONDS = 60;
/** Minutes that a clock was ahead by more are forgotten when it is put back. */
const AHEAD_SECONDS = 2 * 86_400;
/** Minutes that are remembered: those that Redis keeps, and as many of before the clock was changed. */
const MINUTES_MOST = (2 * MINUTES_KEPT_SECONDS) / 60;
/** A minute whose bucket has been counted and cannot grow any more. */
const DONE = 'done';

const amount = z.number().nonnegative();
const counted = z.object({ processed: amount, failed: amount, milliseconds: amount });
const durationCounts = z.array(amount).length(HISTOGRAM_BOUNDS_MS.length);
/** Executions and their durations, as they are saved. */
export const savedExecutions = counted.extend({ durations: durationCounts });
const savedSchema = z.object({
  lastAt: amount,
  processed: amount.nullish(),
  /** Absent in what the first versions saved, and where all buckets count. */
  baselineUntil: z.number().optional(),
  totals: z.array(z.tuple([z.string(), savedExecutions.extend({ lastRunAt: amount })])),
  minutes: z.array(z.tuple([z.number(), z.union([z.literal(DONE), z.array(z.tuple([z.string(), counted]))])])),
  durations: z.array(z.tuple([z.number(), z.array(z.tuple([z.string(), durationCounts]))])),
});
type Saved = z.input<typeof savedSchema>;

/**
 * Counters per job class, made from Sidekiq's minute buckets: the growth of each bucket is counted once, whenever it is
 * seen. So late heartbeats are not lost, nothing is counted twice, and a bucket that is gone (expired, flushed, refused)
 * takes nothing away. One that shrank as a replica that lagged behind became the master has not grown.
 *
 * The first snapshot is the point from which it counts, as a counter that starts at 0; a saved state goes on where it
 * was. Holds up to 22,000 classes, the minutes of sixteen hours, and their counts for as long as they may grow.
 */
export class ClassTotals implements Observer<ClassTotalsView> {
  private readonly totals = new Map<string, ClassTotal>();
  private readonly minutes = new Map<number, Bucket | typeof DONE>();
  private readonly durations = new Map<number, Map<string, readonly number[]>>();
  /**
   * Minutes that may grow again since the clock was put back, of which it is not remembered what they hold: what they hold when
   * they are read next was counted, or came before.
   */
  private readonly reopened = new Set<number>();
  private current: ClassTotalsView = new Map();
  private changed = false;
  /** Buckets that begin before this were there when the count began. */
  private baselineUntil = Infinity;
  /** The minutes of the first snapshot as they were then: durations of them may be read later. */
  private firstMinutes: ReadonlyMap<number, Bucket> = new Map();
  /** stat:processed as it was last read: where it fell, Redis was flushed or has lost its last writes. */
  private processed: number | null = null;
  /** What the next snapshot comes with. */
  private missed = NOTHING_MISSED;
  /** Epoch seconds of the last snapshot, 0 before the first. */
  lastAt = 0;

  observe({ at, minutes, durations, totals }: Pick<Snapshot, 'at' | 'minutes' | 'durations' | 'totals'>): void {
    if (at < this.lastAt) {
      this.reopen(at, minutes.items);
    }
    const { processed: before } = this;
    const { processed } = totals;
    const read = {
      minutes: [...this.missed.minutes, ...minutes.items],
      durations: [...this.missed.durations, ...durations],
    };
    this.missed = NOTHING_MISSED;
    if (processed !== null && before !== null && processed < before) {
      this.goOnFrom(read, minutes.whole, hasBegunAnew(processed, before));
    }
    this.processed = processed ?? before;
    this.absorb(read, processed === null);
    if (this.lastAt === 0) {
      this.baselineUntil = Math.floor(at / 60) * 60;
      this.firstMinutes = new Map(minutes.items.map((bucket) => [bucket.startsAt, bucket]));
    }
    this.lastAt = at;
    this.forget(at);
  }

  view(): ClassTotalsView {
    if (this.changed) {
      this.current = new Map(this.totals);
      this.changed = false;
    }
    return this.current;
  }

  /** Has the next snapshot count buckets that the snapshots have missed, after a pause longer than those look back. */
  expect(missed: Counted): void {
    this.missed = missed;
  }

  /** @param mayBeAnew whether it is not known that Redis was not flushed */
  private absorb({ minutes, durations }: Counted, mayBeAnew: boolean): void {
    const growth = (now: number, before = 0) => (now >= before ? now - before : mayBeAnew ? now : 0);
    for (const bucket of minutes) {
      const before = this.minutes.get(bucket.startsAt);
      if (before !== bucket && before !== DONE) {
        if (before !== undefined || !this.reopened.has(bucket.startsAt)) {
          this.count(bucket, before, growth);
        }
        this.minutes.set(bucket.startsAt, bucket);
      }
    }
    for (const { startsAt, jobClass, counts } of durations) {
      const seen = within(this.durations, startsAt);
      const before = seen.get(jobClass);
      if (before !== counts) {
        // Of a minute that was there when the count began, classes that came later count from their first execution.
        const known = before ?? this.firstMinutes.get(startsAt);
        if (this.counts(startsAt, known) && !(before === undefined && this.wasThere(startsAt, jobClass))) {
          const total = this.totalOf(jobClass);
          const grown = counts.map((count, index) => growth(count, before?.[index]));
          this.set(jobClass, { ...total, durations: addCounts(total.durations, grown) });
        }
        seen.set(jobClass, counts);
      }
    }
  }

  save(): unknown {
    const saved: Saved = {
      lastAt: this.lastAt,
      processed: this.processed,
      ...(Number.isFinite(this.baselineUntil) && { baselineUntil: this.baselineUntil }),
      totals: [...this.totals].map(([jobClass, total]) => [jobClass, { ...total, durations: [...total.durations] }]),
      minutes: [
        ...[...this.reopened].map((at): [number, typeof DONE] => [at, DONE]),
        ...[...this.minutes].map(([at, bucket]): Saved['minutes'][number] => [
          at,
          bucket === DONE ? DONE : [...bucket.classes],
        ]),
      ],
      durations: [...this.durations].map(([at, classes]) => [
        at,
        [...classes].map(([jobClass, counts]) => [jobClass, [...counts]]),
      ]),
    };
    return saved;
  }

  restore(state: unknown): void {
    const saved = savedSchema.parse(state);
    saved.totals.forEach(([jobClass, total]) => this.totals.set(jobClass, total));
    for (const [startsAt, classes] of saved.minutes) {
      this.minutes.set(startsAt, classes === DONE ? DONE : { startsAt, classes: new Map(classes) });
    }
    saved.durations.forEach(([at, classes]) => this.durations.set(at, new Map(classes)));
    this.lastAt = saved.lastAt;
    this.processed = saved.processed ?? null;
    this.baselineUntil = saved.baselineUntil ?? -Infinity;
    this.changed = true;
  }

  /**
   * Goes on from what another process has saved, where that one has counted for longer: two that began at the same moment
   * would else write two counters as one into a history that they share.
   *
   * @returns whether it did
   */
  adopt(state: unknown): boolean {
    const saved = savedSchema.parse(state);
    const sum = (totals: Iterable<{ processed: number }>) =>
      [...totals].reduce((all, { processed }) => all + processed, 0);
    const isLonger = sum(saved.totals.map(([, total]) => total)) > sum(this.totals.values());
    if (!isLonger || Math.abs(saved.lastAt - this.lastAt) > ADOPTED_SECONDS) {
      return false;
    }
    this.totals.clear();
    this.minutes.clear();
    this.durations.clear();
    this.restore(state);
    return true;
  }

  /** Whether growth of a bucket counts: not what was there before the count began. */
  private counts(startsAt: number, before: unknown): boolean {
    return this.lastAt > 0 && (before !== undefined || startsAt >= this.baselineUntil);
  }

  /**
   * A class had run in a minute of the first snapshot, or in one that was counted: what is read later of its durations was
   * there before, in part.
   */
  private wasThere(startsAt: number, jobClass: string): boolean {
    return (
      this.reopened.has(startsAt) ||
      this.minutes.get(startsAt) === DONE ||
      this.firstMinutes.get(startsAt)?.classes.has(jobClass) === true
    );
  }

  /** Lowers what is remembered of the buckets to what they hold now, and to nothing where they began anew. */
  private goOnFrom({ minutes, durations }: Counted, whole: boolean, anew: boolean): void {
    const lowered = (before: number, now: number) => (now >= before ? before : anew ? 0 : now);
    const found = new Map(minutes.map((bucket) => [bucket.startsAt, bucket.classes]));
    for (const [startsAt, bucket] of this.minutes) {
      const classes = found.get(startsAt);
      // Of a bucket that could not be read it is not known what it holds.
      if (bucket !== DONE && (classes || whole)) {
        const kept = [...bucket.classes].map(([jobClass, before]): [string, ClassCounts] => {
          const { processed, failed, milliseconds } = classes?.get(jobClass) ?? noExecutions();
          return [
            jobClass,
            {
              processed: lowered(before.processed, processed),
              failed: lowered(before.failed, failed),
              milliseconds: lowered(before.milliseconds, milliseconds),
            },
          ];
        });
        this.minutes.set(startsAt, { startsAt, classes: new Map(kept) });
      }
    }
    for (const { startsAt, jobClass, counts } of durations) {
      const seen = this.durations.get(startsAt);
      const before = seen?.get(jobClass);
      if (before) {
        seen!.set(
          jobClass,
          before.map((count, index) => lowered(count, counts[index] ?? 0))
        );
      }
    }
  }

  private count({ startsAt, classes }: Bucket, before: Bucket | undefined, growth: Growth): void {
    const counting = this.counts(startsAt, before);
    for (const [jobClass, counts] of classes) {
      const total = this.totalOf(jobClass);
      const seen = before?.classes.get(jobClass);
      const grown = (part: keyof ClassCounts) => (counting ? growth(counts[part], seen?.[part]) : 0);
      this.set(jobClass, {
        processed: total.processed + grown('processed'),
        failed: total.failed + grown('failed'),
        milliseconds: total.milliseconds + grown('milliseconds'),
        durations: total.durations,
        lastRunAt: Math.max(total.lastRunAt, startsAt),
      });
    }
  }

  /**
   * The clock was put back. Buckets are known by their minute, and keep what they hold: those that are remembered go on from
   * there when their minute comes again, and what lies before the count began was there.
   */
  private reopen(now: number, read: readonly Bucket[]): void {
    for (const minutes of [this.minutes, this.durations, this.reopened]) {
      [...minutes.keys()].filter((startsAt) => startsAt > now + AHEAD_SECONDS).forEach((each) => minutes.delete(each));
    }
    for (const [startsAt, bucket] of this.minutes) {
      if (bucket === DONE && !isPast(startsAt, now)) {
        this.minutes.delete(startsAt);
        this.reopened.add(startsAt);
      }
    }
    const minute = Math.floor(now / 60) * 60;
    if (minute < this.baselineUntil) {
      this.baselineUntil = minute;
      read.filter(({ startsAt }) => !this.minutes.has(startsAt)).forEach(({ startsAt }) => this.reopened.add(startsAt));
    }
  }

  private forget(now: number): void {
    for (const [startsAt, bucket] of this.minutes) {
      // A clock that runs ahead by hours may be put back to them.
      if (startsAt < now - MINUTES_KEPT_SECONDS && this.minutes.size > MINUTES_MOST) {
        this.minutes.delete(startsAt);
        // An empty one is kept as it is: where the clock was ahead, its minute is still to come.
      } else if (bucket !== DONE && bucket.classes.size > 0 && isPast(startsAt, now)) {
        this.minutes.set(startsAt, DONE);
      }
    }
    for (const startsAt of this.reopened) {
      if (isPast(startsAt, now)) {
        this.minutes.set(startsAt, DONE);
        this.reopened.delete(startsAt);
      }
    }
    for (const startsAt of this.durations.keys()) {
      if (isPast(startsAt, now)) {
        this.durations.delete(startsAt);
      }
    }
    if (this.totals.size > CLASSES_MOST) {
      const oldest = [...this.totals].sort(([, a], [, b]) => a.lastRunAt - b.lastRunAt);
      oldest.slice(0, this.totals.size - CLASSES_KEPT).forEach(([jobClass]) => this.totals.delete(jobClass));
      this.changed = true;
    }
  }

  private totalOf(jobClass: string): ClassTotal {
    return this.totals.get(jobClass) ?? { ...noExecutions(), durations: noCounts(), lastRunAt: 0 };
  }

  private set(jobClass: string, total: ClassTotal): void {
    this.totals.set(jobClass, total);
    this.changed = true;
  }
}

/** A minute longer than buckets may change: the snapshot after the last change still compares with it. */
function isPast(startsAt: number, now: number): boolean {
  return now - (startsAt + 60) > CHANGING_SECONDS + 60;
}

function within<T>(map: Map<number, Map<string, T>>, startsAt: number): Map<string, T> {
  let inner = map.get(startsAt);
  if (!inner) {
    inner = new Map();
    map.set(startsAt, inner);
  }
  return inner;
}

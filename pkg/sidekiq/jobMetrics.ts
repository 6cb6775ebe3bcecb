/** Executions of one job class in one bucket of time. */
export interface ClassCounts {
  /** Every execution, failures included. */
  processed: number;
  failed: number;
  /** Wall time of the executions that succeeded, in milliseconds. */
  milliseconds: number;
}

/** The same, where the time may be of other executions than of those that succeeded. */
export interface TimedCounts extends ClassCounts {
  /** Executions that are timed; those that succeeded where it is left out. */
  timed?: number;
}

/** Executions that the time of a class is of. */
export function timedOf({ processed, failed, timed }: Readonly<TimedCounts>): number {
  return timed ?? Math.max(0, processed - failed);
}

/** Adds to counts, of a class that is divided a share. */
export function addExecutions(sum: TimedCounts, counts: Readonly<TimedCounts>, part = 1): void {
  if (sum.timed !== undefined || counts.timed !== undefined) {
    sum.timed = timedOf(sum) + part * timedOf(counts);
  }
  sum.processed += part * counts.processed;
  sum.failed += part * counts.failed;
  sum.milliseconds += part * counts.milliseconds;
}

/** One minute, or ten, of executions by class. */
export interface Bucket {
  /** Epoch seconds at which it begins. */
  readonly startsAt: number;
  readonly classes: ReadonlyMap<string, Readonly<TimedCounts>>;
  /** Seconds of it that are known; all where it is left out. */
  readonly knownSeconds?: number;
}

/** Seconds that are known of buckets. @param seconds length of each */
export function knownSeconds(buckets: ReadonlyArray<Pick<Bucket, 'knownSeconds'>>, seconds: number): number {
  return buckets.reduce((sum, bucket) => sum + (bucket.knownSeconds ?? seconds), 0);
}

/** The two generations of key names, see metricKeys: during an upgrade each holds a part of a bucket. */
export const SHAPES = ['new', 'old'] as const;
export type Shape = (typeof SHAPES)[number];

/** A bucket as Redis holds it. */
export interface MinuteCounts extends Bucket {
  /** The shapes in which each class was found: its histograms have the same. */
  readonly shapes: ReadonlyMap<string, readonly Shape[]>;
}

/** Whether Sidekiq before 8.0 wrote a part of a bucket: it has no counters of ten minutes. */
export function isOfOldSidekiq({ shapes }: Pick<MinuteCounts, 'shapes'>): boolean {
  return [...shapes.values()].some((each) => each.includes('old'));
}

/** How long the successful executions of a class took in one minute. */
export interface Durations {
  /** Epoch seconds at which the minute begins. */
  readonly startsAt: number;
  readonly jobClass: string;
  /** Executions per duration bucket, see HISTOGRAM_BOUNDS_MS. */
  readonly counts: readonly number[];
}

/** Counts of nothing, to add to. */
export function noExecutions(): ClassCounts {
  return { processed: 0, failed: 0, milliseconds: 0 };
}

/** Sums buckets by class, in the order in which classes first appear. */
export function sumCounts(buckets: ReadonlyArray<Pick<Bucket, 'classes'>>): Map<string, TimedCounts> {
  const total = new Map<string, TimedCounts>();
  for (const { classes } of buckets) {
    for (const [jobClass, counts] of classes) {
      let sum = total.get(jobClass);
      if (!sum) {
        sum = noExecutions();
        total.set(jobClass, sum);
      }
      addExecutions(sum, counts);
    }
  }
  return total;
}

/** Upper bounds of Sidekiq's 26 duration buckets in milliseconds, exclusive (metrics/shared in Sidekiq). */
export const HISTOGRAM_BOUNDS_MS: readonly number[] = [
  20,
  30,
  45,
  65,
  100,
  150,
  225,
  335,
  500,
  750,
  1100,
  1700,
  2500,
  3800,
  5750,
  8500,
  13000,
  20000,
  30000,
  45000,
  65000,
  100000,
  150000,
  225000,
  335000,
  Infinity,
];

/** A counter of a duration bucket stops at this value. */
export const HISTOGRAM_SATURATION = 65_535;

/** Duration counts of nothing. */
export function noCounts(): number[] {
  return new Array<number>(HISTOGRAM_BOUNDS_MS.length).fill(0);
}

/** Adds duration counts bucket by bucket. */
export function addCounts(sum: readonly number[], counts: readonly number[]): number[] {
  return sum.map((value, index) => value + (counts[index] ?? 0));
}

/** The sum of any number of duration counts. */
export function sumDurations(all: ReadonlyArray<readonly number[]>): number[] {
  return all.reduce<number[]>(addCounts, noCounts());
}

/** The quantiles that are shown, by the name of their column. */
export const QUANTILES: ReadonlyMap<string, number> = new Map([
  ['p50', 0.5],
  ['p90', 0.9],
  ['p95', 0.95],
  ['p99', 0.99],
]);

/** A quantile read off duration buckets: interpolated, with the bounds of the bucket it lies in (seconds). */
export interface Quantile {
  seconds: number;
  lowerSeconds: number;
  upperSeconds: number;
}

/**
 * A quantile by linear interpolation inside the bucket it falls in, as Prometheus' `histogram_quantile`.
 *
 * @param boundsMs upper bounds of the buckets, the last without one
 * @returns `null` without any execution. In the last, unbounded bucket the value is its lower bound and
 * `upperSeconds` is `Infinity`, such as "more than 335 s".
 */
export function quantile(
  q: number,
  counts: readonly number[],
  boundsMs: readonly number[] = HISTOGRAM_BOUNDS_MS
): Quantile | null {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) {
    return null;
  }
  const rank = q * total;
  let before = 0;
  let last = 0;
  for (const [index, count] of counts.entries()) {
    if (count > 0) {
      last = index;
      if (before + count >= rank) {
        break;
      }
    }
    before += count;
  }
  const lower = last === 0 ? 0 : boundsMs[last - 1]! / 1000;
  const upper = boundsMs[last]! / 1000;
  const share = (rank - before) / counts[last]!;
  const seconds = Number.isFinite(upper) ? lower + share * (upper - lower) : lower;
  return { seconds, lowerSeconds: lower, upperSeconds: upper };
}

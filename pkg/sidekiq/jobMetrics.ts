/** Executions of one job class in one bucket of time. */
export interface ClassCounts {
  /** Every execution, failures included. */
  processed: number;
  failed: number;
  /** Wall time of the executions that succeeded, in milliseconds. */
  milliseconds: number;
}

/** One minute, or ten, of executions by class. */
export interface Bucket {
  /** Epoch seconds at which it begins. */
  startsAt: number;
  classes: ReadonlyMap<string, ClassCounts>;
}

/** Adds two buckets' hashes (`Class|p`, `Class|f`, `Class|ms`): during an upgrade both shapes hold a part. */
export function readCounts(hashes: ReadonlyArray<unknown>): Map<string, ClassCounts> {
  const classes = new Map<string, ClassCounts>();
  for (const hash of hashes) {
    for (const [field, value] of Object.entries((hash ?? {}) as Record<string, string>)) {
      const bar = field.indexOf('|');
      const amount = Number(value);
      const part = PARTS[field.slice(bar + 1)];
      if (bar <= 0 || part === undefined || !Number.isFinite(amount)) {
        continue;
      }
      const jobClass = field.slice(0, bar);
      const counts = classes.get(jobClass) ?? { processed: 0, failed: 0, milliseconds: 0 };
      counts[part] += amount;
      classes.set(jobClass, counts);
    }
  }
  return classes;
}

const PARTS: Record<string, keyof ClassCounts> = { p: 'processed', f: 'failed', ms: 'milliseconds' };

/** Sums buckets by class, in the order in which classes first appear. */
export function sumCounts(buckets: readonly Bucket[]): Map<string, ClassCounts> {
  const total = new Map<string, ClassCounts>();
  for (const { classes } of buckets) {
    for (const [jobClass, counts] of classes) {
      const sum = total.get(jobClass) ?? { processed: 0, failed: 0, milliseconds: 0 };
      sum.processed += counts.processed;
      sum.failed += counts.failed;
      sum.milliseconds += counts.milliseconds;
      total.set(jobClass, sum);
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

/** Counts per duration bucket from a histogram key's bytes: unsigned 16 bit, big-endian, missing ones are 0. */
export function readHistogram(bytes: unknown): number[] {
  const counts = noCounts();
  if (Buffer.isBuffer(bytes)) {
    for (let index = 0; index < counts.length && 2 * index + 1 < bytes.length; index += 1) {
      counts[index] = bytes.readUInt16BE(2 * index);
    }
  }
  return counts;
}

/** Duration counts of nothing. */
export function noCounts(): number[] {
  return new Array<number>(HISTOGRAM_BOUNDS_MS.length).fill(0);
}

/** Adds duration counts bucket by bucket. */
export function addCounts(sum: readonly number[] = noCounts(), counts: readonly number[]): number[] {
  return sum.map((value, index) => value + (counts[index] ?? 0));
}

/** The sum of any number of duration counts. */
export function sumDurations(all: ReadonlyArray<readonly number[]>): number[] {
  return all.reduce<number[]>(addCounts, noCounts());
}

/** A quantile read off duration buckets: interpolated, with the bounds of the bucket it lies in (seconds). */
export interface Quantile {
  seconds: number;
  lowerSeconds: number;
  upperSeconds: number;
}

/**
 * A quantile by linear interpolation inside the bucket it falls in, as Prometheus' `histogram_quantile`.
 *
 * @returns `null` without any execution. In the last, unbounded bucket the value is its lower bound and
 * `upperSeconds` is `Infinity`: "more than 335 s".
 */
export function quantile(q: number, counts: readonly number[]): Quantile | null {
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
  const lower = last === 0 ? 0 : (HISTOGRAM_BOUNDS_MS[last - 1] ?? 0) / 1000;
  const upper = (HISTOGRAM_BOUNDS_MS[last] ?? Infinity) / 1000;
  const share = (rank - before) / (counts[last] ?? 1);
  const seconds = Number.isFinite(upper) ? lower + Math.max(0, Math.min(1, share)) * (upper - lower) : lower;
  return { seconds, lowerSeconds: lower, upperSeconds: upper };
}

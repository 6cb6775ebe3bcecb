import type { Parts } from './chunk';
import type { Points } from './store';

/** A series on an even grid; `null` where nothing was seen, so that gaps stay gaps. Instants are epoch seconds. */
export interface GridSeries {
  key: string;
  values: Array<number | null>;
}

/** Points of one series at most, as Prometheus has it. */
export const POINTS_CAP = 11_000;

/** The interval that keeps a range within so many points: the asked one, or a multiple of it. */
export function boundedInterval(from: number, to: number, intervalSeconds: number, most = POINTS_CAP): number {
  return Math.max(1, Math.ceil((to - from) / Math.max(1, most - 2) / intervalSeconds)) * intervalSeconds;
}

/**
 * The instants of a grid: multiples of the interval; the first interval holds `from`, the last `to`. Empty for a range
 * that ends before it begins.
 */
export function gridOf(from: number, to: number, intervalSeconds: number): number[] {
  const first = Math.floor(from / intervalSeconds) * intervalSeconds;
  const length = to < from ? 0 : Math.floor((to - first) / intervalSeconds) + 1;
  return Array.from({ length }, (_, index) => first + index * intervalSeconds);
}

/**
 * What lies between two points (epoch seconds) that nobody watched: a time longer than so many seconds, or as a function
 * says.
 */
export type Gap = number | ((from: number, to: number) => boolean);

/** Whether nobody watched between two points that follow one another. */
export function isGap(gap: Gap, from: number, to: number): boolean {
  return typeof gap === 'number' ? to - from > gap : gap(from, to);
}

/** What an interval tells of the samples of a gauge within it. */
export const AGGREGATES = ['mean', 'max', 'min'] as const;
export type Aggregate = (typeof AGGREGATES)[number];

/**
 * The mean, largest or smallest of a gauge's points within the interval that begins at each instant of the grid. An
 * interval without one keeps the value before it where the next point comes before a gap: samplers do not keep step with a
 * grid.
 */
export function gaugeOnGrid(
  points: Points,
  grid: readonly number[],
  intervalSeconds: number,
  gap: Gap,
  aggregate: Aggregate = 'mean'
): GridSeries {
  const slots = new Slots(grid.length);
  points.at.forEach((at, index) => {
    const slot = slotOf(at, grid, intervalSeconds);
    const value = points.values[index]!;
    if (slot !== undefined) {
      slots.add(slot, value);
    }
    for (const empty of slotsBetween(at, points.at[index + 1], grid, intervalSeconds, gap)) {
      slots.add(empty, value);
    }
  });
  return { key: points.key, values: slots.values(aggregate) };
}

/** The same of parts, for an interval that is a multiple of theirs and longer than a gap: no interval is filled up. */
export function gaugePartsOnGrid(
  parts: Parts,
  grid: readonly number[],
  intervalSeconds: number,
  aggregate: Aggregate
): GridSeries {
  const slots = new Slots(grid.length);
  parts.firstAt.forEach((at, index) => {
    const slot = slotOf(at, grid, intervalSeconds);
    if (slot !== undefined) {
      slots.add(slot, parts.sum[index]!, parts.count[index], parts.min[index], parts.max[index]);
    }
  });
  return { key: parts.key, values: slots.values(aggregate) };
}

/**
 * Points of a counter by its parts, which give the same rates: the first and the last of each part, and where it went down
 * within its highest and its lowest. Of two resets within five minutes one is told.
 */
export function counterPoints(parts: Parts): Points {
  const points: Points = { key: parts.key, at: [], values: [] };
  const add = (at: number, value: number) => {
    points.at.push(at);
    points.values.push(value);
  };
  parts.firstAt.forEach((firstAt, index) => {
    const lastAt = parts.lastAt[index]!;
    add(firstAt, parts.first[index]!);
    const within = (share: number) => firstAt + share * (lastAt - firstAt);
    if (parts.max[index]! > parts.last[index]! && lastAt > firstAt) {
      add(within(1 / 3), parts.max[index]!);
    }
    // One that has grown past what it was is told by its lowest.
    if (parts.min[index]! < parts.first[index]! && parts.min[index]! < parts.last[index]!) {
      add(within(2 / 3), parts.min[index]!);
    }
    if (lastAt > firstAt) {
      add(lastAt, parts.last[index]!);
    }
  });
  return points;
}

/** What is gathered of each interval of a grid. */
class Slots {
  private readonly sums: Float64Array;
  private readonly counts: Float64Array;
  private readonly mins: Float64Array;
  private readonly maxes: Float64Array;

  constructor(length: number) {
    this.sums = new Float64Array(length);
    this.counts = new Float64Array(length);
    this.mins = new Float64Array(length).fill(Infinity);
    this.maxes = new Float64Array(length).fill(-Infinity);
  }

  add(slot: number, sum: number, count = 1, min = sum, max = sum): void {
    this.sums[slot]! += sum;
    this.counts[slot]! += count;
    this.mins[slot] = Math.min(this.mins[slot]!, min);
    this.maxes[slot] = Math.max(this.maxes[slot]!, max);
  }

  values(aggregate: Aggregate): Array<number | null> {
    return Array.from(this.counts, (count, slot) => {
      if (count === 0) {
        return null;
      }
      return aggregate === 'mean'
        ? this.sums[slot]! / count
        : aggregate === 'max'
          ? this.maxes[slot]!
          : this.mins[slot]!;
    });
  }
}

/**
 * A counter's increase per second within the interval that begins at each instant of the grid. A counter that went
 * down was reset and starts from 0. Between two points it grows evenly; of a gap only the interval in
 * which it ends is told.
 *
 * An interval that the points do not reach the end of has not ended, and one of which less than `leastSeconds` is known
 * says little: neither has a value.
 */
export function rateOnGrid(
  points: Points,
  grid: readonly number[],
  intervalSeconds: number,
  gap: Gap,
  leastSeconds = intervalSeconds / 2
): GridSeries {
  const increases = new Array<number>(grid.length).fill(0);
  const seconds = new Array<number>(grid.length).fill(0);
  const [first = 0] = grid;
  for (let index = 1; index < points.at.length; index += 1) {
    const before = points.values[index - 1]!;
    const now = points.values[index]!;
    const from = points.at[index - 1]!;
    const to = points.at[index]!;
    const rate = (now >= before ? now - before : now) / (to - from);
    const lastSlot = Math.min(grid.length - 1, Math.ceil((to - first) / intervalSeconds) - 1);
    const firstSlot = isGap(gap, from, to) ? lastSlot : Math.floor((from - first) / intervalSeconds);
    for (let slot = Math.max(0, firstSlot); slot <= lastSlot; slot += 1) {
      const starts = first + slot * intervalSeconds;
      const lasted = Math.min(to, starts + intervalSeconds) - Math.max(from, starts);
      increases[slot]! += rate * Math.max(0, lasted);
      seconds[slot]! += Math.max(0, lasted);
    }
  }
  const end = points.at[points.at.length - 1] ?? -Infinity;
  return {
    key: points.key,
    values: increases.map((increase, slot) => {
      const ended = first + (slot + 1) * intervalSeconds <= end;
      return ended && seconds[slot]! > 0 && seconds[slot]! >= leastSeconds - ROUNDING
        ? increase / seconds[slot]!
        : null;
    }),
  };
}

/** Sums of parts of seconds are not exact. */
const ROUNDING = 1e-6;

/** Intervals wholly between two points, none where those are further apart than a gap. */
function slotsBetween(
  from: number,
  to: number | undefined,
  grid: readonly number[],
  intervalSeconds: number,
  gap: Gap
): number[] {
  if (to === undefined || isGap(gap, from, to) || grid.length === 0) {
    return [];
  }
  const first = Math.max(0, Math.floor((from - grid[0]!) / intervalSeconds) + 1);
  const last = Math.min(grid.length, Math.floor((to - grid[0]!) / intervalSeconds)) - 1;
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

function slotOf(at: number, grid: readonly number[], intervalSeconds: number): number | undefined {
  const slot = Math.floor((at - grid[0]!) / intervalSeconds);
  return slot >= 0 && slot < grid.length ? slot : undefined;
}

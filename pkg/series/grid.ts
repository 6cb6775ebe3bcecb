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
 * The mean of a gauge's points within the interval that begins at each instant of the grid. An interval without one
 * keeps the value before it where the next point comes within `gapSeconds`: samplers do not keep step with a grid.
 */
export function gaugeOnGrid(
  points: Points,
  grid: readonly number[],
  intervalSeconds: number,
  gapSeconds: number
): GridSeries {
  const sums = new Array<number>(grid.length).fill(0);
  const counts = new Array<number>(grid.length).fill(0);
  points.at.forEach((at, index) => {
    const slot = slotOf(at, grid, intervalSeconds);
    if (slot !== undefined) {
      sums[slot]! += points.values[index]!;
      counts[slot]! += 1;
    }
    for (const empty of slotsBetween(at, points.at[index + 1], grid, intervalSeconds, gapSeconds)) {
      sums[empty] = points.values[index]!;
      counts[empty] = 1;
    }
  });
  return { key: points.key, values: sums.map((sum, slot) => (counts[slot] === 0 ? null : sum / counts[slot]!)) };
}

/**
 * A counter's increase per second within the interval that begins at each instant of the grid. A counter that went
 * down was reset and starts from 0. Between two points it grows evenly; of a time longer than `gapSeconds` only the
 * interval in which it ends is told.
 *
 * An interval that the points do not reach the end of has not ended, and one of which less than `leastSeconds` is known
 * says little: neither has a value.
 */
export function rateOnGrid(
  points: Points,
  grid: readonly number[],
  intervalSeconds: number,
  gapSeconds: number,
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
    const firstSlot = to - from > gapSeconds ? lastSlot : Math.floor((from - first) / intervalSeconds);
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
  gapSeconds: number
): number[] {
  if (to === undefined || to - from > gapSeconds || grid.length === 0) {
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

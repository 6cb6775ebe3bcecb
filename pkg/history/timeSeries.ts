import type { Points } from './store';

/** A series on an even grid; `null` where nothing was seen, so that gaps stay gaps. Instants are epoch seconds. */
export interface GridSeries {
  key: string;
  values: Array<number | null>;
}

/** The instants of a grid: multiples of the interval; the first interval holds `from`, the last `to`. */
export function gridOf(from: number, to: number, intervalSeconds: number): number[] {
  const first = Math.floor(from / intervalSeconds) * intervalSeconds;
  const length = Math.max(0, Math.floor((to - first) / intervalSeconds) + 1);
  return Array.from({ length }, (_, index) => first + index * intervalSeconds);
}

/** The mean of a gauge's points within the interval that begins at each instant of the grid. */
export function gaugeOnGrid(points: Points, grid: readonly number[], intervalSeconds: number): GridSeries {
  const sums = new Array<number>(grid.length).fill(0);
  const counts = new Array<number>(grid.length).fill(0);
  points.at.forEach((at, index) => {
    const slot = slotOf(at, grid, intervalSeconds);
    if (slot !== undefined) {
      sums[slot]! += points.values[index]!;
      counts[slot]! += 1;
    }
  });
  return { key: points.key, values: sums.map((sum, slot) => (counts[slot] === 0 ? null : sum / counts[slot]!)) };
}

/**
 * A counter's increase per second within the interval that begins at each instant of the grid. A counter
 * that went down was reset and starts from 0. Across a gap the increase is spread over the gap's end only.
 */
export function rateOnGrid(points: Points, grid: readonly number[], intervalSeconds: number): GridSeries {
  const increases = new Array<number>(grid.length).fill(0);
  const seconds = new Array<number>(grid.length).fill(0);
  for (let index = 1; index < points.at.length; index += 1) {
    const slot = slotOf(points.at[index]!, grid, intervalSeconds);
    if (slot !== undefined) {
      const before = points.values[index - 1]!;
      const now = points.values[index]!;
      increases[slot]! += now >= before ? now - before : now;
      seconds[slot]! += points.at[index]! - points.at[index - 1]!;
    }
  }
  return {
    key: points.key,
    values: increases.map((increase, slot) => (seconds[slot] === 0 ? null : increase / seconds[slot]!)),
  };
}

function slotOf(at: number, grid: readonly number[], intervalSeconds: number): number | undefined {
  const slot = Math.floor((at - grid[0]!) / intervalSeconds);
  return slot >= 0 && slot < grid.length ? slot : undefined;
}

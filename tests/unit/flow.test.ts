import { expect, test } from 'vitest';
import { Flow } from '../../pkg/observe/flow';
import type { SeriesValue } from '../../pkg/series/figures';
import { MemoryStore } from '../../pkg/series/memoryStore';
import { gaugeOnGrid, gridOf, rateOnGrid } from '../../pkg/series/grid';
import type { Snapshot } from '../../pkg/sidekiq/snapshot';

const value = (figure: string, number: number): SeriesValue => ({ scope: 'total', key: '', figure, value: number });

test('a month at full pace stays within the bound, with the last six hours whole', () => {
  const store = new MemoryStore();
  const month = 30 * 86_400;
  const values = Array.from({ length: 40 }, (_, index) => ({ ...value(`f${index}`, index) }));
  for (let at = 0; at <= month; at += 10) {
    store.append(at, values);
  }
  expect(store.size).toBeLessThan(3_000_000);
  const [recent] = store.read('total', 'f7', month - 6 * 3600, month);
  expect(recent?.at.length).toBeGreaterThanOrEqual(2160);
  expect(store.oldest()).toBeGreaterThanOrEqual(month - 7 * 86_400);
  const [week] = store.read('total', 'f7', 0, month - 6 * 3600 - 60);
  expect(week!.at[1]! - week!.at[0]!).toBe(60);
});

test('more series than fit drop the oldest samples, not the newest', () => {
  const store = new MemoryStore({ numbers: 1000 });
  for (let at = 0; at < 1000; at += 10) {
    store.append(
      at,
      Array.from({ length: 50 }, (_, index) => value(`f${index}`, at))
    );
  }
  expect(store.size).toBeLessThanOrEqual(1000);
  expect(store.read('total', 'f0', 0, 1000)[0]?.at.at(-1)).toBe(990);
});

test('a gauge is the mean of each interval, and gaps stay gaps', () => {
  const grid = gridOf(0, 40, 10);
  const series = gaugeOnGrid({ key: '', at: [5, 9, 35], values: [2, 4, 9] }, grid, 10, 20);
  expect(grid).toEqual([0, 10, 20, 30, 40]);
  expect(series.values).toEqual([3, null, null, 9, null]);
});

test('a sampler that is late makes no gap, in gauges and in counters', () => {
  const grid = gridOf(0, 40, 10);
  const points = { key: '', at: [5, 9, 21, 41], values: [2, 4, 9, 29] };
  expect(gaugeOnGrid(points, grid, 10, 25).values).toEqual([3, 4, 9, 9, 29]);
  expect(rateOnGrid(points, grid, 10, 25).values).toEqual([0.5, 5 / 12, 5 / 12, 1, 1]);
});

// 0 → 100 in 10 s is 10/s; then a reset to 30: 30 in 10 s is 3/s.
test('a counter is a rate, and a reset starts from 0', () => {
  const series = rateOnGrid({ key: '', at: [0, 10, 20], values: [0, 100, 30] }, gridOf(0, 20, 10), 10, 20);
  expect(series.values).toEqual([null, 10, 3]);
});

function look(at: number, size: number, latencySeconds: number): Snapshot {
  return {
    at,
    queues: [{ name: 'q', size, latencySeconds, paused: false, known: true, next: null }],
  } as unknown as Snapshot;
}

// 600 jobs pushed at 10/s wait 60 s. A minute later the oldest is one pushed 50 s after the former oldest:
// 500 have left (8.33/s); 700 wait, so 600 came (10/s).
test('flow follows from the two ends of a queue', () => {
  const flow = new Flow();
  flow.observe(look(1000, 600, 60));
  flow.observe(look(1060, 700, 70));
  const { inRate, outRate, drainSeconds } = flow.of({ name: 'q', size: 700 });
  expect(outRate).toBeCloseTo(500 / 60, 6);
  expect(inRate).toBeCloseTo(10, 6);
  expect(drainSeconds).toBeNull();
});

// 300 of 600 gone in 30 s, none came: empty in another 30 s.
test('a shrinking queue has a drain time', () => {
  const flow = new Flow();
  flow.observe(look(1000, 600, 60));
  flow.observe(look(1030, 300, 60));
  expect(flow.of({ name: 'q', size: 300 })).toEqual({ inRate: 0, outRate: 10, drainSeconds: 30 });
});

test('one job that has just come is no rate', () => {
  const flow = new Flow();
  flow.observe(look(1000, 0, 0));
  flow.observe(look(1060, 1, 0.01));
  expect(flow.of({ name: 'q', size: 1 })).toEqual({ inRate: null, outRate: null, drainSeconds: null });
});

test('an empty queue is drained', () => {
  expect(new Flow().of({ name: 'q', size: 0 }).drainSeconds).toBe(0);
});

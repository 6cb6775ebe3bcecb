import { describe, expect, test } from 'vitest';
import { addSample, noParts } from '../../../pkg/series/chunk';
import { HISTORY_FIGURES } from '../../../pkg/series/figures';
import {
  AGGREGATES,
  boundedInterval,
  counterPoints,
  gaugeOnGrid,
  gaugePartsOnGrid,
  gridOf,
  POINTS_CAP,
  rateOnGrid,
} from '../../../pkg/series/grid';
import { readOnGrid } from '../../../pkg/series/readOnGrid';
import type { FigureReads } from '../../../pkg/series/store';
import fc from '../../support/fastCheck';

const points = (at: number[], values: number[], key = 'k') => ({ key, at, values });

test('a grid has the multiples of its interval that touch the range', () => {
  expect(gridOf(5, 40, 10)).toEqual([0, 10, 20, 30, 40]);
  expect(gridOf(10, 39, 10)).toEqual([10, 20, 30]);
  expect(gridOf(10, 10, 10)).toEqual([10]);
  expect(gridOf(30, 10, 10)).toEqual([]);
});

test('a gauge is the mean of each interval, and gaps stay gaps', () => {
  const series = gaugeOnGrid(points([5, 9, 35], [2, 4, 9]), gridOf(0, 40, 10), 10, 20);
  expect(series).toEqual({ key: 'k', values: [3, null, null, 9, null] });
});

test('a sampler that is late makes no gap, in gauges and in counters', () => {
  const grid = gridOf(0, 40, 10);
  const late = points([5, 9, 21, 41], [2, 4, 9, 29]);
  expect(gaugeOnGrid(late, grid, 10, 25).values).toEqual([3, 4, 9, 9, 29]);
  // 2 in 4 s and 5 in 12 s until 10; then 5 in 12 s; from 21 on 20 in 20 s.
  expect(rateOnGrid(late, grid, 10, 25).values).toEqual([
    expect.closeTo((2 + 5 / 12) / 5, 9),
    expect.closeTo(5 / 12, 9),
    expect.closeTo((5 / 12 + 9) / 10, 9),
    1,
    null,
  ]);
});

describe('a counter', () => {
  // 0 → 100 in 10 s is 10/s; then a reset to 30: 30 in 10 s is 3/s.
  test('is a rate, and a reset starts from 0', () => {
    expect(rateOnGrid(points([0, 10, 20], [0, 100, 30]), gridOf(0, 20, 10), 10, 20)).toEqual({
      key: 'k',
      values: [10, 3, null],
    });
  });

  test('that stands still has the rate 0', () => {
    expect(rateOnGrid(points([0, 10], [5, 5]), gridOf(0, 10, 10), 10, 20).values).toEqual([0, null]);
  });

  // 30 in 5 s and 10 in 5 s are 40 in 10 s.
  test('adds up increases within an interval', () => {
    expect(rateOnGrid(points([10, 15, 20], [0, 30, 40]), gridOf(10, 19, 10), 10, 20).values).toEqual([4]);
  });

  test('counts an increase only where it was seen when it took longer than a gap', () => {
    expect(rateOnGrid(points([0, 40], [0, 80]), gridOf(0, 40, 10), 10, 25).values).toEqual([null, null, null, 2, null]);
    expect(rateOnGrid(points([0, 40], [0, 80]), gridOf(0, 40, 10), 10, 40).values).toEqual([2, 2, 2, 2, null]);
  });

  test('of an interval that has not ended, or is hardly known, has no rate', () => {
    const beats = points([0, 15, 30, 45, 61], [0, 0, 640, 640, 1280]);
    expect(rateOnGrid(beats, gridOf(0, 80, 30), 30, 40).values).toEqual([expect.closeTo(640 / 30, 9), 20, null]);
    expect(rateOnGrid(points([25, 61], [0, 36]), gridOf(0, 80, 30), 30, 40).values).toEqual([null, 1, null]);
  });

  test('is the same in whatever intervals it is told: rates times their intervals are what it grew', () => {
    const steps = fc.array(fc.tuple(fc.integer({ min: 1, max: 40 }), fc.nat(100)), { minLength: 2, maxLength: 60 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 5, max: 90 }), (pairs, interval) => {
        const at = [0];
        const values = [0];
        for (const [seconds, growth] of pairs) {
          at.push(at.at(-1)! + seconds);
          values.push(values.at(-1)! + growth);
        }
        const grid = gridOf(0, at.at(-1)!, interval);
        const rates = rateOnGrid(points(at, values), grid, interval, 40).values;
        const told = rates.filter((rate) => rate !== null);
        // All but the last interval, up to which the counter grew by this.
        const end = told.length * interval;
        const next = at.findIndex((each) => each >= end);
        const [before, after] = [Math.max(0, next - 1), next];
        const share = after === before ? 0 : (end - at[before]!) / (at[after]! - at[before]!);
        const grown = values[before]! + share * (values[after]! - values[before]!);
        expect(told.reduce((sum: number, rate) => sum + rate * interval, 0)).toBeCloseTo(grown, 6);
        expect(rates.slice(told.length).every((rate) => rate === null)).toBe(true);
        expect(told.length).toBeGreaterThanOrEqual(grid.length - 1);
      })
    );
  });
});

test('points outside of the grid are not on it, but fill intervals up to it', () => {
  expect(gaugeOnGrid(points([-5, 15, 99], [7, 8, 9]), gridOf(0, 20, 10), 10, 30).values).toEqual([7, 8, null]);
  expect(gaugeOnGrid(points([15, 35], [8, 9]), gridOf(0, 20, 10), 10, 30).values).toEqual([null, 8, 8]);
});

test('no grid holds no point', () => {
  expect(gaugeOnGrid(points([5, 15], [1, 2]), [], 10, 30).values).toEqual([]);
  expect(rateOnGrid(points([5, 15], [1, 2]), [], 10, 30).values).toEqual([]);
});

test('an interval grows by whole multiples until the range fits', () => {
  expect(boundedInterval(0, 1000, 10)).toBe(10);
  expect(boundedInterval(0, 1000, 10, 52)).toBe(20);
  expect(boundedInterval(0, 1001, 10, 52)).toBe(30);
  expect(boundedInterval(0, 1000, 10, 0)).toBe(1000);
});

test('whatever range and interval, a grid is within the bound', () => {
  const second = fc.integer({ min: 0, max: 7_000_000_000 });
  fc.assert(
    fc.property(second, second, fc.double({ min: 0.001, max: 1e9, noNaN: true }), (a, b, interval) => {
      const [from, to] = [Math.min(a, b), Math.max(a, b)];
      expect(gridOf(from, to, boundedInterval(from, to, interval)).length).toBeLessThanOrEqual(POINTS_CAP);
    })
  );
});

describe('parts of five minutes', () => {
  const samples = fc.array(
    fc.record({ step: fc.integer({ min: 1, max: 100 }), value: fc.integer({ min: 0, max: 1000 }) }),
    { minLength: 1, maxLength: 400 }
  );
  const interval = fc.constantFrom(300, 600, 900, 1800);
  function both(steps: Array<{ step: number; value: number }>, counter: boolean) {
    const raw = points([], []);
    const parts = noParts('k');
    let at = 1_790_000_000;
    let value = 0;
    for (const each of steps) {
      at += each.step;
      // One reset in a while, never two in a part.
      value = !counter ? each.value : each.value === 1000 ? 0 : value + each.value;
      raw.at.push(at);
      raw.values.push(value);
      addSample(parts, at, value);
    }
    return { raw, parts, from: raw.at[0]!, to: at };
  }

  test.each(AGGREGATES)('give the same %s of a gauge as its samples', (aggregate) => {
    fc.assert(
      fc.property(samples, interval, (steps, seconds) => {
        const { raw, parts, from, to } = both(steps, false);
        const grid = gridOf(from, to, seconds);
        const expected = gridOf(from, to, seconds).map((start) => {
          const inside = raw.values.filter((_, index) => raw.at[index]! >= start && raw.at[index]! < start + seconds);
          return inside.length === 0
            ? null
            : {
                mean: inside.reduce((sum, value) => sum + value, 0) / inside.length,
                max: Math.max(...inside),
                min: Math.min(...inside),
              }[aggregate];
        });
        expect(gaugePartsOnGrid(parts, grid, seconds, aggregate).values).toEqual(expected);
        expect(gaugeOnGrid(raw, grid, seconds, 25, aggregate).values).toEqual(expected);
      })
    );
  });

  test('give the same rates of a counter as its samples', () => {
    fc.assert(
      fc.property(samples, interval, (steps, seconds) => {
        const { raw, parts, from, to } = both(
          steps.map(({ step, value }) => ({ step, value: Math.min(value, 999) })),
          true
        );
        const grid = gridOf(from, to, seconds);
        const expected = rateOnGrid(raw, grid, seconds, 150).values;
        const found = rateOnGrid(counterPoints(parts), grid, seconds, 150).values;
        // Within a part the counter may have grown by fits and starts, at its edges it is known.
        expect(found.length).toBe(expected.length);
        found.forEach((value, index) => {
          if (value === null || expected[index] === null) {
            return;
          }
          expect(value).toBeCloseTo(expected[index]!, 6);
        });
      })
    );
  });

  test('tell of a counter that was reset what grew before and after', () => {
    const parts = noParts('k');
    [
      [0, 100],
      [100, 150],
      [150, 5],
      [290, 20],
    ].forEach(([at, value]) => addSample(parts, at!, value!));
    // 50 before and 20 after, in 290 s.
    expect(rateOnGrid(counterPoints(parts), [0], 290, 150).values).toEqual([expect.closeTo(70 / 290, 9)]);
    const grown = noParts('');
    [
      [0, 40],
      [100, 5],
      [290, 300],
    ].forEach(([at, value]) => addSample(grown, at!, value!));
    // 300 since it began anew.
    expect(rateOnGrid(counterPoints(grown), [0], 290, 200).values).toEqual([expect.closeTo(300 / 290, 9)]);
  });
});

test.each([60, 120])('a file that was sampled every %i s has the rates of its counters on any grid', async (pace) => {
  const figure = HISTORY_FIGURES.find(({ name }) => name === 'processedRate')!;
  const start = 1_790_000_100;
  const parts = noParts('');
  for (let at = 7; at <= 10_800; at += pace) {
    addSample(parts, start + at, 2 * at);
  }
  const reads: FigureReads = { keys: () => [''], oldest: () => start, read: () => [], parts: async () => [parts] };
  for (const interval of [300, 600, 1800, 3600]) {
    const sampled = { from: start, to: start + 10_800, gapSeconds: 25, sampleSeconds: 10 };
    const grid = gridOf(start, start + 10_800, interval);
    const [series] = await readOnGrid(reads, { figure, scope: 'total', key: '' }, sampled, { grid, interval });
    const inner = series!.values.slice(1, -2);
    expect(inner, String(interval)).toEqual(new Array(inner.length).fill(expect.closeTo(2, 9)));
  }
});

describe('a history that was sampled every five minutes', () => {
  const START = 1_790_000_100;
  const figure = HISTORY_FIGURES.find(({ name }) => name === 'processedRate')!;
  const read = async (instants: number[]) => {
    const parts = noParts('');
    // Two a second.
    instants.forEach((at) => addSample(parts, START + at, 2 * at));
    const reads: FigureReads = { keys: () => [''], oldest: () => START, read: () => [], parts: async () => [parts] };
    const sampled = { from: START, to: START + 6000, gapSeconds: 150, sampleSeconds: 10 };
    const grid = gridOf(START, START + 6000, 300);
    const [series] = await readOnGrid(reads, { figure, scope: 'total', key: '' }, sampled, { grid, interval: 300 });
    return series!.values;
  };

  test('has rates from its stretches, without gaps', async () => {
    const values = await read(Array.from({ length: 21 }, (_, index) => index * 300 + 7));
    expect(values.slice(1, 19)).toEqual(new Array(18).fill(expect.closeTo(2, 9)));
  });

  test('keeps a gap of a faster sampler', async () => {
    const all = Array.from({ length: 601 }, (_, index) => index * 10);
    const values = await read(all.filter((at) => at < 1500 || at > 2700));
    expect(values.slice(6, 8)).toEqual([null, null]);
    expect(values[3]).toBeCloseTo(2, 9);
  });
});

describe('a figure that is seldom known', () => {
  const START = 1_790_000_100;
  const figure = HISTORY_FIGURES.find(({ name }) => name === 'outRate')!;
  /** Known for a sample each five minutes, and twice for a minute. */
  const knownAt = (second: number) => second % 300 === 0 || second % 3000 < 60;
  const read = async (pace: number) => {
    const instants = Array.from({ length: 7200 / pace }, (_, index) => index * pace);
    const pointsOf = (kept: number[]) => [
      { key: '', at: kept.map((second) => START + second), values: kept.map(() => 1) },
    ];
    const reads: FigureReads = {
      keys: () => ['mailers'],
      oldest: () => START,
      read: (scope, name) => {
        if (scope === 'total') {
          return name === 'enqueued' ? pointsOf(instants) : [];
        }
        return pointsOf(instants.filter(knownAt));
      },
    };
    const sampled = { from: START, to: START + 7200, gapSeconds: 25, sampleSeconds: 10 };
    const grid = gridOf(START, START + 7190, 10);
    const wanted = { figure, scope: 'queue' as const, key: 'mailers' };
    const [series] = await readOnGrid(reads, wanted, sampled, { grid, interval: 10 });
    return grid.filter((_, index) => series!.values[index] !== null).map((at) => at - START);
  };

  test('is told where it was known, and nowhere else', async () => {
    const every = Array.from({ length: 720 }, (_, index) => index * 10);
    expect(await read(10)).toEqual(every.filter(knownAt));
  });

  test('keeps its value between the samples of a slower sampler', async () => {
    const told = await read(60);
    // The samples of a minute: 0 and 3000 have none beside them, each multiple of 300 stands alone.
    expect(told).toEqual(Array.from({ length: 24 }, (_, index) => index * 300));
  });
});

describe('a history whose pace has changed', () => {
  const START = 1_790_000_100;
  /** Six hours every 300 s, five every 60 s and one every 15 s, as a demo has, and twenty days every 10 s. */
  const changes = [
    { until: 6 * 3600, pace: 300 },
    { until: 11 * 3600, pace: 60 },
    { until: 12 * 3600, pace: 15 },
    { until: 36 * 3600, pace: 10 },
  ];
  const instants: number[] = [];
  for (const { until, pace } of changes) {
    for (let at = (instants.at(-1) ?? -pace) + pace; at < until; at += pace) {
      instants.push(at);
    }
  }
  /** Ten minutes of the slowest pace, and a minute of the fastest, were not watched. */
  const holes = [
    [10_000, 11_000],
    [100_000, 100_060],
  ] as const;
  const watched = instants.filter((at) => !holes.some(([from, to]) => at >= from && at < to));
  const reads: FigureReads = {
    keys: () => [''],
    oldest: () => START,
    read: () => [{ key: '', at: watched.map((at) => START + at), values: watched.map((at) => 2 * at) }],
  };
  const sampled = { from: START, to: START + 36 * 3600, gapSeconds: 25, sampleSeconds: 10 };
  const unknown = async (name: string, interval: number) => {
    const figure = HISTORY_FIGURES.find((each) => each.name === name)!;
    const grid = gridOf(START, START + 36 * 3600 - 400, interval);
    const [series] = await readOnGrid(reads, { figure, scope: 'total', key: '' }, sampled, { grid, interval });
    return grid.filter((_, index) => series!.values[index] === null).map((at) => at - START);
  };

  test('has its gauges at each pace, and the gaps of each', async () => {
    // From the last sample before the hole, at 9,900, to the first after it, at 11,100.
    const slow = (await unknown('enqueued', 60)).filter((at) => at < 50_000);
    expect(slow[0]).toBeGreaterThan(9_900 - 60);
    expect(slow.at(-1)).toBeLessThan(11_100);
    expect(slow).toHaveLength((11_100 - 9_900) / 60 - 1);
    const fast = (await unknown('enqueued', 10)).filter((at) => at >= 50_000);
    expect(fast).toHaveLength(6);
  });

  test('has its rates at each pace', async () => {
    const none = await unknown('processedRate', 60);
    expect(none.filter((at) => at > 60 && (at < 9_900 - 60 || at > 11_100) && (at < 99_900 || at > 100_100))).toEqual(
      []
    );
    expect(none.length).toBeGreaterThan(15);
  });
});

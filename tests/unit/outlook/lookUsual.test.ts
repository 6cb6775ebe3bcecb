import { describe, expect, test } from 'vitest';
import { lookUsual } from '../../../pkg/outlook/lookUsual';
import type { FigureReads } from '../../../pkg/series/store';
import { MemoryStore } from '../../../pkg/series/memoryStore';
import type { SeriesValue } from '../../../pkg/series/figures';
import { noCounts } from '../../../pkg/sidekiq/jobMetrics';
import { Dice } from '../../../pkg/engine/dice';
import { aQueueState } from '../../support/state';

const DAY = 86_400;
const START = Date.UTC(2026, 10, 2) / 1000;
const RHYTHM = { sampleSeconds: 60, timeZone: '' };

/** Six days of an installation, looked at once a minute. Counters are told as they stand. */
function lived(
  executionsAt: (at: number) => Record<string, number>,
  {
    until,
    enqueuedAt = () => 20,
    secondsAt,
  }: { until: number; enqueuedAt?: (at: number) => number; secondsAt?: (at: number) => number }
) {
  const store = new MemoryStore();
  const counts: Record<string, number> = {};
  const lastRunAt: Record<string, number> = {};
  const loads: Record<string, number> = {};
  for (let at = START; at <= until; at += 60) {
    for (const [name, executions] of Object.entries(executionsAt(at))) {
      counts[name] = (counts[name] ?? 0) + executions;
      lastRunAt[name] = executions > 0 ? at : (lastRunAt[name] ?? at);
      loads[name] = (loads[name] ?? 0) + executions * (secondsAt?.(at) ?? 0);
    }
    const classes: SeriesValue[] = Object.entries(counts).flatMap(([key, value]) => [
      { scope: 'class', key, figure: 'processedRate', value },
      { scope: 'class', key, figure: 'failedRate', value: 0 },
      ...(secondsAt ? [{ scope: 'class' as const, key, figure: 'load', value: loads[key]! }] : []),
    ]);
    const processed = Object.values(counts).reduce((sum, count) => sum + count, 0);
    store.append(at, [
      { scope: 'total', key: '', figure: 'processedRate', value: processed },
      { scope: 'total', key: '', figure: 'enqueued', value: enqueuedAt(at) },
      { scope: 'queue', key: 'q', figure: 'inRate', value: 2 },
      { scope: 'workerType', key: 'Default', figure: 'enqueued', value: enqueuedAt(at) },
      { scope: 'workerType', key: 'Gone', figure: 'enqueued', value: enqueuedAt(at) },
      ...(at % 300 === 0 ? classes : []),
    ]);
  }
  const classTotals = new Map(
    Object.entries(counts).map(([name, processed]) => [
      name,
      { processed, failed: 0, milliseconds: 0, durations: noCounts(), lastRunAt: lastRunAt[name]! },
    ])
  );
  return lookUsual(store, { now: until, classTotals, queues: [aQueueState('q', { workerType: 'Default' })] }, RHYTHM);
}

const noon = START + 6 * DAY + 12 * 3600;

describe('a look at what is usual', () => {
  test('tells nothing of less than two days', async () => {
    expect(await lived(() => ({ A: 5 }), { until: START + DAY })).toBeNull();
  });

  test('has totals and queues with their bands, and of classes those outside', async () => {
    const view = (await lived(() => ({ A: 6 }), { until: noon }))!;
    expect(view).toMatchObject({
      at: noon,
      basis: 'day',
      missing: [],
      ahead: [{ queue: 'q', inRates: [2, 2, 2, 2, 2, 2] }],
    });
    expect(view.figures.map(({ scope, figure }) => `${scope} ${figure}`)).toEqual([
      'total enqueued',
      'total processedRate',
    ]);
    // Six a minute are 0.1 a second.
    expect(view.figures[1]).toMatchObject({ value: 0.1, usual: 0.1, deviation: 0 });
  });

  test('sees a tripling within five minutes', async () => {
    const seenAfter = async (minutes: number) => {
      const until = noon + minutes * 60;
      const view = await lived((at) => ({ A: at > noon ? 180 : 60 }), { until });
      return view!.figures.find(({ figure, scope }) => scope === 'total' && figure === 'processedRate')!.deviation;
    };
    expect(await seenAfter(0)).toBe(0);
    expect(await seenAfter(4)).toBeGreaterThan(1);
  });

  test('sees a sudden change for an hour, not a slow one, nor the end of an outage', async () => {
    const sudden = async (rateAt: (at: number) => number, until: number) =>
      (await lived((at) => ({ A: rateAt(at) }), { until }))!.figures.find(({ figure }) => figure === 'processedRate')!
        .sudden;
    const tripled = (at: number) => (at > noon ? 180 : 60);
    expect(await sudden(tripled, noon)).toBe(false);
    expect(await sudden(tripled, noon + 300)).toBe(true);
    expect(await sudden(tripled, noon + 3600)).toBe(true);
    expect(await sudden(tripled, noon + 2 * 3600)).toBe(false);
    // Over six hours.
    const slowly = (at: number) => 60 + 120 * Math.min(1, Math.max(0, (at - noon + 21_600) / 21_600));
    expect(await sudden(slowly, noon)).toBe(false);
    const away = (at: number) => (at > noon - 1800 && at <= noon ? 0 : 60);
    expect(await sudden(away, noon)).toBe(true);
    expect(await sudden(away, noon + 300)).toBe(false);
  });

  test('sees a sudden change of a class with its next sample, and a slow one by the mean of an hour', async () => {
    const classAt = async (until: number, from = noon) =>
      (await lived((at) => ({ A: at > from ? 18 : 6, B: 60 }), { until }))!.figures.filter(
        ({ scope, figure }) => scope === 'class' && figure === 'processedRate'
      );
    expect(await classAt(noon)).toEqual([]);
    // Six a minute are 0.1 a second, eighteen are 0.3.
    expect(await classAt(noon + 300)).toMatchObject([{ key: 'A', value: 0.3, usual: 0.1, sudden: true }]);
    expect(await classAt(noon + 3600)).toMatchObject([{ key: 'A', value: 0.3, sudden: true }]);
    expect(await classAt(noon + 7200)).toMatchObject([{ key: 'A', value: 0.3, sudden: null }]);
  });

  test('looks for sudden changes of the fifty classes that ran most', async () => {
    const others = Object.fromEntries(Array.from({ length: 50 }, (_, index) => [`C${index}`, 60]));
    // A sample of classes is taken at its end.
    const until = START + 2 * DAY + 7200;
    const of = async (executions: number, stoppedAt = Infinity) => {
      const executionsAt = (at: number) => ({
        ...(at < stoppedAt ? others : {}),
        A: at > until - 300 ? 3 * executions : executions,
      });
      const { figures } = (await lived(executionsAt, { until }))!;
      return figures.filter(({ scope, key, sudden }) => scope === 'class' && key === 'A' && sudden === true);
    };
    expect(await of(20)).toEqual([]);
    expect(await of(70)).toHaveLength(1);
    // Classes that have not run for a day leave their place.
    expect(await of(20, START + DAY)).toHaveLength(1);
  });

  test('sees executions that take longer than usual in the last hour', async () => {
    const secondsAt = (at: number) => (at > noon - 3600 ? 6 : 2);
    const usual = await lived(() => ({ A: 6 }), { until: noon - 3600, secondsAt });
    expect(usual!.figures.filter(({ figure }) => figure === 'runTime')).toEqual([]);
    const slow = await lived(() => ({ A: 6 }), { until: noon + 240, secondsAt });
    const [found] = slow!.figures.filter(({ figure }) => figure === 'runTime');
    expect(found).toMatchObject({ scope: 'class', key: 'A', value: 6, usual: 2 });
    expect(found!.deviation).toBeGreaterThan(1);
  });

  test('sees a backlog that never was, not one that is usual at this hour', async () => {
    const atNoon = (at: number) => (Math.floor(at / 3600) % 24 === 12 ? 500 : 5);
    const of = async (until: number, enqueuedAt: (at: number) => number) =>
      (await lived(() => ({ A: 1 }), { until, enqueuedAt }))!.figures[0]!.deviation;
    expect(await of(noon + 1800, atNoon)).toBe(0);
    expect(await of(noon - 3600, (at) => (at > noon - 4200 ? 500 : atNoon(at)))).toBeGreaterThan(1);
  });

  test('has of the worker types that there are those outside their band', async () => {
    const of = async (many: number) => {
      const view = await lived(() => ({ A: 1 }), { until: noon, enqueuedAt: (at) => (at > noon - 300 ? many : 20) });
      return view!.figures.filter(({ scope }) => scope === 'workerType');
    };
    expect(await of(20)).toEqual([]);
    // Of the five samples of the mean one is of the time before: (4 · 400 + 20) / 5.
    expect(await of(400)).toMatchObject([{ key: 'Default', figure: 'enqueued', value: 324, usual: 20 }]);
  });
});

describe('a class whose work does not come', () => {
  const missing = async (executions: (at: number) => number, until: number) =>
    (await lived((at) => ({ Close: executions(at), Other: 3 }), { until }))!.missing;
  const everyTenMinutes = (at: number) => (at % 600 === 0 ? 1 : 0);

  test('of a scheduler is missing after two of its intervals', async () => {
    const until = (seconds: number) => missing((at) => (at > noon ? 0 : everyTenMinutes(at)), noon + seconds);
    expect(await until(1140)).toEqual([]);
    const [found] = await until(1260);
    expect(found).toMatchObject({ class: 'Close', lastRunAt: noon });
    expect(found!.perHour).toBeCloseTo(6, 0);
    expect(found!.expected).toBeCloseTo(2.1, 1);
  });

  test('that rests at night is missing in the morning, counted from then', async () => {
    const byDay = (at: number) => (at % DAY >= 8 * 3600 && at % DAY < 20 * 3600 ? everyTenMinutes(at) : 0);
    const morning = START + 6 * DAY + 8 * 3600;
    const until = (seconds: number) => missing((at) => (at >= morning ? 0 : byDay(at)), morning + seconds);
    expect(await until(-3600)).toEqual([]);
    expect(await until(600)).toEqual([]);
    expect(await until(2400)).toMatchObject([{ class: 'Close' }]);
  });

  // START is a Monday. Twenty an hour on working days.
  const onWorkingDays = (at: number) => (Math.floor((at - START) / DAY) % 7 < 5 && at % 180 === 0 ? 1 : 0);

  test.each([
    [5, 12],
    [6, 20],
    [12, 6],
    [13, 23],
  ])('that rests at weekends is not missing on day %i at %i o’clock, before weeks are known', async (day, hour) => {
    const until = START + day * DAY + hour * 3600;
    expect(await missing(onWorkingDays, until)).toEqual([]);
    const view = (await lived((at) => ({ Close: onWorkingDays(at) }), { until }))!;
    expect(view.figures.filter(({ deviation }) => deviation < 0)).toEqual([]);
  });

  test('that rests at weekends is missing on the Monday on which it does not come', async () => {
    const monday = START + 7 * DAY;
    const gone = (at: number) => (at < monday ? onWorkingDays(at) : 0);
    expect(await missing(gone, monday + 12 * 3600)).toMatchObject([{ class: 'Close' }]);
  });

  test('that works at weekends too is missing there', async () => {
    const saturday = START + 12 * DAY;
    const gone = (at: number) => (at < saturday && at % 180 === 0 ? 1 : 0);
    expect(await missing(gone, saturday + 12 * 3600)).toMatchObject([{ class: 'Close' }]);
  });

  test('of once a day is missing when two runs did not come', async () => {
    const last = START + 9 * DAY + 2 * 3600;
    const daily = (at: number) => (at <= last && at % DAY === 2 * 3600 ? 1 : 0);
    expect(await missing(daily, last + 25.5 * 3600)).toEqual([]);
    expect(await missing(daily, last + 51 * 3600)).toMatchObject([{ class: 'Close' }]);
  });

  test('that comes by chance is missing only after a pause that it never had', async () => {
    const dice = new Dice(7);
    const byChance = (at: number, until: number) => (at > until ? 0 : dice.count(0.2));
    let longest = 0;
    let last = START;
    const chance = (at: number) => {
      const count = byChance(at, noon);
      if (count > 0) {
        longest = Math.max(longest, at - last);
        last = at;
      }
      return count;
    };
    expect(await missing(chance, noon + 600)).toEqual([]);
    expect(await missing((at) => byChance(at, noon), noon + 3 * longest + 3600)).toMatchObject([{ class: 'Close' }]);
  });
});

test('a time zone that is changed counts at once, and not from the next hour on', async () => {
  const store = new MemoryStore();
  // Work at eight o'clock in Los Angeles, where the clocks go back on 1 November: at 15:00 UTC, then at 16:00.
  const putBack = Date.UTC(2026, 10, 1, 9) / 1000;
  const now = Date.UTC(2026, 10, 3, 15, 30) / 1000;
  for (let at = now - 28 * DAY; at <= now; at += 60) {
    const hour = Math.floor(at / 3600) % 24;
    store.append(at, [
      { scope: 'total', key: '', figure: 'enqueued', value: hour === (at < putBack ? 15 : 16) ? 600 : 5 },
    ]);
  }
  const bands = async (timeZone: string, reads: FigureReads) => {
    const looked = { now, classTotals: new Map(), queues: [] };
    const view = await lookUsual(reads, looked, { ...RHYTHM, timeZone });
    return view!.figures.map(({ usual, lower, upper }) => [usual, lower, upper]);
  };
  const inUtc = await bands('', store);
  // The same store as another one: nothing is remembered of it.
  const anew = Object.create(store) as MemoryStore;
  const expected = await bands('America/Los_Angeles', anew);
  expect(await bands('America/Los_Angeles', store)).toEqual(expected);
  expect(expected).not.toEqual(inUtc);
});

// Found by a review: with six hundred queues that were gone, the one that was alive was not looked at.
test('a look is at the longest queues that exist, and at the classes that ran most', async () => {
  const asked = new Set<string>();
  const keys = [...Array.from({ length: 600 }, (_, index) => `gone${index}`), 'alive', 'zz'];
  const reads: FigureReads = {
    keys: (scope) => (scope === 'total' ? [''] : keys),
    oldest: () => START,
    read: (scope, _figure, _from, _to, key) => {
      asked.add(`${scope} ${key}`);
      return [];
    },
  };
  const total = { failed: 0, milliseconds: 0, durations: noCounts(), lastRunAt: START };
  const classTotals = new Map([['zz', { ...total, processed: 5 }]]);
  const queues = [aQueueState('alive', { size: 0 }), aQueueState('zz', { size: 9 })];
  await lookUsual(reads, { now: noon, classTotals, queues }, RHYTHM);
  expect([...asked].filter((each) => each.startsWith('queue'))).toEqual(['queue zz', 'queue alive']);
  expect([...asked].filter((each) => each.startsWith('class'))).toHaveLength(500);
  expect([...asked].find((each) => each.startsWith('class'))).toBe('class zz');
});

import { describe, expect, test } from 'vitest';
import { ClassTotals } from '../../../pkg/observe/classTotals';
import { noCounts, type Durations, type MinuteCounts } from '../../../pkg/sidekiq/jobMetrics';
import { aMinute, listed, someTotals } from '../../support/state';

const MINUTE = 1_750_000_020 - (1_750_000_020 % 60);

const minute = (offset: number, processed: number, failed = 0, milliseconds = 0): MinuteCounts =>
  aMinute(MINUTE + offset * 60, { A: [processed, failed, milliseconds] });

function took(offset: number, count: number): Durations {
  return { startsAt: MINUTE + offset * 60, jobClass: 'A', counts: [count, ...noCounts().slice(1)] };
}

/** @param processed stat:processed, by default all that the minutes hold and a million before */
function look(
  totals: ClassTotals,
  seconds: number,
  minutes: MinuteCounts[],
  durations: Durations[] = [],
  processed: number | null = 1e6 +
    minutes.flatMap(({ classes }) => [...classes.values()]).reduce((sum, each) => sum + each.processed, 0)
): void {
  totals.observe({
    at: MINUTE + seconds,
    minutes: listed(...minutes),
    durations,
    totals: someTotals({ processed }),
  });
}

const total = (totals: ClassTotals) => totals.view().get('A');

test('it counts from the first look on, and every growth once', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5, 1, 100)], [took(0, 4)]);
  expect(total(totals)).toEqual({ processed: 0, failed: 0, milliseconds: 0, durations: noCounts(), lastRunAt: MINUTE });
  look(totals, 20, [minute(0, 8, 2, 160)], [took(0, 6)]);
  look(totals, 30, [minute(0, 8, 2, 160)], [took(0, 6)]);
  expect(total(totals)).toMatchObject({ processed: 3, failed: 1, milliseconds: 60 });
  expect(total(totals)!.durations).toEqual([2, ...noCounts().slice(1)]);
});

test('the minute after the first look counts whole', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)]);
  look(totals, 70, [minute(1, 4), minute(0, 5)], [took(1, 4)]);
  expect(total(totals)).toMatchObject({ processed: 4, lastRunAt: MINUTE + 60 });
  expect(total(totals)!.durations[0]).toBe(4);
});

test('a class that comes late into a minute of the first look has as many durations as executions', () => {
  const totals = new ClassTotals();
  const empty = [aMinute(MINUTE + 60, {}), aMinute(MINUTE, {})] as const;
  look(totals, 62, [...empty]);
  look(totals, 72, [empty[0], minute(0, 4, 0, 4000)], [took(0, 4)]);
  look(totals, 82, [minute(1, 3, 0, 3000), minute(0, 4, 0, 4000)], [took(0, 4), took(1, 3)]);
  expect(total(totals)).toMatchObject({ processed: 7, milliseconds: 7000 });
  expect(total(totals)!.durations[0]).toBe(7);
});

test('a late heartbeat into a past minute is not lost', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)]);
  look(totals, 70, [minute(1, 2), minute(0, 9)]);
  expect(total(totals)?.processed).toBe(6);
  // And it does not make the class run later than it did.
  look(totals, 80, [minute(1, 2), minute(0, 10)]);
  expect(total(totals)).toMatchObject({ processed: 7, lastRunAt: MINUTE + 60 });
});

test('a bucket that is refused or gone takes nothing away and is not counted again when it is back', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)], [], 1_000_007);
  look(totals, 20, [], [], 1_000_007);
  look(totals, 30, [minute(0, 7)], [], 1_000_007);
  expect(total(totals)?.processed).toBe(2);
});

test('a minute from before the count that was refused at first is a beginning too', () => {
  const totals = new ClassTotals();
  look(totals, 610, [minute(10, 1)]);
  look(totals, 620, [minute(10, 1), minute(3, 50)]);
  expect(total(totals)?.processed).toBe(0);
  look(totals, 630, [minute(10, 2), minute(3, 50)]);
  expect(total(totals)?.processed).toBe(1);
});

test('a minute that was refused after the count began is counted when it can be read', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)]);
  look(totals, 1210, [minute(20, 1)]);
  look(totals, 1220, [minute(20, 1), minute(5, 7)]);
  expect(total(totals)?.processed).toBe(8);
  look(totals, 1230, [minute(20, 1), minute(5, 7)]);
  expect(total(totals)?.processed).toBe(8);
});

test('after a flush the same minute counts from nothing', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 50)], [took(0, 50)]);
  look(totals, 20, [minute(0, 3)], [took(0, 3)], 3);
  look(totals, 30, [minute(0, 4)], [took(0, 4)], 4);
  expect(total(totals)?.processed).toBe(4);
  expect(total(totals)?.durations[0]).toBe(4);
  // Nothing is there yet after another one, then a bucket that is smaller than the one of before.
  look(totals, 40, [], [], 0);
  look(totals, 50, [minute(1, 1)], [], 1);
  look(totals, 60, [minute(1, 1), minute(0, 2)], [], 3);
  expect(total(totals)?.processed).toBe(4 + 1 + 2);
  // Where stat:processed may not be read, a bucket that shrank has begun anew.
  look(totals, 70, [minute(1, 5)], [], null);
  look(totals, 80, [minute(1, 3)], [], null);
  expect(total(totals)?.processed).toBe(7 + 4 + 3);
});

test('a master that has lost its last writes has run nothing by that, and goes on', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 300)], [took(0, 300)], 10_000_300);
  look(totals, 20, [minute(0, 320)], [took(0, 320)], 10_000_320);
  look(totals, 30, [minute(0, 300)], [took(0, 300)], 10_000_300);
  expect(total(totals)).toMatchObject({ processed: 20, durations: [20, ...noCounts().slice(1)] });
  look(totals, 40, [minute(0, 310)], [took(0, 310)], 10_000_310);
  expect(total(totals)).toMatchObject({ processed: 30, durations: [30, ...noCounts().slice(1)] });
  // An hour is gone, and with it the bucket of this minute: what runs from now on counts.
  look(totals, 70, [minute(1, 50), minute(0, 310)], [], 10_000_360);
  look(totals, 80, [], [], 9_900_000);
  look(totals, 90, [minute(1, 8)], [], 9_900_008);
  expect(total(totals)?.processed).toBe(30 + 50 + 8);
  // Others counted on meanwhile, so that the sum did not fall.
  look(totals, 100, [minute(1, 5)], [], 9_900_050);
  look(totals, 110, [minute(1, 9)], [], 9_900_060);
  expect(total(totals)?.processed).toBe(88 + 4);
});

test('a reset of the statistics touches no minutes', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 50)], [], 1000);
  look(totals, 20, [minute(0, 60)], [], 0);
  look(totals, 30, [minute(0, 65)], [], 5);
  expect(total(totals)?.processed).toBe(15);
});

test('buckets that the snapshots missed are absorbed once', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)]);
  const missed = [minute(0, 6), minute(30, 4)];
  totals.expect({ minutes: [...missed, ...missed], durations: [took(30, 4), took(30, 4)] });
  look(totals, 3600, [], [], 1_000_009);
  expect(total(totals)).toMatchObject({ processed: 5 });
  expect(total(totals)!.durations[0]).toBe(4);
});

test('a saved state goes on without loss and without counting twice', () => {
  const before = new ClassTotals();
  look(before, 10, [minute(0, 5)], [took(0, 5)]);
  look(before, 20, [minute(0, 6)], [took(0, 6)]);
  const after = new ClassTotals();
  after.restore(before.save());
  expect(after.lastAt).toBe(MINUTE + 20);
  expect(total(after)?.processed).toBe(1);
  look(after, 130, [minute(2, 1), minute(1, 4), minute(0, 7)], [took(2, 1), took(1, 4), took(0, 7)]);
  expect(total(after)?.processed).toBe(1 + 1 + 4 + 1);
  expect(total(after)?.durations[0]).toBe(7);
});

test('a saved state knows which minutes are done', () => {
  const before = new ClassTotals();
  look(before, 10, [minute(0, 5)]);
  look(before, 70, [minute(1, 3)]);
  look(before, 1000, [minute(16, 1)]);
  const after = new ClassTotals();
  after.restore(before.save());
  after.expect({ minutes: [minute(0, 5), minute(1, 3)], durations: [] });
  look(after, 1001, [minute(16, 1)]);
  expect(total(after)?.processed).toBe(4);
  // A minute of the eight hours that nobody saw counts.
  after.expect({ minutes: [minute(9, 2)], durations: [] });
  look(after, 1002, [minute(16, 1)]);
  expect(total(after)?.processed).toBe(6);
});

test('a view is not changed by later looks, and the same while nothing runs', () => {
  const totals = new ClassTotals();
  look(totals, 10, [minute(0, 5)]);
  const first = totals.view();
  look(totals, 20, [minute(0, 9)]);
  expect(first.get('A')?.processed).toBe(0);
  const second = totals.view();
  expect(second.get('A')?.processed).toBe(4);
  look(totals, 30, []);
  expect(totals.view()).toBe(second);
});

test('classes have any name, in the order in which they were first seen', () => {
  const names = ['toString', '10', '__proto__', '2'];
  const classes = new Map(names.map((name) => [name, { processed: 1, failed: 0, milliseconds: 0 }]));
  const totals = new ClassTotals();
  totals.observe({
    at: MINUTE,
    minutes: listed({ startsAt: MINUTE, classes, shapes: new Map() }),
    durations: [],
    totals: someTotals(),
  });
  expect([...totals.view().keys()]).toEqual(names);
});

test('a simulated month of ever new classes keeps some 20,000 and sixteen hours of minutes', () => {
  const totals = new ClassTotals();
  const steps = 30 * 1440;
  for (let step = 0; step < steps; step += 1) {
    const startsAt = MINUTE + step * 60;
    const bucket = aMinute(startsAt, { [`C${step}`]: [1, 0, 1], steady: [1, 0, 1] });
    totals.observe({
      at: startsAt + 30,
      minutes: listed(bucket),
      durations: [{ startsAt, jobClass: `C${step}`, counts: noCounts() }],
      totals: someTotals({ processed: 2 * step }),
    });
  }
  const size = totals.view().size;
  expect(size).toBeGreaterThanOrEqual(20_000);
  expect(size).toBeLessThanOrEqual(22_000);
  expect(totals.view().has(`C${steps - 1}`)).toBe(true);
  expect(totals.view().has('C0')).toBe(false);
  expect(totals.view().get('steady')?.processed).toBe(steps - 1);
  const saved = totals.save() as { minutes: unknown[]; durations: unknown[] };
  expect(saved.minutes).toHaveLength(16 * 60);
  expect(saved.durations.length).toBeLessThanOrEqual(6);
  expect(JSON.stringify(totals.save()).length).toBeLessThan(6_000_000);
});

test.each<[string, (saved: Record<string, unknown>) => unknown]>([
  ['no object', () => '{'],
  ['a part that is missing', ({ minutes: _, ...rest }) => rest],
  ['a total that is no number', (saved) => ({ ...saved, totals: [['A', { processed: '7' }]] })],
  ['a count below zero', (saved) => ({ ...saved, lastAt: -1 })],
  ['durations of another number of buckets', (saved) => ({ ...saved, durations: [[MINUTE, [['A', [1, 2]]]]] })],
])('a saved state with %s restores nothing, not even its sound half', (_, broken) => {
  const saved = new ClassTotals();
  look(saved, 10, [minute(0, 5)]);
  look(saved, 20, [minute(0, 9)]);
  const changed = broken(saved.save() as Record<string, unknown>);
  const restored = new ClassTotals();
  expect(() => restored.restore(changed)).toThrow();
  expect({ classes: restored.view().size, lastAt: restored.lastAt }).toEqual({ classes: 0, lastAt: 0 });
  // And it counts from here, as if nothing had been saved.
  look(restored, 30, [minute(0, 9)]);
  look(restored, 40, [minute(0, 11)]);
  expect(total(restored)?.processed).toBe(2);
});

test('two that began at the same moment count the same once one has taken over the counts of the other', () => {
  const [one, other] = [new ClassTotals(), new ClassTotals()];
  look(one, 10, [minute(0, 5)]);
  // Between the two first looks a hundred were executed, which one of them has counted.
  look(other, 15, [minute(0, 105)]);
  look(one, 20, [minute(0, 106)]);
  look(other, 25, [minute(0, 107)]);
  expect([total(one)!.processed, total(other)!.processed]).toEqual([101, 2]);
  const saved = () => JSON.parse(JSON.stringify(one.save())) as unknown;
  expect(other.adopt(saved())).toBe(true);
  expect(other.adopt(saved())).toBe(false);
  expect(one.adopt(other.save())).toBe(false);
  for (const totals of [one, other]) {
    look(totals, 70, [minute(1, 3), minute(0, 110)]);
    expect(total(totals)!.processed).toBe(101 + 4 + 3);
  }
  // What was saved long ago is of a process that is gone.
  const later = new ClassTotals();
  look(later, 600, [minute(10, 1)]);
  expect(later.adopt(saved())).toBe(false);
});

test('durations of the first minute that are read later do not count where the class had run before the first look', () => {
  const totals = new ClassTotals();
  look(totals, 10, [aMinute(MINUTE, { A: [5, 0, 50] })]);
  // The cap of what is read at once put them off; B ran after the first look.
  const ofB = { ...took(0, 2), jobClass: 'B' };
  look(totals, 20, [aMinute(MINUTE, { A: [5, 0, 50], B: [2, 0, 20] })], [took(0, 5), ofB]);
  expect(total(totals)!.durations[0]).toBe(0);
  expect(totals.view().get('B')).toMatchObject({ processed: 2 });
  expect(totals.view().get('B')!.durations[0]).toBe(2);
  look(totals, 30, [aMinute(MINUTE, { A: [7, 0, 70], B: [2, 0, 20] })], [took(0, 7), ofB]);
  expect(total(totals)).toMatchObject({ processed: 2 });
  expect(total(totals)!.durations[0]).toBe(2);
});

describe('a clock that steps', () => {
  /** The buckets of the last five minutes, of a class that runs ten times a minute, durations of the last two. */
  function live(totals: ClassTotals, seconds: number, done: (offset: number) => number): void {
    const now = Math.floor(seconds / 60);
    const offsets = [4, 3, 2, 1, 0].map((ago) => now - ago);
    const read = offsets.filter((offset) => done(offset) > 0);
    look(
      totals,
      seconds,
      offsets.map((offset) => (done(offset) > 0 ? minute(offset, done(offset)) : aMinute(MINUTE + offset * 60, {}))),
      read.slice(-2).map((offset) => took(offset, done(offset))),
      1e6
    );
  }
  const counted = (totals: ClassTotals) => [total(totals)?.processed, total(totals)?.durations[0]];

  test('back and forth over minutes that were counted counts them once', () => {
    const totals = new ClassTotals();
    for (let seconds = 0; seconds <= 1200; seconds += 60) {
      live(totals, seconds, (offset) => (offset >= 1 && offset <= 20 ? 10 : 0));
    }
    expect(counted(totals)).toEqual([200, 200]);
    // An hour back, and again after a minute: what ran meanwhile is counted, what was counted is not.
    live(totals, 600, (offset) => (offset >= 1 && offset <= 20 ? 10 : 0));
    for (let seconds = 660; seconds <= 1320; seconds += 60) {
      live(totals, seconds, (offset) => (offset >= 1 && offset <= 21 ? 10 : 0));
    }
    expect(counted(totals)).toEqual([210, 210]);
  });

  test('to before the count began goes on to count', () => {
    const totals = new ClassTotals();
    live(totals, 1200, () => 10);
    live(totals, 600, () => 10);
    live(totals, 610, (offset) => (offset === 10 ? 13 : 10));
    live(totals, 660, (offset) => (offset >= 10 ? 15 : 10));
    expect(counted(totals)).toEqual([20, 20]);
  });

  test('a day ahead and back counts the minutes that come then', () => {
    const totals = new ClassTotals();
    live(totals, 0, () => 0);
    for (let seconds = 86_400; seconds <= 87_600; seconds += 60) {
      live(totals, seconds, () => 0);
    }
    live(totals, 60, (offset) => (offset === 1 ? 10 : 0));
    live(totals, 86_460, (offset) => (offset === 1441 ? 7 : 0));
    expect(total(totals)).toMatchObject({ processed: 17 });
  });

  // A Redis whose clock is wrong becomes the master for some minutes.
  test.each([
    ['nine hours ahead', [32_400]],
    ['a day ahead, for ten minutes', [86_400, 87_000]],
    ['three and a half days ahead', [302_400]],
    ['an hour back, then a day ahead', [-3600, 86_400]],
  ])('%s and back counts what ran since the count began, once', (_what, steps) => {
    const totals = new ClassTotals();
    const before = (offset: number) => (offset <= 0 ? 90 : 0);
    live(totals, 0, before);
    live(totals, 20, (offset) => before(offset) + (offset === 0 ? 4 : 0));
    steps.forEach((step) => live(totals, step, (offset) => before(offset) + (offset === 0 ? 4 : 0)));
    live(totals, 40, (offset) => before(offset) + (offset === 0 ? 4 : 0));
    live(totals, 50, (offset) => before(offset) + (offset === 0 ? 10 : 0));
    live(totals, 100, (offset) => (offset === 1 ? 3 : before(offset) + (offset === 0 ? 10 : 0)));
    expect(counted(totals)).toEqual([13, 13]);
  });

  test('back, and a restart, count no minute twice', () => {
    const totals = new ClassTotals();
    for (let seconds = 0; seconds <= 1200; seconds += 60) {
      live(totals, seconds, (offset) => (offset >= 1 ? 10 : 0));
    }
    const before = counted(totals);
    live(totals, 600, (offset) => (offset >= 1 ? 10 : 0));
    const restarted = new ClassTotals();
    restarted.restore(JSON.parse(JSON.stringify(totals.save())));
    for (let seconds = 660; seconds <= 1200; seconds += 60) {
      live(restarted, seconds, (offset) => (offset >= 1 ? 10 : 0));
    }
    expect(counted(restarted)).toEqual(before);
  });
});

import { describe, expect, test } from 'vitest';
import { Usual } from '../../../pkg/outlook/usual';
import { anyZone, UTC } from '../../../pkg/sidekiq/schedule/zone';
import { coarser, KINDS, madeSeries } from '../../bench/seasons';

const DAY = 86_400;
/** A Monday. */
const MONDAY = Date.UTC(2026, 9, 5) / 1000;

const hours = (days: number, value: (at: number, index: number) => number, startsAt = MONDAY) => ({
  startsAt,
  seconds: 3600,
  values: Float64Array.from({ length: days * 24 }, (_, index) => value(startsAt + index * 3600, index)),
});
const hourOf = (at: number) => Math.floor(at / 3600) % 24;

describe('what is usual', () => {
  test('is told by the hour of the week after three weeks, of the day after two days, and before that not at all', async () => {
    const busyOnMondays = (at: number) =>
      (Math.floor((at - MONDAY) / DAY) % 7 === 0 ? 100 : 10) * (hourOf(at) < 12 ? 1 : 2);
    const week = await Usual.of(hours(21, busyOnMondays), UTC, false);
    expect(week.basis).toBe('week');
    const nextMonday = MONDAY + 21 * DAY;
    expect(week.at(nextMonday)!.usual).toBeCloseTo(100);
    expect(week.at(nextMonday + 13 * 3600)!.usual).toBeCloseTo(200);
    expect(week.at(nextMonday + DAY)!.usual).toBeCloseTo(10);
    const day = await Usual.of(hours(6, busyOnMondays, MONDAY + DAY), UTC, false);
    expect(day.basis).toBe('day');
    expect(day.at(MONDAY + 8 * DAY + 13 * 3600)!.usual).toBeCloseTo(20);
    const almost = hours(2, busyOnMondays);
    expect((await Usual.of({ ...almost, values: almost.values.slice(1) }, UTC, false)).basis).toBeNull();
    expect((await Usual.of(almost, UTC, false)).basis).toBe('day');
    const none = await Usual.of(hours(1, busyOnMondays), UTC, false);
    expect([none.basis, none.at(MONDAY), none.deviation(1, MONDAY, 1)]).toEqual([null, null, null]);
  });

  test('grows with a trend from week to week', async () => {
    const grown = (at: number) => 100 * 1.1 ** Math.floor((at - MONDAY) / (7 * DAY)) * (1 + hourOf(at));
    const usual = await Usual.of(hours(28, grown), UTC, false);
    // 1.1⁴ × 100 × 7.
    expect(usual.at(MONDAY + 28 * DAY + 6 * 3600)!.usual).toBeCloseTo(1024.87, 0);
  });

  test('follows a step within a day', async () => {
    const stepped = (at: number) => (at >= MONDAY + 27 * DAY ? 3 : 1) * (10 + hourOf(at));
    const usual = await Usual.of(hours(28, stepped), UTC, false);
    expect(usual.at(MONDAY + 28 * DAY)!.usual).toBeCloseTo(30, 0);
  });

  describe('of a queue into which a cron puts 300 jobs that are worked off in five minutes', () => {
    const SLOT = 300;
    const every = (seconds: number, jobs: (at: number) => number) => ({
      startsAt: MONDAY,
      seconds: SLOT,
      values: Float64Array.from({ length: (28 * DAY) / SLOT }, (_, index) => {
        const slotAt = MONDAY + index * SLOT;
        return slotAt % seconds < SLOT ? jobs(slotAt) : 0;
      }),
    });
    const next = MONDAY + 28 * DAY;

    // A series that repeats exactly has nothing unusual in it.
    test.each([900, 3600, 6 * 3600, DAY])(
      'every %i s, each time is usual, and three times as many are not',
      async (seconds) => {
        const usual = await Usual.of(
          every(seconds, () => 150),
          UTC,
          false
        );
        for (let slotAt = next; slotAt < next + DAY; slotAt += SLOT) {
          expect(usual.deviation(slotAt % seconds < SLOT ? 150 : 0, slotAt, 1)).toBe(0);
        }
        expect(usual.deviation(450, next, 1)).toBeGreaterThan(1);
      }
    );

    test('a burst that came in one of four weeks is not usual, neither then nor later', async () => {
      const once = await Usual.of(
        every(7 * DAY, (slotAt) => (slotAt < MONDAY + DAY ? 150 : 0)),
        UTC,
        false
      );
      expect(once.deviation(150, next, 1)).toBeGreaterThan(1);
      expect(once.deviation(150, MONDAY, 1)).toBeGreaterThan(1);
    });
  });

  test.each([0.05, 0.15, 0.35])(
    'of the first Monday is not that of a weekend with a share of %d of the work',
    async (share) => {
      const work = (at: number) => (Math.floor((at - MONDAY) / DAY) % 7 < 5 ? 1 : share) * (100 + 10 * hourOf(at));
      const monday = MONDAY + 7 * DAY;
      for (let hour = 0; hour < 24; hour += 1) {
        // Each hour it is learnt anew.
        const known = hours(7, work);
        const more = hours(8, work).values.slice(0, 7 * 24 + hour);
        const usual = await Usual.of({ ...known, values: more }, UTC, false);
        expect(usual.basis).toBe('day');
        const at = monday + hour * 3600;
        expect(usual.at(at)!.usual / work(at)).toBeCloseTo(1, 1);
      }
    }
  );

  test('leaves outages and gaps out', async () => {
    const odd = (at: number, index: number) =>
      index >= 480 && index < 490 ? 0 : index >= 200 && index < 230 ? NaN : 50;
    const usual = await Usual.of(hours(28, odd), UTC, false);
    for (const index of [200, 210, 485, 28 * 24 + 5]) {
      expect(usual.at(MONDAY + index * 3600)).toMatchObject({ usual: expect.closeTo(50), lower: expect.any(Number) });
      expect(usual.at(MONDAY + index * 3600)!.lower).toBeGreaterThan(45);
    }
    expect(usual.deviation(0, MONDAY + 485 * 3600, 1)).toBeLessThan(-5);
  });

  test('keeps to the wall clock when clocks are put back', async () => {
    // In Berlin it is UTC+2 until Sunday, 25 October 2026, and UTC+1 from then on.
    const end = MONDAY + 21 * DAY;
    const atNine = (at: number) => (hourOf(at + (at < Date.UTC(2026, 9, 25, 1) / 1000 ? 2 : 1) * 3600) === 9 ? 100 : 1);
    const berlin = await Usual.of(hours(21, atNine), anyZone('Europe/Berlin')!, false);
    expect(berlin.at(end + 8 * 3600)!.usual).toBeCloseTo(100);
    expect(berlin.at(end + 7 * 3600)!.usual).toBeCloseTo(1);
    const utc = await Usual.of(hours(21, atNine), UTC, false);
    expect(utc.at(end + 8 * 3600)!.usual).toBeCloseTo(1);
  });

  test('of a value in the past does not know that value, so that an incident does not explain itself', async () => {
    const incident = (_: number, index: number) => (index === 300 ? 1000 : 10 + (index % 7));
    const usual = await Usual.of(hours(28, incident), UTC, false);
    expect(usual.at(MONDAY + 300 * 3600)!.upper).toBeLessThan(30);
    expect(usual.deviation(1000, MONDAY + 300 * 3600, 1)).toBeGreaterThan(10);
  });

  test('leaves an outage out where only one other week is left', async () => {
    // In the first of three weeks nothing ran for an hour.
    const usual = await Usual.of(
      hours(21, (_, index) => (index === 30 ? 0 : 50)),
      UTC,
      false
    );
    expect(usual.at(MONDAY + (2 * 168 + 30) * 3600)!.usual).toBeCloseTo(50);
    // In the first of two days, for the day to come.
    const days = await Usual.of(
      hours(2, (_, index) => (index === 5 ? 0 : 50)),
      UTC,
      false
    );
    expect(days.at(MONDAY + (48 + 5) * 3600)!.usual).toBeCloseTo(50);
  });

  test('of an hour that was odd in two of three weeks is not what its own week says', async () => {
    // 10, 100 and 100: of the third the others are 10 and 100, whose roots have the mean 6.58.
    const odd = (_: number, index: number) => (index === 168 + 30 || index === 2 * 168 + 30 ? 100 : 10);
    const usual = await Usual.of(hours(21, odd), UTC, false);
    expect(usual.at(MONDAY + (2 * 168 + 30) * 3600)!.usual).toBeCloseTo(((Math.sqrt(10) + Math.sqrt(100)) / 2) ** 2, 6);
  });

  test.each([3, 4, 5, 6])(
    'of work that comes on half of the days is never more than what comes on such a day, after %i weeks',
    async (weeks) => {
      // Which days is a literal pattern, so that each weekday has weeks with and without.
      const comes = (at: number) =>
        '1100101 0101100 1010011 0110010 1001101 0011010'.replaceAll(' ', '')[(at - MONDAY) / DAY] === '1';
      const dayOf = (at: number) => at - ((at - MONDAY) % DAY);
      const usual = await Usual.of(
        hours(7 * weeks, (at, index) => (comes(dayOf(at)) ? 20 + hourOf(at) + (index % 3) / 2 : 0)),
        UTC,
        true
      );
      for (let at = MONDAY; at < MONDAY + 7 * weeks * DAY; at += 3600) {
        expect(usual.at(at)!.usual, new Date(at * 1000).toISOString()).toBeLessThan(1.1 * (21 + hourOf(at)));
      }
    }
  );

  test('is as wide as a count of that size spreads, though it never did', async () => {
    const usual = await Usual.of(
      hours(28, () => 0.01),
      UTC,
      true
    );
    // 36 an hour: two standard deviations are 12.
    const { lower, upper } = usual.at(MONDAY + 28 * DAY)!;
    expect(usual.at(MONDAY + 28 * DAY)!.usual).toBeCloseTo(0.01);
    expect(lower).toBeLessThanOrEqual(0.01);
    expect(upper).toBeGreaterThanOrEqual(0.01);
  });
});

describe('a deviation', () => {
  // Usual 100 to 110 in turns: the band holds both.
  const waves = (_: number, index: number) => (index % 2 === 0 ? 100 : 110);
  const at = MONDAY + 28 * DAY;

  test('counts widths of the band, below it negative, and is 0 within', async () => {
    const usual = await Usual.of(hours(28, waves), UTC, false);
    const { lower, upper } = usual.at(at)!;
    const width = Math.max(upper - lower, 0.1 * usual.at(at)!.usual);
    expect(usual.deviation(upper, at, 1)).toBe(0);
    // The band of the next hour, which lies 10 higher, is near enough.
    expect(usual.deviation(lower - 2 * width, at, 1)).toBeCloseTo(-2, 5);
    expect(usual.deviation(upper + 5 * width, at, 1)).toBeGreaterThan(3);
  });

  test('of the first job of a quiet queue is no more than that job', async () => {
    const usual = await Usual.of(
      hours(28, () => 0),
      UTC,
      false
    );
    expect(usual.deviation(1, at, 1)).toBeCloseTo(1, 3);
    expect(usual.deviation(1, at, 10)).toBeCloseTo(0.1, 3);
  });
});

describe('of simulated weeks with seasons, noise, a holiday, outages and gaps', () => {
  const outcome = async (seconds: number) => {
    let inside = 0;
    let hoursSeen = 0;
    let alarms = 0;
    const errors = { usual: 0, lastWeek: 0 };
    // Of one life chance decides; these are five of each kind.
    for (const [seed, kind] of [0, 1, 2, 3, 4].flatMap((life) =>
      KINDS.map((each, place): [number, typeof each] => [100 * life + place + 1, each])
    )) {
      const made = coarser(madeSeries(kind, { startsAt: MONDAY, seconds: 300, weeks: 6, seed }), seconds);
      const week = (7 * DAY) / seconds;
      const end = 5 * week;
      const usual = await Usual.of({ ...made, values: made.values.slice(0, end) }, UTC, true);
      for (let index = end; index < end + DAY / seconds; index += 1) {
        const value = made.values[index]!;
        const before = made.values[index - week]!;
        const slotAt = MONDAY + index * seconds;
        if (Number.isNaN(value) || Number.isNaN(before) || made.odd[index] === 1 || made.odd[index - week] === 1) {
          continue;
        }
        const band = usual.at(slotAt)!;
        hoursSeen += 1;
        inside += Number(value >= band.lower && value <= band.upper);
        alarms += Number(Math.abs(usual.deviation(value, slotAt, 1 / seconds)!) >= 1);
        errors.usual += Math.abs(value - band.usual) / kind.peak;
        errors.lastWeek += Math.abs(value - before) / kind.peak;
      }
    }
    return { share: inside / hoursSeen, alarms, scaled: errors.usual / errors.lastWeek };
  };

  test('the band holds about 95% of the day to come, and is nearer than the same hour of last week', async () => {
    const { share, alarms, scaled } = await outcome(300);
    expect(share).toBeGreaterThan(0.9);
    expect(share).toBeLessThan(0.99);
    expect(alarms).toBe(0);
    expect(scaled).toBeLessThan(0.95);
  });
});

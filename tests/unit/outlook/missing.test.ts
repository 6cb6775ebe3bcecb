import { describe, expect, test } from 'vitest';
import { regularity } from '../../../pkg/outlook/missing';
import { Usual } from '../../../pkg/outlook/usual';
import { UTC } from '../../../pkg/sidekiq/schedule/zone';

const HOUR = 3600;
const DAY = 24 * HOUR;
/** A Monday. */
const START = Date.UTC(2026, 10, 2) / 1000;

/** What is learnt of a class that runs at some instants, by hours and by five minutes. */
async function learnt(runs: readonly number[], days: number) {
  const slots = (seconds: number) => {
    const values = new Float64Array((days * DAY) / seconds);
    runs.forEach((at) => (values[Math.floor((at - START) / seconds)]! += 1 / seconds));
    return { startsAt: START, seconds, values };
  };
  return regularity(await Usual.of(slots(HOUR), UTC, true), slots(300));
}

describe('a class that runs once a day at the full hour', () => {
  const runs = Array.from({ length: 11 }, (_, day) => START + day * DAY + 2 * HOUR);
  const last = runs.at(-1)!;
  // Saturdays and Sundays are like other days: the second weekend is not seen yet, the first one was.
  test.each([
    [1, 0],
    [23, 0],
    [25, 0],
    [47, 0],
    [51, 1],
  ])('is, %d hours after it ran, told missing %d times', async (hours, times) => {
    const { missedSince } = await learnt(runs, 11);
    expect(missedSince(last, last + hours * HOUR) === null ? 0 : 1).toBe(times);
  });
});

test('of some days the longest pause may be how a class works; of weeks it may have been an outage', async () => {
  const everyTenMinutes = (from: number, to: number) =>
    Array.from({ length: (to - from) / 600 }, (_, index) => from + index * 600);
  // Once it rested for four hours.
  const rested = START + DAY + 10 * HOUR;
  const until = (days: number) => [
    ...everyTenMinutes(START, rested),
    ...everyTenMinutes(rested + 4 * HOUR, START + days * DAY),
  ];
  const missingAfter = async (days: number, hours: number) => {
    const end = START + days * DAY;
    return (await learnt(until(days), days)).missedSince(end - 600, end + hours * HOUR);
  };
  expect(await missingAfter(4, 3)).toBeNull();
  expect(await missingAfter(4, 6)).not.toBeNull();
  expect(await missingAfter(28, 3)).not.toBeNull();
});

describe('a class that has run for four weeks and no longer does', () => {
  const missedAfter = async (everySeconds: number, days: number) => {
    const gone = START + 28 * DAY;
    const runs = Array.from({ length: (28 * DAY) / everySeconds }, (_, index) => START + index * everySeconds);
    const { missedSince } = await learnt(runs, 28 + Math.floor(days));
    return missedSince(gone - everySeconds, gone - everySeconds + days * DAY);
  };

  test('is taken for removed after a week', async () => {
    expect((await missedAfter(600, 1))!.expected).toBeCloseTo(144, 5);
    expect(await missedAfter(600, 6.9)).not.toBeNull();
    expect(await missedAfter(600, 7.1)).toBeNull();
  });

  test('is missing for longer where it ran once a day', async () => {
    expect(await missedAfter(DAY, 7.1)).not.toBeNull();
  });
});

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import fc from '../../support/fastCheck';
import { secondsOfDuration } from '../../../pkg/sidekiq/schedule/duration';
import { nextRunOf, readSchedule, zonesOf } from '../../../pkg/sidekiq/schedule/schedule';
import { anyZone, fixedZone, UTC, zoneOf, type Zone } from '../../../pkg/sidekiq/schedule/zone';

interface Line {
  line: string;
  tz: string;
  cases: Array<[from: number, next: number[] | 'error']> | null;
  random?: number;
}

const read = <T>(name: string) => JSON.parse(readFileSync(join(__dirname, 'fugit', name), 'utf8')) as T;
const lines = read<Line[]>('cron.json');

/** Zones whose rules differ between the tzdata of Ruby and that of some Node, so that only data would be compared. */
const CHANGED =
  /Casablanca|El_Aaiun|Edmonton|Havana|Cuba|Inuvik|Rainy_River|Vancouver|Winnipeg|Yellowknife|Canada\/(?:Central|Mountain|Pacific)|Chisinau|Tiraspol/;

/** After clocks went forward by half an hour fugit passes over the fifth day. */
const PASSED_OVER = ['0 0 */2 * *', 'Australia/Lord_Howe', 1791036000].join();

/** The zone at the end of a line, or that of the process. */
function zoneOfEither(line: string, process: Zone): Zone {
  const schedule = readSchedule('cron', line, true);
  return (schedule?.kind === 'cron' && schedule.line.zone) || process;
}

/**
 * The next three runs as `next_time` chains them. It leaves out an instant at which the clocks show what those of the
 * process showed at the last one, before they were put back; the schedulers that poll do not.
 */
function chain(line: string, process: Zone, from: number): number[] {
  const schedule = readSchedule('cron', line, true)!;
  const zone = zoneOfEither(line, process);
  const found: number[] = [];
  let last = from;
  for (let at = from; found.length < 3;) {
    const next = nextRunOf(schedule, at, zonesOf([], process))?.nextAt;
    if (next === undefined) {
      break;
    }
    at = next;
    const shown = last + process.offsetAt(last) === next + zone.offsetAt(next);
    if (!(shown && zone.offsetAt(last) !== zone.offsetAt(next))) {
      found.push(next);
      last = next;
    }
  }
  return found;
}

test('lines that fugit refuses are refused, and those that it reads are read', () => {
  const wrong = lines.filter(({ line, cases }) => (readSchedule('cron', line, true) === null) !== (cases === null));
  expect(wrong.map(({ line, tz }) => [line, tz])).toEqual([]);
});

test('the next runs of each line are fugit’s, around changes of the clocks too', () => {
  const wrong: unknown[] = [];
  let compared = 0;
  for (const { line, tz, cases } of lines) {
    for (const [from, next] of cases ?? []) {
      if (next !== 'error' && !CHANGED.test(`${line} ${tz}`)) {
        compared += 1;
        const found = chain(line, zoneOf(tz)!, from);
        if (JSON.stringify(found) !== JSON.stringify(next) && [line, tz, from].join() !== PASSED_OVER) {
          wrong.push([line, tz, from, next, found]);
        }
      }
    }
  }
  expect(wrong).toEqual([]);
  expect(compared).toBeGreaterThan(3000);
});

// Of a last day that has 23 hours fugit takes the day before: Fugit.parse(line).next_time(from).to_i
test.each([
  ['0 9 L * * Europe/Berlin', Date.UTC(2030, 2, 2), 1901088000],
  ['0 9 L * * Europe/Berlin', Date.UTC(2029, 2, 2), 1869634800],
])('the last day of %s is fugit’s', (line, from, next) => {
  const schedule = readSchedule('cron', line, true)!;
  expect(nextRunOf(schedule, from / 1000, zonesOf([], UTC))?.nextAt).toBe(next);
});

test('a line whose next run fugit cannot find has none', () => {
  const raising = lines.flatMap(({ line, cases }) =>
    (cases ?? []).filter(([, next]) => next === 'error').map(([from]) => ({ line, from }))
  );
  expect(raising.length).toBeGreaterThan(0);
  const found = raising.filter(
    ({ line, from }) => nextRunOf(readSchedule('cron', line, true)!, from, zonesOf([], UTC)) !== null
  );
  expect(found).toEqual([]);
});

test('a line drawn by chance has no next run that could be told', () => {
  const random = lines.filter(({ random: isRandom }) => isRandom === 1);
  expect(random.length).toBeGreaterThan(0);
  expect(random.filter(({ line }) => readSchedule('cron', line, true)?.kind !== 'unknown')).toEqual([]);
});

test('sidekiq-scheduler takes no schedule in words', () => {
  expect(readSchedule('cron', 'every day at noon', true)).toMatchObject({ kind: 'cron' });
  expect(readSchedule('cron', 'every day at noon', false)).toBeNull();
});

test('durations are fugit’s', () => {
  const wrong = read<Array<{ text: string | number; seconds: number | null }>>('durations.json').filter(
    ({ text, seconds }) => secondsOfDuration(String(text)) !== seconds
  );
  expect(wrong).toEqual([]);
});

test('a text of 10,000 characters is refused at once', () => {
  const started = performance.now();
  for (const text of ['1,'.repeat(5000), 'every '.repeat(2000), '* '.repeat(5000), '9'.repeat(10_000)]) {
    readSchedule('cron', text, true);
    readSchedule('every', text, true);
  }
  expect(performance.now() - started).toBeLessThan(2000);
});

describe('the zone of an application', () => {
  const lineOf = (text: string) => {
    const schedule = readSchedule('cron', text, true)!;
    if (schedule.kind !== 'cron') {
      throw new Error('not a cron line');
    }
    return schedule;
  };
  const at = (text: string) => Date.parse(text) / 1000;
  const planned = (text: string, when: string) => ({ line: lineOf(text).line, at: at(when) });
  /** The next run and the first instant at which it is late. */
  const next = (text: string, last: string, ...runs: Array<ReturnType<typeof planned>>) => {
    const { nextAt, lateFrom } = nextRunOf(lineOf(text), at(last), zonesOf([planned(text, last), ...runs], null))!;
    return [nextAt, lateFrom].map((instant) => new Date(instant * 1000).toISOString().slice(0, 16));
  };

  test('is one of those in which the planned runs are runs, by their clocks then', () => {
    expect(zonesOf([], null).possible.length).toBeGreaterThan(50);
    expect(zonesOf([], null).assumed).toBe(zonesOf([], null).possible[0]);
    expect(zonesOf([], null).assumed.offsetAt(0)).toBe(0);
    const midnight = at('2026-11-27T00:00:00Z');
    const known = zonesOf([planned('0 9 * * *', '2026-11-27T00:00:00Z')], null);
    expect(new Set(known.possible.map((zone) => zone.offsetAt(midnight)))).toEqual(new Set([9 * 3600]));
    expect(zonesOf([], fixedZone(3600)).possible).toHaveLength(1);
  });

  // By fugit 08:00 UTC in Europe/Berlin, 07:00 in Africa/Johannesburg, 09:00 in Antarctica/Troll, which is two hours ahead in
  // summer and none in winter.
  test('is not one whose clocks are not put back, as long as others are possible', () => {
    expect(next('0 9 * * *', '2026-10-24T07:00:00Z')).toEqual(['2026-10-25T08:00', '2026-10-25T09:00']);
    expect(next('30 2 * * 1-5', '2026-10-23T00:30:00Z')).toEqual(['2026-10-26T01:30', '2026-10-26T02:30']);
    expect(next('0 9 1 * *', '2026-10-01T07:00:00Z')).toEqual(['2026-11-01T08:00', '2026-11-01T09:00']);
  });

  test('is known better by runs of both halves of a year, in any order', () => {
    const winter = planned('0 9 * * *', '2026-10-28T08:00:00Z');
    expect(next('0 9 1 * *', '2026-10-01T07:00:00Z', winter)).toEqual(['2026-11-01T08:00', '2026-11-01T08:00']);
    const summer = planned('0 9-17 L 1-6 *', '2026-06-30T15:00:00Z');
    // An hour of the same day where 16:00 UTC is not 17:00: late is what comes after all of them.
    expect(next('0 9-17 * * *', '2026-10-28T16:00:00Z', summer)[1]).toBe('2026-10-29T08:00');
  });

  test('is not sure by one run alone, whose line may have been changed since', () => {
    // An application in UTC, whose entry was moved from ten to eleven after it ran.
    const certain = (...runs: Array<ReturnType<typeof planned>>) =>
      nextRunOf(lineOf('0 11 * * *'), at('2026-11-29T10:00:00Z'), zonesOf(runs, null))!.certain;
    const moved = planned('0 11 * * *', '2026-11-29T10:00:00Z');
    const often = planned('*/15 * * * *', '2026-11-30T10:00:00Z');
    expect(certain(moved)).toBe(false);
    expect(certain(moved, often)).toBe(false);
    expect(certain(moved, planned('30 12 * * *', '2026-11-29T11:30:00Z'))).toBe(true);
    // What runs at the same instants in every zone needs none.
    expect(nextRunOf(lineOf('* * * * *'), at('2026-11-29T10:00:00Z'), zonesOf([], null))!.certain).toBe(true);
  });

  // fugit in Asia/Amman, whose clocks differed from those of Addis Ababa until 2022: by them weeks are counted.
  test('differs where weeks are counted otherwise', () => {
    const last = '2027-01-25T09:00:00Z';
    const zones = zonesOf([planned('0 12 * * mon%2', last), planned('15,45 3 * * *', '2027-01-25T00:15:00Z')], null);
    const late = nextRunOf(lineOf('0 12 * * mon%2'), at(last), zones)!.lateFrom;
    expect(late).toBeGreaterThanOrEqual(at('2027-02-08T09:00:00Z'));
  });

  test('is that of most runs, where the line of one was changed since', () => {
    const runs = ['0 9 * * *', '30 10 * * *'].map((text, index) =>
      planned(text, `2026-11-2${index}T0${8 + index}:${index}0:00Z`)
    );
    const other = runs.map(({ line }) => ({ line, at: at('2026-11-25T08:00:00Z') }));
    runs[1] = { line: runs[1]!.line, at: at('2026-11-21T09:30:00Z') };
    const changed = planned('0 4 * * *', '2026-11-26T09:17:00Z');
    const fitting = zonesOf(runs, null).possible;
    expect(fitting.every((zone) => zone.offsetAt(at('2026-11-21T09:30:00Z')) === 3600)).toBe(true);
    expect(zonesOf([changed, ...runs], null).possible).toEqual(fitting);
    expect(zonesOf([...runs, changed], null).possible).toEqual(fitting);
    expect(zonesOf([...other, changed], null).possible.length).toBeGreaterThan(0);
  });

  test('leaves the next run as it is until a run comes in any zone, or clocks are changed', () => {
    const LINES = ['0 0 L * *', '0 9 * * 1-5', '0 0 1 * mon%4&', '30 2 29 2 *', '*/7 3 * * *', '0 12 * * *'];
    const year = at('2026-01-01T00:00:00Z');
    fc.assert(
      fc.property(
        fc.constantFrom(...LINES),
        fc.integer({ min: 0, max: 366 * 86_400 }),
        fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
        fc.constantFrom(zonesOf([], null), zonesOf([planned('0 9 * * *', '2026-11-27T00:00:00Z')], null)),
        (text, seconds, share, zones) => {
          const asked = year + seconds;
          const told = nextRunOf(lineOf(text), asked, zones)!;
          const later = Math.min(asked + share * (told.sameUntil - asked), told.sameUntil - 0.5);
          expect(nextRunOf(lineOf(text), later, zones)).toMatchObject({
            nextAt: told.nextAt,
            lateFrom: told.lateFrom,
            certain: told.certain,
          });
          expect(told.sameUntil).toBeGreaterThan(asked);
        }
      ),
      { numRuns: 100 }
    );
  });

  test('is asked of a thousand entries within a tenth of a second', () => {
    const entries = Array.from({ length: 1000 }, (_, index) =>
      planned(
        `${index % 60} ${Math.floor(index / 60) % 24} * * *`,
        `2026-11-26T${String(Math.floor(index / 60) % 24).padStart(2, '0')}:${String(index % 60).padStart(2, '0')}:00Z`
      )
    );
    zonesOf(entries, null);
    const began = performance.now();
    const zones = zonesOf(entries, null);
    entries.forEach(({ line, at: last }) => nextRunOf({ kind: 'cron', line }, last, zones));
    // Of changed lines all zones are looked at.
    zonesOf([planned('0 4 * * *', '2026-11-26T09:17:00Z'), ...entries], null);
    expect(performance.now() - began).toBeLessThan(1000);
  });
});

// By Ruby's tzinfo with the database 2026f; the runtimes' own was older, and a run in Casablanca was late by an hour.
test.each([
  ['Africa/Casablanca', 1795993560, 0],
  ['America/Vancouver', 1795993560, -25200],
  ['Africa/Cairo', 1039387996, 7200],
  ['Africa/Cairo', 1365506503, 7200],
  ['Africa/Cairo', 2015526011, 7200],
  ['Africa/Cairo', 1381416242, 7200],
  ['Africa/Casablanca', 2000071574, 0],
  ['Africa/Casablanca', 1449053619, 0],
  ['Africa/Casablanca', 946712800, 0],
  ['Africa/Casablanca', 1406837080, 0],
  ['America/Edmonton', 1445664782, -21600],
  ['America/Edmonton', 1733708312, -25200],
  ['America/Edmonton', 1110331869, -25200],
  ['America/Edmonton', 1077883124, -25200],
  ['America/Havana', 1358900903, -18000],
  ['America/Havana', 1600875359, -14400],
  ['America/Havana', 1538348430, -14400],
  ['America/Havana', 995384152, -14400],
  ['America/Sao_Paulo', 1303652907, -10800],
  ['America/Sao_Paulo', 1081769246, -10800],
  ['America/Sao_Paulo', 1990969839, -10800],
  ['America/Sao_Paulo', 1151565466, -10800],
  ['America/Vancouver', 1049498696, -28800],
  ['America/Vancouver', 1044130793, -28800],
  ['America/Vancouver', 1702168874, -28800],
  ['America/Vancouver', 1602790586, -25200],
  ['Antarctica/Troll', 1067438497, 0],
  ['Antarctica/Troll', 1072371346, 0],
  ['Antarctica/Troll', 1196770653, 0],
  ['Antarctica/Troll', 1261557728, 0],
  ['Asia/Kathmandu', 1627475011, 20700],
  ['Asia/Kathmandu', 1964782112, 20700],
  ['Asia/Kathmandu', 1027053048, 20700],
  ['Asia/Kathmandu', 1095497731, 20700],
  ['Asia/Tehran', 966978293, 16200],
  ['Asia/Tehran', 1090652713, 16200],
  ['Asia/Tehran', 1506344608, 12600],
  ['Asia/Tehran', 1643893689, 12600],
  ['Australia/Lord_Howe', 1095215155, 37800],
  ['Australia/Lord_Howe', 1059693105, 37800],
  ['Australia/Lord_Howe', 1302960128, 37800],
  ['Australia/Lord_Howe', 1082698662, 37800],
  ['Europe/Berlin', 1406233066, 7200],
  ['Europe/Berlin', 1170232561, 3600],
  ['Europe/Berlin', 1252542290, 7200],
  ['Europe/Berlin', 1987886377, 3600],
  ['Pacific/Apia', 1972783013, 46800],
  ['Pacific/Apia', 1288145920, -36000],
  ['Pacific/Apia', 1726240642, 46800],
  ['Pacific/Apia', 1599908621, 46800],
])('the clocks of %s are as the database of zones has them', (name, at, seconds) => {
  expect(anyZone(name)!.offsetAt(at)).toBe(seconds);
});

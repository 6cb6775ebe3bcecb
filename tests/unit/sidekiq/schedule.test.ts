import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
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
    const next = nextRunOf(schedule, at, { assumed: process, possible: [process] })?.nextAt;
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
    ({ line, from }) => nextRunOf(readSchedule('cron', line, true)!, from, { assumed: UTC, possible: [UTC] }) !== null
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

test('the zone of the application is found by a planned run, up to a change of the clocks since', () => {
  const nine = readSchedule('cron', '0 9 * * *', true)!;
  if (nine.kind !== 'cron') {
    throw new Error('not a cron line');
  }
  const midnight = Date.UTC(2026, 10, 27) / 1000;
  const open = zonesOf([], null);
  expect(open.possible.length).toBeGreaterThan(20);
  const known = zonesOf([{ line: nine.line, at: midnight }], null);
  expect(known.possible.map((zone) => zone.offsetAt(midnight))).toEqual([9, 8, 10].map((hours) => hours * 3600));
  expect(zonesOf([], fixedZone(3600)).possible).toHaveLength(1);
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

import type { CronLine } from './cronLine';
import { FIRST_MONDAY, fixedZone, type Zone } from './zone';

const DAY = 86_400;
/** Steps that are tried at most: those of fugit, which gives up on a 30th of February. */
const STEPS = 4096;

/** A time as clocks show it, as the epoch seconds at which those of UTC do. */
type Local = number;

/**
 * The first instant after another at which a cron line runs, in epoch seconds; `null` where none comes for years. A time
 * that the clocks leave out does not come, and one that they repeat comes twice, as with fugit.
 *
 * @param zone of the application, where the line names none
 */
export function nextRun(line: CronLine, after: number, zone: Zone): number | null {
  const { offsetAt } = line.zone ?? zone;
  let at = Math.floor(after) + 1;
  for (let step = 0; step < STEPS; step += 1) {
    const offset = offsetAt(at);
    const local = at + offset;
    const target = nextCandidate(line, local, offsetAt);
    if (target === local) {
      return at;
    }
    at = clockReaches(target, at, offset, offsetAt);
  }
  return null;
}

/** Whether a line runs at an instant, by the clocks of a zone. */
export function runsAt(line: CronLine, at: number, { offsetAt }: Zone): boolean {
  const local = Math.floor(at) + offsetAt(Math.floor(at));
  return nextCandidate(line, local, offsetAt) === local;
}

/**
 * The same as {@link nextRun} in each of several zones. Until its clocks are changed a zone is one of a constant offset, of
 * which there are fewer.
 */
export function nextRuns(line: CronLine, after: number, zones: readonly Zone[]): Array<number | null> {
  // These look at other weeks, or at the end of the month.
  const looksFurther =
    line.monthdays?.some((day) => day < 1) === true || line.weekdays?.some(({ every }) => every !== undefined) === true;
  const byOffset = new Map<number, number | null>();
  return zones.map((zone) => {
    const offset = zone.offsetAt(Math.floor(after) + 1);
    let next = byOffset.get(offset);
    if (next === undefined) {
      next = nextRun(line, after, fixedZone(offset));
      byOffset.set(offset, next);
    }
    return looksFurther || next === null || zone.changesAfter(Math.floor(after)) <= next
      ? nextRun(line, after, zone)
      : next;
  });
}

/** The time itself where the line takes it, else a later one before which it takes none. */
function nextCandidate(line: CronLine, local: Local, offsetAt: Zone['offsetAt']): Local {
  const date = new Date(local * 1000);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  if (line.months !== null && !line.months.includes(month + 1)) {
    return Date.UTC(year, month + 1, 1) / 1000;
  }
  const dayStart = Math.floor(local / DAY) * DAY;
  if (!takesDay(line, date, offsetAt)) {
    return dayStart + DAY;
  }
  const hourStart = Math.floor(local / 3600) * 3600;
  if (line.hours !== null && !line.hours.includes(date.getUTCHours())) {
    return hourStart + 3600;
  }
  const minuteStart = Math.floor(local / 60) * 60;
  if (line.minutes !== null && !line.minutes.includes(date.getUTCMinutes())) {
    return minuteStart + 60;
  }
  if (line.seconds !== null && !line.seconds.includes(date.getUTCSeconds())) {
    const next = line.seconds.find((second) => second > date.getUTCSeconds());
    return next === undefined ? minuteStart + 60 : minuteStart + next;
  }
  return local;
}

function takesDay({ weekdays, monthdays, bothDays }: CronLine, date: Date, offsetAt: Zone['offsetAt']): boolean {
  const day = date.getUTCDate();
  const last = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  const byMonth = monthdays?.some((each) => (each < 1 ? lastDay(date, offsetAt) + 1 + each : each) === day) ?? true;
  const byWeek =
    weekdays?.some(({ day: weekday, place, every }) => {
      if (weekday !== date.getUTCDay()) {
        return false;
      }
      if (place !== undefined) {
        return place > 0 ? Math.ceil(day / 7) === place : -Math.ceil((last - day + 1) / 7) === place;
      }
      if (every !== undefined) {
        const weeks = Math.floor(daysSinceFirstMonday(date, offsetAt) / 7);
        return modulo(weeks, every.weeks) === modulo(every.rest, every.weeks);
      }
      return true;
    }) ?? true;
  return weekdays !== null && monthdays !== null && !bothDays ? byMonth || byWeek : byMonth && byWeek;
}

/**
 * The last day of a month as fugit counts it (`monthday_match?` of cron.rb): that of the instant 24 hours before the next month
 * begins. Of a last day that has 23 hours it is the day before.
 */
function lastDay(date: Date, offsetAt: Zone['offsetAt']): number {
  const next = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1) / 1000;
  const before = instantOf(next, offsetAt) - DAY;
  return new Date((before + offsetAt(before)) * 1000).getUTCDate();
}

/** Whole days that have passed between two noons: with clocks put forward between them it is one less. */
function daysSinceFirstMonday(date: Date, offsetAt: Zone['offsetAt']): number {
  const noon = Math.floor(date.getTime() / 1000 / DAY) * DAY + DAY / 2;
  return Math.floor((instantOf(noon, offsetAt) - instantOf(FIRST_MONDAY, offsetAt)) / DAY);
}

function instantOf(local: Local, offsetAt: Zone['offsetAt']): number {
  return local - offsetAt(local - offsetAt(local));
}

/** As Ruby has it: never below 0 for a positive divisor. */
function modulo(value: number, divisor: number): number {
  return divisor === 0 ? NaN : ((value % divisor) + divisor) % divisor;
}

/** Longest stretch that is looked over at once for a change of the clocks. */
const STRETCH = 7 * DAY;

/** The instant at which clocks show a time, or the one before it at which they are changed. */
function clockReaches(target: Local, from: number, offset: number, offsetAt: Zone['offsetAt']): number {
  const reached = target - offset;
  for (let same = from; same < reached;) {
    const next = Math.min(same + STRETCH, reached);
    if (offsetAt(next) !== offset) {
      return changeBetween(same, next, offset, offsetAt);
    }
    same = next;
  }
  return reached;
}

/** The first second with another offset than the first of two instants. */
function changeBetween(from: number, to: number, offset: number, offsetAt: Zone['offsetAt']): number {
  let same = from;
  let other = to;
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    [same, other] = offsetAt(middle) === offset ? [middle, other] : [same, middle];
  }
  return other;
}

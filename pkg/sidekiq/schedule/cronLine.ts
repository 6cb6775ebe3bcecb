import {
  either,
  firstNamed,
  list,
  named,
  optional,
  readWhole,
  sequence,
  strip,
  text,
  type Piece,
  type Rule,
} from './grammar';
import { zoneOfLine, type Zone } from './zone';

/** A day of the week, at which places of the month, or in which weeks counted from Monday 2018-12-31. */
export interface Weekday {
  /** 0 is Sunday. */
  readonly day: number;
  /** 1 is the first of the month, -1 the last. */
  readonly place?: number;
  readonly every?: { readonly weeks: number; readonly rest: number };
}

/** A cron line. A field that is `null` takes every value. */
export interface CronLine {
  readonly seconds: readonly number[] | null;
  readonly minutes: readonly number[] | null;
  readonly hours: readonly number[] | null;
  /** -1 is the last day of the month. */
  readonly monthdays: readonly number[] | null;
  readonly months: readonly number[] | null;
  readonly weekdays: readonly Weekday[] | null;
  /** A day must be of both fields; by default of either, where both are given. */
  readonly bothDays: boolean;
  /** `null` where the line names none: the zone of the application holds. */
  readonly zone: Zone | null;
  /** Some value is drawn by chance when the scheduler reads the line. */
  readonly random: boolean;
}

const SPECIALS: ReadonlyMap<string, string> = new Map([
  ['@yearly', '0 0 1 1 *'],
  ['@annually', '0 0 1 1 *'],
  ['@monthly', '0 0 1 * *'],
  ['@weekly', '0 0 * * 0'],
  ['@daily', '0 0 * * *'],
  ['@midnight', '0 0 * * *'],
  ['@noon', '0 12 * * *'],
  ['@hourly', '0 * * * *'],
]);

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const MONTHS = ['', 'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const LONGEST_MONTHS = [0, 31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

const SPACE = text('', /[ \t]+/);
const COMMA = text('', /,(?:[ \t]*,)*/);
const COMMAS = text('', /(?:[ \t]*,)*/);
const AND = text('', /&?/);
const STEP = text('step', /\/\d\d?/);
const HYPHEN = text('hyphen', /-/);
const TILDE = text('tilde', /~/);

/** `*`, a value or a range, with a step or without; or a step alone. */
function elementOf(value: Rule): Rule {
  const chance = sequence('', optional(value), TILDE, optional(value));
  const range = sequence('', value, optional(sequence('', HYPHEN, value)));
  return either('element', STEP, sequence('', either('', text('', /\*/), chance, range), optional(STEP)));
}

const MINUTE = text('value', /[0-5]?\d/);
const HOUR = text('value', /2[0-4]|[01]?[0-9]/);
const MONTHDAY = text('value', /-?(?:3[01]|[12][0-9]|0?[1-9])|last|l/i);
const MONTH = text('value', new RegExp(`1[0-2]|0?[1-9]|${MONTHS.slice(1).join('|')}`, 'i'));
const WEEKDAY = text('value', new RegExp(`[0-7]|${DAYS.join('|')}`, 'i'));
const WEEKDAY_ELEMENT = either(
  '',
  sequence('element', WEEKDAY, text('place', /#(?:-?[1-5]|last|l)/i)),
  sequence('element', WEEKDAY, text('weeks', /%\d+(?:\+\d+)?/)),
  elementOf(WEEKDAY)
);

const field = (name: string, element: Rule, ...after: Rule[]) =>
  sequence('', COMMAS, list(name, element, COMMA), COMMAS, ...after);
const ZONE = either(
  'zone',
  text('', / +[-+](?:[01][0-9]|2[0-4]):?(?:00|15|30|45)/),
  text('', / +[A-Z][a-zA-Z0-9+-]+(?:\/[A-Z][a-zA-Z0-9+\-_]+){0,2}/)
);
const FIVE = [
  field('minutes', elementOf(MINUTE), SPACE),
  field('hours', elementOf(HOUR), SPACE),
  field('monthdays', elementOf(MONTHDAY), AND, SPACE),
  field('months', elementOf(MONTH), SPACE),
  field('weekdays', WEEKDAY_ELEMENT, AND),
  optional(ZONE),
];
const LINE = either('', sequence('', field('seconds', elementOf(MINUTE), SPACE), ...FIVE), sequence('', ...FIVE));

/**
 * Reads a cron line as fugit does, by which sidekiq-cron and sidekiq-scheduler read theirs: five fields, or six with
 * seconds, names, `L`, `#2`, `%2+1`, `&`, ranges that go round, and a zone at the end (fugit's README, "fugit cron").
 *
 * @returns `null` for what fugit refuses
 */
export function parseCronLine(line: string): CronLine | null {
  const trimmed = strip(line);
  const [word = '', rest = ''] = trimmed.startsWith('@') ? trimmed.split(/\s+(.*)/s) : [];
  const plain = SPECIALS.get(word);
  const piece = readWhole(LINE, plain === undefined ? trimmed : `${plain}${rest === '' ? '' : ` ${rest}`}`);
  return piece && lineOf(piece);
}

function lineOf(piece: Piece): CronLine | null {
  const written = firstNamed(piece, 'zone')?.text.trim();
  const zone = written === undefined ? null : zoneOfLine(written);
  const seconds = firstNamed(piece, 'seconds');
  const fields = {
    seconds: seconds ? valuesOf(seconds, 0, 59) : [0],
    minutes: valuesOf(firstNamed(piece, 'minutes')!, 0, 59),
    hours: valuesOf(firstNamed(piece, 'hours')!, 0, 23),
    monthdays: valuesOf(firstNamed(piece, 'monthdays')!, 1, 31),
    months: valuesOf(firstNamed(piece, 'months')!, 1, 12),
  };
  const { monthdays, months } = fields;
  if (Object.values(fields).includes(undefined) || (written !== undefined && zone === null)) {
    return null;
  }
  const weekdays = weekdaysOf(firstNamed(piece, 'weekdays')!);
  if (mixesCounts(weekdays)) {
    return null;
  }
  const dates = datesThatExist(monthdays ?? null, months ?? null);
  return (
    dates && {
      seconds: fields.seconds ?? null,
      minutes: fields.minutes ?? null,
      hours: fields.hours?.map((hour) => hour % 24).sort(ascending) ?? null,
      ...dates,
      weekdays,
      bothDays: piece.text.includes('&'),
      zone,
      random: piece.text.includes('~'),
    }
  );
}

/** Whether one weekday is counted within the month and by weeks (`mon#1,mon%2`), which fugit cannot sort. */
function mixesCounts(weekdays: CronLine['weekdays']): boolean {
  return (weekdays ?? []).some(
    ({ day, place }) => place !== undefined && weekdays!.some((other) => other.day === day && other.every !== undefined)
  );
}

/** Days of months that have none of the number are left out; `null` where nothing is left. */
function datesThatExist(
  monthdays: readonly number[] | null,
  months: readonly number[] | null
): Pick<CronLine, 'monthdays' | 'months'> | null {
  if (monthdays === null || months === null) {
    return { monthdays, months };
  }
  const exists = (month: number, day: number) => day <= LONGEST_MONTHS[month]!;
  const left = {
    months: months.filter((month) => monthdays.some((day) => exists(month, day))),
    monthdays: monthdays.filter((day) => months.some((month) => exists(month, day))),
  };
  return left.months.length > 0 ? left : null;
}

interface Element {
  first: number | null;
  last: number | null;
  step: number | null;
}

function elementsOf(piece: Piece): Piece[] {
  return named(piece, 'element');
}

function boundsOf(piece: Piece): Element {
  const pieces = named(piece);
  const between = pieces.findIndex(({ name }) => name === 'hyphen' || name === 'tilde');
  const values = (some: Piece[]) =>
    some.filter(({ name }) => name === 'value').map(({ text: value }) => numberOf(value));
  const step = pieces.find(({ name }) => name === 'step')?.text.slice(1);
  const [before, after] = between < 0 ? [pieces, []] : [pieces.slice(0, between), pieces.slice(between + 1)];
  return {
    first: values(before)[0] ?? null,
    last: values(after)[0] ?? null,
    step: step === undefined ? null : Number(step),
  };
}

function numberOf(written: string): number {
  const name = written.toLowerCase();
  if (name.startsWith('l')) {
    return -1;
  }
  const month = MONTHS.indexOf(name);
  const day = DAYS.indexOf(name);
  return month > 0 ? month : day >= 0 ? day : Number(name);
}

/** Values of a field, `null` for all of them, `undefined` where an element has no meaning. */
function valuesOf(piece: Piece, least: number, most: number): number[] | null | undefined {
  const values = new Set<number>();
  let all = false;
  for (const element of elementsOf(piece)) {
    const found = expand(boundsOf(element), least, most);
    if (found === undefined) {
      return undefined;
    }
    all ||= found === null;
    found?.forEach((value) => values.add(value));
  }
  return all ? null : [...values].sort(ascending);
}

function expand({ first, last, step }: Element, least: number, most: number): number[] | null | undefined {
  if (step !== null && step < 1) {
    return undefined;
  }
  if (first === null && last === null && step === null) {
    return null;
  }
  if (first !== null && last === null && step === null) {
    return [first];
  }
  const from = first ?? least;
  const to = last === null || (last < 0 && from > 0) ? most : last;
  return runOf(from, to, step ?? 1, least, most);
}

/** From one value to another, round the end where the second is smaller; days from the end go from -31 to -1. */
function runOf(from: number, to: number, step: number, least: number, most: number): number[] | null | undefined {
  if (from === least && to === most && step === 1) {
    return null;
  }
  if (from < 0 !== to < 0 && from !== 0 && to !== 0) {
    return undefined;
  }
  const [lowest, highest] = from < 0 ? [-most, -1] : [least, most];
  const run = [from];
  let end = to;
  for (let value = from; value !== end;) {
    value += 1;
    if (value > highest) {
      value = lowest;
      end = end > highest ? end - highest - 1 : end;
    }
    run.push(value);
    if (run.length > 2 * most) {
      return undefined;
    }
  }
  return run.filter((_, index) => index % step === 0);
}

function weekdaysOf(piece: Piece): Weekday[] | null {
  const days = new Map<string, Weekday>();
  const add = (weekday: Weekday) => days.set(JSON.stringify(weekday), weekday);
  for (const element of elementsOf(piece)) {
    const { first, last, step } = boundsOf(element);
    const place = firstNamed(element, 'place')?.text.slice(1);
    const [, weeks, rest = '0'] = /%(\d+)(?:\+(\d+))?/.exec(firstNamed(element, 'weeks')?.text ?? '') ?? [];
    const day = (first ?? 0) % 7;
    if (place !== undefined) {
      add({ day, place: /^l/i.test(place) ? -1 : Number(place) });
    } else if (weeks !== undefined) {
      add({ day, every: { weeks: Number(weeks), rest: Number(rest) } });
    } else if (first !== null || last !== null || step !== null) {
      const from = first ?? 0;
      const to = last ?? (step === null ? from : (first ?? 6));
      for (let value = from; value <= (from > to ? to + 7 : to); value += Math.max(1, step ?? 1)) {
        add({ day: value % 7 });
      }
    }
  }
  return days.size === 0 ? null : [...days.values()];
}

function ascending(a: number, b: number): number {
  return a - b;
}

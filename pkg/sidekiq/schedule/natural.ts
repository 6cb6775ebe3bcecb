import {
  either,
  firstNamed,
  list,
  named,
  optional,
  readWhole,
  repeated,
  sequence,
  strip,
  text,
  type Piece,
} from './grammar';

/**
 * Schedules in words, as fugit reads them into cron lines: "every day at noon", "every monday and friday at 5:30 pm",
 * "from monday to friday at 9", "every 1st of the month" (fugit's README, "fugit nat"). sidekiq-cron takes these;
 * sidekiq-scheduler does not.
 */

const LONGEST = 256;

const UNITS = ['one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine'];
const TEENS = [
  'ten',
  'eleven',
  'twelve',
  'thirteen',
  'fourteen',
  'fifteen',
  'sixteen',
  'seventeen',
  'eighteen',
  'nineteen',
];
const TENS = ['twenty', 'thirty', 'forty', 'fifty'];
const TO_59 = ['zero', ...UNITS, ...TEENS, ...TENS.flatMap((ten) => [ten, ...UNITS.map((unit) => `${ten}-${unit}`)])];

const HOURS = new Map<string, number>([
  ...TO_59.slice(0, 13).map((name, value) => [name, value] as const),
  ['midnight', 0],
  ['oh', 0],
  ['noon', 12],
]);
const MINUTES = new Map<string, number>([
  ...TO_59.map((name, value) => [name, value] as const),
  ["o'clock", 0],
  ['hundred', 0],
]);

const DAYS = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];
const SHORT_DAYS = DAYS.map((day) => day.slice(0, 3));

const ORDINAL_WORDS =
  'first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first'.split(
    ' '
  );
const ORDINALS = new Map<string, number | 'L'>([
  ['1st', 1],
  ['2nd', 2],
  ['3rd', 3],
  ['21st', 21],
  ['22nd', 22],
  ['23rd', 23],
  ['31st', 31],
  ['last', 'L'],
  ...Array.from({ length: 27 }, (_, index) => [`${index + 4}th`, index + 4] as const),
  ...ORDINAL_WORDS.map((word, index) => [word, index + 1] as const),
]);

const oneOf = (names: Iterable<string>) => [...names].join('|');
const any = (name: string, names: Iterable<string>) => text(name, new RegExp(oneOf(names), 'i'));

const AND = text('', /[ \t]*and[ \t]+/i);
const AND_OR = text('', /[ \t]*(?:and|or)[ \t]+/i);
const AND_OR_COMMA = text('', /[ \t]*(?:,[ \t]*)?(?:(?:and|or)[ \t]+|,[ \t]*)/i);
const THE = text('', /[ \t]*the[ \t]+/i);
const TO = text('', /[ \t]*to[ \t]+/i);

const COUNT = text('count', /\d+/);
const ORDINAL = any('ordinal', ORDINALS.keys());
const WEEKDAY = text('weekday', new RegExp(`(?:${oneOf([...DAYS, ...SHORT_DAYS])})(?=$|[-, \\t])`, 'i'));
const ORDINAL_LIST = list('', ORDINAL, AND_OR_COMMA);
const WEEKDAYS = list('weekdays', WEEKDAY, AND_OR_COMMA);

const NOON = text('noon', /[ \t]*(?:am|AM|pm|PM|[Nn]oon|[Mm]idday|[Mm]idnight)/);
const NAMED_HOUR = sequence(
  'namedHour',
  any('hour', HOURS.keys()),
  optional(text('', /[ \t]*dark/i)),
  optional(sequence('', text('', /[ \t]+/), any('minute', MINUTES.keys()))),
  optional(NOON)
);
const DIGITAL_HOUR = sequence('digitalHour', text('time', /(?:2[0-4]|[0-1]?[0-9]):[0-5][0-9]/), optional(NOON));
const SIMPLE_HOUR = sequence('simpleHour', text('hour', /2[0-4]|1[0-9]|[0-9]/), optional(NOON));
const POINT = sequence(
  'point',
  text('unit', /(?:minutes?|mins?|seconds?|secs?|hours?|hou|h)[ \t]+/i),
  list('', COUNT, AND_OR_COMMA)
);
const AT_WHAT = either('', NAMED_HOUR, DIGITAL_HOUR, SIMPLE_HOUR, list('', POINT, AND_OR));
const AT = sequence('', optional(text('', /[ \t]*at[ \t]+/i)), list('', AT_WHAT, AND_OR_COMMA));

const TO_WEEKDAY = sequence('weekdayRange', WEEKDAY, text('', /[ \t]*-[ \t]*|[ \t]+(?:to|through)[ \t]+/i), WEEKDAY);
const FROM = sequence(
  '',
  optional(text('', /[ \t]*from[ \t]+/i)),
  list(
    '',
    either(
      '',
      TO_WEEKDAY,
      sequence('dayRange', optional(THE), ORDINAL, TO, optional(THE), ORDINAL),
      sequence('hourRange', AT_WHAT, TO, AT_WHAT)
    ),
    AND_OR
  )
);

const ON_MINUTES = sequence(
  'onMinutes',
  text('', /[ \t]*minute[ \t]+/i),
  text('minute', /[0-5]?[0-9]/),
  repeated(sequence('', AND_OR_COMMA, optional(text('', /[ \t]*minute[ \t]+/i)), text('minute', /[0-5]?[0-9]/)))
);
const ON = sequence(
  '',
  text('', /[ \t]*on[ \t]+/i),
  list(
    '',
    either(
      '',
      sequence('', text('', /[ \t]*days?[ \t]+/i), list('', text('monthday', /3[0-1]|[0-2]?[0-9]/), AND_OR_COMMA)),
      WEEKDAYS,
      ON_MINUTES,
      list('', sequence('', THE, ORDINAL_LIST), AND_OR_COMMA),
      text('onThe', /[ \t]*the[ \t]+(?:hour|minute)[ \t]*/i)
    ),
    AND
  )
);

const OFFSET = sequence(
  '',
  text('', /[ \t]*(?:starting[ \t]+at|from)[ \t]+/i),
  text('', /(?:second|minute|hour|day|month)s?[ \t]+/i),
  text('offset', /\d+/)
);
const INTERVAL = sequence(
  'interval',
  optional(COUNT),
  text('unit', /[ \t]*(?:seconds?|minutes?|hours?|days?|months?|sec|min|s|m|h|d|M)/),
  optional(OFFSET)
);
const EVERY = sequence(
  'every',
  text('', /[ \t]*every[ \t]+/i),
  list(
    '',
    either(
      '',
      list('', either('', TO_WEEKDAY, WEEKDAYS), AND_OR),
      sequence('', ORDINAL_LIST, text('', /[ \t]+of the month/)),
      INTERVAL,
      text('weekdayWord', /weekday/i),
      text('single', /(?:1[ \t]+)?(?:week|year)/)
    ),
    AND_OR
  )
);
const ZONE = sequence(
  '',
  optional(text('', /(?:in|on)[ \t]+/i)),
  text(
    'zone',
    /[A-Z][a-zA-Z0-9+-]+(?:\/[A-Z][a-zA-Z0-9+\-_]+){0,2}|Z|UTC|[-+](?:[01][0-9]|2[0-4])(?::?(?:00|15|30|45))?/
  )
);
const PHRASE = list('', either('', EVERY, FROM, AT, ZONE, ON), text('', /[ \t]+|[ \t]*,[ \t]*/));

type Key = 'time' | 'second' | 'hour' | 'monthday' | 'month' | 'weekday' | 'zone';
type Value = string | number;
/** How firmly a part stands against another of the same kind: of both its values, of one of them, or not. */
type Firmness = 0 | 1 | 'both' | undefined;

/** What a part of a phrase says of one or two fields of a cron line: of a time, hours and minutes. */
interface Part {
  key: Key;
  values: [Value | Value[], (Value | Value[] | undefined)?];
  weak?: Firmness;
  strong?: Firmness;
}

/**
 * The cron lines that a phrase stands for: one, or several where it names times that no single line can. `null` where it
 * is none that fugit reads.
 */
export function cronLinesOf(phrase: string): string[] | null {
  const trimmed = strip(phrase);
  if (trimmed === '') {
    return ['* * * * *'];
  }
  const piece = trimmed.length > LONGEST ? null : readWhole(PHRASE, trimmed);
  const parts = piece && partsOf(piece);
  return parts && linesOf(parts);
}

/** `null` for a range of hours whose minutes differ. */
function partsOf(piece: Piece): Part[] | null {
  const parts: Part[] = [];
  for (const each of named(piece)) {
    const made = each.name === 'every' ? firstOf(each) : partOf(each);
    if (made === null) {
      return null;
    }
    parts.push(...made);
  }
  return parts;
}

/** Of several things that come after one "every", fugit takes the first. */
function firstOf(every: Piece): Part[] | null {
  const [first] = named(every);
  return first ? partOf(first) : [];
}

function partOf(piece: Piece): Part[] | null {
  switch (piece.name) {
    case 'weekdays':
      return [{ key: 'weekday', values: [named(piece, 'weekday').map(weekdayOf)] }];
    case 'weekdayRange': {
      const [from, to] = named(piece, 'weekday').map(weekdayOf);
      return [{ key: 'weekday', values: [`${from}-${to}`] }];
    }
    case 'weekdayWord':
      return [{ key: 'weekday', values: ['1-5'], weak: 'both' }];
    case 'single':
      return /year/.test(piece.text)
        ? [
            { key: 'month', values: [1], weak: 'both' },
            { key: 'monthday', values: [1], weak: 'both' },
          ]
        : [{ key: 'weekday', values: [0], weak: 'both' }];
    case 'ordinal':
      return [{ key: 'monthday', values: [ORDINALS.get(piece.text.toLowerCase())!] }];
    case 'monthday':
      return [{ key: 'monthday', values: [Number(piece.text)] }];
    case 'dayRange': {
      const [from, to] = named(piece, 'ordinal').map(({ text: word }) => ORDINALS.get(word.toLowerCase())!);
      return [{ key: 'monthday', values: [`${from}-${to}`] }];
    }
    case 'hourRange': {
      const [from, to] = named(piece).map((each) => partOf(each)?.[0]);
      return from && to && String(from.values[1]) === String(to.values[1])
        ? [{ key: 'time', values: [`${String(from.values[0])}-${String(to.values[0])}`, 0], strong: 0 }]
        : null;
    }
    case 'namedHour':
    case 'digitalHour':
    case 'simpleHour':
      return [{ key: 'time', values: timeOf(piece) }];
    case 'point':
      return [pointOf(piece)];
    case 'onMinutes': {
      const minutes = named(piece, 'minute').map(({ text: minute }) => minute);
      return [{ key: 'time', values: ['*', minutes.join(',')], strong: 1 }];
    }
    case 'onThe':
      return [
        /hour/i.test(piece.text)
          ? { key: 'time', values: [0, '*'], strong: 0 }
          : { key: 'time', values: ['*', '*'], strong: 1 },
      ];
    case 'interval':
      return [intervalOf(piece)];
    case 'zone':
      return [{ key: 'zone', values: [piece.text] }];
    default:
      return [];
  }
}

function weekdayOf({ text: name }: Piece): number {
  return SHORT_DAYS.indexOf(name.slice(0, 3).toLowerCase());
}

function timeOf(piece: Piece): [Value | Value[], number] {
  const word = (name: string) => firstNamed(piece, name)?.text.trim().toLowerCase();
  const [digits, minutes] = (word('time') ?? '').split(':');
  const hour = digits || word('hour')!;
  const minute = minutes ?? word('minute') ?? '0';
  const noon = word('noon');
  // Read in any case, and known in lower case only.
  const value = HOURS.get(firstNamed(piece, 'hour')?.text.trim() ?? hour) ?? Number(hour);
  const shifted =
    noon === 'midnight' && value === 12
      ? 24
      : noon === 'pm' && value < 12
        ? value + 12
        : noon === 'am' && value === 12
          ? 0
          : value;
  return [Number.isNaN(shifted) ? [] : shifted, MINUTES.get(minute) ?? Number(minute)];
}

function pointOf(piece: Piece): Part {
  const unit = firstNamed(piece, 'unit')!.text.trim().toLowerCase()[0];
  const counts = named(piece, 'count').map(({ text: count }) => Number(count));
  if (unit === 'm') {
    return { key: 'time', values: ['*', counts], strong: 1 };
  }
  return { key: unit === 's' ? 'second' : 'hour', values: [counts] };
}

function intervalOf(piece: Piece): Part {
  const count = firstNamed(piece, 'count')?.text.trim() ?? '1';
  const unit = firstNamed(piece, 'unit')!.text.trim().slice(0, 3);
  const offset = firstNamed(piece, 'offset')?.text;
  const steps = offset !== undefined ? `${Number(offset)}/${count}` : count === '1' ? '*' : `*/${count}`;
  if (unit === 'M' || unit.toLowerCase() === 'mon') {
    return { key: 'month', values: [steps] };
  }
  switch (unit[0]!.toLowerCase()) {
    case 'd':
      return { key: 'monthday', values: [steps], weak: 'both' };
    case 'h':
      return { key: 'time', values: [steps, 0], weak: 1 };
    case 'm':
      return { key: 'time', values: ['*', steps], strong: 1 };
    default:
      return { key: 'second', values: [steps] };
  }
}

/** Two parts of one kind as one: the firmer stands, a range of hours loses its end to minutes, others add up. */
function joined(one: Part, other: Part): Part {
  return {
    key: one.key,
    values: [join(0, one, other) ?? [], join(1, one, other)],
  };
}

function join(index: 0 | 1, one: Part, other: Part): Value | Value[] | undefined {
  const [a, b] = [one.values[index], other.values[index]];
  if (a === undefined || b === undefined) {
    return a ?? b;
  }
  const range = index === 0 ? (other.strong === 1 && rangeOf(one)) || (one.strong === 1 && rangeOf(other)) : undefined;
  if (range) {
    const [from, to] = [range[0], range[1] - 1];
    return from === to ? from : `${from}-${to}`;
  }
  const is = (firmness: Firmness) => firmness === index || firmness === 'both';
  if (is(one.strong)) {
    return a;
  }
  if (is(other.strong)) {
    return b;
  }
  if (is(other.weak)) {
    return a;
  }
  if (is(one.weak)) {
    return b;
  }
  if (a === '*' && b === '*') {
    return ['*'];
  }
  return [...valuesOf(a), ...valuesOf(b)];
}

function valuesOf(values: Value | Value[]): Value[] {
  return values === '*' ? [] : arrayOf(values);
}

function arrayOf(values: Value | Value[] | undefined): Value[] {
  return values === undefined ? [] : Array.isArray(values) ? values : [values];
}

function rangeOf({ key, values: [hours, minutes] }: Part): [number, number] | undefined {
  const found = key === 'time' && minutes === 0 ? /^(\d+)-(\d+)$/.exec(String(hours)) : null;
  return found ? [Number(found[1]), Number(found[2])] : undefined;
}

function linesOf(parts: readonly Part[]): string[] | null {
  const byKey = new Map<Key, Part>();
  const times: Part[] = [];
  for (const part of parts) {
    const before = byKey.get(part.key);
    if (part.key === 'time') {
      times.push(part);
    } else {
      byKey.set(part.key, before ? joined(before, part) : part);
    }
  }
  const midnight: Part = { key: 'time', values: [0, 0] };
  if (byKey.has('monthday') || byKey.has('weekday')) {
    times.push(...(times.length === 0 ? [midnight] : []));
  } else if (byKey.has('month')) {
    times.push(...(times.length === 0 ? [midnight] : []));
    byKey.set('monthday', { key: 'monthday', values: [1] });
  }
  const field = (key: Key, fallback: Value): Value[] => {
    const part = byKey.get(key);
    return part ? arrayOf(part.values[0]) : [fallback];
  };
  const seconds = field('second', '0');
  const zone = byKey.get('zone');
  const found = hoursAndMinutes(times);
  if (found.some(([hours]) => new Set(hours.map((hour) => typeof hour)).size > 1)) {
    // "every 3 hours at 10:30": fugit sorts the hours, which it cannot.
    return null;
  }
  return found.map(([hours, minutes]) =>
    [
      ...(seconds.length === 1 && seconds[0] === '0' ? [] : [seconds]),
      minutes,
      hours,
      field('monthday', '*'),
      field('month', '*'),
      field('weekday', '*'),
      ...(zone ? [arrayOf(zone.values[0])] : []),
    ]
      .map(listed)
      .join(' ')
  );
}

/** Numbers in their order, then the rest. */
function listed(values: readonly Value[]): string {
  const place = (value: Value) => (typeof value === 'number' ? value : 999_999);
  return [...new Set(values)].sort((a, b) => place(a) - place(b)).join(',');
}

/** Times of the same minutes are one line, and so are those of the same hours. */
function hoursAndMinutes(times: readonly Part[]): Array<[Value[], Value[]]> {
  if (times.length === 0) {
    return [[['*'], ['*']]];
  }
  const left = [...times];
  for (let index = gradedOf(left); left.length > 1 && index >= 0; index = gradedOf(left)) {
    const graded = left[index]!;
    const [other] = left.splice(index === 0 ? 1 : index - 1, 1);
    left[left.indexOf(graded)] = joined(graded, other!);
  }
  const byMinute = new Map<Value, Value[]>();
  for (const { values } of left) {
    for (const minute of arrayOf(values[1])) {
      byMinute.set(minute, [...(byMinute.get(minute) ?? []), ...arrayOf(values[0])]);
    }
  }
  const byHours = new Map<string, [Value[], Value[]]>();
  for (const [minute, hours] of byMinute) {
    const sorted = [...hours].sort((a, b) => Number(a) - Number(b));
    const known = byHours.get(JSON.stringify(sorted));
    if (known) {
      known[1].push(minute);
    } else {
      byHours.set(JSON.stringify(sorted), [sorted, [minute]]);
    }
  }
  return [...byHours.values()];
}

function gradedOf(parts: readonly Part[]): number {
  return parts.findIndex(({ weak, strong }) => weak !== undefined || strong !== undefined);
}

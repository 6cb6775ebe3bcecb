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

const NUMBER = String.raw`(?:\d+\.\d*|(?:\d*\.)?\d+)`;
const unit = (name: string, letters: string, flags = '') => text(name, new RegExp(`${NUMBER} *${letters}`, flags));

/** Units of a duration as rufus and fugit write it, in the order in which they are tried. */
const ELEMENT = either(
  '',
  unit('year', 'y(?:ears?)?', 'i'),
  unit('month', '(?:M|months?)'),
  unit('week', 'w(?:eeks?)?', 'i'),
  unit('day', 'd(?:ays?)?', 'i'),
  unit('hour', 'h(?:ours?)?', 'i'),
  unit('minute', 'm(?:in(?:ute)?s?)?'),
  unit('second', 's(?:ec(?:ond)?)?s?', 'i'),
  text('second', /(?:\d+\.\d*|\.\d+|\d+)$/)
);
const PLAIN = list(
  '',
  sequence('signed', optional(text('sign', /[-+]/)), repeated(ELEMENT, 1)),
  text('', /(?:[ \t,]+|and)*/i)
);

const iso = (name: string, letter: string) => text(name, new RegExp(String.raw`-?\d+${letter}`));
const ISO_DATE = repeated(either('', iso('year', 'Y'), iso('month', 'M'), iso('week', 'W'), iso('day', 'D')), 1);
const ISO_TIME = repeated(either('', iso('hour', 'H'), iso('minute', 'M'), text('second', /-?(?:\d*\.)?\d+S/)), 1);
const ISO = sequence('', text('', /P/), optional(ISO_DATE), optional(sequence('', text('', /T/), ISO_TIME)));

const DAY = 86_400;
const SECONDS: Readonly<Record<string, number>> = {
  year: 365 * DAY,
  month: 30 * DAY,
  week: 7 * DAY,
  day: DAY,
  hour: 3600,
  minute: 60,
  second: 1,
};

/**
 * Seconds of a duration as fugit reads it: `1h30m`, `10 minutes and 5 seconds`, `PT5M`, `300`. A month has 30 days and a year
 * 365.
 *
 * @returns `null` where the text is no duration
 */
export function secondsOfDuration(duration: string): number | null {
  const trimmed = strip(duration);
  if (trimmed === '') {
    return 0;
  }
  const plain = readWhole(PLAIN, trimmed);
  if (plain) {
    return named(plain, 'signed').reduce(
      (total, each) => total + (firstNamed(each, 'sign')?.text === '-' ? -1 : 1) * sumOf(each),
      0
    );
  }
  const written = readWhole(ISO, trimmed.toUpperCase());
  return written && sumOf(written);
}

function sumOf(piece: Piece): number {
  return named(piece).reduce(
    (total, { name, text: amount }) => total + (SECONDS[name] ?? 0) * (Number.parseFloat(amount) || 0),
    0
  );
}

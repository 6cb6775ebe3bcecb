/** What a DogStatsD line reports; `type` is as on the wire. */
export interface StatsdLine {
  name: string;
  type: 'c' | 'g' | 'ms' | 'h' | 'd';
  values: number[];
  /** Share of the events that the sender reports, in (0, 1]. */
  rate: number;
  /** The tags as sent, without `#`: `queue:billing,worker:Bills::Job`. */
  tags: string;
}

/** A line that reports nothing this receiver keeps; `kind` says why. */
export type Unused = 'event' | 'check' | 'set' | 'blank';

/** What became of a line. */
export type Parsed = { line: StatsdLine } | { unused: Unused } | { malformed: string };

/**
 * Reads one line of DogStatsD:
 * `name:value[:value…]|type[|@rate][|#tag:value,…][|c:container][|T unix time][|e:…]`, in any order after the
 * type (docs.datadoghq.com, DogStatsD datagram format, protocols 1.0 to 1.3). Fields it does not know are passed
 * over, as the format asks. A counter that falls is refused: Prometheus would take that for a reset. Never throws.
 *
 * @param text a line without its end
 */
export function parseLine(text: string): Parsed {
  if (text === '') {
    return { unused: 'blank' };
  }
  if (text.startsWith('_')) {
    if (text.startsWith('_e{')) {
      return { unused: 'event' };
    }
    if (text.startsWith('_sc|')) {
      return { unused: 'check' };
    }
  }
  // Hot: hundreds of thousands of lines a second pass here, so there is no split and no pattern.
  const bar = text.indexOf('|');
  const marked = taggedName(text, bar);
  const colon = marked?.colon ?? text.indexOf(':');
  if (colon <= 0 || bar <= colon) {
    return { malformed: 'no "name:value|type"' };
  }
  let next = text.indexOf('|', bar + 1);
  const type = text.slice(bar + 1, next < 0 ? text.length : next);
  if (type === 's') {
    return { unused: 'set' };
  }
  if (type !== 'c' && type !== 'g' && type !== 'ms' && type !== 'h' && type !== 'd') {
    return { malformed: `unknown type "${type.slice(0, 20)}"` };
  }
  let rate = 1;
  let tags = marked?.tags ?? '';
  while (next >= 0) {
    const start = next + 1;
    next = text.indexOf('|', start);
    const end = next < 0 ? text.length : next;
    if (text[start] === '#') {
      const own = text.slice(start + 1, end);
      tags = tags === '' ? own : `${tags},${own}`;
    } else if (text[start] === '@') {
      rate = number(text.slice(start + 1, end));
      if (!(rate >= SMALLEST_RATE && rate <= 1)) {
        return { malformed: `sample rate outside ${SMALLEST_RATE} to 1` };
      }
    }
  }
  const values = numbers(text.slice(colon + 1, bar));
  if (!values.every((value) => Math.abs(value) <= LARGEST_VALUE)) {
    return { malformed: 'a value is no number, or too large' };
  }
  if (type === 'c' && values.some((value) => value < 0)) {
    return { malformed: 'a counter falls' };
  }
  const name = marked?.name ?? text.slice(0, colon);
  return { line: { name, type, values, rate, tags } };
}

/**
 * Tags in the name, as clients for other servers write them: `name,tag=value` (InfluxDB), `name#tag=value` (Librato),
 * `name[tag=value]` (SignalFx). A value may hold colons, so the last ones that stand before numbers end the name.
 */
function taggedName(text: string, bar: number): { name: string; tags: string; colon: number } | undefined {
  const end = bar < 0 ? text.length : bar;
  let mark = 0;
  for (; mark < end; mark += 1) {
    const code = text.charCodeAt(mark);
    if (code === COMMA || code === HASH || code === BRACKET) {
      break;
    }
  }
  if (mark === end) {
    return undefined;
  }
  const colon = colonBeforeNumbers(text, end);
  const close = text[mark] === '[' ? text.indexOf(']', mark) : colon;
  if (colon <= mark || close < 0 || close > colon) {
    return undefined;
  }
  const tags = text.slice(mark + 1, close).replace(/(^|,)([^,=]*)=/g, '$1$2:');
  return { name: text.slice(0, mark) + (text[mark] === '[' ? text.slice(close + 1, colon) : ''), tags, colon };
}

/** Where the values begin, each behind a colon; -1 where there are none. A pattern takes the square of the length. */
function colonBeforeNumbers(text: string, end: number): number {
  let found = -1;
  let digits = 0;
  for (let index = end - 1; index >= 0; index -= 1) {
    const character = text[index]!;
    if (character === ':') {
      if (digits === 0) {
        break;
      }
      found = index;
      digits = 0;
    } else if (OF_NUMBERS.includes(character)) {
      digits += 1;
    } else {
      break;
    }
  }
  return found;
}

const COMMA = 44;
const HASH = 35;
const BRACKET = 91;
const OF_NUMBERS = '0123456789+-.eE';

function numbers(text: string): number[] {
  return text.includes(':') ? text.split(':').map(number) : [number(text)];
}

function number(text: string): number {
  return DECIMAL.test(text) ? Number(text) : NaN;
}

/** A line stands for a million executions at most, so that no single one drowns the rest. */
const SMALLEST_RATE = 1e-6;
/** Up to here a sum of values stays exact. */
const LARGEST_VALUE = Number.MAX_SAFE_INTEGER;
/** No digit can be taken by two of its parts, so that a long text takes no longer than its length. */
const DECIMAL = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/;

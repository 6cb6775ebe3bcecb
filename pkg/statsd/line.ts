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
  const colon = text.indexOf(':');
  const bar = text.indexOf('|');
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
  let tags = '';
  while (next >= 0) {
    const start = next + 1;
    next = text.indexOf('|', start);
    const end = next < 0 ? text.length : next;
    if (text[start] === '#') {
      tags = text.slice(start + 1, end);
    } else if (text[start] === '@') {
      rate = number(text.slice(start + 1, end));
      if (!(rate > 0 && rate <= 1)) {
        return { malformed: 'sample rate outside (0, 1]' };
      }
    }
  }
  const values = numbers(text.slice(colon + 1, bar));
  if (!values.every(Number.isFinite)) {
    return { malformed: 'a value is no number' };
  }
  if (type === 'c' && values.some((value) => value < 0)) {
    return { malformed: 'a counter falls' };
  }
  return { line: { name: text.slice(0, colon), type, values, rate, tags } };
}

function numbers(text: string): number[] {
  return text.includes(':') ? text.split(':').map(number) : [number(text)];
}

function number(text: string): number {
  return DECIMAL.test(text) ? Number(text) : NaN;
}

const DECIMAL = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;

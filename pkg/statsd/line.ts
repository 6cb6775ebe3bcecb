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
 * over, as the format asks. Never throws.
 */
export function parseLine(text: string): Parsed {
  if (text === '') {
    return { unused: 'blank' };
  }
  if (text.startsWith('_e{')) {
    return { unused: 'event' };
  }
  if (text.startsWith('_sc|')) {
    return { unused: 'check' };
  }
  const bar = text.indexOf('|');
  const colon = text.indexOf(':');
  if (colon <= 0 || bar <= colon) {
    return { malformed: 'no "name:value|type"' };
  }
  const [type = '', ...fields] = text.slice(bar + 1).split('|');
  if (type === 's') {
    return { unused: 'set' };
  }
  if (type !== 'c' && type !== 'g' && type !== 'ms' && type !== 'h' && type !== 'd') {
    return { malformed: `unknown type "${type.slice(0, 20)}"` };
  }
  let rate = 1;
  let tags = '';
  for (const field of fields) {
    if (field.startsWith('#')) {
      tags = field.slice(1);
    } else if (field.startsWith('@')) {
      rate = number(field.slice(1));
      if (!(rate > 0 && rate <= 1)) {
        return { malformed: 'sample rate outside (0, 1]' };
      }
    }
  }
  const values = text
    .slice(colon + 1, bar)
    .split(':')
    .map(number);
  return values.some((value) => !Number.isFinite(value))
    ? { malformed: 'a value is no number' }
    : { line: { name: text.slice(0, colon), type, values, rate, tags } };
}

function number(text: string): number {
  return text.trim() === '' ? NaN : Number(text);
}

/** Tags as pairs, split at the first colon (`worker:Bills::Job`); a tag without a value has the value `''`. */
export function parseTags(tags: string): Array<[string, string]> {
  return tags
    .split(',')
    .filter((tag) => tag !== '')
    .map((tag) => {
      const colon = tag.indexOf(':');
      return colon < 0 ? [tag, ''] : [tag.slice(0, colon), tag.slice(colon + 1)];
    });
}

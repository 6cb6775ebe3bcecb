import { parse, stringify } from 'lossless-json';

/** Ruby reads JSON down to this depth (`max_nesting` of JSON.parse), and Sidekiq takes deeper entries for broken ones. */
const MOST_DEPTH = 100;
/** An integer of sixteen digits or more, which may be beyond 2^53. */
const LONG_INTEGER = /[\s:[,]-?\d{16}/;
/** A name that would change what the object is. */
const PROTOTYPE = '__proto__';

const [QUOTE, BACKSLASH, BRACKET, BRACE] = [34, 92, 91, 123] as const;

/**
 * A JSON text as Ruby reads it: integers beyond 2^53 are bigints, and of members with the same name the last one counts.
 *
 * @returns `undefined` for what is no JSON, and for what is nested deeper than Ruby reads
 */
export function parseJson(raw: string): unknown {
  if (isTooDeep(raw)) {
    return undefined;
  }
  try {
    return LONG_INTEGER.test(raw) && !raw.includes(PROTOTYPE)
      ? parse(raw, null, { parseNumber: numberFrom, onDuplicateKey: lastOne })
      : JSON.parse(raw);
  } catch {
    return undefined;
  }
}

/** The same with every number as it is written, for showing. @throws SyntaxError for what is no JSON */
export function parseAsWritten(raw: string): unknown {
  return parse(raw, null, { onDuplicateKey: lastOne });
}

/** A value that was read, as JSON. */
export function jsonOf(value: unknown): string {
  return stringify(value) ?? '';
}

const lastOne = ({ newValue }: { newValue: unknown }) => newValue;

function numberFrom(written: string): number | bigint {
  const number = Number(written);
  return Number.isInteger(number) && !Number.isSafeInteger(number) && /^-?\d+$/.test(written)
    ? BigInt(written)
    : number;
}

/** Whether a text is nested deeper than Ruby reads; a parser takes a hundred bytes for each level. */
export function isTooDeep(raw: string): boolean {
  // Nearly all texts have few brackets, which is found without a look at each character.
  if (opening(raw, '[') + opening(raw, '{') <= MOST_DEPTH) {
    return false;
  }
  let depth = 0;
  let isText = false;
  for (let index = 0; index < raw.length; index += 1) {
    const code = raw.charCodeAt(index);
    if (isText) {
      index += code === BACKSLASH ? 1 : 0;
      isText = code !== QUOTE;
    } else if (code === QUOTE) {
      isText = true;
    } else if (code === BRACKET || code === BRACE) {
      depth += 1;
      if (depth > MOST_DEPTH) {
        return true;
      }
    } else if (code === BRACKET + 2 || code === BRACE + 2) {
      depth -= 1;
    }
  }
  return false;
}

/** How often a bracket is opened, counted up to the depth that is too much. */
function opening(raw: string, bracket: string): number {
  let count = 0;
  for (let at = raw.indexOf(bracket); at >= 0 && count <= MOST_DEPTH; at = raw.indexOf(bracket, at + 1)) {
    count += 1;
  }
  return count;
}

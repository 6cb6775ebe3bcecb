import type { Value } from '../redis/readOnlyRedis';

const ESCAPE = /\\x([0-9a-f]{2})/g;
const NOT_UTF8 = '\ufffd';

/**
 * A name that users chose (queue, class, process), as text. Bytes that are no UTF-8 are written `\xff`, so that two
 * names never become one; a name that holds such text itself gets its backslash written `\x5c`.
 *
 * {@link nameBytes} gives the bytes back.
 */
export function nameOf(value: Value | undefined): string {
  if (!Buffer.isBuffer(value)) {
    return typeof value === 'number' ? String(value) : '';
  }
  const text = value.toString('utf8');
  if (text.includes(NOT_UTF8) && !Buffer.from(text).equals(value)) {
    return escapeBytes(value);
  }
  return escapedName(text);
}

/** The same for a name that comes as text, from JSON. */
export function escapedName(text: string): string {
  return text.includes('\\x') ? text.replace(ESCAPE, '\\x5cx$1') : text;
}

/** The bytes of a name as Redis has them: text where it is text. */
export function nameBytes(name: string): string | Buffer {
  if (!name.includes('\\x')) {
    return name;
  }
  const parts: Buffer[] = [];
  let end = 0;
  for (const match of name.matchAll(ESCAPE)) {
    parts.push(Buffer.from(name.slice(end, match.index)), Buffer.from(match[1]!, 'hex'));
    end = match.index + match[0].length;
  }
  return Buffer.concat([...parts, Buffer.from(name.slice(end))]);
}

/** A key made of a text and a name. */
export function keyOf(before: string, name: string, after = ''): string | Buffer {
  const bytes = nameBytes(name);
  return typeof bytes === 'string'
    ? `${before}${bytes}${after}`
    : Buffer.concat([Buffer.from(before), bytes, Buffer.from(after)]);
}

/** Valid sequences stay text; each other byte is written as `\\xhh`. */
function escapeBytes(bytes: Buffer): string {
  const parts: string[] = [];
  let valid = 0;
  const flush = (end: number) => parts.push(escapedName(bytes.toString('utf8', valid, end)));
  for (let at = 0; at < bytes.length;) {
    const length = sequenceLength(bytes, at);
    if (length === 0) {
      flush(at);
      parts.push(`\\x${bytes[at]!.toString(16).padStart(2, '0')}`);
      valid = at + 1;
    }
    at += Math.max(1, length);
  }
  flush(bytes.length);
  return parts.join('');
}

/** Bytes of the UTF-8 sequence that begins here; 0 where none does (RFC 3629). */
function sequenceLength(bytes: Buffer, at: number): number {
  const first = bytes[at]!;
  const length =
    first < 0x80
      ? 1
      : first >= 0xc2 && first < 0xe0
        ? 2
        : first >= 0xe0 && first < 0xf0
          ? 3
          : first >= 0xf0 && first < 0xf5
            ? 4
            : 0;
  if (length === 0 || at + length > bytes.length) {
    return 0;
  }
  const text = bytes.toString('utf8', at, at + length);
  return Buffer.from(text).equals(bytes.subarray(at, at + length)) ? length : 0;
}

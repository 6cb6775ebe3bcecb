import { expect, test } from 'vitest';
import { KnownLines } from '../../../pkg/statsd/knownLines';

const packetOf = (text: string) => Buffer.from(text);

/** Keeps a line, then looks at another. */
function lookAfter(before: string, text: string) {
  const lines = new KnownLines<string>();
  lines.look(packetOf(before), 0);
  lines.keep(packetOf(before), 0, before);
  const isKnown = lines.look(packetOf(text), 0);
  return { isKnown, value: lines.value, kept: lines.kept };
}

test.each([
  ['a:1|c|#t:x', 'a:26.468|c|#t:x', 26.468],
  ['a:1|c', 'a:0|c', 0],
  ['a:1|c', 'a:007.250|c', 7.25],
  ['a:1|c', 'a:999999999999999|c\nb:1|c', 999_999_999_999_999],
  ['a:1|c', 'a:0.1|c', 0.1],
])('after %j the line %j is known, with its value', (before, text, value) => {
  expect(lookAfter(before, text)).toEqual({ isKnown: true, kept: before, value });
});

test.each([
  ['a:1|c', 'b:1|c'],
  ['a:1|c', 'a:1|g'],
  ['a:1|c', 'a:1|c|#t:x'],
  ['a:1|c|#t:x', 'a:1|c|#t:y'],
  ['a:1|c', 'a:1'],
  ['a:1|c', 'a'],
  ['a:1|c', ''],
  // Values that a whole line is read for.
  ['a:1|c', 'a:-1|c'],
  ['a:1|c', 'a:1e3|c'],
  ['a:1|c', 'a:1:2|c'],
  ['a:1|c', 'a:|c'],
  ['a:1|c', 'a:.5|c'],
  ['a:1|c', 'a:1.2.3|c'],
  ['a:1|c', 'a:1234567890123456|c'],
  // What stands before the first colon is not the whole name there.
  ['a#t=b:c:1|c', 'a#t=b:1|c'],
  ['a:1:2|c', 'a:1|c'],
])('after %j the line %j is not known', (before, text) => {
  expect(lookAfter(before, text).isKnown).toBe(false);
});

test('lines of one packet are found one after the other', () => {
  const lines = new KnownLines<string>();
  const packet = packetOf('a:1|c\n\nb:22|ms');
  const ends: number[] = [];
  for (let start = 0; start < packet.length; start = lines.end + 1) {
    lines.look(packet, start);
    ends.push(lines.end);
  }
  expect(ends).toEqual([5, 6, 14]);
});

test('two lines of the same hash are told apart', () => {
  const [one, other] = collision();
  expect(lookAfter(one, other).isKnown).toBe(false);
  expect(lookAfter(one, one)).toMatchObject({ isKnown: true, kept: one });
});

test('the number of lines is bounded, and long ones are not kept', () => {
  const lines = new KnownLines<number>();
  const isKnown = (text: string) => lines.look(packetOf(text), 0);
  const keep = (text: string) => {
    isKnown(text);
    lines.keep(packetOf(text), 0, 1);
  };
  Array.from({ length: 20_000 }, (_, index) => keep(`w${index}:1|c`));
  expect(isKnown('w0:1|c')).toBe(true);
  keep('one more:1|c');
  expect([isKnown('w0:1|c'), isKnown('one more:1|c')]).toEqual([false, true]);
  const long = `${'x'.repeat(512)}:1|c`;
  keep(long);
  expect(isKnown(long)).toBe(false);
});

/** Two lines whose hash (FNV-1a of 32 bits, without the value) is the same. */
function collision(): [string, string] {
  const seen = new Map<number, string>();
  for (let index = 0; ; index += 1) {
    const name = `w${index}`;
    const hash = Buffer.from(`${name}|c`).reduce((sum, byte) => Math.imul(sum ^ byte, 0x01000193), 0x811c9dc5 | 0);
    const before = seen.get(hash);
    if (before?.length === name.length) {
      return [`${before}:1|c`, `${name}:1|c`];
    }
    seen.set(hash, name);
  }
}

import { expect, test } from 'vitest';
import { escapedName, keyOf, nameBytes, nameOf } from '../../../pkg/sidekiq/name';
import fc, { runs } from '../../support/fastCheck';

test.each([
  ['plain text', Buffer.from('UPPER Case'), 'UPPER Case'],
  ['an emoji', Buffer.from('🚀'), '🚀'],
  ['bytes that are no UTF-8', Buffer.from([0xff, 0xfe]), '\\xff\\xfe'],
  ['other such bytes', Buffer.from([0xff, 0xfd]), '\\xff\\xfd'],
  ['text around such a byte', Buffer.from([0x61, 0xff, 0x62]), 'a\\xffb'],
  ['a sequence that is cut', Buffer.from([0xf0, 0x9f, 0x9a]), '\\xf0\\x9f\\x9a'],
  ['a surrogate', Buffer.from([0xed, 0xa0, 0x80]), '\\xed\\xa0\\x80'],
  ['an overlong sequence', Buffer.from([0xc0, 0x80]), '\\xc0\\x80'],
  ['the replacement character itself', Buffer.from('\ufffd'), '\ufffd'],
  ['text that looks like an escape', Buffer.from('\\xff'), '\\x5cxff'],
  ['such text beside such a byte', Buffer.concat([Buffer.from('\\xff'), Buffer.from([0xff])]), '\\x5cxff\\xff'],
  ['a backslash', Buffer.from('a\\b'), 'a\\b'],
  ['nothing', Buffer.alloc(0), ''],
])('%s is a name that gives its bytes back', (_what, bytes, name) => {
  expect(nameOf(bytes)).toBe(name);
  expect(Buffer.from(nameBytes(name))).toEqual(bytes);
});

test('what is no bytes is a name too', () => {
  expect(nameOf(7)).toBe('7');
  expect(nameOf(null)).toBe('');
  expect(nameOf(undefined)).toBe('');
  expect(nameOf([])).toBe('');
});

test('a name is text where it can be, so that keys of usual names cost nothing', () => {
  expect(nameBytes('default')).toBe('default');
  expect(keyOf('queue:', 'default')).toBe('queue:default');
  expect(keyOf('', 'a', ':work')).toBe('a:work');
  expect(keyOf('queue:', '\\xff', '!')).toEqual(Buffer.from([...Buffer.from('queue:'), 0xff, 0x21]));
});

test('any bytes are told apart and given back', () => {
  const bytes = fc.uint8Array({ maxLength: 40 }).map((array) => Buffer.from(array));
  const text = fc.string({ unit: 'binary' }).map((each) => Buffer.from(each));
  const escape = fc.constantFrom('\\xff', '\\x5c', '\\x', '\\\\x41').map((each) => Buffer.from(each));
  const any = fc.array(fc.oneof(bytes, text, escape), { maxLength: 4 }).map((parts) => Buffer.concat(parts));
  fc.assert(
    fc.property(any, any, (a, b) => {
      expect(Buffer.from(nameBytes(nameOf(a))).equals(a)).toBe(true);
      expect(nameOf(a) === nameOf(b)).toBe(a.equals(b));
    }),
    { numRuns: runs(3000) }
  );
});

test('a name from JSON is the same as that from bytes', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      expect(escapedName(text)).toBe(nameOf(Buffer.from(text)));
    })
  );
  expect(escapedName('\\xff')).toBe('\\x5cxff');
});

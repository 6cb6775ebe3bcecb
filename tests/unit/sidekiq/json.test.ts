import { describe, expect, test } from 'vitest';
import { jsonOf, parseAsWritten, parseJson } from '../../../pkg/sidekiq/json';

const nested = (depth: number, inner = '') => `${'['.repeat(depth)}${inner}${']'.repeat(depth)}`;

// What Ruby 3.1 says: JSON.parse(text)
describe('JSON is read as Ruby reads it:', () => {
  test.each([
    ['{"a":1,"a":2}', { a: 2 }],
    ['{"a":12345678901234567890,"a":2}', { a: 2 }],
    ['{"id":9007199254740991}', { id: 9007199254740991 }],
    ['{"id":9007199254740993}', { id: 9007199254740993n }],
    [
      '[-1234567890123456789, 1e21, 1795633285.123456, 0.12345678901234567]',
      [-1234567890123456789n, 1e21, 1795633285.123456, 0.12345678901234567],
    ],
    ['{"jid":"1234567890123456789"}', { jid: '1234567890123456789' }],
    ['{', undefined],
    ['', undefined],
    ['{"a":1234567890123456789', undefined],
  ])('%s', (text, value) => {
    expect(parseJson(text)).toEqual(value);
  });

  test('down to a depth of a hundred, whatever stands in texts', () => {
    expect(parseJson(nested(100, '7'))).toBeDefined();
    expect(parseJson(nested(101, '7'))).toBeUndefined();
    expect(parseJson(`{"a":${nested(99)}}`)).toBeDefined();
    expect(parseJson(`{"a":${nested(100)}}`)).toBeUndefined();
    expect(parseJson(nested(1_000_000))).toBeUndefined();
    expect(parseJson(JSON.stringify([nested(5000), '\\"[[['.repeat(200)]))).toBeDefined();
    expect(parseJson(`[${new Array(500).fill('{"a":[1]}').join()}]`)).toHaveLength(500);
  });

  test('a name that is a prototype’s changes none', () => {
    const read = parseJson('{"__proto__":{"class":"X"},"id":1234567890123456789}') as Record<string, unknown>;
    expect(read['class']).toBeUndefined();
    expect(Object.keys(read)).toEqual(['__proto__', 'id']);
  });
});

test('what was read is written with its digits', () => {
  expect(jsonOf(parseJson('{"a":[1234567890123456789,null,"x"]}'))).toBe('{"a":[1234567890123456789,null,"x"]}');
  expect(jsonOf(parseAsWritten('{"a":1.0,"a":1.50}'))).toBe('{"a":1.50}');
});

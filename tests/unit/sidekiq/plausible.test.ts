import { expect, test } from 'vitest';
import { countOf, instantOf, numberOf, secondsOf, utcDate } from '../../../pkg/sidekiq/plausible';
import fc, { runs } from '../../support/fastCheck';

const AT = 1741944411; // 2025-03-14 09:26:51 UTC

test.each([
  [AT + 0.25, AT + 0.25],
  [AT * 1000 + 250, AT + 0.25],
  ['1741944411.25', AT + 0.25],
  ['1741944411250', AT + 0.25],
  ['2025-03-14T09:26:51Z', AT],
  ['2025-03-14T09:26:51.500Z', AT + 0.5],
  ['2025-03-14 09:26:51 UTC', AT],
  ['2025-03-14 09:26:51 +0000', AT],
  ['2025-03-14 10:26:51 +0100', AT],
  ['2025-03-14 09:26:51', AT],
  ['2025-03-14T09:26', AT - 51],
  // DateTime.parse of Ruby 3.1
  ['Fri, 14 Mar 2025 09:26:51 +0000', AT],
  ['Fri, 14 Mar 2025 09:26:51 GMT', AT],
  ['14 Mar 2025 10:26:51 +0100', AT],
  ['20250314T092651Z', AT],
  ['2025/03/14 09:26:51', AT],
  ['2025-03-14', AT - 51 - 26 * 60 - 9 * 3600],
  ['Fri Mar 14 09:26:51 UTC 2025', AT],
  ['Sat Mar  1 09:26:51 UTC 2025', AT - 13 * 86_400],
  ['2025-03/14 09:26:51', null],
  ['Fri, 14 Foo 2025 09:26:51 GMT', null],
  [' 2025-03-14T09:26:51Z ', AT],
  [946_684_800, 946_684_800],
  [946_684_799, null],
  [4_102_444_799, 4_102_444_799],
  [4_102_444_800, null],
  [4_102_444_800_000, null],
  [99_999_999_999, null],
  [100_000_000_000, null],
  [0, null],
  [-5, null],
  [null, null],
  [undefined, null],
  [true, null],
  [{}, null],
  [[AT], null],
  ['', null],
  ['soon', null],
  ['1', null],
  ['2025-13-45T99:99:99Z', null],
  ['March 14 2025', null],
  ['0x67d3f4db', null],
  [Infinity, null],
  [NaN, null],
])('the instant %o of a payload is %o in epoch seconds', (value, expected) => {
  expect(instantOf(value)).toBe(expected);
});

test.each([
  [AT, AT],
  ['1741944411.5', AT + 0.5],
  // A score in milliseconds is the year 57,000: Sidekiq reads seconds and would never run it.
  [AT * 1000, null],
  // The year 2640.
  [21161548820, null],
  ['+inf', null],
  ['2025-03-14T09:26:51Z', null],
  [null, null],
])('the score %o is %o: scores are seconds in every version', (value, expected) => {
  expect(secondsOf(value)).toBe(expected);
});

test.each([
  [7, 7],
  ['7', 7],
  [0, 0],
  ['0', 0],
  ['-0', 0],
  [-1, null],
  ['-3', null],
  [1.5, null],
  ['1.5', null],
  ['7.0', null],
  ['1e3', null],
  ['12abc', null],
  ['0x10', null],
  [' 7', null],
  ['', null],
  [null, null],
  [undefined, null],
  [Infinity, null],
  [NaN, null],
  [true, null],
  [[3], null],
])('the count %o is %o', (value, expected) => {
  expect(countOf(value)).toEqual(expected === 0 ? expect.closeTo(0) : expected);
});

test.each([
  ['1.5', 1.5],
  ['-2e3', -2000],
  ['1E+2', 100],
  [3, 3],
  ['1e400', null],
  ['.5', null],
  ['5.', null],
  ['1_000', null],
  ['NaN', null],
  [NaN, null],
  ['', null],
])('the number %o is %o', (value, expected) => {
  expect(numberOf(value)).toBe(expected);
});

test('whatever is written, an instant is between 2000 and 2100 or unknown', () => {
  fc.assert(
    fc.property(fc.oneof(fc.anything(), fc.double(), fc.string(), fc.date().map(String)), (value) => {
      for (const at of [instantOf(value), secondsOf(value)]) {
        expect(at === null || (at >= 946_684_800 && at < 4_102_444_800)).toBe(true);
      }
      const count = countOf(value);
      expect(count === null || (Number.isInteger(count) && count >= 0)).toBe(true);
    }),
    { numRuns: runs(2000) }
  );
});

test('a day is named by its UTC date', () => {
  expect(utcDate(AT)).toBe('2025-03-14');
  expect(utcDate(Date.UTC(2025, 2, 14, 23, 59, 59) / 1000)).toBe('2025-03-14');
});

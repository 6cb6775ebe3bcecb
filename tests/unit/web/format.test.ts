import { expect, test } from 'vitest';
import { agoText, bytesText, countText, durationText, shareText } from '../../../pkg/web/client/format';

test.each([
  [0, '0 s'],
  [0.0123, '12 ms'],
  [1.25, '1.3 s'],
  [12.4, '12 s'],
  [60, '1 min'],
  [125, '2 min 5 s'],
  [3600, '1 h'],
  [11_460, '3 h 11 min'],
  [187_200, '2 d 4 h'],
  [null, '–'],
  [undefined, '–'],
])('%s seconds are shown as %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

test('what is not known is a dash, never a zero', () => {
  expect([countText(null), bytesText(null), shareText(null)]).toEqual(['–', '–', '–']);
  expect([countText(12_345), bytesText(3 * 2 ** 20), shareText(0.456)]).toEqual(['12,345', '3 MiB', '46%']);
});

test('an instant is told by how long ago it was, and never lies ahead', () => {
  expect(agoText(1_000_000, 1090)).toBe('1 min 30 s ago');
  expect(agoText(2_000_000, 1090)).toBe('0 s ago');
  expect(agoText(null, 1090)).toBe('');
});

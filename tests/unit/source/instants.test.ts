import { expect, test } from 'vitest';
import { parseTime } from '../../../pkg/source/instants';

const NOW = Date.UTC(2026, 10, 28, 12) / 1000;

test.each([
  ['0', NOW],
  ['-3600', NOW - 3600],
  ['-0.5', NOW - 0.5],
  [' -60 ', NOW - 60],
  ['1795867200', 1_795_867_200],
  ['1795867200.25', 1_795_867_200.25],
  ['2026-11-28T03:00:00Z', Date.UTC(2026, 10, 28, 3) / 1000],
  ['2026-11-28', Date.UTC(2026, 10, 28) / 1000],
  ['2028-02-29T00:00:00Z', Date.UTC(2028, 1, 29) / 1000],
  ['2026-11-28T03:00:00', Date.UTC(2026, 10, 28, 3) / 1000],
  ['2026-11-28 03:00', Date.UTC(2026, 10, 28, 3) / 1000],
  ['2026-11-28T03:00:00+02:00', Date.UTC(2026, 10, 28, 1) / 1000],
  ['now', NOW],
  ['now-1h', NOW - 3600],
  ['now - 90s', NOW - 90],
  ['now-2d', NOW - 172_800],
  ['now-1w', NOW - 604_800],
  ['2026', Date.UTC(2026, 0, 1) / 1000],
])('the time %o is read', (text, at) => {
  expect(parseTime('to', text, NOW)).toBe(at);
});

test.each([
  ...[
    '60',
    '+5',
    '0x10',
    '1e9',
    '',
    ' ',
    'now-',
    'now+1h',
    'now-1M',
    'now/d',
    '-',
    '20261128',
    '1795867200000',
    '2026-13-01',
    'Infinity',
  ],
  ...['-99999999999999', '2026-02-29', '2026-02-30T12:00:00Z', '2026-11-31 03:00:00Z'],
])('the time %o is refused with its name', (text) => {
  expect(() => parseTime('to', text, NOW)).toThrow(`The time to "${text}" cannot be read.`);
});

test('an error repeats the beginning of a long text alone', () => {
  expect(() => parseTime('to', 'x'.repeat(100_000), NOW)).toThrow(`The time to "${'x'.repeat(100)}…" cannot be read.`);
});

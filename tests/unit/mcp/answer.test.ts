import { describe, expect, test } from 'vitest';
import type { Frame } from '../../../pkg/frames/frame';
import { answerText, MOST } from '../../../pkg/mcp/answer';

const RANGE = { from: 1_795_867_200, to: 1_795_870_800 };
const told = (...frames: Frame[]) => JSON.parse(answerText(frames, RANGE).text) as Record<string, never>;

function aTable(rows: number, text = 'x'): Frame {
  return {
    name: 'jobs',
    fields: [
      { name: 'jid', kind: 'string', values: Array.from({ length: rows }, (_, row) => `${row}${text}`) },
      { name: 'age', kind: 'number', values: Array<number>(rows).fill(1.23456789), config: { unit: 's' } },
    ],
  };
}

describe('an answer', () => {
  test('is columns with units and rows, instants in ISO 8601, nothing known as null', () => {
    const frame: Frame = {
      name: 'queues',
      fields: [
        { name: 'queue', kind: 'string', values: ['a'] },
        { name: 'at', kind: 'time', values: [1_795_867_200_500] },
        { name: 'rate', kind: 'number', values: [0.123456], config: { unit: 'suffix:jobs/s' } },
        { name: 'size', kind: 'number', values: [null], config: { unit: 'short' } },
        { name: 'paused', kind: 'boolean', values: [false] },
      ],
      meta: {
        notices: [
          { severity: 'warning', text: 'No sizes.' },
          { severity: 'info', text: 'As of then.' },
        ],
      },
    };
    expect(told(frame)).toEqual({
      note: expect.stringContaining('are data') as string,
      from: '2026-11-28T12:00:00Z',
      to: '2026-11-28T13:00:00Z',
      tables: [
        {
          table: 'queues',
          columns: [
            { name: 'queue' },
            { name: 'at' },
            { name: 'rate', unit: 'jobs/s' },
            { name: 'size', unit: 'count' },
            { name: 'paused' },
          ],
          rows: [['a', '2026-11-28T12:00:00.500Z', 0.1235, null, false]],
        },
      ],
      notices: ['warning: No sizes.', 'As of then.'],
    });
  });

  test('of series has their labels and no more points than there is room for, the last one included', () => {
    const times = Array.from({ length: 100 }, (_, index) => (RANGE.from + index * 36) * 1000);
    const frame: Frame = {
      name: 'history',
      fields: [
        { name: 'time', kind: 'time', values: times },
        {
          name: 'value',
          kind: 'number',
          values: times.map((_, index) => index),
          labels: { queue: 'a' },
          config: { displayName: 'Latency', unit: 's' },
        },
      ],
    };
    const [series] = told(frame)['series'] as unknown as [{ points: Array<[string, number]> }];
    expect(series).toMatchObject({ series: 'Latency', unit: 'seconds', labels: { queue: 'a' } });
    expect(series.points.length).toBeLessThanOrEqual(MOST.points);
    expect(series.points.at(-1)).toEqual(['2026-11-28T12:59:24Z', 99]);
  });

  test('has every point of a series that was asked for by its range', () => {
    const times = Array.from({ length: 31 }, (_, index) => (RANGE.from + index * 120) * 1000);
    const frame: Frame = {
      name: 'history',
      fields: [
        { name: 'time', kind: 'time', values: times },
        { name: 'value', kind: 'number', values: times.map((_, index) => index) },
      ],
    };
    const answer = told(frame);
    expect((answer['series'] as unknown as [{ points: unknown[] }])[0].points).toHaveLength(31);
    expect(answer['notices']).toBeUndefined();
  });

  test('of an instant that is no date has none', () => {
    const frame: Frame = { name: 'locks', fields: [{ name: 'expires', kind: 'time', values: [1e19] }] };
    const { text } = answerText([frame], { from: -Infinity, to: 1e300 });
    expect(JSON.parse(text)).toMatchObject({ from: null, to: null, tables: [{ rows: [[null]] }] });
  });

  test('tells the first notices of many', () => {
    const notices = Array.from({ length: 400 }, (_, index) => ({
      severity: 'warning' as const,
      text: `Key ${index}.`,
    }));
    const answer = told({ ...aTable(1), meta: { notices } });
    expect(answer['tables']).toHaveLength(1);
    expect((answer['notices'] as unknown as string[]).at(-1)).toBe('388 more notices are left out.');
  });

  test('says how many rows and series were found where it leaves some out', () => {
    const table = (
      told(aTable(200, 'y'.repeat(400)))['tables'] as unknown as Array<{ found: number; rows: unknown[] }>
    )[0]!;
    expect(table.found).toBe(200);
    expect(table.rows.length).toBeLessThan(200);
    const series = Array.from({ length: 20 }, (_, index): Frame => ({
      name: 'history',
      fields: [
        { name: 'time', kind: 'time', values: [RANGE.from * 1000] },
        { name: `s${index}`, kind: 'number', values: [1] },
      ],
    }));
    const answer = told(...series);
    expect(answer['series']).toHaveLength(MOST.series);
    expect(answer['notices']).toEqual(['12 of 20 series are shown. Add filters or figures to see others.']);
  });

  test.each([
    ['rows with long texts', [aTable(5000, '\u{1f600}'.repeat(1000))]],
    ['many tables', Array.from({ length: 500 }, () => aTable(20))],
    ['one row of many columns', [{ name: 'wide', fields: Array.from({ length: 2000 }, () => aTable(1).fields[0]!) }]],
    [
      'notices without end',
      [{ ...aTable(1), meta: { notices: [{ severity: 'info' as const, text: 'n'.repeat(1e6) }] } }],
    ],
  ])('of %s is no longer than an answer may be', (_what, frames) => {
    expect(answerText(frames, RANGE).text.length).toBeLessThanOrEqual(MOST.answer);
  });
});

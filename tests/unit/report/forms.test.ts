import { expect, it } from 'vitest';
import { toHtml } from '../../../pkg/report/html';
import { toObject } from '../../../pkg/report/json';
import { toMarkdown } from '../../../pkg/report/markdown';
import type { Report } from '../../../pkg/report/model';
import { cellText } from '../../../pkg/report/text';

const FROM = Date.UTC(2026, 10, 27) / 1000;
const HOSTILE = "</td><script>alert(1)</script>|`*[a](http://b)\n# x\" onload='y'&";

const REPORT: Report = {
  installation: HOSTILE,
  range: { from: FROM, to: FROM + 3600 },
  sections: [
    {
      id: 'a',
      title: HOSTILE,
      texts: [HOSTILE],
      table: {
        columns: [
          { name: 'name', title: 'Name', kind: 'text' },
          { name: 'at', title: 'At', kind: 'instant' },
          { name: 'share', title: 'Share', kind: 'share' },
        ],
        rows: [
          [HOSTILE, FROM, 0.25],
          ['b', null, null],
        ],
        more: 3,
      },
      pictures: [
        {
          title: HOSTILE,
          unit: 'seconds',
          range: { from: FROM, to: FROM + 3600 },
          lines: [{ name: HOSTILE, at: [FROM, FROM + 1200, FROM + 2400, FROM + 3600], values: [0, 600, null, 1200] }],
        },
      ],
    },
  ],
};

it('makes no markup of names in HTML', () => {
  const html = toHtml(REPORT);
  expect(html).not.toMatch(/<script|onload='|onload="/);
  expect(html.match(/<tr>/g)).toHaveLength(3);
  expect(html.match(/<td[ >]/g)).toHaveLength(6);
  expect(html).toContain('2026-11-27 00:00:00 UTC');
});

it('draws a line with a gap where nothing is known, on an axis in one unit', () => {
  const html = toHtml(REPORT);
  const path = /<path d="([^"]*)"/.exec(html)![1]!;
  // The last point stands alone after the gap.
  expect(path.match(/M/g)).toHaveLength(2);
  expect(html).toContain('>20 min</text>');
  expect(html).toContain('>00:30</text>');
});

it('makes neither cells nor markup of names in Markdown', () => {
  const markdown = toMarkdown(REPORT);
  const lines = markdown.split('\n');
  expect(lines.filter((line) => /^#/.test(line))).toHaveLength(2);
  const rows = lines.filter((line) => line.startsWith('|'));
  expect(rows).toHaveLength(4);
  for (const row of rows) {
    expect(row.replaceAll(String.raw`\|`, '').match(/\|/g)).toHaveLength(4);
  }
  expect(markdown).not.toMatch(/<|[^\\]`|[^\\]\[|@|:\/\/|www\./);
  expect(markdown).toContain('| b | – | – |');
  expect(markdown).toContain('3 more.');
});

it('gives programs rows by the names of their columns', () => {
  expect(toObject(REPORT)).toMatchObject({
    from: '2026-11-27T00:00:00.000Z',
    sections: [
      {
        rows: [
          { name: HOSTILE, at: '2026-11-27T00:00:00.000Z', share: 0.25 },
          { name: 'b', at: null, share: null },
        ],
        more: 3,
      },
    ],
  });
});

it.each([
  [null, 'count', '–'],
  [1234.4, 'count', '1,234'],
  [0, 'seconds', '0 s'],
  [0.0545, 'seconds', '0.0545 s'],
  [59.94, 'seconds', '59.9 s'],
  [3725, 'seconds', '1 h 2 min'],
  [0.5, 'share', '50%'],
  [0.00046, 'share', '0.046%'],
  [3.14159, 'number', '3.14'],
  [0.9999, 'share', '99.99%'],
  [0.999, 'share', '99.9%'],
  [0.995, 'share', '99.5%'],
  [0.9995, 'share', '99.95%'],
  [0.9899, 'share', '98.99%'],
  [0.99, 'share', '99%'],
  [1, 'share', '100%'],
  [12.345, 'share', '1,235%'],
  ['x', 'count', 'x'],
] as const)('tells %j as %s', (value, kind, text) => {
  expect(cellText(value, kind)).toBe(text);
});

import { instantText } from '../source/instants';
import type { Report, ReportTable, Section } from './model';
import { toSvg } from './pictures';
import { cellText } from './text';

const STYLE = `
:root { color-scheme: light dark; --line: #8884; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 1100px; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.5rem; margin-bottom: 0; } h2 { font-size: 1.15rem; margin-top: 2rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: 0.3rem 0.7rem; border-bottom: 1px solid var(--line); text-align: left; vertical-align: top; }
.number { text-align: right; white-space: nowrap; } .instant { white-space: nowrap; }
figure { display: inline-block; width: min(100%, 540px); margin: 0.5rem 0; } figcaption { font-weight: 600; }
svg { width: 100%; font: 11px system-ui, sans-serif; } svg text { fill: currentColor; opacity: 0.75; }
svg path { fill: none; stroke-width: 1.5; } .grid { stroke: var(--line); }
.legend span { margin-right: 1rem; font-size: 0.85rem; } .legend i { display: inline-block; width: 12px; height: 3px; margin-right: 0.4rem; vertical-align: middle; }
`;

/** A report as one HTML file with its pictures; it loads nothing and runs no script. */
export function toHtml({ installation, range, sections }: Report): string {
  const title = escaped(`Sidekiq at ${installation}`);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${title}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${title}</h1>
<p>${instantText(range.from)} to ${instantText(range.to)}</p>
${sections.map(ofSection).join('\n')}
</body>
</html>
`;
}

function ofSection({ title, texts, table, pictures = [] }: Section): string {
  return [
    `<h2>${escaped(title)}</h2>`,
    ...texts.map((text) => `<p>${escaped(text)}</p>`),
    ...(table && table.rows.length > 0 ? [ofTable(table)] : []),
    ...pictures.map((picture) => toSvg(picture, escaped)),
  ].join('\n');
}

function ofTable({ columns, rows, more }: ReportTable): string {
  const classes = columns.map(({ kind }) =>
    kind === 'text' ? '' : kind === 'instant' ? ' class="instant"' : ' class="number"'
  );
  const line = (cells: readonly string[], tag: 'th' | 'td') =>
    `<tr>${cells.map((cell, index) => `<${tag}${classes[index]}>${cell}</${tag}>`).join('')}</tr>`;
  return [
    '<div class="scroll"><table>',
    line(
      columns.map(({ title }) => escaped(title)),
      'th'
    ),
    ...rows.map((row) =>
      line(
        row.map((cell, index) => escaped(cellText(cell, columns[index]!.kind))),
        'td'
      )
    ),
    '</table></div>',
    ...(more > 0 ? [`<p>${more} more.</p>`] : []),
  ].join('\n');
}

/** Names come from Redis: none becomes markup. */
function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

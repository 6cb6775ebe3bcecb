import { instantText } from '../source/instants';
import type { Report, ReportTable, Section } from './model';
import { cellText } from './text';

/** A report as GitHub's Markdown, without its pictures. */
export function toMarkdown({ installation, range, sections }: Report): string {
  const head = [
    `# Sidekiq at ${escaped(installation)}`,
    '',
    `${instantText(range.from)} to ${instantText(range.to)}`,
    '',
  ];
  return [...head, ...sections.flatMap(ofSection)].join('\n');
}

function ofSection({ title, texts, table }: Section): string[] {
  return [
    `## ${escaped(title)}`,
    '',
    ...texts.flatMap((text) => [escaped(text), '']),
    ...(table && table.rows.length > 0 ? [...ofTable(table), ''] : []),
  ];
}

function ofTable({ columns, rows, more }: ReportTable): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [
    line(columns.map(({ title }) => escaped(title))),
    line(columns.map(({ kind }) => (kind === 'text' || kind === 'instant' ? '---' : '---:'))),
    ...rows.map((row) => line(row.map((cell, index) => escaped(cellText(cell, columns[index]!.kind))))),
    ...(more > 0 ? ['', `${more} more.`] : []),
  ];
}

/** Names come from Redis: none becomes markup, a link or another cell. */
function escaped(text: string): string {
  return text
    .replaceAll(/[\r\n\u2028\u2029]+/g, ' ')
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll(/[\\`*_[\]|~#]/g, String.raw`\$&`)
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//')
    .replaceAll('www.', 'www&#46;');
}

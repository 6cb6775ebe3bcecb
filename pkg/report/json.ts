import type { Report } from './model';

/** A report as an object for programs: instants as text, tables as rows keyed by the names of their columns. */
export function toObject({ installation, range, sections }: Report) {
  return {
    version: 1,
    installation,
    from: isoOf(range.from),
    to: isoOf(range.to),
    sections: sections.map(({ id, title, texts, table }) => ({
      id,
      title,
      texts,
      ...(table && {
        rows: table.rows.map((row) =>
          Object.fromEntries(
            table.columns.map(({ name, kind }, index) => {
              const value = row[index] ?? null;
              return [name, kind === 'instant' && typeof value === 'number' ? isoOf(value) : value];
            })
          )
        ),
        more: table.more,
      }),
    })),
  };
}

function isoOf(at: number): string {
  return new Date(Math.round(at * 1000)).toISOString();
}

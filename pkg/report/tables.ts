import type { Cell, CellKind, ReportTable } from './model';

/** A column of a table that is made of rows of some type. */
export interface ColumnOf<Row> {
  name: string;
  title: string;
  kind: CellKind;
  of(row: Row): Cell;
}

/** The first rows as a table. */
export function tableOf<Row>(columns: ReadonlyArray<ColumnOf<Row>>, rows: readonly Row[], most: number): ReportTable {
  return {
    columns: columns.map(({ name, title, kind }) => ({ name, title, kind })),
    rows: rows.slice(0, most).map((row) => columns.map(({ of }) => of(row))),
    more: Math.max(0, rows.length - most),
  };
}

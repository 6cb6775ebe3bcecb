import type { Range } from '../source/reads';

/** How a value of a table is told. */
export type CellKind = 'text' | 'count' | 'seconds' | 'share' | 'number' | 'instant';
export type Cell = string | number | null;

export interface ReportColumn {
  name: string;
  title: string;
  kind: CellKind;
}

export interface ReportTable {
  columns: readonly ReportColumn[];
  rows: ReadonlyArray<readonly Cell[]>;
  /** Rows that are left out. */
  more: number;
}

/** One line of a picture: values at even instants, `null` for a gap. */
export interface PictureLine {
  name: string;
  at: readonly number[];
  values: ReadonlyArray<number | null>;
}

/** A figure over time. */
export interface Picture {
  title: string;
  unit: 'seconds' | 'number' | 'rate';
  range: Range;
  lines: readonly PictureLine[];
}

export interface Section {
  id: string;
  title: string;
  /** Sentences before the table. */
  texts: readonly string[];
  table?: ReportTable;
  pictures?: readonly Picture[];
}

/** A report on a time range, before it is written in any form. Instants are epoch seconds. */
export interface Report {
  /** What is watched. */
  installation: string;
  range: Range;
  sections: readonly Section[];
}

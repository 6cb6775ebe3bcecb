import type { FieldKind, Frame } from '../frames/frame';
import type { QueryContext } from './context';

/** What the editor and the docs need to know of a column. */
export interface ColumnInfo {
  name: string;
  title: string;
  kind: FieldKind;
  /** A Grafana unit id: `s`, `bytes`, `percentunit`, `short`, `cps`. */
  unit?: string;
  description: string;
  /** Part of what identifies a row: a label in alert rules. */
  key?: boolean;
}

/**
 * One question that can be asked.
 *
 * - Its file holds everything about it: the model, the rows and the columns. The registry, the editor's
 *   lists, the command line and the docs are derived from these properties.
 * - `run` answers from a snapshot or a bounded read, never from Redis directly, and is safe to call
 *   concurrently. It throws a `Fault`: `query` for what was asked, others for what Redis said.
 */
export interface QueryType {
  id: string;
  title: string;
  description: string;
  columns: readonly ColumnInfo[];
  /** Names of the fields that filters may use. */
  filterFields: readonly string[];
  run(raw: unknown, context: QueryContext): Promise<Frame[]>;
}

import type { FieldKind, Frame } from '../frames/frame';
import type { Reads } from '../source/reads';
import type { Kept } from '../source/source';
import type { Options } from '../settings/model';
import type { NotRecorded } from '../source/notRecorded';
import type { State } from '../watch/state';
import type { z } from 'zod';
import type { BaseQuery } from './model';

/** What a caller knows of a question besides the query itself. */
export interface QueryRequest {
  /** The asked time range, epoch seconds. */
  range: { from: number; to: number };
  /** Seconds between two points that the caller has use for. */
  intervalSeconds: number;
  /** An alert rule asks: exactly one figure, labels only of what identifies a row. */
  alerting: boolean;
  /** Ends long work of a query that nobody waits for any more. */
  signal?: AbortSignal;
  /** A person reads the answer in a panel or in Explore: a table without rows says so in a sentence. */
  reader?: boolean;
  /** The state at the end of the range, for a type that {@link QueryType.asksThen}; absent where nothing was recorded then. */
  then?: State;
  /** The data source whose Explore links should open. */
  dataSource?: { uid: string; name: string };
}

/** What the editor and the docs need to know of a column. */
export interface ColumnInfo {
  name: string;
  title: string;
  kind: FieldKind;
  /** A Grafana unit id: `s`, `bytes`, `percentunit`, `short`, `suffix:jobs/s`. */
  unit?: string;
  description: string;
  /** Part of what identifies a row: a label in alert rules. */
  key?: boolean;
  /** Values of the option `by` with which it is there; with any where it is left out. */
  by?: readonly string[];
}

/** How the value of an option is written: a text as it is, a list of texts, or JSON for numbers and the like. */
export type OptionForm = 'text' | 'list' | 'json';

/** The groups of the editor's menu, in their order. */
export const QUERY_GROUPS = ['Now', 'Over time', 'Jobs', 'Events'] as const;
export type QueryGroup = (typeof QUERY_GROUPS)[number];

/**
 * One question that can be asked.
 *
 * - Its file holds everything about it: the model, the rows and the columns. The registry, the editor's
 *   lists, the command line and the docs are derived from these properties.
 * - `run` answers from the state, or from a bounded read, never from Redis directly, and may be called
 *   concurrently. It throws a `Fault`: `query` for what was asked, others for what Redis said.
 */
export interface QueryType {
  id: string;
  group: QueryGroup;
  title: string;
  description: string;
  columns: readonly ColumnInfo[];
  /** Names of the fields that filters may use. */
  filterFields: readonly string[];
  /** Its model, from which what checks, completes and describes a query is derived. */
  schema: z.ZodType<BaseQuery>;
  /** The options that the query model has beside those of every type. */
  options: ReadonlyMap<string, OptionForm>;
  /** It tells of the whole range; other types tell of the end of the range. */
  ofRange: boolean;
  /** It tells what was noticed until the end of the range, by the state of then where that was recorded. */
  ofLog: boolean;
  /** A type of the whole range also needs the state at its end. */
  asksThen?(raw: unknown): boolean;
  /** Where it draws on a grid: by how many seconds a range may begin earlier without another picture; else `null`. */
  gridSeconds?(raw: unknown, request: QueryRequest, state: State): number | null;
  /** A snapshot alone answers it, so that it can be watched live. */
  live: boolean;
  /** What it reads of Redis beyond the reading that all share, in a few words; empty where that is nothing. */
  cost: string;
  /** Rows at most where the query names no limit. */
  limit: number;
  /** What is shown where no figure is chosen: all of them, or those named. */
  unchosen: 'all' | readonly string[];
  /** Its options on the command line, in the docs; empty where the bare type says enough. */
  example: string;
  run(raw: unknown, state: State, request: QueryRequest, reads: Reads): Promise<Frame[]>;
  /** An answer without rows that says why, where the past was asked for and nothing was recorded. */
  nothing?(raw: unknown, why: NotRecorded, request: QueryRequest, options: Options): Promise<Frame[]>;
  /** Answers from what was kept, where Redis cannot be read; types without it are refused then. */
  runFromKept?(raw: unknown, kept: Kept, request: QueryRequest, reads: Reads): Promise<Frame[]>;
}

import { LRUCache } from 'lru-cache';
import { z } from 'zod';
import type { DataLink, Field, FieldConfig, Frame, Value } from '../frames/frame';
import type { Reads } from '../source/reads';
import type { Kept } from '../source/source';
import { tellsOfRefusal } from '../sidekiq/parts/part';
import type { State } from '../watch/state';
import type { Options } from '../settings/model';
import type { Notice } from '../sidekiq/model';
import { instantText } from '../source/instants';
import { Turns } from '../turns';
import { checkFigures } from './figures';
import { compileFilters } from './filter';
import { asLogs, type LogLine } from './logs';
import { linksOfSettings } from './links';
import { baseQuerySchema, parseQuery, type BaseQuery } from './model';
import type { ColumnInfo, OptionForm, QueryGroup, QueryRequest, QueryType } from './queryType';
import { cutNotice, emptyText, noMatchText } from './tableNotices';

/** A column and how its value is read off a row. */
export interface Column<Row> extends ColumnInfo {
  value(row: Row): Value;
  /** Other values by which the row is found when filtering by this column (a process by each of its queues). */
  filterValues?(row: Row): readonly string[];
  config?: FieldConfig;
  links?(request: QueryRequest): DataLink[];
  /** A text that tells where a chosen figure comes from: it is there beside that figure, though no alert rule sees it. */
  beside?: string;
}

interface TableDefinition<Row, S extends z.ZodType<BaseQuery>> {
  id: string;
  group: QueryGroup;
  title: string;
  description: string;
  schema: S;
  columns: ReadonlyArray<Column<Row>>;
  live?: boolean;
  /** Its rows are of the asked range; those of other types are of now, whatever is asked. */
  ofRange?: boolean;
  /** Its rows are what was noticed until the end of the range, as far as that was recorded. */
  ofLog?: boolean;
  /** What it reads is recorded once a minute, beside the readings. */
  beside?: boolean;
  example?: string;
  /** What it reads beyond the state, in a few words. */
  cost?: string;
  /** What is said where there are no rows: a sentence, with the next step where there is one. */
  empty: string;
  /** How a row reads as a log line, where the schema has the option `format`. */
  logs?: LogLine;
  rows(state: State, query: z.output<S>, request: QueryRequest, reads: Reads): Rows<Row> | Promise<Rows<Row>>;
  /** Fields whose filters `rows` applies itself, before rows are made of what they are about; they need not be columns. */
  ownFilters?: readonly string[];
  /** Rows while Redis cannot be read; without it the query is refused then. */
  keptRows?(kept: Kept, query: z.output<S>, request: QueryRequest): Rows<Row>;
}

export interface Rows<Row> {
  rows: Row[];
  /** Why there are none, where it is known better than by the definition's `empty`. */
  empty?: string;
  /** What should be known beside the notices of the state. */
  notices?: readonly Notice[];
  custom?: Record<string, unknown>;
  /** Columns that the query has no use for; they are left out. */
  without?: readonly string[];
  /** Titles of columns that this query knows better, by name. */
  titles?: Readonly<Record<string, string>>;
}

/** Makes a query type that answers with one table: filters, figures, limit and notices are the same for all. */
export function tableQuery<Row, S extends z.ZodType<BaseQuery>>(definition: TableDefinition<Row, S>): QueryType {
  const { id, group, title, description, schema, columns } = definition;
  const filterColumns = columns.filter(({ kind, beside }) => kind === 'string' && beside === undefined);
  const filterFields = [...new Set([...filterColumns.map(({ name }) => name), ...(definition.ownFilters ?? [])])];
  const figures = columns.filter(isFigure);
  const byName = new Map(filterColumns.map((column) => [column.name, column]));
  const { keptRows } = definition;
  const answer = async (
    query: z.output<S>,
    request: QueryRequest,
    { notices, options }: Pick<State, 'notices' | 'options'>,
    read: () => Rows<Row> | Promise<Rows<Row>>,
    why?: string
  ): Promise<Frame[]> => {
    checkFigures(query.figures, figures, request.alerting);
    const keeps = compileFilters(query.filters, filterFields, definition.ownFilters);
    const known = [...notices, ...notApplied(query.filters, filterFields, title)];
    const { rows, empty = definition.empty, notices: told = [], custom, without = [], titles = {} } = await read();
    const kept = await filtered(rows, (row) => keeps((field) => textsOf(byName.get(field)!, row)));
    const shown = kept.slice(0, query.limit);
    const cut = shown.length === kept.length ? [] : [cutNotice(shown.length, kept.length)];
    const chosen = columns.filter(
      ({ name, key, beside }) =>
        !without.includes(name) &&
        (query.figures.length === 0 ||
          key ||
          query.figures.includes(name) ||
          (beside !== undefined && query.figures.includes(beside) && !request.alerting))
    );
    // Figures come in the order in which they were chosen, behind what identifies a row.
    const place = ({ name, beside }: Column<Row>) =>
      beside === undefined ? query.figures.indexOf(name) : query.figures.indexOf(beside) + 0.5;
    const ordered = query.figures.length === 0 ? chosen : [...chosen].sort((a, b) => place(a) - place(b));
    const frame = frameOf({
      name: id,
      columns: ordered.map((column) => ({ ...column, title: titles[column.name] ?? column.title })),
      rows: shown,
      notices: [...known, ...told, ...cut],
      numeric: query.figures.length > 0,
      request,
      options,
      custom,
    });
    if (request.reader && why !== undefined) {
      // Chosen figures are drawn large: no row of words, and no dash either.
      return [query.figures.length > 0 ? { ...frame, fields: [] } : sentence(id, why, frame)];
    }
    if (request.reader && shown.length === 0 && query.figures.length === 0) {
      const asked = query.filters.filter(({ field, values }) => values.length > 0 && filterFields.includes(field));
      const before = rows.length > 0 || asked.some(({ field }) => definition.ownFilters?.includes(field));
      const refused = [...known, ...told].find(tellsOfRefusal);
      // What a filter left out may be there, so nothing is said of everything.
      const said = asked.length > 0 && before ? noMatchText(asked) : empty;
      return [sentence(id, refused ? emptyText(refused) : said, frame)];
    }
    const { format } = query as { format?: string };
    return [definition.logs && format === 'logs' && !request.alerting ? asLogs(frame, definition.logs) : frame];
  };
  return {
    id,
    group,
    title,
    description,
    columns: columns.map(infoOf),
    filterFields,
    schema,
    options: optionsOf(schema),
    ofRange: definition.ofRange ?? false,
    ofLog: definition.ofLog ?? false,
    live: definition.live ?? false,
    example: definition.example ?? '',
    cost: definition.cost ?? '',
    limit: limitOf(schema),
    unchosen: 'all',
    run: async (raw, state, request, reads) => {
      const query = parseQuery(schema, raw);
      const notices = [
        ...state.notices,
        ...(state.recorded && !definition.ofRange ? [asOf(state.now, definition.beside ? reads.besideAt : null)] : []),
      ];
      const frames = () =>
        answer(query, request, { options: state.options, notices }, () =>
          definition.rows(state, query, request, reads)
        );
      return definition.live
        ? onceOf(state, [id, query, request.alerting, request.reader, request.dataSource, notices], frames)
        : frames();
    },
    nothing: async (raw, { explanation: why }, request, options) => {
      const known = { options, notices: [{ severity: 'warning' as const, text: why }] };
      return answer(parseQuery(schema, raw), request, known, () => ({ rows: [] }), why);
    },
    ...(keptRows && {
      runFromKept: async (raw, kept, request) => {
        const query = parseQuery(schema, raw);
        return answer(query, request, { options: kept.options, notices: [] }, () => keptRows(kept, query, request));
      },
    }),
  };
}

/** Filters of a whole dashboard that this table knows nothing of. */
function notApplied(filters: BaseQuery['filters'], fields: readonly string[], title: string): Notice[] {
  return filters
    .filter(({ adhoc, field, values }) => adhoc && values.length > 0 && !fields.includes(field))
    .map(({ field }) => ({ severity: 'warning', text: `The ad-hoc filter by ${field} does not apply to ${title}.` }));
}

/** A table of one sentence, with what is told beside it. */
function sentence(name: string, text: string, { meta }: Frame): Frame {
  const field: Field = {
    name: 'message',
    kind: 'string',
    values: [text],
    config: { displayName: 'Result', custom: { wrapText: true } },
  };
  return { name, fields: [field], ...(meta && { meta: { ...meta, preferredVisualisationType: 'table' } }) };
}

/** Rows that a test keeps; a slow one, as of a long pattern, lets others have their turn. */
async function filtered<Row>(rows: readonly Row[], keeps: (row: Row) => boolean): Promise<Row[]> {
  const turns = new Turns();
  const kept: Row[] = [];
  for (const row of rows) {
    if (keeps(row)) {
      kept.push(row);
    }
    await turns.give();
  }
  return kept;
}

/** Values that the frames kept of one state hold at most. */
const KEPT_VALUES = 500_000;

const framesOfStates = new WeakMap<State, LRUCache<string, Frame[]>>();

/** The frames of a question that the state alone answers: made once, however many viewers ask. Nobody changes a frame. */
async function onceOf(state: State, question: unknown[], make: () => Promise<Frame[]>): Promise<Frame[]> {
  const frames =
    framesOfStates.get(state) ?? new LRUCache<string, Frame[]>({ maxSize: KEPT_VALUES, sizeCalculation: sizeOf });
  framesOfStates.set(state, frames);
  const key = JSON.stringify(question);
  const known = frames.get(key);
  if (known) {
    return known;
  }
  const made = await make();
  frames.set(key, made);
  return made;
}

function sizeOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { fields }) => sum + fields.length * (1 + (fields[0]?.values.length ?? 0)), 1);
}

function asOf(now: number, readAt: number | null): Notice {
  const [instant, read] = [instantText(now), instantText(readAt ?? now)];
  return { severity: 'info', text: `As of ${instant}${read === instant ? '' : `, read at ${read}`}.` };
}

/** What a row holds in a text column, for filters. */
export function textsOf<Row>(column: Column<Row>, row: Row): string | readonly string[] {
  return column.filterValues?.(row) ?? String(column.value(row) ?? '');
}

/** What is told of a column, without how it is read. */
export function infoOf({ name, title, kind, unit, description, key }: ColumnInfo): ColumnInfo {
  return { name, title, kind, description, ...(unit && { unit }), ...(key && { key }) };
}

/** Rows at most where a query of a schema names no limit. */
export function limitOf(schema: z.ZodType<BaseQuery>): number {
  return schema.parse({ queryType: '' }).limit;
}

/** The options that a schema has beside those of every query type, by name, with the form of their values. */
export function optionsOf(schema: z.ZodType): ReadonlyMap<string, OptionForm> {
  const { shape } = schema as unknown as { shape: Record<string, z.ZodType> };
  return new Map(
    Object.entries(shape)
      .filter(([name]) => !(name in baseQuerySchema.shape))
      .map(([name, option]) => [name, formOf(option)])
  );
}

function formOf(schema: z.ZodType): OptionForm {
  if (schema instanceof z.ZodDefault || schema instanceof z.ZodOptional) {
    return formOf(schema.unwrap() as z.ZodType);
  }
  if (schema instanceof z.ZodArray) {
    return 'list';
  }
  return schema instanceof z.ZodString || schema instanceof z.ZodEnum ? 'text' : 'json';
}

const YES_NO = [{ type: 'value', options: { true: { text: 'yes' }, false: { text: 'no' } } }];

function isFigure({ kind }: ColumnInfo): boolean {
  return kind === 'number' || kind === 'boolean';
}

/** A link that is made of another column's value is there only beside that column. */
const NEEDS_COLUMN = /\$\{__data\.fields\.(\w+)/;

interface Shown<Row> {
  name: string;
  columns: ReadonlyArray<Column<Row>>;
  rows: readonly Row[];
  notices: Notice[];
  /** Figures were chosen: booleans become numbers, as alert rules and expressions take no others. */
  numeric: boolean;
  request: QueryRequest;
  options: Options;
  custom: Record<string, unknown> | undefined;
}

function frameOf<Row>({ name, columns, rows, notices, numeric, request, options, custom }: Shown<Row>): Frame {
  const names = new Set(columns.map((column) => column.name));
  const fields = columns.map((column): Field => {
    const asNumber = numeric && column.kind === 'boolean';
    const links = request.alerting
      ? []
      : [...(column.links?.(request) ?? []), ...linksOfSettings(column.name, options)].filter(
          (link) => !NEEDS_COLUMN.test(JSON.stringify(link)) || names.has(NEEDS_COLUMN.exec(JSON.stringify(link))![1]!)
        );
    return {
      name: column.name,
      kind: asNumber ? 'number' : column.kind,
      values: rows.map((row) => {
        const value = column.value(row);
        return asNumber && value !== null ? Number(value) : value;
      }),
      config: {
        displayName: column.title,
        description: column.description,
        ...(column.unit && { unit: column.unit }),
        ...(column.kind === 'boolean' && !asNumber && { mappings: YES_NO }),
        ...column.config,
        ...(links.length > 0 && { links }),
      },
    };
  });
  return {
    name,
    fields,
    meta: {
      ...(numeric && { type: 'numeric-long' as const, typeVersion: [0, 1] as [number, number] }),
      ...(notices.length > 0 && { notices }),
      ...(custom && { custom }),
      preferredVisualisationType: 'table',
    },
  };
}

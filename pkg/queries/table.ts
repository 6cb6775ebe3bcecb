import type { z } from 'zod';
import { Fault } from '../faults/fault';
import type { DataLink, Field, FieldConfig, Frame, Value } from '../frames/frame';
import type { Notice } from '../sidekiq/snapshot';
import type { QueryContext } from './context';
import { compileFilters } from './filter';
import { parseQuery, type BaseQuery } from './model';
import type { ColumnInfo, QueryType } from './queryType';

/** A column and how its value is read off a row. */
export interface Column<Row> extends ColumnInfo {
  value(row: Row): Value;
  /** Other values by which the row is found when filtering by this column (a process by each of its queues). */
  filterValues?(row: Row): readonly string[];
  config?: FieldConfig;
  links?(context: QueryContext): DataLink[];
}

interface TableDefinition<Row, S extends z.ZodType<BaseQuery>> {
  id: string;
  title: string;
  description: string;
  schema: S;
  columns: ReadonlyArray<Column<Row>>;
  rows(context: QueryContext, query: z.output<S>): Promise<Rows<Row>>;
}

export interface Rows<Row> {
  rows: Row[];
  notices: readonly Notice[];
  custom?: Record<string, unknown>;
}

/** Makes a query type that answers with one table: filters, figures, limit and notices are the same for all. */
export function tableQuery<Row, S extends z.ZodType<BaseQuery>>(definition: TableDefinition<Row, S>): QueryType {
  const { id, title, description, schema, columns } = definition;
  const filterColumns = columns.filter((column) => column.kind === 'string');
  const filterFields = filterColumns.map(({ name }) => name);
  return {
    id,
    title,
    description,
    columns: columns.map(({ name, title, kind, unit, description, key }) => ({
      name,
      title,
      kind,
      description,
      ...(unit && { unit }),
      ...(key && { key }),
    })),
    filterFields,
    async run(raw, context) {
      const query = parseQuery(schema, raw);
      const chosen = chooseColumns(columns, query.figures, context.alerting);
      const keeps = compileFilters(query.filters, filterFields);
      const { rows, notices, custom } = await definition.rows(context, query);
      const byName = new Map(filterColumns.map((column) => [column.name, column]));
      const kept = rows.filter((row) =>
        keeps((field) => {
          const column = byName.get(field)!;
          return column.filterValues?.(row) ?? String(column.value(row) ?? '');
        })
      );
      const shown = kept.slice(0, query.limit);
      const said = [...notices];
      if (shown.length < kept.length) {
        said.push({
          severity: 'info',
          text: `${shown.length} of ${kept.length} rows are shown. Raise "Limit" or add a filter to see the others.`,
        });
      }
      return [
        frameOf(definition.id, chosen, shown, said, query.figures.length > 0 || context.alerting, context, custom),
      ];
    },
  };
}

function chooseColumns<Row>(
  columns: ReadonlyArray<Column<Row>>,
  figures: readonly string[],
  alerting: boolean
): ReadonlyArray<Column<Row>> {
  const choosable = columns.filter(isFigure);
  for (const figure of figures) {
    if (!choosable.some(({ name }) => name === figure)) {
      throw new Fault({
        kind: 'query',
        message: `There is no figure "${figure}".`,
        remedy: `Choose from: ${choosable.map(({ name }) => name).join(', ')}.`,
      });
    }
  }
  if (alerting && figures.length !== 1) {
    throw new Fault({
      kind: 'query',
      message: `An alert rule needs one figure, and ${figures.length === 0 ? 'none is' : `${figures.length} are`} chosen.`,
      remedy: `Choose one under "Figures": ${choosable.map(({ name }) => name).join(', ')}.`,
    });
  }
  return figures.length === 0 ? columns : columns.filter(({ name, key }) => key || figures.includes(name));
}

const YES_NO = [{ type: 'value', options: { true: { text: 'yes' }, false: { text: 'no' } } }];

function isFigure<Row>({ kind }: Column<Row>): boolean {
  return kind === 'number' || kind === 'boolean';
}

function frameOf<Row>(
  name: string,
  columns: ReadonlyArray<Column<Row>>,
  rows: readonly Row[],
  notices: Notice[],
  numeric: boolean,
  context: QueryContext,
  custom: Record<string, unknown> | undefined
): Frame {
  const fields = columns.map((column): Field => {
    const asNumber = numeric && column.kind === 'boolean';
    const links = context.alerting ? [] : (column.links?.(context) ?? []);
    return {
      name: column.name,
      kind: asNumber ? 'number' : column.kind,
      values: rows.map((row) => (asNumber ? Number(column.value(row)) : column.value(row))),
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

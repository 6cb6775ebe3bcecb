import { z } from 'zod';
import type { Field, Frame, Value } from '../frames/frame';

/** The option of query types whose rows can be read as log lines. */
export const FORMATS = ['table', 'logs'] as const;
export const formatOption = { format: z.enum(FORMATS).default('table') };

/** A row of a frame, by column. */
export type CellsOf = (column: string) => Value;

/** How a row reads as a log line. */
export interface LogLine {
  /** Columns of which the first that is known is its time. */
  time: readonly string[];
  body(of: CellsOf): string;
  severity(of: CellsOf): 'error' | 'warning' | 'info';
}

/**
 * The rows of a table as log lines, the newest first, for Grafana's logs view
 * (https://grafana.com/developers/dataplane/logs/). Texts of the table go along as fields; rows without a time are left out
 * with a notice.
 */
export function asLogs(table: Frame, { time, body, severity }: LogLine): Frame {
  const byName = new Map(table.fields.map((field) => [field.name, field]));
  const rows = Array.from({ length: table.fields[0]?.values.length ?? 0 }, (_, index) => index);
  const cellsOf =
    (index: number): CellsOf =>
    (column) =>
      byName.get(column)?.values[index] ?? null;
  const timeOf = (index: number) => time.map(cellsOf(index)).find((value) => value !== null) ?? null;
  const timed = rows.filter((index) => timeOf(index) !== null).sort((a, b) => Number(timeOf(b)) - Number(timeOf(a)));
  const missing = rows.length - timed.length;
  const notices = [
    ...(table.meta?.notices ?? []),
    ...(missing > 0
      ? [
          {
            severity: 'info' as const,
            text: `${missing} of ${rows.length} rows have no time and are not among the lines.`,
          },
        ]
      : []),
  ];
  const made = (name: string, kind: Field['kind'], value: (index: number) => Value): Field => ({
    name,
    kind,
    values: timed.map(value),
  });
  const line = [
    made('timestamp', 'time', timeOf),
    made('body', 'string', (index) => body(cellsOf(index))),
    made('severity', 'string', (index) => severity(cellsOf(index))),
  ];
  return {
    name: table.name,
    fields: [
      ...line,
      ...table.fields
        .filter(({ kind, name }) => kind === 'string' && line.every((field) => field.name !== name))
        .map(({ name, config, values }) => ({
          name,
          kind: 'string' as const,
          values: timed.map((index) => values[index] ?? null),
          ...(config && { config }),
        })),
    ],
    meta: {
      type: 'log-lines',
      typeVersion: [0, 0],
      preferredVisualisationType: 'logs',
      ...(notices.length > 0 && { notices }),
      ...(table.meta?.custom && { custom: table.meta.custom }),
    },
  };
}

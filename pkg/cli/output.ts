import Table from 'cli-table3';
import { oneLine } from '../printable';
import { rowsOf, type Field, type Frame, type Value } from '../frames/frame';

/** Prints frames for a person: a table each, and what should be known about it. */
export function printFrames(frames: readonly Frame[]): string {
  return frames.map((frame) => `${tableOf(frame)}\n${noticesOf(frame).join('')}`).join('\n');
}

/** Prints frames for scripts: one array of row objects keyed by field name. */
export function printJson(frames: readonly Frame[]): string {
  return `${JSON.stringify(frames.flatMap(rowsOf), null, 2)}\n`;
}

function tableOf(frame: Frame): string {
  const table = new Table({
    head: frame.fields.map(({ name, config }) => oneLine(config?.displayName ?? name)),
    colAligns: frame.fields.map(({ kind }) => (kind === 'number' ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
    chars: BORDERLESS,
  });
  const length = frame.fields[0]?.values.length ?? 0;
  for (let row = 0; row < length; row += 1) {
    table.push(frame.fields.map((field) => cell(field, field.values[row] ?? null)));
  }
  return length > 0 ? table.toString() : `${table.toString()}\n No rows.`;
}

const NO_LINES = [
  'top',
  'top-mid',
  'top-left',
  'top-right',
  'bottom',
  'bottom-mid',
  'bottom-left',
  'bottom-right',
  'left',
  'left-mid',
  'mid',
  'mid-mid',
  'right',
  'right-mid',
] as const;
const BORDERLESS = { ...Object.fromEntries(NO_LINES.map((name) => [name, ''])), middle: ' ' };

/** What should be known about a frame, a line each. */
export function noticesOf({ meta }: Pick<Frame, 'meta'>): string[] {
  return (meta?.notices ?? []).map(({ severity, text }) => `${severity}: ${oneLine(text)}\n`);
}

function cell({ kind, config }: Field, value: Value): string {
  if (value === null) {
    return '-';
  }
  if (kind === 'time') {
    return new Date(value as number).toISOString();
  }
  if (typeof value !== 'number') {
    return oneLine(String(value));
  }
  switch (config?.unit) {
    case 's':
      return `${round(value)} s`;
    case 'percentunit':
      return `${round(value * 100)}%`;
    case 'bytes':
      return `${round(value / 1024 / 1024)} MiB`;
    default:
      return round(value);
  }
}

function round(value: number): string {
  return Number.isInteger(value) ? String(value) : value.toFixed(Math.abs(value) < 1 ? 3 : 1);
}

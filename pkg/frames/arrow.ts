import {
  Bool,
  Field as ArrowField,
  Float64,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampNanosecond,
  Utf8,
  makeData,
  tableToIPC,
  type Data,
  type DataType,
} from 'apache-arrow';
import type { Field, FieldKind, Frame, Value } from './frame';

/**
 * Encodes a frame as Grafana's backend expects it: an Arrow IPC *file* whose schema metadata holds
 * `name`, `refId` and `meta`, and whose field metadata holds `name`, `labels` and `config` as JSON
 * (grafana-plugin-sdk-go, data/arrow.go).
 */
export function toArrow(frame: Frame): Uint8Array {
  // Grafana's expressions and alert rules take a series only where its time cannot be missing (dataplane contract).
  const ofSeries = frame.meta?.type?.startsWith('timeseries') === true;
  const fields = frame.fields.map(
    (field) => new ArrowField(field.name, typeOf(field.kind), !(ofSeries && field.kind === 'time'), metadataOf(field))
  );
  const schema = new Schema(
    fields,
    new Map([
      ['name', frame.name],
      ['refId', frame.refId ?? ''],
      ['meta', JSON.stringify({ typeVersion: [0, 0], ...frame.meta })],
    ])
  );
  const length = frame.fields[0]?.values.length ?? 0;
  const children = frame.fields.map(dataOf);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children }));
  return tableToIPC(new Table(schema, [batch]), 'file');
}

/** Written straight into Arrow's layout (https://arrow.apache.org/docs/format/Columnar.html): its builders take thrice the time. */
function dataOf({ kind, values }: Field): Data {
  const length = values.length;
  const { nullBitmap, nullCount } = nullsOf(values);
  switch (kind) {
    case 'time':
      return makeData({ type: new TimestampNanosecond(), length, nullCount, nullBitmap, data: nanoseconds(values) });
    case 'number':
      return makeData({ type: new Float64(), length, nullCount, nullBitmap, data: numbers(values) });
    case 'boolean':
      return makeData({
        type: new Bool(),
        length,
        nullCount,
        nullBitmap,
        data: bitmap(values, (value) => value === true),
      });
    case 'string':
      return makeData({ type: new Utf8(), length, nullCount, nullBitmap, ...texts(values) });
  }
}

/** Without a bitmap where nothing is missing, as Arrow allows. */
function nullsOf(values: readonly Value[]) {
  const nullCount = values.reduce<number>((sum, value) => (value === null ? sum + 1 : sum), 0);
  return { nullCount, nullBitmap: nullCount === 0 ? undefined : bitmap(values, (value) => value !== null) };
}

function bitmap(values: readonly Value[], isSet: (value: Value) => boolean): Uint8Array {
  const bits = new Uint8Array(Math.ceil(values.length / 64) * 8);
  values.forEach((value, index) => {
    if (isSet(value)) {
      bits[index >> 3]! |= 1 << (index & 7);
    }
  });
  return bits;
}

function numbers(values: readonly Value[]): Float64Array {
  const data = new Float64Array(values.length);
  values.forEach((value, index) => (data[index] = value as number));
  return data;
}

/** Grafana counts nanoseconds, which are beyond a number's precision. What 64 bits cannot hold is the last that they can. */
function nanoseconds(values: readonly Value[]): BigInt64Array {
  return BigInt64Array.from(values, (value) =>
    value === null ? 0n : BigInt(Math.round(within(Number(value)))) * 1_000_000n
  );
}

/** The year 2262, in milliseconds. */
const LAST_INSTANT = 9_223_372_036_854;

function within(milliseconds: number): number {
  return Math.min(LAST_INSTANT, Math.max(-LAST_INSTANT, milliseconds));
}

function texts(values: readonly Value[]): { valueOffsets: Int32Array; data: Uint8Array } {
  const all = values.map((value) => (value === null ? '' : String(value)));
  const joined = Buffer.from(all.join(''));
  // Names are mostly ASCII, whose bytes need not be counted one value at a time.
  const isAscii = joined.length === all.reduce((sum, { length }) => sum + length, 0);
  const valueOffsets = new Int32Array(all.length + 1);
  all.forEach((text, index) => {
    valueOffsets[index + 1] = valueOffsets[index]! + (isAscii ? text.length : Buffer.byteLength(text));
  });
  // Halves of a surrogate pair at the ends of two values would become one character.
  const data = isAscii ? joined : Buffer.concat(all.map((text) => Buffer.from(text)));
  return { valueOffsets, data };
}

function typeOf(kind: FieldKind): DataType {
  switch (kind) {
    case 'string':
      return new Utf8();
    case 'number':
      return new Float64();
    case 'boolean':
      return new Bool();
    case 'time':
      return new TimestampNanosecond();
  }
}

function metadataOf(field: Field): Map<string, string> {
  const metadata = new Map([
    ['name', field.name],
    ['tstype', field.kind],
  ]);
  if (field.labels) {
    metadata.set('labels', JSON.stringify(field.labels));
  }
  if (field.config) {
    metadata.set('config', JSON.stringify(field.config));
  }
  return metadata;
}

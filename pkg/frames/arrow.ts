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
  vectorFromArray,
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
  const fields = frame.fields.map((field) => new ArrowField(field.name, typeOf(field.kind), true, metadataOf(field)));
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

function dataOf({ kind, values }: Field): Data {
  return kind === 'time' ? timeData(values) : vectorFromArray(values, typeOf(kind)).data[0]!;
}

/** Grafana counts nanoseconds, which are beyond a number's precision: they are put in as they are. */
function timeData(values: readonly Value[]): Data {
  const nanoseconds = new BigInt64Array(values.length);
  const nullBitmap = new Uint8Array(Math.ceil(values.length / 64) * 8);
  let nullCount = 0;
  values.forEach((value, index) => {
    if (value === null) {
      nullCount += 1;
      return;
    }
    nanoseconds[index] = BigInt(Math.round(Number(value))) * 1_000_000n;
    nullBitmap[index >> 3]! |= 1 << (index & 7);
  });
  return makeData({ type: new TimestampNanosecond(), length: values.length, nullCount, nullBitmap, data: nanoseconds });
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

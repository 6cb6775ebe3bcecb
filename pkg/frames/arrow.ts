import {
  Bool,
  Field as ArrowField,
  Float64,
  RecordBatch,
  Schema,
  Struct,
  Table,
  TimestampMillisecond,
  Utf8,
  makeData,
  tableToIPC,
  vectorFromArray,
  type DataType,
} from 'apache-arrow';
import type { Field, FieldKind, Frame } from './frame';

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
  const children = frame.fields.map((field) => vectorFromArray(field.values, typeOf(field.kind)).data[0]!);
  const batch = new RecordBatch(schema, makeData({ type: new Struct(fields), length, nullCount: 0, children }));
  return tableToIPC(new Table(schema, [batch]), 'file');
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
      return new TimestampMillisecond();
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

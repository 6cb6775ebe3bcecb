import { tableFromIPC } from 'apache-arrow';
import { expect, test } from 'vitest';
import { toArrow } from '../../../pkg/frames/arrow';
import { toJson } from '../../../pkg/frames/json';
import type { Frame, Value } from '../../../pkg/frames/frame';
import fc, { runs } from '../../support/fastCheck';

const frame: Frame = {
  name: 'sample',
  refId: 'A',
  fields: [
    { name: 'time', kind: 'time', values: [1795556581001, null] },
    { name: 'size', kind: 'number', values: [1.5, null], labels: { queue: 'a' }, config: { unit: 's' } },
    { name: 'queue', kind: 'string', values: ['ü', null] },
    { name: 'paused', kind: 'boolean', values: [true, null] },
  ],
};

test('a frame is an Arrow file in which instants are nanoseconds to the last digit', () => {
  const bytes = toArrow(frame);
  expect(Buffer.from(bytes.subarray(0, 6)).toString()).toBe('ARROW1');
  const table = tableFromIPC(bytes);
  expect((table.getChild('time')!.data[0]!.values as BigInt64Array)[0]).toBe(1795556581001000000n);
  expect(table.getChild('time')!.get(1)).toBeNull();
  expect([...table.getChild('size')!]).toEqual([1.5, null]);
  expect([...table.getChild('queue')!]).toEqual(['ü', null]);
  expect([...table.getChild('paused')!]).toEqual([true, null]);
  expect(JSON.parse(table.schema.fields[1]!.metadata.get('labels')!)).toEqual({ queue: 'a' });
});

test('the time of a series cannot be missing: Grafana’s expressions take no other', () => {
  const fields: Frame['fields'] = [
    { name: 'time', kind: 'time', values: [1000] },
    { name: 'size', kind: 'number', values: [null] },
  ];
  const nullable = (type: 'timeseries-multi' | 'timeseries-wide' | 'numeric-long') =>
    tableFromIPC(toArrow({ name: 'x', fields, meta: { type, typeVersion: [0, 1] } })).schema.fields.map(
      (field) => field.nullable
    );
  expect(nullable('timeseries-multi')).toEqual([false, true]);
  expect(nullable('timeseries-wide')).toEqual([false, true]);
  expect(nullable('numeric-long')).toEqual([true, true]);
});

const RUNS = runs(300);
const kinds = {
  string: fc.string({ unit: 'grapheme' }),
  number: fc.double({ noNaN: true }),
  boolean: fc.boolean(),
  time: fc.integer({ min: 0, max: 4e12 }),
};

test.each(Object.keys(kinds) as Array<keyof typeof kinds>)('any %s comes out as it went in', (kind) => {
  fc.assert(
    fc.property(fc.array(fc.option(kinds[kind] as fc.Arbitrary<Value>), { maxLength: 200 }), (values) => {
      const table = tableFromIPC(toArrow({ name: '', fields: [{ name: 'x', kind, values }] }));
      const column = table.getChild('x')!;
      expect(table.numRows).toBe(values.length);
      expect([...column]).toEqual(values);
      expect(column.nullCount).toBe(values.filter((value) => value === null).length);
    }),
    { numRuns: RUNS }
  );
});

test('halves of a surrogate pair in two values stay two values', () => {
  const values = ['a\ud83d', '\ude00b'];
  const table = tableFromIPC(toArrow({ name: '', fields: [{ name: 'x', kind: 'string', values }] }));
  expect([...table.getChild('x')!]).toEqual(['a\ufffd', '\ufffdb']);
});

test('an empty frame is a valid file too', () => {
  expect(tableFromIPC(toArrow({ name: 'none', fields: [] })).numRows).toBe(0);
});

test('in JSON a frame has its schema, or its data alone', () => {
  expect(toJson(frame)).toHaveProperty('schema.fields.0.type', 'time');
  expect(Object.keys(toJson(frame, 'data'))).toEqual(['data']);
});

test('an instant beyond what nanoseconds of 64 bits hold is the last that they do, and does not wrap around', () => {
  const far: Frame = { name: 'far', fields: [{ name: 'time', kind: 'time', values: [11256696925000, -1e15] }] };
  const values = tableFromIPC(toArrow(far)).getChild('time')!.data[0]!.values as BigInt64Array;
  expect([...values]).toEqual([9_223_372_036_854_000_000n, -9_223_372_036_854_000_000n]);
});

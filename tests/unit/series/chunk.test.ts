import { describe, expect, test } from 'vitest';
import {
  addSample,
  decodeParts,
  decodeTimes,
  decodeValues,
  encodeParts,
  encodeTimes,
  encodeValues,
  noParts,
  rounded,
} from '../../../pkg/series/chunk';
import { VarintReader, VarintWriter } from '../../../pkg/series/varints';
import fc from '../../support/fastCheck';

const kept = fc
  .oneof(
    fc.constant(NaN),
    fc.integer({ min: 0, max: 2 ** 40 }),
    fc.constantFrom(0, 0, 1, 5),
    fc.double({ min: 0, max: 1e5, noNaN: true }).map(rounded),
    fc.double({ noDefaultInfinity: true })
  )
  // Bytes have no negative zero.
  .map((value) => value + 0);

describe('varints', () => {
  // The two examples of https://protobuf.dev/programming-guides/encoding/.
  test('are those of Protocol Buffers', () => {
    const writer = new VarintWriter();
    writer.unsigned(150);
    writer.signed(-2);
    expect([...writer.written]).toEqual([0x96, 0x01, 0x03]);
  });

  test('keep every whole number', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: -(2 ** 51), max: 2 ** 51 }), { maxLength: 300 }), (numbers) => {
        const writer = new VarintWriter();
        numbers.forEach((number) => writer.signed(number));
        const reader = new VarintReader(writer.written.slice());
        expect(numbers.map(() => reader.signed())).toEqual(numbers.map((number) => number + 0));
      })
    );
  });
});

describe('a chunk', () => {
  test('gives back every value, and a gap where there was none', () => {
    fc.assert(
      fc.property(fc.array(kept, { maxLength: 400 }), (values) => {
        const back = decodeValues(encodeValues(values), values.length);
        expect([...back]).toEqual(values.map((value) => value + 0));
      })
    );
  });

  test.each([
    [[4503599628, 0.000001]],
    [[0.000001, 4503599628]],
    [[2 ** 42, 0.5]],
    [[-(2 ** 52), 0.25, NaN, 3]],
    [[5e-324, -0]],
  ])('of %j, whose decimals and size do not fit one scale, gives back every value', (values) => {
    expect([...decodeValues(encodeValues(values), values.length)]).toEqual(values.map((value) => value + 0));
  });

  test('gives back its instants to the millisecond', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2e9 }), fc.array(fc.integer({ min: 1, max: 1e7 })), (first, steps) => {
        const at = steps.reduce((all, step) => [...all, all.at(-1)! + step], [first * 1000]).map((ms) => ms / 1000);
        expect(decodeTimes(encodeTimes(at))).toEqual(at);
      })
    );
  });

  test('of an hour that does not change takes some bytes', () => {
    expect(encodeValues(new Array(360).fill(17)).length).toBeLessThan(20);
    expect(encodeTimes(Array.from({ length: 360 }, (_, index) => 1.79e9 + 10 * index)).length).toBeLessThan(30);
  });

  test('of another group, or damaged, is refused, in bounded time', () => {
    expect(() => decodeValues(encodeValues([1, 2, 3]), 4)).toThrow(/another group/);
    const bytes = encodeValues(Array.from({ length: 360 }, (_, index) => (index * 7919) % 101));
    fc.assert(
      fc.property(fc.nat(bytes.length - 1), fc.nat(255), (place, byte) => {
        const damaged = Uint8Array.from(bytes);
        damaged[place] = byte;
        const isSame = bytes[place] === byte;
        // To a kind without a checksum it takes two bits, which is left to chance.
        fc.pre(isSame || place > 0 || byte > 1);
        const decode = () => decodeValues(damaged, 360);
        if (isSame) {
          expect(decode()).toHaveLength(360);
        } else {
          expect(decode).toThrow();
        }
      })
    );
    const bomb = new VarintWriter();
    bomb.unsigned(360);
    bomb.unsigned(2 ** 40);
    expect(() => decodeValues(Uint8Array.of(0, ...bomb.written), 360)).toThrow(/more samples are announced/);
  });
});

test.each([
  [1234.567, 1235],
  [20.1234, 20.12],
  [0.123456, 0.1235],
  [0.00000123, 0.000001],
  [1234567, 1234567],
  [-3.00049, -3],
  [0, 0],
])('%d is kept as %d', (value, expected) => {
  expect(rounded(value)).toBe(expected);
});

test('parts of a chunk are those of its samples', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.integer({ min: 1, max: 400_000 }), kept), { maxLength: 300 }),
      fc.integer({ min: 0, max: 1e9 }),
      (samples, first) => {
        let ms = first * 1000;
        const at = samples.map(([step]) => (ms += step) / 1000);
        const values = samples.map(([, value]) => value);
        const bytes = encodeParts(at, values);
        const present = values.filter((value) => !Number.isNaN(value));
        if (bytes === null) {
          // Some number is not one of the recorder, or no five minutes have two samples.
          const slots = at.filter((_, index) => !Number.isNaN(values[index]!)).map((each) => Math.floor(each / 300));
          const odd = present.some((value) => rounded(value) !== value || Math.abs(value) > 1e6);
          expect(odd || new Set(slots).size === slots.length).toBe(true);
          return;
        }
        const parts = noParts('k');
        decodeParts(bytes, at, parts);
        const expected = noParts('k');
        at.forEach((instant, index) => {
          if (!Number.isNaN(values[index]!)) {
            addSample(expected, instant, values[index]!);
          }
        });
        expect({ ...parts, sum: [] }).toEqual({ ...expected, sum: [] });
        parts.sum.forEach((sum, part) => expect(sum).toBeCloseTo(expected.sum[part]!, 3));
        expect(parts.count.reduce((all, count) => all + count, 0)).toBe(present.length);
      }
    )
  );
});

import { crc32, deflateRawSync, inflateRawSync } from 'node:zlib';
import type { Points } from './store';
import { VarintReader, VarintWriter } from './varints';

/** Seconds of a part: wide ranges are drawn from parts instead of samples where their interval is a multiple of it. */
export const PART_SECONDS = 300;

/** Samples of one chunk at most; what a damaged one announces beyond that is refused. */
export const CHUNK_SAMPLES = 10_000;

const SIGNIFICANT_DIGITS = 4;
const MOST_DECIMALS = 6;
/** The scale of a chunk whose numbers are kept as they are, eight bytes each. */
const AS_FLOATS = 255;
/** Up to here scaled values, their differences and the sum of a part (300 samples, one a second) are exact. */
const MOST_SCALED = 2 ** 42;
/** How bytes are packed; those of schema 2 have no checksum. */
const PLAIN_2 = 0;
const DEFLATED_2 = 1;
const PLAIN = 2;
const DEFLATED = 3;
const CHECKSUM_BYTES = 4;

/**
 * Consecutive samples of one series that lie in the same five minutes. Columns of the same length, in the order of time;
 * instants are epoch seconds.
 */
export interface Parts {
  key: string;
  firstAt: number[];
  lastAt: number[];
  first: number[];
  last: number[];
  min: number[];
  max: number[];
  sum: number[];
  count: number[];
}

/**
 * A figure as it is kept: whole numbers as they are, others with four significant digits and six decimals at most, which is
 * finer than anything that a panel shows.
 */
export function rounded(value: number): number {
  return Number.isInteger(value) ? value : Number(Number(value.toPrecision(SIGNIFICANT_DIGITS)).toFixed(MOST_DECIMALS));
}

/** Half a microsecond in milliseconds: so exact are epoch seconds, and clocks of Redis tell no less than a microsecond. */
const EXACT_MS = 5e-4;

/** An instant as it is kept, to the millisecond and never later: the newest sample lies within a range that ends with it. */
export function roundedAt(at: number): number {
  return Math.floor(at * 1000 + EXACT_MS) / 1000;
}

/** Instants in milliseconds as bytes: the second difference of an even pace is small. @param at epoch seconds, ascending */
export function encodeTimes(at: readonly number[]): Uint8Array {
  const writer = new VarintWriter();
  writer.unsigned(at.length);
  let before = 0;
  let step = 0;
  for (const each of at) {
    const now = Math.round(each * 1000);
    writer.signed(now - before - step);
    step = before === 0 ? 0 : now - before;
    before = now;
  }
  return packed(writer.written);
}

/** @throws Error where the bytes are damaged */
export function decodeTimes(bytes: Uint8Array): number[] {
  const reader = new VarintReader(unpacked(bytes));
  const length = bounded(reader.unsigned());
  const at: number[] = [];
  let before = 0;
  let step = 0;
  for (let index = 0; index < length; index += 1) {
    const now = before + step + reader.signed();
    step = before === 0 ? 0 : now - before;
    before = now;
    at.push(now / 1000);
  }
  return at;
}

/**
 * One series over the instants of a group, as bytes: where it has values, then their differences at a scale that keeps
 * every one exactly.
 *
 * @param values by instant; NaN where the series has none
 */
export function encodeValues(values: ArrayLike<number>): Uint8Array {
  const writer = new VarintWriter();
  writer.unsigned(values.length);
  const runs = runsOf(values);
  writer.unsigned(runs.length);
  runs.forEach((run) => writer.unsigned(run));
  const present = Array.from(values).filter((value) => !Number.isNaN(value));
  const scale = scaleOf(present);
  writer.unsigned(scale);
  if (scale === AS_FLOATS) {
    const floats = new Uint8Array(Float64Array.from(present, (value) => value + 0).buffer);
    return packed(Buffer.concat([writer.written, floats]));
  }
  const times = 10 ** scale;
  let before = 0;
  for (const value of present) {
    const scaled = Math.round(value * times);
    writer.signed(scaled - before);
    before = scaled;
  }
  return packed(writer.written);
}

/**
 * The values by instant, NaN where there is none.
 *
 * @param instants of the group
 * @throws Error where the bytes are damaged or of another group
 */
export function decodeValues(bytes: Uint8Array, instants: number): Float64Array {
  const raw = unpacked(bytes);
  const reader = new VarintReader(raw);
  if (reader.unsigned() !== instants) {
    throw new Error('the values are of another group');
  }
  const runs = Array.from({ length: bounded(reader.unsigned()) }, () => reader.unsigned());
  const scale = reader.unsigned();
  const values = new Float64Array(instants).fill(NaN);
  const present = runs.reduce((sum, run, index) => (index % 2 === 0 ? sum + run : sum), 0);
  const floats =
    scale === AS_FLOATS
      ? new Float64Array(Uint8Array.from(raw.subarray(raw.length - 8 * Math.min(present, instants))).buffer)
      : undefined;
  const times = 10 ** scale;
  let before = 0;
  let found = 0;
  let at = 0;
  runs.forEach((run, index) => {
    const end = Math.min(instants, at + run);
    if (index % 2 === 1) {
      at = end;
      return;
    }
    for (; at < end; at += 1) {
      if (floats) {
        values[at] = floats[found++] ?? NaN;
      } else {
        before += reader.signed();
        values[at] = before / times;
      }
    }
  });
  return values;
}

/** No samples yet. */
export function noParts(key: string): Parts {
  return { key, firstAt: [], lastAt: [], first: [], last: [], min: [], max: [], sum: [], count: [] };
}

/** Adds a sample to the last part, or begins another. */
export function addSample(parts: Parts, at: number, value: number): void {
  const last = parts.count.length - 1;
  if (last >= 0 && slotOf(parts.firstAt[last]!) === slotOf(at)) {
    parts.lastAt[last] = at;
    parts.last[last] = value;
    parts.min[last] = Math.min(parts.min[last]!, value);
    parts.max[last] = Math.max(parts.max[last]!, value);
    parts.sum[last]! += value;
    parts.count[last]! += 1;
    return;
  }
  parts.firstAt.push(at);
  parts.lastAt.push(at);
  parts.first.push(value);
  parts.last.push(value);
  parts.min.push(value);
  parts.max.push(value);
  parts.sum.push(value);
  parts.count.push(1);
}

/** Adds points to the parts before them. */
export function addSamples(parts: Parts, { at, values }: Pick<Points, 'at' | 'values'>): void {
  at.forEach((instant, index) => addSample(parts, instant, values[index]!));
}

/** Parts of one series over the instants of a group as bytes; `null` where they save nothing, and for numbers that no scale keeps. */
export function encodeParts(at: readonly number[], values: ArrayLike<number>): Uint8Array | null {
  const scale = scaleOf(Array.from(values).filter((value) => !Number.isNaN(value)));
  if (scale === AS_FLOATS) {
    return null;
  }
  const times = 10 ** scale;
  const parts = noParts('');
  const from: number[] = [];
  const to: number[] = [];
  at.forEach((instant, index) => {
    const value = values[index]!;
    if (Number.isNaN(value)) {
      return;
    }
    addSample(parts, instant, Math.round(value * times));
    const part = parts.count.length - 1;
    from[part] ??= index;
    to[part] = index;
  });
  // Parts of one sample save nothing.
  if (parts.count.every((count) => count === 1)) {
    return null;
  }
  const writer = new VarintWriter();
  writer.unsigned(at.length);
  writer.unsigned(parts.count.length);
  writer.unsigned(scale);
  writeColumn(writer, differences(from));
  writeColumn(
    writer,
    to.map((index, part) => index - from[part]!)
  );
  writeColumn(
    writer,
    to.map((index, part) => index - from[part]! + 1 - parts.count[part]!)
  );
  writeColumn(writer, differences(parts.min));
  writeColumn(
    writer,
    parts.max.map((value, part) => value - parts.min[part]!)
  );
  writeColumn(
    writer,
    parts.first.map((value, part) => value - parts.min[part]!)
  );
  writeColumn(
    writer,
    parts.last.map((value, part) => value - parts.min[part]!)
  );
  // What the mean of a part has above its smallest value.
  writeColumn(
    writer,
    parts.sum.map((value, part) => value - parts.min[part]! * parts.count[part]!)
  );
  return withChecksum(PLAIN, writer.written);
}

/**
 * Adds the parts of a group to those before it.
 *
 * @param at instants of the group
 * @throws Error where the bytes are damaged or of another group
 */
export function decodeParts(bytes: Uint8Array, at: readonly number[], into: Parts): void {
  // Those of schema 2 begin with the number of instants: of two they are made of the samples.
  const reader = new VarintReader(bytes[0] === PLAIN ? checked(bytes) : bytes);
  if (reader.unsigned() !== at.length) {
    throw new Error('the parts are of another group');
  }
  const length = bounded(reader.unsigned());
  const times = 10 ** reader.unsigned();
  const before = into.count.length;
  const from = readColumn(reader, length);
  const spans = readColumn(reader, length);
  const holes = readColumn(reader, length);
  let index = 0;
  for (let part = 0; part < length; part += 1) {
    index += from[part]!;
    const firstAt = at[index];
    const lastAt = at[index + spans[part]!];
    if (firstAt === undefined || lastAt === undefined) {
      throw new Error('the parts are damaged');
    }
    into.firstAt.push(firstAt);
    into.lastAt.push(lastAt);
    into.count.push(spans[part]! + 1 - holes[part]!);
  }
  const min = readColumn(reader, length);
  let smallest = 0;
  for (let part = 0; part < length; part += 1) {
    smallest += min[part]!;
    min[part] = smallest;
    into.min.push(smallest / times);
  }
  for (const column of [into.max, into.first, into.last]) {
    const above = readColumn(reader, length);
    for (let part = 0; part < length; part += 1) {
      column.push((min[part]! + above[part]!) / times);
    }
  }
  const sum = readColumn(reader, length);
  for (let part = 0; part < length; part += 1) {
    into.sum.push((min[part]! * into.count[before + part]! + sum[part]!) / times);
  }
}

function slotOf(at: number): number {
  return Math.floor(at / PART_SECONDS);
}

/** Lengths of stretches with and without values, in turns, beginning with one that has them. */
function runsOf(values: ArrayLike<number>): number[] {
  const runs = [0];
  for (let index = 0; index < values.length; index += 1) {
    const present = runs.length % 2 === 1;
    if (Number.isNaN(values[index]!) === present) {
      runs.push(0);
    }
    runs[runs.length - 1]! += 1;
  }
  return runs;
}

/** The fewest decimals that keep every value, or {@link AS_FLOATS}. */
function scaleOf(values: readonly number[]): number {
  let scale = 0;
  let largest = 0;
  for (const value of values) {
    largest = Math.max(largest, Math.abs(value));
    while (scale <= MOST_DECIMALS && Math.round(value * 10 ** scale) / 10 ** scale !== value) {
      scale += 1;
    }
    if (scale > MOST_DECIMALS) {
      return AS_FLOATS;
    }
  }
  // A later value may need more decimals than the largest one allows.
  return largest * 10 ** scale > MOST_SCALED ? AS_FLOATS : scale;
}

/** A column whose numbers are all the same takes two bytes. */
function writeColumn(writer: VarintWriter, values: readonly number[]): void {
  const same = values.every((value) => value === values[0]);
  writer.unsigned(same ? 1 : 0);
  (same ? values.slice(0, 1) : values).forEach((value) => writer.signed(value));
}

function readColumn(reader: VarintReader, length: number): number[] {
  if (reader.unsigned() === 1) {
    return new Array<number>(length).fill(length > 0 ? reader.signed() : 0);
  }
  const values: number[] = [];
  for (let index = 0; index < length; index += 1) {
    values.push(reader.signed());
  }
  return values;
}

function differences(values: readonly number[]): number[] {
  return values.map((value, index) => value - (values[index - 1] ?? 0));
}

function packed(bytes: Uint8Array): Uint8Array {
  const deflated = deflateRawSync(bytes);
  return deflated.length < bytes.length ? withChecksum(DEFLATED, deflated) : withChecksum(PLAIN, bytes);
}

function unpacked(bytes: Uint8Array): Uint8Array {
  const kind = bytes[0];
  const isChecked = kind === DEFLATED || kind === PLAIN;
  if (!isChecked && kind !== DEFLATED_2 && kind !== PLAIN_2) {
    throw new Error('the bytes are packed in no known way');
  }
  const body = isChecked ? checked(bytes) : bytes.subarray(1);
  const isDeflated = kind === DEFLATED || kind === DEFLATED_2;
  return isDeflated ? inflateRawSync(body, { maxOutputLength: 20 * CHUNK_SAMPLES }) : body;
}

/** How bytes are packed, their CRC-32, and the bytes: a disk gives back other bytes without an error. */
function withChecksum(kind: number, bytes: Uint8Array): Uint8Array {
  const head = Buffer.alloc(1 + CHECKSUM_BYTES);
  head.writeUInt8(kind);
  // Before the bytes, so that a process of schema 2 which has the file open finds no figures in them.
  head.writeUInt32LE(crc32(bytes, kind), 1);
  return Buffer.concat([head, bytes]);
}

/** The bytes that {@link withChecksum} was given. @throws Error where they are damaged */
function checked(bytes: Uint8Array): Uint8Array {
  const body = bytes.subarray(1 + CHECKSUM_BYTES);
  if (bytes.length <= CHECKSUM_BYTES || Buffer.from(bytes).readUInt32LE(1) !== crc32(body, bytes[0])) {
    throw new Error('the bytes are damaged');
  }
  return body;
}

function bounded(length: number): number {
  if (length > CHUNK_SAMPLES) {
    throw new Error('more samples are announced than a chunk can hold');
  }
  return length;
}

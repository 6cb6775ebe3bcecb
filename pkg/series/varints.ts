/**
 * Writes whole numbers as base-128 varints, signed ones in zigzag form, as Protocol Buffers does
 * (https://protobuf.dev/programming-guides/encoding/#varints). Exact up to 2^53.
 */
export class VarintWriter {
  private bytes = new Uint8Array(1024);
  private length = 0;

  /** @param value a whole number from 0 */
  unsigned(value: number): void {
    if (this.length + 8 >= this.bytes.length) {
      const larger = new Uint8Array(2 * this.bytes.length);
      larger.set(this.bytes);
      this.bytes = larger;
    }
    let rest = value;
    while (rest >= 0x80) {
      this.bytes[this.length++] = (rest % 0x80) | 0x80;
      rest = Math.floor(rest / 0x80);
    }
    this.bytes[this.length++] = rest;
  }

  /** @param value a whole number below 2^52, of either sign */
  signed(value: number): void {
    this.unsigned(value < 0 ? -2 * value - 1 : 2 * value);
  }

  /** What was written; valid until the writer is used again. */
  get written(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  /** Begins anew. */
  clear(): void {
    this.length = 0;
  }
}

/** Reads what {@link VarintWriter} wrote. Past the end everything is 0, so that cut bytes end every loop. */
export class VarintReader {
  private at = 0;

  constructor(private readonly bytes: Uint8Array) {}

  unsigned(): number {
    const { bytes } = this;
    let byte = bytes[this.at++] ?? 0;
    if (byte < 0x80) {
      return byte;
    }
    let value = byte & 0x7f;
    let times = 0x80;
    while (byte >= 0x80) {
      byte = bytes[this.at++] ?? 0;
      value += (byte & 0x7f) * times;
      times *= 0x80;
    }
    return value;
  }

  signed(): number {
    const value = this.unsigned();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
}

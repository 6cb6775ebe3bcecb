/** FNV-1a, the hash of Fowler, Noll and Vo, of 32 bits. */
const FNV_OFFSET = 0x811c9dc5 | 0;
const FNV_PRIME = 0x01000193;
const LF = 10;
const COLON = 58;
const BAR = 124;
const POINT = 46;
const ZERO = 48;
/** The most digits of a value that a double holds exactly, so that dividing by a power of ten rounds once. */
const EXACT_DIGITS = 15;
const POWERS = Array.from({ length: EXACT_DIGITS + 1 }, (_, digits) => 10 ** digits);
/** Lines remembered; those of an application are its classes times its metrics. */
const ENTRIES = 20_000;
/** Longest line that is remembered. */
const BYTES = 512;

interface Entry<T> {
  /** Bytes before the value, then those after it. */
  readonly bytes: Uint8Array;
  readonly nameLength: number;
  readonly kept: T;
}

/**
 * Lines of DogStatsD that were read before, but for their value: `name:` and `|type|#tags`. What a line says is then
 * found by its bytes, and neither text nor numbers are made of it anew; a sender repeats a few lines for ever.
 *
 * `look` reads one line and says what it found in `end`, `kept` and `value`, which hold until the next call: hundreds of
 * thousands of lines a second pass here, so that no object is made for one.
 */
export class KnownLines<T> {
  private readonly entries = new Map<number, Entry<T>>();
  private hash = 0;
  private colon = -1;
  private bar = -1;
  /** Where the line ends: at its LF, or at the end of the packet. */
  end = 0;
  /** What was kept of the line. */
  kept: T | undefined;
  /** The value of a known line. */
  value = 0;

  /** @returns whether the line at `start` is known and has one plain decimal number as its value */
  look(packet: Uint8Array, start: number): boolean {
    const { length } = packet;
    let hash = FNV_OFFSET;
    let byte = 0;
    let at = start;
    for (; at < length && (byte = packet[at]!) !== COLON && byte !== LF; at += 1) {
      hash = Math.imul(hash ^ byte, FNV_PRIME);
    }
    const colon = at;
    while (at < length && (byte = packet[at]!) !== BAR && byte !== LF) {
      at += 1;
    }
    const bar = at;
    for (; at < length && (byte = packet[at]!) !== LF; at += 1) {
      hash = Math.imul(hash ^ byte, FNV_PRIME);
    }
    this.end = at;
    this.hash = hash;
    this.colon = colon;
    this.bar = bar;
    const entry = this.entries.get(hash);
    if (entry === undefined || !this.isOf(entry, packet, start) || !this.readValue(packet, colon + 1, bar)) {
      return false;
    }
    this.kept = entry.kept;
    return true;
  }

  /** Remembers the line that was looked at last, where the bytes before and after its value say all but that. */
  keep(packet: Uint8Array, start: number, kept: T): void {
    const isPlain = this.bar < this.end && this.readValue(packet, this.colon + 1, this.bar);
    if (!isPlain || this.end - start > BYTES) {
      return;
    }
    if (this.entries.size >= ENTRIES) {
      this.entries.clear();
    }
    const nameLength = this.colon - start;
    const bytes = new Uint8Array(nameLength + this.end - this.bar);
    bytes.set(packet.subarray(start, this.colon));
    bytes.set(packet.subarray(this.bar, this.end), nameLength);
    this.entries.set(this.hash, { bytes, nameLength, kept });
  }

  clear(): void {
    this.entries.clear();
  }

  /** Other lines may have the same hash. */
  private isOf({ bytes, nameLength }: Entry<T>, packet: Uint8Array, start: number): boolean {
    const { colon, bar, end } = this;
    if (colon - start !== nameLength || end - bar !== bytes.length - nameLength) {
      return false;
    }
    for (let at = 0; at < nameLength; at += 1) {
      if (bytes[at] !== packet[start + at]) {
        return false;
      }
    }
    const shift = bar - nameLength;
    for (let at = nameLength; at < bytes.length; at += 1) {
      if (bytes[at] !== packet[at + shift]) {
        return false;
      }
    }
    return true;
  }

  /** Digits with at most one point; anything else is left to the reader of whole lines. */
  private readValue(packet: Uint8Array, from: number, to: number): boolean {
    let digits = 0;
    let number = 0;
    let decimals = -1;
    for (let at = from; at < to; at += 1) {
      const byte = packet[at]!;
      if (byte === POINT && decimals < 0 && digits > 0) {
        decimals = 0;
        continue;
      }
      const digit = byte - ZERO;
      if (digit < 0 || digit > 9) {
        return false;
      }
      number = number * 10 + digit;
      digits += 1;
      if (decimals >= 0) {
        decimals += 1;
      }
    }
    if (digits === 0 || digits > EXACT_DIGITS) {
      return false;
    }
    this.value = decimals > 0 ? number / POWERS[decimals]! : number;
    return true;
  }
}

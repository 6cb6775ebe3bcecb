import type { Argument, Reply, Value } from './readOnlyRedis';

/**
 * The bytes of commands as Redis takes them: each an array of bulk strings (redis.io, RESP specification). Commands are
 * put together as one text, since a buffer for each argument takes several times as long.
 */
export function encodeCommands(commands: ReadonlyArray<{ name: string; args: readonly Argument[] }>): Buffer {
  const parts: Buffer[] = [];
  let text = '';
  for (const { name, args } of commands) {
    text += `*${args.length + 1}\r\n$${name.length}\r\n${name}\r\n`;
    for (const arg of args) {
      if (Buffer.isBuffer(arg)) {
        parts.push(Buffer.from(`${text}$${arg.length}\r\n`), arg);
        text = '\r\n';
      } else {
        const length = typeof arg === 'string' ? Buffer.byteLength(arg) : String(arg).length;
        text += `$${length}\r\n${arg}\r\n`;
      }
    }
  }
  const rest = Buffer.from(text);
  return parts.length === 0 ? rest : Buffer.concat([...parts, rest]);
}

const CR = 13;
const LF = 10;

/** Bytes that are no RESP: the connection cannot be used any more. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** An error reply of Redis. */
export class ReplyError extends Error {
  override readonly name = 'ReplyError';
}

/** A reply that was received and not kept, since its batch had more bytes than are kept. */
export class OversizedReply extends ReplyError {
  constructor(readonly bytes: number) {
    super(`the reply takes ${(bytes / 2 ** 20).toFixed(0)} MiB, more than Jobwatch keeps`);
  }
}

interface OpenList {
  items: Value[];
  left: number;
  /** RESP3 pushes are read and dropped: they answer no command. */
  push: boolean;
}

/**
 * Reads RESP2 replies out of a stream of bytes, whatever way it is cut. The state between two calls is the list that
 * is open, the bulk string that is filling, and the bytes of an unfinished line, so that no byte is read twice.
 */
export class ReplyReader {
  private lists: OpenList[] = [];
  private bulk: { bytes: Buffer; filled: number } | undefined;
  /** Bytes left of a bulk string that is not kept. */
  private skipping = 0;
  private rest: Buffer | undefined;
  /** Bytes and items kept since {@link restart}. */
  private kept = 0;
  /** Bytes of the reply that is being read. */
  private replyBytes = 0;
  private oversized = false;

  /** @param budget bytes of the replies of one batch that are kept at most; a reply beyond is an {@link OversizedReply} */
  constructor(
    private readonly onReply: (reply: Reply) => void,
    private readonly budget = KEPT_BYTES
  ) {}

  /** The replies so far are with whoever asked: another batch begins. */
  restart(): void {
    this.kept = 0;
  }

  /** @throws ProtocolError */
  push(chunk: Buffer): void {
    const bytes = this.rest ? Buffer.concat([this.rest, chunk]) : chunk;
    this.rest = undefined;
    let at = 0;
    while (at < bytes.length) {
      if (this.bulk) {
        at = this.fill(bytes, at);
        continue;
      }
      if (this.skipping > 0) {
        at = this.skip(bytes, at);
        continue;
      }
      const end = bytes.indexOf(CR, at);
      if (end < 0 || end + 1 >= bytes.length) {
        this.rest = bytes.subarray(at);
        if (this.rest.length > LONGEST_LINE) {
          throw new ProtocolError('a line does not end');
        }
        return;
      }
      if (bytes[end + 1] !== LF) {
        throw new ProtocolError('a line does not end in CR LF');
      }
      const kind = bytes[at]!;
      const start = at + 1;
      at = end + 2;
      if (kind === BULK) {
        const length = integer(bytes, start, end);
        if (length > LARGEST_BULK) {
          throw new ProtocolError(TOO_LONG);
        } else if (length < 0) {
          this.take({ value: null });
        } else if (!this.keeps(length)) {
          this.skipping = length + 2;
        } else if (at + length + 2 <= bytes.length) {
          this.take({ value: bytes.subarray(at, at + length) });
          at += length + 2;
        } else {
          this.bulk = { bytes: Buffer.allocUnsafe(length + 2), filled: 0 };
        }
      } else if (kind === LIST || kind === PUSH) {
        this.open(integer(bytes, start, end), kind === PUSH);
      } else if (kind === INTEGER) {
        this.take({ value: integer(bytes, start, end) });
      } else if (kind === SIMPLE) {
        this.take({ value: bytes.subarray(start, end) });
      } else if (kind === ERROR) {
        this.take({ error: new ReplyError(bytes.toString('utf8', start, end)) });
      } else {
        throw new ProtocolError(kind === TLS_ALERT ? TLS_INSTEAD : `byte ${kind} begins no reply`);
      }
    }
  }

  private fill(bytes: Buffer, at: number): number {
    const bulk = this.bulk!;
    const taken = Math.min(bytes.length - at, bulk.bytes.length - bulk.filled);
    bytes.copy(bulk.bytes, bulk.filled, at, at + taken);
    bulk.filled += taken;
    if (bulk.filled === bulk.bytes.length) {
      this.bulk = undefined;
      this.take({ value: bulk.bytes.subarray(0, -2) });
    }
    return at + taken;
  }

  private skip(bytes: Buffer, at: number): number {
    const skipped = Math.min(bytes.length - at, this.skipping);
    this.skipping -= skipped;
    if (this.skipping === 0) {
      this.take({ value: null });
    }
    return at + skipped;
  }

  /** Counts bytes that are about to be kept. @returns whether they are */
  private keeps(length: number): boolean {
    this.replyBytes += length;
    if (this.kept + length > this.budget) {
      this.oversized = true;
      return false;
    }
    this.kept += length;
    return true;
  }

  private open(length: number, push: boolean): void {
    if (length > LONGEST_LIST || this.lists.length >= DEEPEST_LIST) {
      throw new ProtocolError(TOO_LONG);
    }
    if (length < 0) {
      this.take({ value: null });
    } else if (length === 0 && !push) {
      this.take({ value: [] });
    } else if (length > 0) {
      this.lists.push({ items: [], left: length, push });
    }
  }

  private take(reply: Reply): void {
    let done = reply;
    for (;;) {
      const list = this.lists[this.lists.length - 1];
      if (!list) {
        const reply = this.oversized ? { error: new OversizedReply(this.replyBytes) } : done;
        this.oversized = false;
        this.replyBytes = 0;
        this.onReply(reply);
        return;
      }
      // What is announced costs nothing; each item that comes takes a place.
      if (this.keeps(ITEM_BYTES)) {
        // An error within a list is a value that is missing; no command on the list of reads answers so.
        list.items.push(done.error ? null : done.value);
      }
      list.left -= 1;
      if (list.left > 0) {
        return;
      }
      this.lists.pop();
      if (list.push) {
        return;
      }
      done = { value: list.items };
    }
  }
}

/** Errors are the longest lines; anything longer is no Redis. */
const LONGEST_LINE = 64 * 1024;
/** proto-max-bulk-len and the longest reply of Redis: beyond, memory is not reserved on anyone's word. */
const LARGEST_BULK = 512 * 1024 * 1024;
const LONGEST_LIST = 2 ** 31;
/** Replies of the commands on the list of reads are two lists deep at most. */
const DEEPEST_LIST = 8;
/** Of the replies of one batch: what a reading needs is a tenth of that. */
const KEPT_BYTES = 96 * 1024 * 1024;
/** What an item of a list takes beside its bytes. */
const ITEM_BYTES = 16;
const TOO_LONG = 'a length is larger than Redis allows';
const BULK = 36;
const LIST = 42;
const INTEGER = 58;
const SIMPLE = 43;
const ERROR = 45;
const PUSH = 62;
/** First byte of a TLS record that carries an alert. */
const TLS_ALERT = 21;
/** What a port that speaks TLS answers to plain bytes. */
export const TLS_INSTEAD = 'the port speaks TLS';

function integer(bytes: Buffer, start: number, end: number): number {
  let value = 0;
  let at = start;
  const negative = bytes[at] === 45;
  if (negative) {
    at += 1;
  }
  if (at >= end) {
    throw new ProtocolError('a number is missing');
  }
  for (; at < end; at += 1) {
    const digit = bytes[at]! - 48;
    if (digit < 0 || digit > 9) {
      throw new ProtocolError('a number holds something else');
    }
    value = value * 10 + digit;
  }
  return negative ? -value : value;
}

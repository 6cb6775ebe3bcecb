import { describe, expect, test } from 'vitest';
import type { Reply, Value } from '../../../pkg/redis/readOnlyRedis';
import { encodeCommands, OversizedReply, ProtocolError, ReplyReader } from '../../../pkg/redis/resp';
import fc, { runs } from '../../support/fastCheck';

function read(...chunks: Array<string | Buffer>): Reply[] {
  const replies: Reply[] = [];
  const reader = new ReplyReader((reply) => replies.push(reply));
  chunks.forEach((chunk) => reader.push(Buffer.from(chunk)));
  return replies;
}

/** A value of the grammar, and its bytes as the RESP specification writes them. */
interface Written {
  value: Value;
  bytes: Buffer;
}

const bulk = (value: Buffer): Written => ({
  value,
  bytes: Buffer.concat([Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]),
});
const list = (items: Written[]): Written => ({
  value: items.map(({ value }) => value),
  bytes: Buffer.concat([Buffer.from(`*${items.length}\r\n`), ...items.map(({ bytes }) => bytes)]),
});
const { written } = fc.letrec<{ written: Written }>((tie) => ({
  written: fc.oneof(
    { depthSize: 'small', withCrossShrink: true },
    fc.uint8Array({ maxLength: 40 }).map((bytes) => bulk(Buffer.from(bytes))),
    fc.maxSafeInteger().map((value) => ({ value: value === 0 ? 0 : value, bytes: Buffer.from(`:${value}\r\n`) })),
    fc.constantFrom(
      { value: null, bytes: Buffer.from('$-1\r\n') },
      { value: null, bytes: Buffer.from('*-1\r\n') },
      { value: Buffer.from('OK'), bytes: Buffer.from('+OK\r\n') }
    ),
    fc.array(tie('written'), { maxLength: 5 }).map(list)
  ),
}));

/** Cuts bytes at the given places, in whatever order they stand. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [...new Set(places.map((place) => place % (bytes.length + 1)))].sort((a, b) => a - b);
  return [0, ...at].map((start, index) => bytes.subarray(start, at[index] ?? bytes.length));
}

describe('the reply reader', () => {
  test('reads any replies of the grammar, however the stream is cut', () => {
    fc.assert(
      fc.property(fc.array(written, { minLength: 1, maxLength: 6 }), fc.array(fc.nat()), (replies, places) => {
        const bytes = Buffer.concat(replies.map((reply) => reply.bytes));
        expect(read(...cut(bytes, places))).toEqual(replies.map(({ value }) => ({ value })));
      }),
      { numRuns: runs(2000) }
    );
  });

  test('throws nothing but a protocol error, whatever the bytes are', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 60 }).map((values) => Buffer.from(values)),
      fc.string({ unit: fc.constantFrom(...'$*:+->\r\n-0159a'), maxLength: 40 }).map((text) => Buffer.from(text))
    );
    fc.assert(
      fc.property(bytes, fc.array(fc.nat()), (stream, places) => {
        try {
          read(...cut(stream, places));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
        }
      }),
      { numRuns: runs(5000) }
    );
  });

  test('reads a bulk string of a megabyte that comes in small pieces', () => {
    const value = Buffer.alloc(1024 * 1024, 'ab\r\n');
    const { bytes } = bulk(value);
    const pieces = Array.from({ length: Math.ceil(bytes.length / 1000) }, (_, index) =>
      bytes.subarray(index * 1000, index * 1000 + 1000)
    );
    const [reply] = read(...pieces);
    expect(value.equals(reply!.value as Buffer)).toBe(true);
  });

  test('gives an error reply with the words of Redis', () => {
    const [reply, next] = read('-NOPERM this user\r\n:1\r\n');
    expect(reply!.error).toMatchObject({ name: 'ReplyError', message: 'NOPERM this user' });
    expect(next).toEqual({ value: 1 });
  });

  test('gives an error within a list as a value that is missing', () => {
    expect(read('*2\r\n-ERR x\r\n:2\r\n')).toEqual([{ value: [null, 2] }]);
  });

  test('drops pushes, between replies and empty ones too', () => {
    expect(read(':1\r\n>2\r\n+message\r\n*1\r\n:5\r\n>0\r\n:2\r\n')).toEqual([{ value: 1 }, { value: 2 }]);
  });

  test.each([
    ['?1\r\n', 'byte 63 begins no reply'],
    ['$x\r\n', 'a number holds something else'],
    ['$\r\n', 'a number is missing'],
    ['*-\r\n', 'a number is missing'],
    ['+OK\rx', 'a line does not end in CR LF'],
    ['\x15\x03\r\n', 'the port speaks TLS'],
    [`+${'x'.repeat(65_537)}`, 'a line does not end'],
  ])('refuses %j', (bytes, message) => {
    expect(() => read(bytes)).toThrow(new ProtocolError(message));
  });

  test('refuses a bulk string longer than Redis allows instead of reserving memory for it', () => {
    expect(() => read('$99999999999\r\n')).toThrow(new ProtocolError('a length is larger than Redis allows'));
    expect(() => read('*99999999999\r\n')).toThrow(new ProtocolError('a length is larger than Redis allows'));
  });
});

describe('the budget of a batch', () => {
  const budgeted = (budget: number) => {
    const replies: Reply[] = [];
    const reader = new ReplyReader((reply) => replies.push(reply), budget);
    return { replies, reader, push: (text: string) => reader.push(Buffer.from(text)) };
  };
  const text = (length: number) => `$${length}\r\n${'x'.repeat(length)}\r\n`;
  const kindOf = ({ error, value }: Reply) => error ?? String(value).length;

  test('keeps replies up to it, tells those beyond with their bytes, and reads on behind them', () => {
    const { replies, reader, push } = budgeted(1000);
    push(text(600) + text(401) + text(400) + text(1));
    expect(replies.map(kindOf)).toEqual([600, new OversizedReply(401), 400, new OversizedReply(1)]);
    reader.restart();
    push(text(1000));
    expect(kindOf(replies[4]!)).toBe(1000);
  });

  test('skips a reply beyond it however the stream is cut', () => {
    const { replies, push } = budgeted(100);
    for (const byte of text(3000) + text(3)) {
      push(byte);
    }
    expect(replies.map(kindOf)).toEqual([new OversizedReply(3000), 3]);
  });

  test('counts items of lists too, so that a list without an end takes no memory', () => {
    const { replies, reader, push } = budgeted(1600);
    push('*2147483648\r\n');
    for (let sent = 0; sent < 1000; sent += 1) {
      push(':1\r\n'.repeat(100));
    }
    const held = (reader as unknown as { lists: Array<{ items: unknown[] }> }).lists[0]!.items;
    expect({ replies: replies.length, held: held.length }).toEqual({ replies: 0, held: 100 });
  });

  test('tells a list whose items exceed it as one reply', () => {
    const { replies, push } = budgeted(1000);
    push(`*3\r\n${text(500)}${text(500)}${text(500)}:7\r\n`);
    expect(replies[0]!.error).toBeInstanceOf(OversizedReply);
    expect(replies).toHaveLength(2);
  });

  test('lists are read eight deep, and a ninth is refused', () => {
    expect(read(`${'*1\r\n'.repeat(8)}:1\r\n`)).toEqual([{ value: [[[[[[[[1]]]]]]]] }]);
    expect(() => read(`${'*1\r\n'.repeat(9)}:1\r\n`)).toThrow(ProtocolError);
  });
});

describe('the command encoder', () => {
  test('writes lengths in bytes, and bytes as they are', () => {
    expect(encodeCommands([{ name: 'get', args: ['ü', 7, Buffer.from([0xff])] }])).toEqual(
      Buffer.concat([
        Buffer.from('*4\r\n$3\r\nget\r\n$2\r\nü\r\n$1\r\n7\r\n$1\r\n'),
        Buffer.from([0xff]),
        Buffer.from('\r\n'),
      ])
    );
  });

  test('is read back as a list of bulk strings', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 20 }), { maxLength: 8 }), (args) => {
        const [reply] = read(encodeCommands([{ name: 'mget', args: args.map((arg) => Buffer.from(arg)) }]));
        expect(reply).toEqual({ value: [Buffer.from('mget'), ...args.map((arg) => Buffer.from(arg))] });
      })
    );
  });
});

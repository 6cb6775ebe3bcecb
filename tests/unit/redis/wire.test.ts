import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { command } from '../../../pkg/redis/readOnlyRedis';
import { setUp } from '../../../pkg/redis/setUp';
import { CLOSED_AT_ONCE, Disconnected, Wire } from '../../../pkg/redis/wire';
import { RedisSocket } from '../../support/redisSocket';

let socket: RedisSocket;
let wire: Wire;
beforeEach(() => {
  vi.useFakeTimers();
  socket = new RedisSocket();
  wire = new Wire(socket.asSocket(), 3000);
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a wire', () => {
  test('writes a batch at once, and gives overlapping batches their own replies', async () => {
    const first = wire.send([command('get', 'a'), command('llen', 'b')]);
    const second = wire.send([command('scard', 'c')]);
    expect(socket.written).toEqual([
      '*2\r\n$3\r\nget\r\n$1\r\na\r\n*2\r\n$4\r\nllen\r\n$1\r\nb\r\n',
      expect.any(String),
    ]);
    socket.answer('$1\r\nA\r\n:2\r\n:3\r\n');
    expect(await first).toEqual([{ value: Buffer.from('A') }, { value: 2 }]);
    expect(await second).toEqual([{ value: 3 }]);
    expect(wire.bytesRead).toBe(15);
  });

  test('takes no replies of which there is one more than commands: they may answer others', async () => {
    const rejected = expect(wire.send([command('zcard', 'retry'), command('zcard', 'dead')])).rejects.toThrow(
      'a reply came to no command'
    );
    socket.answer('+EXTRA\r\n:1\r\n:0\r\n');
    await rejected;
    expect(wire.open).toBe(false);
  });

  test('sends nothing for an empty batch', async () => {
    expect(await wire.send([])).toEqual([]);
    expect(socket.written).toEqual([]);
  });

  test('is closed by silence, so that a late reply answers nothing', async () => {
    const asked = wire.send([command('get', 'a')]);
    const rejected = expect(asked).rejects.toThrow('Command timed out');
    vi.advanceTimersByTime(2999);
    expect(wire.open).toBe(true);
    vi.advanceTimersByTime(1);
    await rejected;
    expect({ open: wire.open, destroyed: socket.destroyed }).toEqual({ open: false, destroyed: true });
    socket.answer('$4\r\nlate\r\n');
    await expect(wire.send([command('get', 'b')])).rejects.toThrow('Command timed out');
    expect(socket.written).toHaveLength(1);
  });

  test('waits on while bytes come, and does not count rest as silence', async () => {
    const asked = wire.send([command('get', 'a')]);
    for (const piece of ['$1', '0\r\n', '01234', '56789', '\r\n']) {
      vi.advanceTimersByTime(2000);
      socket.answer(piece);
    }
    expect(await asked).toEqual([{ value: Buffer.from('0123456789') }]);
    vi.advanceTimersByTime(60_000);
    expect(wire.open).toBe(true);
  });

  test('is closed where a batch is not whole after five times the silence, though a byte comes every second', async () => {
    const rejected = expect(wire.send([command('get', 'a')])).rejects.toThrow('Command timed out');
    socket.answer('$99\r\n');
    for (let second = 0; second < 15; second += 1) {
      vi.advanceTimersByTime(1000);
      expect(wire.open).toBe(true);
      socket.answer('x');
    }
    vi.advanceTimersByTime(1);
    socket.answer('x');
    await rejected;
  });

  test('gives a batch its own time, however long the one before it took', async () => {
    const first = wire.send([command('get', 'a')]);
    const second = wire.send([command('get', 'b')]);
    const drip = (bytes: string) => {
      for (const byte of bytes) {
        vi.advanceTimersByTime(1000);
        socket.answer(byte);
      }
    };
    drip('$9\r\n123456789');
    socket.answer('\r\n');
    await first;
    drip('$6\r\n123456');
    socket.answer('\r\n');
    expect(await second).toEqual([{ value: Buffer.from('123456') }]);
  });

  test.each([
    ['end', undefined, new Disconnected('the connection was closed')],
    ['close', undefined, new Disconnected('the connection was closed')],
    ['error', new Error('read ECONNRESET'), new Error('read ECONNRESET')],
  ])('rejects every open batch on %s', async (event, given, expected) => {
    const batches = [wire.send([command('get', 'a')]), wire.send([command('get', 'b')])];
    const rejected = Promise.all(batches.map((batch) => expect(batch).rejects.toEqual(expected)));
    socket.answer('$1\r\n');
    socket.emit(event, given);
    await rejected;
    expect(wire.open).toBe(false);
  });

  test('tells a connection that was closed before the first reply apart: another protocol is spoken there', async () => {
    const rejected = expect(wire.send([command('get', 'a')])).rejects.toThrow(CLOSED_AT_ONCE);
    socket.emit('error', Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }));
    await rejected;
  });

  test('gives the reason that Redis gave before it closed, though more replies are missing', async () => {
    const rejected = expect(wire.send([command('get', 'a'), command('get', 'b')])).rejects.toThrow(/max number/);
    socket.answer('-ERR max number of clients reached\r\n');
    socket.emit('end');
    await rejected;
  });

  test('is closed by bytes that are no reply', async () => {
    const rejected = expect(wire.send([command('get', 'a')])).rejects.toMatchObject({ name: 'ProtocolError' });
    socket.answer('HTTP/1.1 400\r\n');
    await rejected;
    expect(socket.destroyed).toBe(true);
  });

  test('is closed by a reply that nobody asked for, with the words of Redis', async () => {
    socket.answer('-ERR max number of clients reached\r\n');
    await expect(wire.send([command('get', 'a')])).rejects.toThrow('ERR max number of clients reached');
  });
});

describe('the set-up', () => {
  const done = (credentials: { username?: string; password?: string; database?: number }) =>
    setUp(wire, { username: '', password: '', database: 0, ...credentials });
  const asked = () =>
    socket.written.map((text) =>
      text
        .replace(/[*$]\d+\r\n/g, '')
        .trim()
        .split('\r\n')
        .join(' ')
    );
  /** Answers each step once it is asked. */
  async function answering(...replies: string[]): Promise<void> {
    for (const reply of replies) {
      socket.answer(reply);
      await vi.advanceTimersByTimeAsync(0);
    }
  }

  test('asks nothing where nothing is set', async () => {
    await done({});
    expect(socket.written).toEqual([]);
  });

  test('authenticates, then selects', async () => {
    const ready = done({ username: 'u', password: 'p', database: 3 });
    await answering('+OK\r\n', '+OK\r\n');
    await ready;
    expect(asked()).toEqual(['auth u p', 'select 3']);
  });

  test('falls back to the password alone where Redis is older than 6', async () => {
    const ready = done({ username: 'u', password: 'p' });
    await answering("-ERR wrong number of arguments for 'auth' command\r\n", '+OK\r\n');
    await ready;
    expect(asked()).toEqual(['auth u p', 'auth p']);
  });

  test.each([
    [{ password: 'p' }, ['-WRONGPASS invalid\r\n'], 'WRONGPASS invalid'],
    [{ username: 'u', password: 'p' }, ['-NOPERM no\r\n'], 'NOPERM no'],
    [{ database: 99 }, ['-ERR DB index is out of range\r\n'], 'ERR DB index is out of range'],
    [{ password: 'p', database: 1 }, ['+OK\r\n', '-LOADING busy\r\n'], 'LOADING busy'],
  ])('fails as a whole at the step that fails: %j', async (credentials, replies, message) => {
    const rejected = expect(done(credentials)).rejects.toThrow(message);
    await answering(...replies);
    await rejected;
  });
});

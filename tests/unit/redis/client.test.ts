import { afterEach, describe, expect, test, vi } from 'vitest';
import { openRedis } from '../../../pkg/redis/client';
import { command, type AllowedCommand, type ReadOnlyRedis } from '../../../pkg/redis/readOnlyRedis';
import { parseSettings } from '../../../pkg/settings/settings';
import { startScripted, type Script, type ScriptedRedis } from '../../support/scriptedRedis';

const opened: Array<{ server: ScriptedRedis; client: ReadOnlyRedis }> = [];
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(
    opened.splice(0).map(async ({ server, client }) => {
      client.close();
      await server.stop();
    })
  );
});

async function open(script: Script, path = '', raw: object = {}, options: object = {}) {
  const server = await startScripted(script);
  const client = openRedis(
    parseSettings({ url: `${server.url}${path}`, options: { commandTimeoutSeconds: 0.2, ...options }, ...raw })
  );
  opened.push({ server, client });
  return { server, client };
}

const readOf = async (client: ReadOnlyRedis, key = 'k') => (await client.batch([command('get', key)])).replies[0];
const value = (text: string) => `$${text.length}\r\n${text}\r\n`;

describe('the client', () => {
  test('reads nothing on a connection whose SELECT failed, at the first reading and at every further one', async () => {
    const { server, client } = await open(
      ([name]) => (name === 'select' ? '-ERR DB index is out of range\r\n' : value('of another application')),
      '/99'
    );
    vi.useFakeTimers({ toFake: ['performance'] });
    await expect(readOf(client)).rejects.toThrow(/has no such database/);
    // A failure is told again for 100 ms before the next attempt.
    vi.advanceTimersByTime(101);
    await expect(readOf(client)).rejects.toThrow(/has no such database/);
    expect(server.asked.map((asked) => asked.command[0])).toEqual(['select', 'select']);
  });

  test('authenticates and selects again before it reads after a connection was lost', async () => {
    const { server, client } = await open(([name]) => (name === 'get' ? value('v') : '+OK\r\n'), '/3', {
      secrets: { password: 's' },
    });
    await readOf(client);
    server.script = ([name], socket, connection) => {
      if (connection === 1) {
        socket.destroy();
        return undefined;
      }
      return name === 'select' ? '-LOADING Redis is loading\r\n' : '+OK\r\n';
    };
    await expect(readOf(client)).rejects.toThrow(/is not ready yet/);
    expect(server.asked.filter((asked) => asked.connection === 2).map((asked) => asked.command[0])).toEqual([
      'auth',
      'select',
    ]);
  });

  test('leaves a connection that is silent, and is right at the next reading although the late reply arrives', async () => {
    const { server, client } = await open(() => undefined);
    let late: (() => void) | undefined;
    server.script = (_, socket, connection) => {
      if (connection === 1) {
        late = () => socket.writable && socket.write(value('late'));
        return undefined;
      }
      late?.();
      return value('right');
    };
    await expect(readOf(client)).rejects.toThrow(/did not answer in time/);
    expect(await readOf(client)).toEqual({ value: Buffer.from('right') });
    expect(server.connections()).toBe(2);
  });

  test('asks once more on a new connection where an idle one was closed meanwhile, and no oftener', async () => {
    const { server, client } = await open(() => value('v'));
    await readOf(client);
    server.script = (_, socket) => {
      socket.destroy();
      return undefined;
    };
    await expect(readOf(client)).rejects.toThrow(/closed before Redis answered/);
    // The third one asks nothing: it listens whether Redis says why.
    expect(server.connections()).toBe(3);
  });

  test('connects once for calls that come together, and tells all of them one failure', async () => {
    const { server, client } = await open(() => '-ERR max number of clients reached\r\n', '/1');
    const results = await Promise.allSettled([readOf(client), readOf(client), readOf(client)]);
    expect(results.map(({ status }) => status)).toEqual(['rejected', 'rejected', 'rejected']);
    expect(server.connections()).toBe(1);
  });

  test('keeps the connection on an error of one command, and leaves it where the server must be found anew', async () => {
    const { server, client } = await open(() => '-WRONGTYPE not a string\r\n');
    expect((await readOf(client))!.error!.message).toBe('WRONGTYPE not a string');
    server.script = () => '-MASTERDOWN Link with MASTER is down\r\n';
    await expect(readOf(client)).rejects.toThrow(/is not ready yet/);
    server.script = () => value('v');
    expect(await readOf(client)).toEqual({ value: Buffer.from('v') });
    expect(server.connections()).toBe(2);
  });

  test('sends no command that is not on the list', async () => {
    const { server, client } = await open(() => '+OK\r\n');
    const forbidden = { name: 'flushall' as AllowedCommand, args: [] };
    await expect(client.batch([forbidden])).rejects.toThrow(/FLUSHALL is not on the read-only list/);
    // Of CLIENT only LIST reads.
    for (const args of [[], ['kill', 'type', 'normal'], ['list', 'id', '1'], ['no-evict', 'on']]) {
      await expect(client.batch([command('client', ...args)])).rejects.toThrow(/CLIENT is not on the read-only list/);
    }
    expect(server.asked).toEqual([]);
  });

  test('puts the key prefix before keys alone', async () => {
    const { server, client } = await open(() => ':1\r\n', '', {}, { keyPrefix: 'app:' });
    await client.batch([command('mget', 'a', 'b'), command('hmget', 'c', 'f'), command('info', 'server')]);
    expect(server.asked.map((asked) => asked.command)).toEqual([
      ['mget', 'app:a', 'app:b'],
      ['hmget', 'app:c', 'f'],
      ['info', 'server'],
    ]);
  });

  test('stops waiting when the caller does', async () => {
    const { client } = await open(() => undefined);
    const abort = new AbortController();
    const reading = client.batch([command('get', 'k')], abort.signal);
    abort.abort(new Error('the caller left'));
    await expect(reading).rejects.toThrow('the caller left');
  });

  test('opens no connection after it was closed', async () => {
    const { client } = await open(() => value('v'));
    client.close();
    await expect(readOf(client)).rejects.toThrow(/was closed/);
  });
});

import { createServer, type AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkHealth } from '../../pkg/source/health';
import { Installation } from '../../pkg/installation/installation';
import { openRedis } from '../../pkg/redis/client';
import type { Command } from '../../pkg/redis/readOnlyRedis';
import { parseSettings } from '../../pkg/settings/settings';
import { writeFleet } from '../support/fleet';
import { ask, createReader, openAsReader } from '../support/installation';
import { explanationOf } from '../support/faults';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

let server: RedisServer;
let installation: Installation;

beforeAll(async () => {
  server = await startRedis();
  await createReader(server);
  await writeFleet(server.client, 2, 1);
  installation = openAsReader(server);
});
afterAll(async () => {
  installation.close();
  await server.stop();
});

async function healthOf(raw: Parameters<typeof parseSettings>[0]) {
  const opened = new Installation(parseSettings(raw));
  try {
    return await checkHealth(opened);
  } finally {
    opened.close();
  }
}

/** A server that closes the first connection before it sends anything, and sends the given text to the others. */
async function refusing(words: string): Promise<{ url: string; stop: () => void }> {
  let connections = 0;
  const refuser = createServer((socket) => {
    socket.on('error', () => undefined);
    connections += 1;
    if (connections === 1) {
      socket.destroy();
    } else {
      socket.end(words);
    }
  });
  await new Promise<void>((resolve) => refuser.listen(0, '127.0.0.1', resolve));
  const { port } = refuser.address() as AddressInfo;
  return { url: `redis://127.0.0.1:${port}`, stop: () => void refuser.close() };
}

describe('health', () => {
  // A write that comes after Redis has closed fails, and what Redis had said is lost with it.
  test.each([
    ['-ERR max number of clients reached\r\n', /accepts no further client/],
    ['HTTP/1.1 400 Bad Request\r\n', /closed before Redis answered|closed the connection/],
  ])('says why a connection was closed at once: %j', async (words, message) => {
    const { url, stop } = await refusing(words);
    expect((await healthOf({ url })).message).toMatch(message);
    stop();
  });

  test('says version, queues and processes of a good one', async () => {
    const { ok, message } = await checkHealth(installation);
    expect(ok).toBe(true);
    expect(message).toMatch(/Sidekiq 8\.1\.7 .* 2 queues · 1 process with 10 threads/);
  });

  test('names the address where nothing listens', async () => {
    const port = await freePort();
    const { ok, message } = await healthOf({ url: `redis://127.0.0.1:${port}` });
    expect(ok).toBe(false);
    expect(message).toContain(`127.0.0.1:${port}`);
    expect(message).toMatch(/Check that Redis runs there/);
  });

  test('tells a wrong password from a wrong address', async () => {
    const { ok, message } = await healthOf({ url: server.url, username: 'jobwatch', secrets: { password: 'nope' } });
    expect(ok).toBe(false);
    expect(message).toMatch(/refused the user name or password \(WRONGPASS\).*Check "User" and "Password"/);
  });

  test('tells a database that holds no Sidekiq', async () => {
    const { ok, message } = await healthOf({ url: server.url, options: { database: 5 } });
    expect(ok).toBe(false);
    expect(message).toMatch(/holds no Sidekiq.*database number and the key prefix/);
  });

  test('names the database that does not exist', async () => {
    const { message } = await healthOf({ url: server.url, options: { database: 99 } });
    expect(message).toMatch(/no such database.*Correct "Database"/);
  });

  test('says that Redis does not answer when it is frozen', async () => {
    const frozen = await startRedis();
    await createReader(frozen);
    const opened = openAsReader(frozen);
    await frozen.client.call('CLIENT', 'PAUSE', '60000', 'ALL');
    const { ok, message } = await checkHealth(opened);
    expect(ok).toBe(false);
    expect(message).toMatch(/did not answer/);
    opened.close();
    await frozen.stop();
  });
});

describe('settings', () => {
  test.each([
    [{ url: 'http://host' }, /"url" has a scheme other than/],
    [{ url: 'redis://host/abc' }, /"url" names a database that is not a number.*redis:\/\/host:6379\/0/s],
    [{ url: 'redis://[' }, /"url" cannot be read/],
    [{ url: 'redis://h', options: { queueInclude: '(' } }, /"queueInclude" is not a regular expression/],
    [{ url: 'redis://h', options: { reuseSeconds: -1 } }, /"reuseSeconds" is not valid/],
    [{ options: { topology: 'sentinel', sentinels: 'host' } }, /Entry 1 of the setting "sentinels" is not host:port/],
    [{ options: { topology: 'cluster', clusterNodes: '' } }, /"clusterNodes" is empty/],
  ])('%o is refused with the field and a remedy', (raw, message) => {
    expect(explanationOf(() => new Installation(parseSettings(raw)))).toMatch(message);
  });
});

describe('queries', () => {
  test.each([
    [{ queryType: 'nope' }, /no query type "nope"/],
    [{ queryType: 'queues', figures: ['sizes'] }, /no figure "sizes"/],
    [
      { queryType: 'queues', filters: [{ field: 'queue', operator: '=~', values: ['('] }] },
      /filter on "queue" is not a regular expression/,
    ],
    [{ queryType: 'queues', filters: [{ field: 'colour', operator: '=', values: ['red'] }] }, /no field "colour"/],
    [{ queryType: 'queues', version: 99 }, /"version" is not valid: the query was saved by a newer version/],
    [{ queryType: 'queues', limit: 0 }, /"limit" is not valid/],
    [{ queryType: 'history', figures: ['nope'] }, /no figure "nope"/],
  ])('%o is refused', async (query, message) => {
    await expect(ask(installation, query)).rejects.toThrow(message);
  });

  test('an alert rule must choose one figure', async () => {
    await expect(ask(installation, { queryType: 'queues' }, { alerting: true })).rejects.toThrow(
      /needs one figure, and none/
    );
    await expect(
      ask(installation, { queryType: 'queues', figures: ['size', 'latency'] }, { alerting: true })
    ).rejects.toThrow(/2 are chosen/);
  });

  test('an alert rule gets one number and labels that tell the rows apart', async () => {
    const [frame] = await ask(installation, { queryType: 'queues', figures: ['unserved'] }, { alerting: true });
    expect(frame?.fields.map(({ name, kind }) => [name, kind])).toEqual([
      ['queue', 'string'],
      ['unserved', 'number'],
    ]);
    expect(frame?.meta).toMatchObject({ type: 'numeric-long' });
  });

  test('an ad-hoc filter by a field that the query lacks is passed over', async () => {
    const [frame] = await ask(installation, {
      queryType: 'queues',
      filters: [{ field: 'host', operator: '=', values: ['x'], adhoc: true }],
    });
    expect(frame?.fields[0]?.values).toHaveLength(2);
  });
});

test('the gate refuses a command that writes before it reaches the socket', async () => {
  const gate = openRedis(parseSettings({ url: `redis://127.0.0.1:1` }));
  await expect(gate.batch([{ name: 'del', args: ['queues'] } as unknown as Command])).rejects.toThrow(
    /DEL is not on the read-only list/
  );
  gate.close();
});

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { rowsOf, type Frame } from '../../pkg/frames/frame';
import { job } from '../support/fleet';
import { ask, askRows, createReader, noticesOf, openAsReader } from '../support/installation';
import { loadRecording, recordedApi, RECORDED_VERSIONS } from '../support/recordings';
import { startRedis, type RedisServer } from '../support/redisServer';

describe.each(RECORDED_VERSIONS)('on a database recorded from Sidekiq %s', (version) => {
  let server: RedisServer;
  let installation: Installation;
  const api = recordedApi(version);

  beforeAll(async () => {
    server = await startRedis();
    await loadRecording(server.client, version);
    await createReader(server);
    installation = openAsReader(server, {}, () => api.now);
  });
  afterAll(async () => {
    installation.close();
    await server.stop();
  });

  test('jobs of the retry set are those of Sidekiq::RetrySet', async () => {
    const rows = await askRows(installation, { queryType: 'jobs', source: 'retry', limit: 1000 });
    expect(rows).toHaveLength(api.stats.retry);
    for (const retry of api.retry) {
      const row = rows.find((each) => each['jid'] === retry.jid);
      expect(row).toMatchObject({ class: retry.klass, errorClass: retry.error_class, retryCount: retry.retry_count });
      expect(row?.['at']).toBeCloseTo(retry.at * 1000, 0);
      // The recording cut its messages at forty characters.
      expect(String(row?.['errorMessage']).slice(0, 20)).toBe(retry.error_message.slice(0, 20));
    }
  });

  test('dead jobs come newest first, as Sidekiq::DeadSet has them', async () => {
    const rows = await askRows(installation, { queryType: 'jobs', source: 'dead', limit: 1000 });
    expect(rows).toHaveLength(api.stats.dead);
    const newest = [...api.dead].sort((a, b) => b.at - a.at).map(({ jid }) => jid);
    expect(rows.slice(0, newest.length).map((row) => row['jid'])).toEqual(newest);
  });

  test('the backlog by class adds up to the sizes of the queues', async () => {
    const rows = await askRows(installation, { queryType: 'backlog' });
    for (const [name, { size }] of Object.entries(api.queues)) {
      const waiting = rows.filter(({ queue }) => queue === name).reduce((sum, row) => sum + Number(row['jobs']), 0);
      expect(waiting, name).toBe(size);
    }
  });

  test('a queue has as many jobs as Sidekiq::Queue says', async () => {
    const { size } = api.queues['ai_agent']!;
    expect(await askRows(installation, { queryType: 'jobs', queue: 'ai_agent', limit: 5000 })).toHaveLength(size);
  });

  test('errors add up to the retry and dead sets', async () => {
    const rows = await askRows(installation, { queryType: 'errors' });
    const sum = (name: string) => rows.reduce((total, row) => total + Number(row[name]), 0);
    expect(sum('retry')).toBe(api.stats.retry);
    expect(sum('dead')).toBe(api.stats.dead);
    const byError = await askRows(installation, { queryType: 'errors', groupBy: ['errorClass'] });
    expect(byError.map((row) => row['errorClass']).sort()).toEqual(
      [...new Set(rows.map((row) => row['errorClass']))].sort()
    );
  });
});

describe('browsing', () => {
  let server: RedisServer;
  let installation: Installation;
  const now = Date.now();

  beforeAll(async () => {
    server = await startRedis();
    await createReader(server);
    installation = openAsReader(server);
    await server.client.sadd('queues', 'default');
    for (let index = 0; index < 30; index += 1) {
      // Pushed at the head: j0 is the oldest and next.
      await server.client.lpush(
        'queue:default',
        job(index % 3 === 0 ? 'ThirdJob' : 'OtherJob', 'default', now - (30 - index) * 1000, {
          jid: `j${index}`,
          args: ['private'],
          tags: index === 4 ? ['vip'] : [],
        })
      );
      await server.client.zadd(
        'schedule',
        now / 1000 + Math.floor(index / 10),
        job('LaterJob', 'default', now, { jid: `s${index}` })
      );
    }
  });
  afterAll(async () => {
    installation.close();
    await server.stop();
  });

  const jids = (frames: Frame[]) => rowsOf(frames[0]!).map((row) => row['jid']);
  const cursorOf = (frames: Frame[]) => String(frames[0]?.meta?.custom?.['cursor']);

  test('pages of a queue follow each other, while jobs come and go', async () => {
    const first = await ask(installation, { queryType: 'jobs', limit: 10 });
    expect(jids(first)).toEqual(Array.from({ length: 10 }, (_, index) => `j${index}`));
    await server.client.rpop('queue:default', 3);
    await server.client.lpush('queue:default', job('NewJob', 'default', now, { jid: 'new' }));
    const second = await ask(installation, { queryType: 'jobs', limit: 10, cursor: cursorOf(first) });
    expect(jids(second)[0]).toBe('j10');
    await server.client.rpop('queue:default', 17);
    const third = await ask(installation, { queryType: 'jobs', limit: 100, cursor: cursorOf(second) });
    expect(jids(third)).toEqual([...Array.from({ length: 10 }, (_, index) => `j${20 + index}`), 'new']);
  });

  test('pages of a set follow each other through equal scores', async () => {
    const seen: unknown[] = [];
    let cursor: string | undefined;
    for (let page = 0; page < 5; page += 1) {
      const frames = await ask(installation, {
        queryType: 'jobs',
        source: 'scheduled',
        limit: 7,
        ...(cursor && { cursor }),
      });
      seen.push(...jids(frames));
      cursor = cursorOf(frames);
    }
    expect(new Set(seen).size).toBe(30);
    expect(seen).toHaveLength(30);
  });

  test('pages of a queue end where producers push the same text many times', async () => {
    await server.client.del('queue:default');
    const same = '{"class":"A","args":[],"queue":"default"}';
    const distinct = Array.from({ length: 150 }, (_, index) => job('D', 'default', now, { jid: `d${index}` }));
    await server.client.lpush(
      'queue:default',
      ...distinct,
      ...new Array<string>(150).fill(same),
      job('Last', 'default', now)
    );
    const classes: unknown[] = [];
    let pages = 0;
    for (let cursor = ''; /^$|\d/.test(cursor) && pages < 9; pages += 1) {
      const frames: Frame[] = await ask(installation, { queryType: 'jobs', limit: 100, cursor });
      classes.push(...rowsOf(frames[0]!).map((row) => row['class']));
      cursor = cursorOf(frames);
      if (pages === 1) {
        // The entry of the cursor is nearer to the front by what was taken.
        await server.client.rpop('queue:default', 5);
      }
    }
    expect(pages).toBe(3);
    expect(classes.filter((name) => name === 'D')).toHaveLength(150);
    expect(classes.at(-1)).toBe('Last');
    // Five of those alike take the places of the five that were taken.
    expect(classes.filter((name) => name === 'A')).toHaveLength(145);
  });

  test('jobs are found by class, jid, tag and age', async () => {
    await server.client.del('queue:default');
    for (let index = 0; index < 9; index += 1) {
      await server.client.lpush(
        'queue:default',
        job(index % 3 === 0 ? 'ThirdJob' : 'OtherJob', 'default', Date.now() - (9 - index) * 10_000, {
          jid: `j${index}`,
          tags: index === 4 ? ['vip'] : [],
        })
      );
    }
    const find = (filter: object, more: object = {}) =>
      ask(installation, { queryType: 'jobs', filters: [filter], ...more }).then(jids);
    expect(await find({ field: 'class', operator: '=', values: ['ThirdJob'] })).toEqual(['j0', 'j3', 'j6']);
    expect(await find({ field: 'jid', operator: '=~', values: ['j[78]'] })).toEqual(['j7', 'j8']);
    expect(await find({ field: 'tags', operator: '=', values: ['vip'] })).toEqual(['j4']);
    expect(await find({ field: 'class', operator: '!=', values: ['x'] }, { minAgeSeconds: 75 })).toEqual(['j0', 'j1']);
  });

  test('arguments are shown only where the data source allows them, encrypted ones never', async () => {
    await server.client.del('queue:default');
    await server.client.lpush(
      'queue:default',
      job('SecretJob', 'default', now, { args: [1, 'ciphertext'], encrypt: true })
    );
    expect((await askRows(installation, { queryType: 'jobs' }))[0]?.['arguments']).toBeNull();
    const allowed = openAsReader(server, { allowArguments: true });
    expect((await askRows(allowed, { queryType: 'jobs' }))[0]?.['arguments']).toBe('[1,"[encrypted]"]');
    allowed.close();
  });

  test('a wrong cursor is refused', async () => {
    await expect(ask(installation, { queryType: 'jobs', source: 'dead', cursor: 'x' })).rejects.toThrow(
      /cursor "x" cannot be read/
    );
  });

  test('a queue of a million costs Redis the looked-at part alone, and a dead set of 100,000 is counted whole', async () => {
    const fill = async (count: number, write: (from: number, to: number) => Promise<unknown>) => {
      for (let from = 0; from < count; from += 20_000) {
        await write(from, Math.min(count, from + 20_000));
      }
    };
    await fill(1_000_000, (from, to) =>
      server.client.rpush(
        'queue:big',
        ...Array.from({ length: to - from }, (_, index) => job('BigJob', 'big', now, { jid: `b${from + index}` }))
      )
    );
    await fill(100_000, (from, to) =>
      server.client.zadd(
        'dead',
        ...Array.from({ length: to - from }, (_, index) => [
          now / 1000 - from - index,
          job('DeadJob', 'big', now, { jid: `d${from + index}`, error_class: 'E' }),
        ]).flat()
      )
    );
    const before = await bytesSent(server);
    const queued = await ask(installation, {
      queryType: 'jobs',
      queue: 'big',
      filters: [{ field: 'class', operator: '=', values: ['None'] }],
    });
    expect(noticesOf(queued).join()).toMatch(/5,000 of 1,000,000 jobs looked at, 0 found/);
    // 5,000 payloads of 110 bytes and what surrounds them; all of them would be 110 MB.
    expect((await bytesSent(server)) - before).toBeLessThan(2_000_000);
    expect(await askRows(installation, { queryType: 'errors', groupBy: ['errorClass'] })).toMatchObject([
      { errorClass: 'E', dead: 100_000 },
    ]);
  });
});

test('the backlog of a long queue is estimated from both ends, in one round trip more, and says so', async () => {
  const server = await startRedis();
  await createReader(server);
  const now = Date.now();
  const payload = (jobClass: string, at: number) =>
    JSON.stringify({ class: jobClass, jid: 'x', queue: 'long', enqueued_at: at });
  await server.client.sadd('queues', 'long');
  for (let index = 0; index < 1000; index += 1) {
    await server.client.lpush('queue:long', payload(index % 4 === 0 ? 'RareJob' : 'UsualJob', now - 60_000 + index));
  }
  const installation = openAsReader(server);
  const rows = await askRows(installation, {
    queryType: 'backlog',
    filters: [{ field: 'queue', operator: '=', values: ['long'] }],
  });
  expect(rows).toMatchObject([
    { queue: 'long', class: 'UsualJob', jobs: 750, share: 0.75 },
    { queue: 'long', class: 'RareJob', jobs: 250, share: 0.25 },
  ]);
  expect(rows[1]!['oldest']).toBeCloseTo(60, 0);
  expect(noticesOf(await ask(installation, { queryType: 'backlog' })).join()).toMatch(
    /100 oldest and 100 newest jobs: long/
  );
  installation.close();
  await server.stop();
});

async function bytesSent(server: RedisServer): Promise<number> {
  return Number(/total_net_output_bytes:(\d+)/.exec(await server.client.info('stats'))?.[1]);
}

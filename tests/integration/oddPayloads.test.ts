import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { scrape } from '../../pkg/metrics/scrape';
import { askRows, createReader, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

const NOW = Date.UTC(2026, 10, 27, 12) / 1000;
const ID = '1234567890123456789';
const OTHER_ID = '1234567890123456790';

let server: RedisServer;
let installation: Installation;

beforeAll(async () => {
  server = await startRedis();
  await createReader(server);
});
afterEach(async () => {
  installation.close();
  await server.client.flushdb();
});
afterAll(() => server.stop());

const ask = (queryType: string, query: object = {}) =>
  askRows(installation, { queryType, ...query }, { from: NOW - 3600, to: NOW });

function open(options: Record<string, unknown> = {}): void {
  installation = openAsReader(server, { samplerEnabled: false, reuseSeconds: 0, ...options }, () => NOW);
}

async function push(queue: string, ...payloads: string[]): Promise<void> {
  await server.client.sadd('queues', queue);
  await server.client.lpush(`queue:${queue}`, ...payloads);
}

describe('a payload', () => {
  // JSON.generate({ a: 1, "a" => 2 }) writes a name twice; JSON.parse takes the last.
  test('with a name twice is shown, and others beside it', async () => {
    open({ allowArguments: true });
    const inner = '{"job_class":"C","arguments":[{"a":1,"a":2}]}';
    await push(
      'q',
      `{"class":"C","jid":"one","queue":"q","enqueued_at":${NOW - 5},"args":[{"a":1,"a":2}]}`,
      `{"class":"Sidekiq::ActiveJob::Wrapper","wrapped":"C","jid":"two","queue":"q","args":[${inner}]}`,
      `{"class":"C","jid":${ID},"jid":${OTHER_ID},"queue":"q","args":[1]}`
    );
    const rows = await ask('jobs', { source: 'queue', queue: 'q' });
    expect(rows.map(({ jid, arguments: args }) => [jid, args]).sort()).toEqual([
      [OTHER_ID, '[1]'],
      ['one', '[{"a":2}]'],
      ['two', '[{"a":2}]'],
    ]);
    expect(await ask('job', { jid: 'one' })).toContainEqual(expect.objectContaining({ value: '[{"a":2}]' }));
  });

  test('keeps the digits of its tenants, tags, batch and cursor', async () => {
    open({ allowArguments: true, contextFields: 'tenant,account_id' });
    const payload = (id: string) =>
      `{"class":"C","jid":"j${id}","queue":"q","args":[],"cattr":{"tenant":${id}},"account_id":${id},"tags":[${id}],"bid":${id}}`;
    await push('q', payload(ID), payload(OTHER_ID));
    for (const field of ['tenant', 'account_id']) {
      const rows = await ask('contexts', { field });
      expect(rows.map(({ value, waiting }) => [value, waiting]).sort()).toEqual([
        [ID, 1],
        [OTHER_ID, 1],
      ]);
    }
    const filters = [{ field: 'context', operator: '=', values: [`tenant=${ID}`] }];
    expect(await ask('jobs', { source: 'queue', queue: 'q', filters })).toMatchObject([
      { jid: `j${ID}`, tags: ID, batch: ID },
    ]);
    const fields = await ask('job', { jid: `j${ID}` });
    expect(JSON.stringify(fields)).not.toContain('1234567890123456800');
    expect(fields.filter(({ value }) => value === ID).length).toBeGreaterThanOrEqual(3);
  });

  // Ruby's parser stops at a depth of 100; Sidekiq counts such an entry as a job without a class.
  test.each(['class', 'jid', 'queue', 'tags', 'bid', 'error_message', 'error_backtrace', 'args', 'cattr', 'wrapped'])(
    'whose %s is nested fifty thousand times is one that cannot be read, and nothing else is lost',
    async (field) => {
      open({ allowArguments: true, allowBacktraces: true, contextFields: 'tenant' });
      const deep = `${'['.repeat(50_000)}${']'.repeat(50_000)}`;
      const entry = (name: string) => {
        const fields = { class: '"C"', jid: '"j"', queue: '"q"', args: '[]', [name]: deep };
        return `{${Object.entries(fields)
          .map(([key, value]) => `"${key}":${value}`)
          .join()}}`;
      };
      const good = `{"class":"Good","jid":"g","queue":"q","args":[],"enqueued_at":${NOW - 7},"failed_at":${NOW - 7}}`;
      await push('q', entry(field), good);
      await push('deep', entry(field));
      await server.client.zadd('retry', NOW + 60, entry(field), NOW + 61, good);
      await server.client.zadd('dead', NOW - 60, entry(field), NOW - 61, good.replace('"g"', '"h"'));
      await server.client.sadd('processes', 'p:1:a');
      await server.client.hset('p:1:a', { info: `{"hostname":"p","tag":${deep}}`, busy: '1', beat: String(NOW) });
      await server.client.hset(
        'p:1:a:work',
        't',
        `{"queue":"q","run_at":${NOW},"payload":${JSON.stringify(entry(field))}}`
      );
      await server.client.hset('schedules', { deep: `{"class":${deep}}`, good: '{"class":"Good","every":"1h"}' });
      expect((await ask('overview'))[0]).toMatchObject({ enqueued: 3, retry: 2, dead: 2 });
      expect((await ask('queues')).map(({ queue, size }) => [queue, size])).toEqual(
        expect.arrayContaining([
          ['q', 2],
          ['deep', 1],
        ])
      );
      expect((await ask('jobs', { source: 'queue', queue: 'q' })).map(({ class: name }) => name)).toEqual(['Good']);
      expect(await ask('errors')).toMatchObject([{ class: 'Good', retry: 1, dead: 1 }]);
      for (const queryType of ['backlog', 'processes', 'busy', 'recurring', 'contexts', 'findings', 'waits', 'locks']) {
        await expect(ask(queryType), queryType).resolves.toBeDefined();
      }
      expect((await scrape(installation, '', 5)).body).toContain('sidekiq_enqueued_jobs 3');
    }
  );

  // Sidekiq::Queue.new('q').map(&:queue) is q in all cases.
  test('waits in the queue whose list it is in, whatever it says itself', async () => {
    open({ contextFields: 'tenant' });
    await push(
      'q',
      '{"class":"A","jid":"a","args":[],"cattr":{"tenant":5}}',
      '{"class":"A","jid":"b","args":[],"queue":"q","cattr":{"tenant":5}}',
      '{"class":"A","jid":"c","args":[],"queue":"other","cattr":{"tenant":5}}'
    );
    const filters = [{ field: 'queue', operator: '=', values: ['q'] }];
    const rows = await ask('jobs', { source: 'queue', queue: 'q', filters });
    expect(rows.map(({ queue }) => queue)).toEqual(['q', 'q', 'q']);
    expect(await ask('contexts', { field: 'tenant', filters })).toMatchObject([{ value: '5', waiting: 3 }]);
    expect(await ask('job', { jid: 'a' })).toContainEqual(expect.objectContaining({ field: 'Queue', value: 'q' }));
  });

  test('that was never enqueued waits since it was created, in queues, backlog and contexts alike', async () => {
    open({ contextFields: 'tenant' });
    await push('old', `{"class":"Old","jid":"o","args":[],"cattr":{"tenant":5},"created_at":${NOW - 500}}`);
    expect(await ask('queues')).toMatchObject([{ queue: 'old', latency: 500 }]);
    expect(await ask('backlog')).toMatchObject([{ oldest: 500 }]);
    expect(await ask('contexts', { field: 'tenant' })).toMatchObject([{ oldest: 500 }]);
  });
});

test('what runs is found under the key of Sidekiq up to 6.4.1 and since', async () => {
  open({ contextFields: 'tenant' });
  for (const [identity, key] of [['a:1:x', 'workers'] as const, ['b:1:y', 'work'] as const]) {
    await server.client.sadd('processes', identity);
    const info = JSON.stringify({ hostname: identity[0], concurrency: 5, queues: ['q'] });
    await server.client.hset(identity, { info, busy: '1', beat: String(NOW - 2) });
    const payload = JSON.stringify({ class: 'A', jid: identity[0], queue: 'q', args: [], cattr: { tenant: 5 } });
    await server.client.hset(`${identity}:${key}`, 't', JSON.stringify({ queue: 'q', run_at: NOW - 9, payload }));
  }
  expect(await ask('contexts', { field: 'tenant' })).toMatchObject([{ value: '5', busy: 2 }]);
});

test('a dead job whose score is no instant has not died within the last hour, in any answer', async () => {
  open();
  const payload = (jid: string) =>
    `{"class":"I","jid":"${jid}","args":[],"queue":"q","error_class":"E","failed_at":${NOW - 86_400 * 3}}`;
  const scores = { ms: (NOW - 86_400 * 3) * 1000, inf: '+inf', far: 1e300, real: NOW - 60 };
  for (const [jid, score] of Object.entries(scores)) {
    await server.client.zadd('dead', score, payload(jid));
  }
  expect((await ask('overview'))[0]).toMatchObject({ dead: 4, deadLastHour: 1 });
  expect(await ask('errors')).toMatchObject([{ dead: 4, rate: 1 }]);
});

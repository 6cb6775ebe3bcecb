import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fault } from '../../pkg/faults/fault';
import type { Installation } from '../../pkg/installation/installation';
import { parseScaledObject } from '../../pkg/settings/scaledObject';
import { scaleOf } from '../../pkg/keda/scaler';
import { scrape } from '../../pkg/metrics/scrape';
import { QUERY_TYPES } from '../../pkg/queries/registry';
import { pageData } from '../../pkg/web/pageData';
import { parseExposition } from '../support/exposition';
import { ask, askRows, createReader, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';
import { sendPacket } from '../support/statsd';
import fc, { runs } from '../support/fastCheck';

/** Laws that hold whatever a database holds. */

let redis: RedisServer;
let installation: Installation;

beforeAll(async () => {
  redis = await startRedis();
});
afterAll(() => redis.stop());

async function filled(write: () => Promise<void>, options: Record<string, unknown> = {}): Promise<Installation> {
  await redis.client.flushall();
  await createReader(redis);
  await write();
  return openAsReader(redis, { cronNamespaces: 'a,b', schedulerPrefixes: 'a,b', ...options });
}

/** Names that collide once they are cut, made valid, or joined. */
const name = fc.oneof(
  fc.constantFrom('a', 'b', 'a:b', 'a b', 'a/b', 'a"b', 'a\\b', 'other', 'default', 'other: a'),
  fc.constantFrom('x', 'y').map((end) => 'n'.repeat(300) + end),
  fc.string({ unit: fc.constantFrom(...'ab:|"\\\n{}é🚀'), minLength: 1, maxLength: 6 })
);
const database = fc.record({
  queues: fc.uniqueArray(name, { maxLength: 6 }),
  processes: fc.uniqueArray(
    fc.record({
      host: name,
      tag: name,
      queues: fc.array(name, { maxLength: 3 }),
      labels: fc.array(name, { maxLength: 2 }),
    }),
    { maxLength: 4, selector: ({ host, tag }) => `${host}\0${tag}` }
  ),
  cron: fc.uniqueArray(
    fc.record({ set: fc.constantFrom('cron_jobs', 'cron_jobs:default', 'cron_jobs:a', 'cron_jobs:b'), name }),
    {
      maxLength: 6,
      selector: (each) => `${each.set}\0${each.name}`,
    }
  ),
  scheduler: fc.uniqueArray(fc.record({ prefix: fc.constantFrom('', 'a:', 'b:'), name }), {
    maxLength: 6,
    selector: (each) => `${each.prefix}\0${each.name}`,
  }),
  classes: fc.uniqueArray(name, { maxLength: 5 }),
  statsd: fc.array(fc.record({ namespace: name, worker: name, tag: name }), { maxLength: 6 }),
});

type Made = typeof database extends fc.Arbitrary<infer T> ? T : never;

async function write({ queues, processes, cron, scheduler, classes }: Made) {
  const now = Date.now() / 1000;
  const { client } = redis;
  const minute = new Date(now * 1000).toISOString();
  const key = `j|${minute.slice(0, 10).replaceAll('-', '')}|${Number(minute.slice(11, 13))}:${Number(minute.slice(14, 16))}`;
  for (const [index, queue] of queues.entries()) {
    await client.sadd('queues', queue);
    await client.lpush(
      `queue:${queue}`,
      JSON.stringify({ class: classes[index] ?? 'A', jid: `q${index}`, queue, enqueued_at: now })
    );
  }
  for (const [index, process] of processes.entries()) {
    const identity = `${process.host}:${index}:x${index}`;
    await client.sadd('processes', identity);
    await client.hset(identity, {
      info: JSON.stringify({
        hostname: process.host,
        tag: process.tag,
        pid: index,
        concurrency: 3,
        queues: process.queues,
        labels: process.labels,
        identity,
        version: '7.3.0',
        started_at: now - 60,
      }),
      beat: String(now),
      busy: '1',
      quiet: 'false',
    });
    await client.hset(
      `${identity}:work`,
      't',
      JSON.stringify({
        queue: process.queues[0] ?? 'a',
        payload: JSON.stringify({ class: classes[0] ?? 'A', jid: 'w', queue: 'a' }),
        run_at: Math.floor(now),
      })
    );
  }
  for (const { set, name: entry } of cron) {
    await client.sadd(set, `cron_job:${set.split(':')[1] ?? ''}:${entry}`);
    await client.hset(`cron_job:${set.split(':')[1] ?? ''}:${entry}`, {
      name: entry,
      cron: '* * * * *',
      klass: classes[0] ?? 'A',
      status: 'enabled',
      last_enqueue_time: '2026-01-01 00:00:00 +0000',
    });
  }
  for (const { prefix, name: entry } of scheduler) {
    await client.hset(`${prefix}schedules`, entry, JSON.stringify({ cron: '* * * * *', class: classes[0] ?? 'A' }));
  }
  for (const jobClass of classes) {
    await client.hset(key, { [`${jobClass}|p`]: '2', [`${jobClass}|f`]: '1', [`${jobClass}|ms`]: '5' });
    await client.zadd(
      'dead',
      now - 10,
      JSON.stringify({
        class: jobClass,
        jid: 'd',
        queue: 'a',
        error_class: jobClass,
        error_message: jobClass,
        failed_at: now,
      })
    );
  }
}

/** What once made equal rows: two starts on a host, and `a:b` of no namespace beside `b` of the namespace `a`. */
const COLLIDING: Made = {
  queues: ['a'],
  processes: ['x', 'y'].map((tag) => ({ host: 'h', tag, queues: ['a'], labels: [] })),
  cron: [
    { set: 'cron_jobs', name: 'same' },
    { set: 'cron_jobs:default', name: 'same' },
    { set: 'cron_jobs:a', name: 'same' },
  ],
  scheduler: [
    { prefix: '', name: 'a:b' },
    { prefix: 'a:', name: 'b' },
  ],
  classes: ['A'],
  statsd: [],
};

/** A series as Prometheus tells it apart: its line without the value. */
const seriesOf = (body: string) =>
  body
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.slice(0, line.lastIndexOf(' ')));

const repeated = (values: readonly string[]) => values.filter((value, index) => values.indexOf(value) !== index);

test('no metric has two rows of equal labels, and no frame that alerts two rows of equal keys', async () => {
  await fc.assert(
    fc.asyncProperty(database, async (made) => {
      installation = await filled(() => write(made));
      try {
        for (const { namespace, worker, tag } of made.statsd) {
          const clean = (text: string) => text.replace(/[\n|]/g, '_');
          sendPacket(
            installation.statsd,
            `${clean(namespace)}.jobs.count:1|c|#worker:${clean(worker)},x:${clean(tag)}`,
            Date.now() / 1000
          );
        }
        installation.statsd.listening.push('here');
        await installation.state();
        expect(repeated(seriesOf((await scrape(installation, '', 10)).body))).toEqual([]);
        for (const type of QUERY_TYPES) {
          const keys = type.columns.filter(({ key }) => key).map((column) => column.name);
          const figure = type.columns.find((column) => column.kind === 'number' && !column.key);
          if (keys.length === 0 || !figure) {
            continue;
          }
          const query = { queryType: type.id, figures: [figure.name] };
          const frames = await ask(installation, query, { alerting: true, to: Date.now() / 1000 + 120 }).catch(
            (error: unknown) => {
              if (error instanceof Fault) {
                return [];
              }
              throw error;
            }
          );
          for (const { fields } of frames) {
            const texts = fields.filter(({ kind }) => kind === 'string');
            const rows = (texts[0]?.values ?? []).map((_, row) =>
              JSON.stringify(texts.map(({ values }) => values[row]))
            );
            expect(repeated(rows), `${type.id} ${texts.map((field) => field.name).join()}`).toEqual([]);
          }
        }
      } finally {
        installation.close();
      }
    }),
    { numRuns: runs(12), examples: [[COLLIDING]] }
  );
});

test('a fact is the same number in tables, metrics, findings, KEDA and on the page', async () => {
  await fc.assert(
    fc.asyncProperty(database, async (made) => {
      installation = await filled(() => write(made), { reuseSeconds: 60 });
      try {
        const state = await installation.state();
        const rows = (queryType: string, more: object = {}) => askRows(installation, { queryType, ...more });
        const [overview] = await rows('overview');
        const queues = await rows('queues', { limit: 1000 });
        const processes = await rows('processes', { limit: 1000 });
        const byQueue = await rows('capacity', { by: 'queue', limit: 1000 });
        const byType = await rows('capacity', { by: 'workerType', limit: 1000 });
        const findings = await rows('findings', { limit: 1000 });
        const metrics = parseExposition((await scrape(installation, '', 10)).body);
        const page = await pageData(installation);
        const sum = (of: ReadonlyArray<Record<string, unknown>>, name: string) =>
          of.reduce((total, row) => total + Number(row[name]), 0);

        expect(sum(queues, 'size')).toBe(overview!['enqueued']);
        expect(metrics.value('sidekiq_enqueued_jobs')).toBe(overview!['enqueued']);
        expect(sum(processes, 'concurrency')).toBe(overview!['threads']);
        expect(metrics.value('sidekiq_workers')).toBe(overview!['threads']);
        for (const row of queues) {
          const capacity = byQueue.find(({ queue }) => queue === row['queue']);
          expect(capacity, String(row['queue'])).toMatchObject({ size: row['size'] });
          const late = capacity!['late'] === true;
          expect(findings.some(({ rule, subject }) => rule === 'queueLate' && subject === row['queue'])).toBe(late);
        }
        const sizes = new Map(queues.map((row) => [row['queue'], row['size']]));
        for (const row of page.queues.rows as Array<Record<string, unknown>>) {
          expect(row['size']).toBe(sizes.get(row['queue'] as string));
        }
        // A thread that serves several queues of a type is one thread.
        for (const type of byType) {
          expect(Number(type['supply'])).toBeLessThanOrEqual(Number(overview!['readyThreads']));
        }
        expect(sum(byType, 'size')).toBe(overview!['enqueued']);
        for (const { name, waitSeconds, paused } of state.queues.filter(
          (queue) => /^[^,]+$/.test(queue.name.trim()) && queue.name.trim() === queue.name
        )) {
          const scaled = scaleOf(state, parseScaledObject({ queues: name, metric: 'latency' }));
          expect(scaled.value).toBeCloseTo(paused === true ? 0 : (waitSeconds ?? 0), 9);
        }
      } finally {
        installation.close();
      }
    }),
    { numRuns: runs(10), examples: [[COLLIDING]] }
  );
});

const CANARY = 'canary-5f0c';

/** A job of every shape that is read, with a canary wherever an argument stands. */
function payloads(now: number): string[] {
  const base = { jid: 'c', queue: 'default', created_at: now, enqueued_at: now, retry: true };
  const wrapped = 'ActiveJob::QueueAdapters::SidekiqAdapter::JobWrapper';
  return [
    { ...base, class: 'Plain', args: [CANARY, { key: CANARY }] },
    { ...base, class: 'Plain', args: [[CANARY]], encrypt: true },
    { ...base, class: wrapped, wrapped: 'Wrapped', args: [{ job_class: 'Wrapped', arguments: [CANARY], job_id: 'x' }] },
    { ...base, class: wrapped, args: [{ job_class: CANARY, arguments: [CANARY] }] },
    {
      ...base,
      class: wrapped,
      wrapped: 'ActionMailer::MailDeliveryJob',
      args: [
        { job_class: 'ActionMailer::MailDeliveryJob', arguments: [CANARY, CANARY, 'deliver_now', { args: [CANARY] }] },
      ],
    },
    { ...base, class: 'Sidekiq::Extensions::DelayedMailer', args: [`---\n- ${CANARY}\n- :x\n- [${CANARY}]\n`] },
    { ...base, class: 'Sidekiq::Extensions::DelayedClass', args: [CANARY] },
    {
      ...base,
      class: 'Iterable',
      args: [],
      it: { c: { cursor: CANARY }, rt: 1, ex: 1 },
      _aj_continuation: { cursor: CANARY },
    },
    { ...base, class: 'Tagged', args: [], cattr: { user: CANARY }, custom: CANARY, ctx: { secret: CANARY } },
    { ...base, class: 'Other', args: CANARY },
  ].map((payload) => JSON.stringify(payload));
}

test('with arguments off none shows, in whatever payload and by whatever way', async () => {
  const now = Date.now() / 1000;
  installation = await filled(async () => {
    const { client } = redis;
    const all = payloads(now);
    await client.sadd('queues', 'default');
    await client.lpush('queue:default', ...all);
    await client.sadd('processes', 'h:1:x');
    await client.hset('h:1:x', {
      info: JSON.stringify({
        hostname: 'h',
        pid: 1,
        concurrency: 20,
        queues: ['default'],
        identity: 'h:1:x',
        version: '8.1.0',
        started_at: now,
      }),
      beat: String(now),
      busy: String(all.length),
      quiet: 'false',
    });
    for (const [index, payload] of all.entries()) {
      await client.hset(
        'h:1:x:work',
        `t${index}`,
        JSON.stringify({ queue: 'default', payload, run_at: Math.floor(now) })
      );
      for (const set of ['schedule', 'retry', 'dead']) {
        await client.zadd(
          set,
          now - 5 - index,
          payload.replace('"retry":true', '"retry":true,"error_class":"E","error_message":"m","failed_at":1')
        );
      }
      await client.hset('it-c', { ex: '1', c: JSON.stringify(CANARY), rt: '1' });
    }
  });
  try {
    await installation.state();
    const outputs = new Map<string, string>();
    outputs.set('scrape', (await scrape(installation, '', 10)).body);
    outputs.set('page', JSON.stringify(await pageData(installation)));
    for (const { id } of QUERY_TYPES) {
      const variants: object[] =
        id === 'jobs'
          ? ['queue', 'schedule', 'retry', 'dead'].flatMap((source) => [{ source }, { source, queue: 'default' }])
          : [{}];
      for (const variant of variants) {
        for (const more of [{}, { jid: 'c' }, { groupBy: ['message'] }]) {
          const answer = await ask(installation, { queryType: id, ...variant, ...more }).catch((error: unknown) =>
            String((error as Fault).explanation ?? error)
          );
          outputs.set(`${id} ${JSON.stringify({ ...variant, ...more })}`, JSON.stringify(answer));
        }
      }
    }
    const shown = [...outputs].filter(([, output]) => output.includes(CANARY));
    expect(
      shown.map(([what, output]) => [
        what,
        output.slice(Math.max(0, output.indexOf(CANARY) - 200), output.indexOf(CANARY) + 40),
      ])
    ).toEqual([]);
    // The canaries were looked at.
    expect(outputs.get('jobs {"source":"dead"}')).toContain('Plain');
  } finally {
    installation.close();
  }
});

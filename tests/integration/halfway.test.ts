import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Fault } from '../../pkg/faults/fault';
import { Installation } from '../../pkg/installation/installation';
import { scrape } from '../../pkg/metrics/scrape';
import { ReplyReader } from '../../pkg/redis/resp';
import { parseSettings } from '../../pkg/settings/settings';
import { parseExposition } from '../support/exposition';
import { writeFleet } from '../support/fleet';
import { ask, askRows } from '../support/installation';
import { startProxy, type Proxy } from '../support/proxy';
import { startRedis, type RedisServer } from '../support/redisServer';

/** A real Redis whose replies turn into one error, from the given reply on. */
let redis: RedisServer;
let proxy: Proxy;
let error: string | undefined;
let sound = 0;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 3, 2, 5);
  // No total of this database is zero, so that a zero is a refusal taken for one.
  await redis.client.zadd('dead', 1, '{"class":"A","jid":"a"}');
  proxy = await startProxy(
    redis.port,
    (bytes, send) => send(bytes),
    (bytes, send) => {
      if (error === undefined) {
        send(bytes);
        return;
      }
      // Each chunk of this loopback holds whole replies: the test would hang otherwise, and not pass.
      const reader = new ReplyReader(({ value }) => {
        sound -= 1;
        send(Buffer.from(sound >= 0 && typeof value === 'number' ? `:${value}\r\n` : `-${error}\r\n`));
      });
      reader.push(bytes);
    }
  );
});
afterAll(async () => {
  await proxy.close();
  await redis.stop();
});

/** As Redis 7.2 words them. */
const ERRORS = [
  'LOADING Redis is loading the dataset in memory',
  'MASTERDOWN Link with MASTER is down and replica-serve-stale-data is set to no.',
  'NOAUTH Authentication required.',
  'BUSY Redis is busy running a script. You can only call SCRIPT KILL or SHUTDOWN NOSAVE.',
  "OOM command not allowed when used memory > 'maxmemory'.",
  'MISCONF Redis is configured to save RDB snapshots, but it is currently unable to persist to disk.',
  "READONLY You can't write against a read only replica.",
  'ERR max number of clients reached',
];

const TOTALS = ['sidekiq_enqueued_jobs', 'sidekiq_dead_jobs', 'sidekiq_processed_jobs_total', 'sidekiq_busy_threads'];

describe.each(ERRORS)('%s', (text) => {
  test.each([0, 1, 7])('from reply %i on: no figure is a zero, and all are back with Redis', async (from) => {
    const settings = { url: `redis://127.0.0.1:${proxy.port}/0`, options: { reuseSeconds: 0 } };
    const installation = new Installation(parseSettings(settings));
    try {
      const before = await askRows(installation, { queryType: 'overview', figures: [] });
      error = text;
      sound = from;
      const found = parseExposition((await scrape(installation, '', 5)).body);
      const shown = found.samples.filter(({ name, value }) => TOTALS.includes(name) && value === 0);
      expect(shown).toEqual([]);
      const alert = ask(installation, { queryType: 'overview', figures: ['enqueued'] }, { alerting: true });
      const outcome = await alert.catch((fault: unknown) => fault);
      expect(outcome).toBeInstanceOf(Fault);
      expect((outcome as Fault).remedy).not.toBe('');
      error = undefined;
      await vi.waitFor(async () => {
        const after = await askRows(installation, { queryType: 'overview', figures: [] });
        expect(after[0]!['enqueued']).toBe(before[0]!['enqueued']);
      });
      expect(before[0]!['enqueued']).toBeGreaterThan(0);
    } finally {
      error = undefined;
      installation.close();
    }
  });
});

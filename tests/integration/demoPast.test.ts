import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { pastBegins, recordPast, type Past } from '../../pkg/cli/demoPast';
import { Installation } from '../../pkg/installation/installation';
import { parseSettings } from '../../pkg/settings/settings';
import { Simulator } from '../../pkg/simulator/simulator';
import { Story } from '../../pkg/simulator/story';
import { ask, askRows } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

vi.mock('node:sqlite', () => import('../support/nodeSqlite'));

const HOUR = 3600;
const SECONDS = 9.5 * HOUR;
/** 2026-11-28 08:00 UTC. */
const ENDS_AT = Date.UTC(2026, 10, 28, 8) / 1000;
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-demo-past-'));
let server: RedisServer;
let installation: Installation;
let simulator: Simulator;
/** Living through the past took so long. */
const TOOK_SECONDS = 90;
let now: number;

beforeAll(async () => {
  server = await startRedis();
  const historyFile = join(folder, 'history.db');
  const past: Past = {
    redis: server.client,
    redisUrl: server.url,
    version: '8.1',
    seed: 1,
    endsAt: ENDS_AT,
    seconds: SECONDS,
    historyFile,
    story: new Story(ENDS_AT, SECONDS),
  };
  const { story } = past;
  const startsAt = pastBegins(past);
  simulator = new Simulator(server.client, { version: '8.1', seed: 1, startsAt, story: { story, until: ENDS_AT } });
  now = await recordPast(past, simulator, () => ENDS_AT + TOOK_SECONDS);
  expect(ENDS_AT + TOOK_SECONDS - now).toBeLessThanOrEqual(2);
  now += 10;
  installation = new Installation(
    parseSettings({ url: server.url, options: { historyFile, preset: 'lago', reuseSeconds: 0 } }),
    { clock: () => now }
  );
  installation.startSampling();
  await simulator.advance(10);
}, 120_000);
afterAll(async () => {
  installation.close();
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const past = (hours: number) => ENDS_AT - hours * HOUR;
const range = { from: past(9.5), to: ENDS_AT + TOOK_SECONDS + 10 };

test('the bad night is a finding each, when it happened', async () => {
  const events = await askRows(installation, { queryType: 'events', limit: 1000 }, range);
  const found = (rule: string, subject: string) =>
    events
      .filter((event) => event['rule'] === rule && event['subject'] === subject)
      .map((event) => [Number(event['time']) / 1000, Number(event['timeEnd']) / 1000] as const);
  /** The story says when; a reading comes in 60 s at most. */
  const [killed] = found('processVanished', 'webhook-1');
  expect(Math.abs(killed![0] - past(8))).toBeLessThan(300);
  const [unserved] = found('queueUnserved', 'pdfs');
  expect(Math.abs(unserved![0] - past(7.2))).toBeLessThan(300);
  expect(Math.abs(unserved![1] - (past(7.2) + 20 * 60))).toBeLessThan(300);
  const [failing] = found('classFailing', 'Invoices::FinalizeJob');
  expect(failing![0] - past(9)).toBeGreaterThan(0);
  expect(failing![0] - past(9)).toBeLessThan(900);
  const [slow] = found('queueLate', 'billing');
  expect(slow![0] - past(6.5)).toBeGreaterThan(0);
  expect(slow![0] - past(6.5)).toBeLessThan(900);
  // A deploy ends processes that were asked to: none of them vanished.
  expect(found('processVanished', 'worker-1')).toEqual([]);
  expect(events.filter(({ kind }) => kind === 'vanished')).toHaveLength(1);
  expect(events.filter(({ kind }) => kind === 'deploy')).toHaveLength(3);
});

test('what was recorded goes on in what is live, without a seam', async () => {
  const before = Number(await server.client.get('stat:processed'));
  for (let step = 0; step < 6; step += 1) {
    await simulator.advance(10);
    now += 10;
    await installation.state();
  }
  expect(Number(await server.client.get('stat:processed'))).toBeGreaterThan(before);
  const frames = await ask(
    installation,
    { queryType: 'history', by: 'total', figures: ['enqueued', 'processedRate'] },
    { from: past(2), to: now, intervalSeconds: 60 }
  );
  expect(frames).toHaveLength(2);
  for (const { fields } of frames) {
    const values = fields[1]!.values as Array<number | null>;
    expect(values.length).toBeGreaterThan(115);
    expect(values.filter((value) => value === null)).toEqual([]);
  }
  // However short the range is: the two hours before it tell the pace.
  for (let end = past(7.5); end < past(0); end += 1200) {
    for (const seconds of [1800, 3600]) {
      const [each] = await ask(
        installation,
        { queryType: 'history', by: 'total', figures: ['enqueued'] },
        { from: end - seconds, to: end, intervalSeconds: 15 }
      );
      const values = each!.fields[1]!.values as unknown[];
      const empty = values.filter((value) => value === null).length;
      expect([end, seconds, empty]).toEqual([end, seconds, expect.toSatisfy((many: number) => many <= 20)]);
    }
  }
  // Where the readings are close together while something happens, those further apart beside them are no gaps.
  const [fine] = await ask(
    installation,
    { queryType: 'history', by: 'total', figures: ['processedRate'] },
    { from: past(9.4), to: past(5), intervalSeconds: 72 }
  );
  expect((fine!.fields[1]!.values as unknown[]).filter((value) => value === null)).toEqual([]);
  const [finest] = await ask(
    installation,
    { queryType: 'history', by: 'total', figures: ['enqueued'] },
    { from: ENDS_AT - 300, to: now, intervalSeconds: 10 }
  );
  expect(finest!.fields[1]!.values).not.toContain(null);
});

test('the past answers as of then', async () => {
  const rows = await askRows(installation, { queryType: 'queues' }, { from: past(8), to: past(7) });
  expect(rows.find(({ queue: name }) => name === 'pdfs')).toMatchObject({ state: 'unserved' });
});

test('Redis holds no minute that Sidekiq would have let expire', async () => {
  const { snapshot } = await installation.state();
  const keys = await server.client.keys('j|*');
  const kept = keys.filter((key) => !/\d:\d$/.test(key)).length;
  expect(snapshot.minutes.items.length).toBeGreaterThan(0);
  // Eight hours of minutes, not more.
  expect(kept).toBeLessThanOrEqual(8 * 60 + 60);
});

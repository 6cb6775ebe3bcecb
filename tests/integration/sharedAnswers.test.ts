import { afterAll, beforeAll, expect, test } from 'vitest';
import { Installation } from '../../pkg/installation/installation';
import { parseSettings } from '../../pkg/settings/settings';
import { writeFleet } from '../support/fleet';
import { ask, askRows } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

let redis: RedisServer;
let installation: Installation;
let now = Math.floor(Date.now() / 600_000) * 600 + 305;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 3, 2, 2);
  installation = new Installation(parseSettings({ url: redis.url, options: { reuseSeconds: 60 } }), {
    clock: () => now,
  });
  await installation.state();
});
afterAll(async () => {
  installation.close();
  await redis.stop();
});

const depth = { queryType: 'history', by: 'queue', figures: ['enqueued'] };
const hour = { from: now - 3600, to: now, intervalSeconds: 15 };

test('viewers whose ranges differ by less than a step share one answer', async () => {
  const first = await ask(installation, depth, hour);
  expect(first.length).toBeGreaterThan(0);
  const later = await ask(installation, depth, { ...hour, from: hour.from + 0.8, to: hour.to + 0.8 });
  expect(later).toHaveLength(first.length);
  later.forEach((frame, index) => expect(frame).toBe(first[index]));
});

test.each([
  ['another step', {}, { from: hour.from - 600 }],
  ['another interval', {}, { intervalSeconds: 30 }],
  ['an end in the past', {}, { to: hour.to - 60 }],
  ['another figure', { figures: ['latency'] }, {}],
])('%s is another question', async (_, query, options) => {
  const [first] = await ask(installation, depth, hour);
  const [other] = await ask(installation, { ...depth, ...query }, { ...hour, ...options });
  expect(other).not.toBe(first);
});

test.each([
  ['days, which the interval does not cut', { queryType: 'history', by: 'day' }, { intervalSeconds: 30 * 86_400 }],
  ['job metrics of more than six hours', { queryType: 'job_metrics' }, { from: now - 8 * 3600 }],
])('%s are asked for as they stand', async (_, query, options) => {
  const [first] = await ask(installation, query, { ...hour, ...options });
  const [second] = await ask(installation, query, { ...hour, ...options });
  expect(first).toBeDefined();
  expect(second).not.toBe(first);
});

test('a day of the daily counters stays a day, whatever the interval', async () => {
  const rows = await askRows(
    installation,
    { queryType: 'history', by: 'day' },
    { ...hour, intervalSeconds: 30 * 86_400 }
  );
  expect(rows.length).toBeLessThanOrEqual(2);
});

test('what the range begins with within a step is not told to be missing', async () => {
  const [frame] = await ask(installation, depth, { from: now - 100, to: now, intervalSeconds: 3600 });
  expect((frame?.meta?.notices ?? []).map(({ text }) => text).join()).not.toMatch(/has watched this Sidekiq since/);
});

test('an alert rule shares no answer', async () => {
  const total = { queryType: 'history', figures: ['enqueued'] };
  const [first] = await ask(installation, total, { ...hour, alerting: true });
  const [second] = await ask(installation, total, { ...hour, alerting: true });
  expect(second).not.toBe(first);
});

test('the next reading is answered anew, and an answer that fails is not kept', async () => {
  const [first] = await ask(installation, depth, hour);
  now += 61;
  (installation as unknown as { latest: undefined }).latest = undefined;
  const [next] = await ask(installation, depth, { ...hour, from: now - 3600, to: now });
  expect(next).not.toBe(first);
  const wrong = { ...depth, figures: ['nonsense'] };
  await expect(ask(installation, wrong, hour)).rejects.toThrow(/nonsense/);
  await expect(ask(installation, wrong, hour)).rejects.toThrow(/nonsense/);
});

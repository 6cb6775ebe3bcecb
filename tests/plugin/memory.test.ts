import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { writeFleet } from '../support/fleet';
import { dataQuery, pluginContext, queryData, readArrow, startPlugin, type RunningPlugin } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';

let redis: RedisServer;
let plugin: RunningPlugin;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 2, 1);
  plugin = await startPlugin();
});
afterAll(async () => {
  plugin.stop();
  await redis.stop();
});

async function history(context: ReturnType<typeof pluginContext>, headers: Record<string, string> = {}) {
  const queries = [dataQuery('A', { queryType: 'history', figures: ['enqueued'] })];
  const responses = await queryData(plugin, context, queries, headers);
  const { status, error, frames } = responses['A']!;
  const read = frames.map((frame) => readArrow(frame));
  const values = read.flatMap(({ table }) => [...((table.getChild('enqueued') ?? []) as Iterable<number | null>)]);
  const notices = read.flatMap(({ meta }) => (meta['notices'] as Array<{ text: string }> | undefined) ?? []);
  return {
    status,
    error,
    points: values.filter((value) => value !== null).length,
    notices: notices.map(({ text }) => text).join(),
  };
}

test('saved settings go on with the history, where they read the same Sidekiq', async () => {
  const of = (lastUpdatedMS: number, jsonData: object, url = redis.url) =>
    pluginContext(url, { id: 2, lastUpdatedMS, jsonData: { reuseSeconds: 0, sampleSeconds: 1, ...jsonData } });
  await vi.waitFor(async () => expect((await history(of(1, {}))).points).toBeGreaterThan(2), { timeout: 15_000 });
  const before = (await history(of(1, {}))).points;
  expect((await history(of(2, { deadMaxJobs: 5 }))).points).toBeGreaterThanOrEqual(before);
  expect((await history(of(3, { keyPrefix: 'other:' }))).points).toBeLessThan(before);
});

test('the history is answered though Redis is away, with the reason, but not to an alert rule', async () => {
  const gone = await startRedis();
  await writeFleet(gone.client, 2, 1);
  const context = pluginContext(gone.url, { id: 3, jsonData: { reuseSeconds: 0, sampleSeconds: 1 } });
  await vi.waitFor(async () => expect((await history(context)).points).toBeGreaterThan(1), { timeout: 15_000 });
  await gone.stop();
  const answer = await history(context);
  expect(answer).toMatchObject({ status: 200, points: expect.any(Number) });
  expect(answer.points).toBeGreaterThan(1);
  expect(answer.notices).toMatch(/Nothing listens at .*connection refused/);
  const alerting = await history(context, { FromAlert: 'true' });
  expect(alerting.status).not.toBe(200);
  expect(alerting.error).toMatch(/connection refused/);
});

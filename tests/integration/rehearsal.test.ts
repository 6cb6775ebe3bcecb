import { afterAll, beforeAll, expect, test } from 'vitest';
import { Installation } from '../../pkg/installation/installation';
import { scrape } from '../../pkg/metrics/scrape';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { parseSettings } from '../../pkg/settings/settings';
import { writeFleet } from '../support/fleet';
import { parseExposition } from '../support/exposition';
import { startRedis, type RedisServer } from '../support/redisServer';
import { ask } from '../support/installation';

let redis: RedisServer;
let installation: Installation;

beforeAll(async () => {
  redis = await startRedis();
  await writeFleet(redis.client, 3, 2, 2);
  installation = new Installation(parseSettings({ url: redis.url, options: { reuseSeconds: 0 } }));
});
afterAll(async () => {
  installation.close();
  await redis.stop();
});

async function commandsSoFar(): Promise<number> {
  const info = await redis.client.info('stats');
  return Number(/total_commands_processed:(\d+)/.exec(info)?.[1]);
}

/** What of a scrape does not change with the time. */
function figuresOf(text: string): Array<[string, number | undefined]> {
  const { value } = parseExposition(text);
  return ['sidekiq_enqueued_jobs', 'sidekiq_processes', 'sidekiq_busy_workers', 'sidekiq_up'].map((name) => [
    name,
    value(name),
  ]);
}

test('a rehearsal reads what the installation reads, and asks Redis once', async () => {
  const real = await scrape(installation, '', 10);
  const rehearsal = (await installation.rehearsal())!;
  const before = await commandsSoFar();
  for (let round = 0; round < 20; round += 1) {
    rehearsal.next();
    const { body } = await scrape(rehearsal.source, '', 10);
    expect(figuresOf(body)).toEqual(figuresOf(real.body));
  }
  // INFO itself.
  expect((await commandsSoFar()) - before).toBe(1);
  rehearsal.close();
});

test('minutes that begin meanwhile are rehearsed with the counts of another, and nothing is refused', async () => {
  const minute = Math.floor(Date.now() / 60_000) * 60;
  for (const startsAt of [minute, minute - 60]) {
    await redis.client.hset(String(metricKeys.minute(startsAt)), 'Some::Job|p', 5, 'Some::Job|ms', 1234);
  }
  const rehearsal = (await installation.rehearsal())!;
  let text = '';
  for (let round = 0; round < 300; round += 1) {
    rehearsal.next();
    text = (await scrape(rehearsal.source, '', 10)).body;
  }
  rehearsal.close();
  expect(text).toMatch(/^sidekiq_job_processed\{class="Some::Job"\} \d+$/m);
  expect(text).not.toMatch(/^jobwatch_refused_commands\{.*\} [1-9]/m);
});

test('a rehearsal leaves nothing in what the installation remembers', async () => {
  const rehearsal = (await installation.rehearsal())!;
  const before = installation.recorded;
  for (let round = 0; round < 50; round += 1) {
    rehearsal.next();
    await scrape(rehearsal.source, '', 10);
  }
  rehearsal.close();
  expect(installation.recorded).toEqual(before);
  expect(installation.droppedSeries.size).toBe(0);
  const [frame] = await ask(installation, { queryType: 'processes' });
  expect(frame?.meta?.notices ?? []).toEqual([]);
});

test('an installation that was closed is not rehearsed', async () => {
  const other = new Installation(parseSettings({ url: redis.url }));
  other.close();
  expect(await other.rehearsal()).toBeUndefined();
});

test('an installation whose replies are too many is not rehearsed', async () => {
  const large = await startRedis();
  await writeFleet(large.client, 1, 1, 1);
  await large.client.sadd('queues', ...Array.from({ length: 500 }, (_, index) => `${'q'.repeat(2000)}${index}`));
  const other = new Installation(parseSettings({ url: large.url }));
  expect(await other.rehearsal()).toBeUndefined();
  other.close();
  await large.stop();
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { Installation } from '../../pkg/installation/installation';
import { scrape } from '../../pkg/metrics/scrape';
import { parseSettings } from '../../pkg/settings/settings';
import { HISTOGRAM_BOUNDS_MS } from '../../pkg/sidekiq/jobMetrics';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { ask, askRows, noticesOf } from '../support/installation';
import { parseExposition, type Exposition } from '../support/exposition';
import { startCountingProxy } from '../support/roundTrips';
import { startServing, type Serving } from '../support/serve';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { sendPacket } from '../support/statsd';
import fc, { runs } from '../support/fastCheck';

const START = Math.floor(Date.now() / 60_000) * 60 + 5;

let redis: RedisServer;
let now = START;
const opened: Installation[] = [];

beforeAll(async () => {
  redis = await startRedis();
});
afterEach(async () => {
  opened.splice(0).forEach((installation) => installation.close());
  await redis.client.flushall();
  now = START;
});
afterAll(() => redis.stop());

function open(url = redis.url, options: Record<string, unknown> = {}): Installation {
  const settings = parseSettings({ url, options: { reuseSeconds: 0, samplerEnabled: false, ...options } });
  const installation = new Installation(settings, { clock: () => now });
  opened.push(installation);
  return installation;
}

/** What a heartbeat of Sidekiq 8 or 7 writes into the minute of its flush: executions of 50 ms each. */
async function flush(
  at: number,
  jobClass: string,
  count: number,
  failed = 0,
  shape: 'new' | 'old' = 'new'
): Promise<void> {
  const [minute, histogram] =
    shape === 'new'
      ? [metricKeys.minute(at), metricKeys.histogram(jobClass, at)]
      : [metricKeys.oldMinute(at), metricKeys.oldHistogram(jobClass, at)];
  const bucket = HISTOGRAM_BOUNDS_MS.findIndex((bound) => 50 < bound);
  await redis.client
    .multi()
    .hincrby(minute, `${jobClass}|p`, count)
    .hincrby(minute, `${jobClass}|f`, failed)
    .hincrby(minute, `${jobClass}|ms`, 50 * (count - failed))
    .call('BITFIELD', histogram, 'OVERFLOW', 'SAT', 'INCRBY', 'u16', `#${bucket}`, count - failed)
    .incrby('stat:processed', count)
    .exec();
}

async function read(installation: Installation): Promise<Exposition> {
  return parseExposition((await scrape(installation, '', 5)).body);
}

function figures(found: Exposition, jobClass: string) {
  const labels = { class: jobClass };
  return {
    executions: found.value('sidekiq_job_executions_total', labels),
    failures: found.value('sidekiq_job_failures_total', labels),
    sum: found.value('sidekiq_job_duration_seconds_sum', labels),
    count: found.value('sidekiq_job_duration_seconds_count', labels),
    below45: found.value('sidekiq_job_duration_seconds_bucket', { ...labels, le: '0.045' }),
    below65: found.value('sidekiq_job_duration_seconds_bucket', { ...labels, le: '0.065' }),
  };
}

test('counters and histograms grow with the minutes of Sidekiq 7 and 8, in two round trips', async () => {
  const proxy = await startCountingProxy(redis.port);
  const installation = open(`redis://127.0.0.1:${proxy.port}/0`);
  await flush(now, 'A', 10, 1);
  expect(figures(await read(installation), 'A')).toMatchObject({ executions: 0, count: 0 });
  now += 10;
  await flush(now, 'A', 4, 1);
  await flush(now, 'A', 3, 0, 'old');
  proxy.reset();
  const found = figures(await read(installation), 'A');
  expect(proxy.roundTrips()).toBe(2);
  expect(found).toEqual({ executions: 7, failures: 1, sum: 0.3, count: 6, below45: 0, below65: 6 });
  await proxy.close();
});

test('a heartbeat that comes late, into the minute before, is counted', async () => {
  const installation = open();
  await flush(now, 'A', 1);
  await read(installation);
  now += 70;
  await flush(now, 'A', 2);
  await read(installation);
  await flush(now - 70, 'A', 5);
  now += 10;
  expect(figures(await read(installation), 'A')).toMatchObject({ executions: 7, count: 7 });
});

test('a quiet installation costs no further reads', async () => {
  const installation = open();
  await flush(now, 'A', 1);
  const { snapshot: first } = await installation.state();
  now += 30;
  const { snapshot: later } = await installation.state();
  expect(later.cost.commands).toBeLessThan(first.cost.commands);
  expect(later.durations).toEqual(first.durations);
});

test('after hours in which nobody looked, what Sidekiq still holds is counted once', async () => {
  const installation = open();
  await flush(now, 'A', 1);
  await read(installation);
  await flush(now, 'A', 2);
  await flush(now + 1800, 'A', 3);
  now += 2 * 3600;
  await flush(now, 'A', 4);
  expect(figures(await read(installation), 'A')).toMatchObject({ executions: 9, count: 9 });
});

test('a pause of half an hour loses no durations', async () => {
  const installation = open();
  await flush(now, 'A', 1);
  await read(installation);
  for (let minute = 1; minute <= 30; minute += 1) {
    await flush(now + minute * 60, 'A', 7, 1);
  }
  now += 30 * 60 + 20;
  const found = figures(await read(installation), 'A');
  expect(found).toMatchObject({ executions: 210, failures: 30, count: 180 });
  expect(found.sum).toBeCloseTo(180 * 0.05, 9);
});

test('a heartbeat that comes late just before its minute is final is in counters and histogram', async () => {
  const installation = open();
  await flush(now, 'A', 1);
  await read(installation);
  const minute = Math.floor(now / 60) * 60;
  now = minute + 65;
  await read(installation);
  await flush(minute + 30, 'A', 5, 1);
  now = minute + 242;
  expect(figures(await read(installation), 'A')).toMatchObject({ executions: 5, failures: 1, count: 4 });
});

const UNREAD = { late: 0, jobClass: 'A', count: 1, failed: false, reads: false };

test('whatever the pauses and late heartbeats: executions without failures are the durations, and all that ran', async () => {
  const step = fc.record({
    pause: fc.constantFrom(1, 15, 15, 15, 60, 170, 185, 240, 700, 1800, 4000, 8000),
    late: fc.constantFrom(0, 0, 20, 100),
    jobClass: fc.constantFrom('A', 'B', 'C'),
    count: fc.integer({ min: 1, max: 9 }),
    failed: fc.boolean(),
    reads: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
      await redis.client.flushall();
      now = START;
      const expected = new Map<string, [executions: number, failures: number]>();
      const installation = open();
      await read(installation);
      let readAt = now;
      for (const { pause, late, jobClass, count, failed, reads } of steps) {
        // Sidekiq keeps a minute for 8 hours: what nobody read before is gone, and is not expected.
        if (now + pause - readAt > 7 * 3600) {
          await read(installation);
          readAt = now;
        }
        now += pause;
        // A heartbeat writes into the minute in which it began.
        await flush(Math.max(START, now - late), jobClass, count, failed ? 1 : 0);
        const [executions, failures] = expected.get(jobClass) ?? [0, 0];
        expected.set(jobClass, [executions + count, failures + (failed ? 1 : 0)]);
        if (reads) {
          await read(installation);
          readAt = now;
        }
      }
      now += 15;
      const found = await read(installation);
      for (const [jobClass, [executions, failures]] of expected) {
        const { sum, ...counts } = figures(found, jobClass);
        expect(counts).toMatchObject({ executions, failures, count: executions - failures });
        expect(sum).toBeCloseTo((executions - failures) * 0.05, 9);
      }
      installation.close();
    }),
    {
      numRuns: runs(40),
      // Found by a run of CI: five unread pauses that together are longer than Sidekiq keeps a minute.
      examples: [[[1, 8000, 8000, 8000, 8000, 1].map((pause) => ({ pause, ...UNREAD }))]],
    }
  );
});

test('with a history file a restart neither loses nor repeats', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-counters-'));
  const serve = () => startServing(redis.url, ['--history-file', join(folder, 'history.db'), '--reuse-seconds', '0']);
  const present = () => Date.now() / 1000;
  await flush(present(), 'A', 1);
  const first = await serve();
  await first.scrape();
  await flush(present(), 'A', 9);
  expect(figures(await first.scrape(), 'A')).toMatchObject({ executions: 9, count: 9 });
  await flush(present(), 'A', 2);
  expect(await first.stop()).toBe(0);
  await flush(present(), 'A', 3);
  const second = await serve();
  expect(figures(await second.scrape(), 'A')).toMatchObject({ executions: 14, count: 14 });
  await second.stop();
  rmSync(folder, { recursive: true });
});

test('a crash takes nothing back from executions by queue, and each of two processes goes on with its own', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-counters-'));
  const options = ['--history-file', join(folder, 'history.db'), '--reuse-seconds', '0', '--compat-names', 'true'];
  const addresses = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
  const serve = (address: string) => startServing(redis.url, [...options, '--listen', address]);
  const byQueue = async (serving: Serving, address: string) =>
    Object.fromEntries(
      (await serving.scrape(`http://${address}/metrics`)).samples
        .filter(({ name, labels }) => name === 'sidekiq_jobs_executed_total' && labels['worker'] === 'A')
        .map(({ labels, value }) => [labels['queue']!, value])
    );
  const present = () => Date.now() / 1000;
  /** The only job that waits is of this queue. */
  const waitIn = async (queue: string) => {
    await redis.client.del('queues', 'queue:mail', 'queue:low');
    await redis.client.sadd('queues', queue);
    await redis.client.lpush(`queue:${queue}`, JSON.stringify({ jid: 'a'.repeat(24), class: 'A', queue, args: [] }));
  };
  const [one, two] = addresses as [string, string];

  await flush(present(), 'A', 1);
  await waitIn('mail');
  let first = await serve(one);
  await byQueue(first, one);
  await flush(present(), 'A', 40);
  expect(await byQueue(first, one)).toEqual({ mail: 40 });
  await waitIn('low');
  const second = await serve(two);
  // It has begun with what the class had done.
  const begun = Object.values(await byQueue(second, two)).reduce((sum, count) => sum + count, 0);
  await flush(present(), 'A', 60);
  // Neither is less than ten seconds after what was saved on a pace.
  expect(await byQueue(first, one)).toEqual({ mail: 40, low: 60 });
  expect(await byQueue(second, two)).toEqual({ low: begun + 60 });

  first.child.kill('SIGKILL');
  second.child.kill('SIGKILL');
  await redis.client.del('queues', 'queue:low');
  await flush(present(), 'A', 5);
  first = await serve(one);
  expect(await byQueue(first, one)).toEqual({ mail: 40, low: 65 });
  const again = await serve(two);
  expect(await byQueue(again, two)).toEqual({ low: begun + 65 });
  await Promise.all([first.stop(), again.stop()]);
  rmSync(folder, { recursive: true });
});

test('a class tells when it last ran, and how often it should', async () => {
  const installation = open(redis.url, { cadences: [{ class: 'A', everySeconds: 60 }] });
  await flush(now, 'A', 1);
  await flush(now - 1800, 'B', 1);
  await read(installation);
  now += 600;
  const found = await read(installation);
  const minuteOf = (at: number) => Math.floor(at / 60) * 60;
  expect(found.value('sidekiq_job_last_run_timestamp_seconds', { class: 'A' })).toBe(minuteOf(now - 600));
  expect(found.value('sidekiq_job_last_run_timestamp_seconds', { class: 'B' })).toBe(minuteOf(now - 2400));
  expect(found.value('sidekiq_job_cadence_seconds', { class: 'A' })).toBe(60);
});

test('label sets beyond the limit are left out and counted', async () => {
  for (let index = 0; index < 8; index += 1) {
    await flush(now, `Job${index}`, 1);
  }
  const installation = open(redis.url, { seriesLimit: 5 });
  await read(installation);
  const found = await read(installation);
  expect(found.samples.filter(({ name }) => name === 'sidekiq_job_executions_total')).toHaveLength(5);
  expect(found.samples.filter(({ name }) => name === 'sidekiq_job_duration_seconds_count')).toHaveLength(1);
  // Three in each of the two scrapes.
  expect(found.value('jobwatch_dropped_series_total', { metric: 'sidekiq_job_executions_total' })).toBe(6);
});

describe('job_metrics', () => {
  const send = (installation: Installation, jobClass: string, milliseconds: number) =>
    sendPacket(
      installation.statsd,
      `a.jobs.count:1|c|#worker:${jobClass}\na.jobs.perform:${milliseconds}|ms|#worker:${jobClass}`,
      now
    );

  test('comes from Redis while nothing arrives by DogStatsD, and says so when asked for that alone', async () => {
    const installation = open();
    await flush(now, 'A', 3);
    const query = { queryType: 'job_metrics', figures: ['executions'] };
    expect(await askRows(installation, query, { to: now + 1 })).toEqual([{ class: 'A', executions: 3 }]);
    const frames = await ask(installation, { ...query, origin: 'statsd' }, { to: now + 1 });
    expect(noticesOf(frames).join()).toMatch(/Nothing has arrived by DogStatsD/);
  });

  test('comes from DogStatsD from its first whole minute on, from Redis before, and says so', async () => {
    const installation = open();
    await flush(now, 'A', 3);
    send(installation, 'A', 50);
    now += 60;
    await flush(now, 'A', 100);
    send(installation, 'A', 1000);
    send(installation, 'A', 1000);
    const options = { from: now - 600, to: now + 1 };
    const frames = await ask(installation, { queryType: 'job_metrics' }, options);
    expect(noticesOf(frames).join()).toMatch(/Redis until \d\d:\d\d UTC, then from Sidekiq Pro by DogStatsD/);
    const [row] = await askRows(installation, { queryType: 'job_metrics' }, options);
    expect(row).toMatchObject({ class: 'A', executions: 5, p99Lower: 0.75, p99Upper: 1.1 });
    const series = await ask(
      installation,
      { queryType: 'job_metrics', show: 'series', figures: ['executions'] },
      options
    );
    expect(series[0]!.fields[1]!.values.slice(-2)).toEqual([0, 3]);
    const redisOnly = await askRows(installation, { queryType: 'job_metrics', origin: 'redis' }, options);
    expect(redisOnly[0]).toMatchObject({ executions: 103 });
  });

  test('of a past range counts no minute outside it, though DogStatsD has the rest', async () => {
    const installation = open();
    const start = now;
    for (let minute = 1; minute <= 20; minute += 1) {
      await flush(start + minute * 60, 'A', 60);
    }
    now = start + 20 * 60;
    send(installation, 'A', 50);
    now += 60;
    send(installation, 'A', 50);
    now += 30;
    const first = Math.floor(start / 60) * 60 + 60;
    const [row] = await askRows(installation, { queryType: 'job_metrics' }, { from: first, to: first + 600 });
    expect(row).toMatchObject({ class: 'A', executions: 600, rate: 1 });
  });
});

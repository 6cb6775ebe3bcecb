import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { ask, askRows, createReader, noticesOf, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

const START = Date.UTC(2026, 10, 27, 3, 0, 5) / 1000;
const HOUR = 3600;
/** The deploy. */
const AT = START + HOUR + 300;

let server: RedisServer;
let installation: Installation;
let clock = START;
let jobs = 0;

async function fail(set: 'retry' | 'dead', errorClass: string, secondsAgo: number): Promise<string> {
  jobs += 1;
  const failedAt = clock - secondsAgo;
  const payload = JSON.stringify({
    ...{ class: 'AJob', queue: 'default', jid: String(jobs).padStart(24, '0'), args: [], retry_count: 0 },
    ...{
      error_class: errorClass,
      error_message: 'no',
      created_at: failedAt,
      enqueued_at: failedAt,
      failed_at: failedAt,
    },
  });
  await server.client.zadd(set, set === 'retry' ? clock + 600 : failedAt, payload);
  return payload;
}

async function liveUntil(until: number): Promise<void> {
  while (clock < until) {
    clock = Math.min(until, clock + 60);
    await installation.state();
  }
}

beforeAll(async () => {
  server = await startRedis();
  await createReader(server);
  installation = openAsReader(server, { samplerEnabled: false }, () => clock);
  installation.startSampling();
  await installation.state();
  await liveUntil(AT - 600);
  const retried: string[] = [];
  for (let each = 0; each < 5; each += 1) {
    retried.push(await fail('retry', 'OldError', each * 400));
    await fail('dead', 'OldError', each * 400);
  }
  await fail('dead', 'RareError', 60);
  // Failed more than an hour before the deploy.
  await fail('dead', 'OldError', HOUR);
  await liveUntil(AT);
  // The deploy mends what waited for a retry.
  await server.client.zrem('retry', ...retried);
  await liveUntil(AT + HOUR);
  for (let each = 0; each < 20; each += 1) {
    await fail('dead', 'NewError', each * 100);
  }
  for (let each = 0; each < 9; each += 1) {
    await fail('retry', 'OldError', each * 100);
  }
  await liveUntil(AT + HOUR + 600);
}, 120_000);
afterAll(async () => {
  installation.close();
  await server.stop();
});

const query = { queryType: 'compare', by: 'error', with: 'instant', at: new Date(AT * 1000).toISOString() };

describe('errors before and after a deploy', () => {
  test('are jobs by the state of the sets at the end of either time, and judged as counts', async () => {
    const range = { from: AT - HOUR - 600, to: AT + HOUR + 600 };
    const rows = await askRows(installation, query, range);
    expect(rows.map((row) => [row['key'], row['figure'], row['before'], row['after'], row['verdict']])).toEqual([
      ['NewError', 'Failing jobs', 0, 20, 'more'],
      ['OldError', 'Failing jobs', 10, 9, 'not significant'],
      ['RareError', 'Failing jobs', 1, 0, 'not significant'],
    ]);
    expect(rows[0]!['chance']).toBeCloseTo(2 * 2 ** -20, 12);
    expect(noticesOf(await ask(installation, query, range)).join(' ')).toContain(
      'whose latest failure lay within the last hour of either time'
    );
  });

  test('are the same when they are asked later', async () => {
    const range = { from: AT - HOUR - 600, to: AT + HOUR + 600 };
    const told = await askRows(installation, query, range);
    await liveUntil(clock + 1800);
    await server.client.del('retry', 'dead');
    await liveUntil(clock + 120);
    expect(await askRows(installation, query, range)).toEqual(told);
  });

  test('need an hour on both sides, and recordings; an alert rule hears why', async () => {
    const short = { from: AT - 1800, to: AT + 1800 };
    const almost = await ask(installation, query, { from: AT - HOUR, to: AT + HOUR - 5 });
    expect(noticesOf(almost).join(' ')).toContain('the last hour');
    const message = 'Errors are compared by the hour, and the times to compare are shorter.';
    expect(await askRows(installation, query, short)).toEqual([]);
    const alert = { ...query, figures: ['after'] };
    await expect(ask(installation, alert, { ...short, alerting: true })).rejects.toThrow(message);
    const yesterday = { ...query, with: 'day', figures: ['after'] };
    await expect(ask(installation, yesterday, { from: clock - HOUR, to: clock, alerting: true })).rejects.toThrow(
      'were not recorded at 2026-11-26'
    );
    await expect(ask(installation, { ...query, measures: ['latency'] }, short)).rejects.toThrow(
      'There is no figure "latency"'
    );
  });
});

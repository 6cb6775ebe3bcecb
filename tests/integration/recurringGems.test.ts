import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { rowsOf } from '../../pkg/frames/frame';
import type { Installation } from '../../pkg/installation/installation';
import { scrape } from '../../pkg/metrics/scrape';
import { nextRunOf, readSchedule, zonesOf } from '../../pkg/sidekiq/schedule/schedule';
import { UTC } from '../../pkg/sidekiq/schedule/zone';
import { parseExposition } from '../support/exposition';
import { ask, askRows, createReader, openAsReader } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';

/** Ruby finds the gems among its own or in RUBYLIB. */
const hasGems =
  spawnSync('ruby', ['-e', 'require "sidekiq"; require "sidekiq-cron"; require "sidekiq-scheduler"']).status === 0;

if (!hasGems) {
  process.stdout.write(
    'The test with real schedulers is skipped: Ruby does not find the gems sidekiq, sidekiq-cron and sidekiq-scheduler.\n'
  );
}

interface Written {
  entries: Array<{ source: string; name: string; enabled: boolean; last: number | null; next: number | null }>;
  schedules: Array<{ line: string; after: number; next: number | null }>;
}

describe.skipIf(!hasGems)('entries written by the real sidekiq-cron and sidekiq-scheduler', () => {
  let redis: RedisServer;
  let installation: Installation;
  let written: Written;

  beforeAll(async () => {
    redis = await startRedis();
    const ruby = spawn('ruby', [join(__dirname, 'recurringKeys.rb')], {
      env: { ...process.env, REDIS_URL: redis.url },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const [printed, [status]] = await Promise.all([text(ruby.stdout), once(ruby, 'exit')]);
    expect(status).toBe(0);
    written = JSON.parse(printed) as Written;
    await createReader(redis);
    installation = openAsReader(redis, { cronNamespaces: 'billing' });
  }, 60_000);
  afterAll(async () => {
    installation.close();
    await redis.stop();
  });

  test('have the last and the next run that these gems tell', async () => {
    const frames = await ask(installation, { queryType: 'recurring' });
    const rows = rowsOf(frames[0]!);
    const seconds = (value: unknown) => (typeof value === 'number' ? Math.round(value / 1000) : null);
    const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
    expect(
      rows
        .map(({ source, name, enabled, last, next }) => ({
          source,
          name: String(name),
          enabled,
          last: seconds(last),
          next: seconds(next),
        }))
        .sort(byName)
    ).toEqual([...written.entries].sort(byName));
  });

  test('are in a scrape as the Ruby exporter’s contribs have them, and late ones by how late they are', async () => {
    const found = parseExposition((await scrape(installation, '', 10)).body);
    const of = (source: string) => written.entries.filter((entry) => entry.source === source);
    expect(found.value('sidekiq_cron_jobs')).toBe(of('sidekiq-cron').length);
    expect(found.value('sidekiq_scheduler_jobs')).toBe(of('sidekiq-scheduler').length);
    expect(found.value('sidekiq_scheduler_enabled_jobs')).toBe(
      of('sidekiq-scheduler').filter(({ enabled }) => enabled).length
    );
    expect(found.value('sidekiq_scheduler_time_since_last_run_minutes', { name: 'every entry' })).toBe(120);
    const late = (source: string, name: string) =>
      found.value('sidekiq_recurring_late_seconds', { source, name, class: 'Report' });
    expect(late('sidekiq-scheduler', 'every entry')).toBeGreaterThanOrEqual(1800);
    expect(late('sidekiq-cron', 'off')).toBeUndefined();
  });

  test('are late by the time since the next run after the last one; disabled ones never', async () => {
    const rows = await askRows(installation, { queryType: 'recurring' });
    const lateBy = (name: string) => rows.find((row) => row['name'] === name)?.['lateBy'];
    expect(lateBy('every entry')).toBeGreaterThanOrEqual(1800);
    expect(lateBy('every entry')).toBeLessThan(1860);
    expect([lateBy('off'), lateBy('switched off'), lateBy('switched off later')]).toEqual([null, null, null]);
  });

  test('have the instants of fugit for every line', () => {
    const found = written.schedules.map(({ line, after }) => {
      const schedule = readSchedule('cron', line, true);
      return schedule && (nextRunOf(schedule, after, zonesOf([], UTC))?.nextAt ?? null);
    });
    expect(written.schedules.length).toBeGreaterThan(10);
    expect(written.schedules.filter(({ next }, index) => found[index] !== next)).toEqual([]);
  });
});

import { readdirSync, readFileSync, chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { job } from '../support/fleet';
import { dataQuery, pluginContext, queryData, startPlugin, type RunningPlugin } from '../support/plugin';
import { startRedis, type RedisServer } from '../support/redisServer';

/**
 * A day of a busy Sidekiq in four minutes: the clock of Redis, which is the clock of every reading, runs 360 times as
 * fast. Ten data sources are asked all the time while jobs, processes and classes come and go; memory and handles of the
 * plugin are taken each simulated hour and written to docs/soak.md.
 */
const SPEED = 360;
const HOURS = 24;
const DATA_SOURCES = 10;
const PAGE = join(__dirname, '../../docs/soak.md');
const versionOf = (name: string) => spawnSync(name, ['--version'], { encoding: 'utf8' }).stdout ?? '';
/** A server whose clock faketime can turn: one with jemalloc does not start under it. */
const program =
  versionOf('faketime') === ''
    ? undefined
    : ['redis-server', ...(process.env['REDIS_SERVERS'] ?? '').split(',')].find((name) =>
        /malloc=libc/.test(versionOf(name))
      );

if (program === undefined) {
  process.stdout.write(
    'The soak is skipped: faketime is not installed, or no redis-server (REDIS_SERVERS) without jemalloc.\n'
  );
}

describe.skipIf(program === undefined)('a simulated day', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-soak-'));
  let server: RedisServer;
  let plugin: RunningPlugin;

  beforeAll(async () => {
    const script = join(folder, 'redis');
    writeFileSync(
      script,
      `#!/bin/sh\nDONT_FAKE_MONOTONIC=1 exec faketime -f '+0 x${SPEED}' ${program} "$@" 2>/dev/null\n`
    );
    chmodSync(script, 0o755);
    server = await startRedis([], undefined, script);
    plugin = await startPlugin({ GF_PLUGIN_DATA_DIR: folder });
  });
  afterAll(async () => {
    plugin.stop();
    // faketime is the parent of the server and would leave it alive.
    const closed = once(server.client, 'close');
    server.client.call('SHUTDOWN', 'NOSAVE').catch(() => undefined);
    await closed;
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const clock = async () => {
    const [seconds = 0, micros = 0] = await server.client.time();
    return Number(seconds) + Number(micros) / 1e6;
  };

  /** What a Sidekiq of eight processes writes within some seconds; each hour one process is replaced. */
  async function churn(now: number, step: number): Promise<void> {
    const pipeline = server.client.pipeline();
    const minute = new Date(now * 1000).toISOString();
    const bucket = `j|${minute.slice(2, 10).replaceAll('-', '')}|${Number(minute.slice(11, 13))}:${Number(minute.slice(14, 16))}`;
    const hour = Math.floor(now / 3600);
    for (let index = 0; index < 8; index += 1) {
      const identity = `host-${index}:${hour - ((hour + index) % 8)}:abc`;
      const info = {
        ...{ hostname: `host-${index}`, started_at: now - 60, pid: index, tag: '', queues: ['default', 'low'] },
        ...{ labels: [], identity, version: '8.1.7' },
      };
      pipeline
        .sadd('processes', identity)
        .hset(identity, { info: JSON.stringify(info), busy: '5', beat: String(now), concurrency: '10', quiet: 'false' })
        .hset(identity, { rss: '1000', rtt_us: '100' })
        .expire(identity, 60)
        .del(`${identity}:work`);
      for (let thread = 0; thread < 5; thread += 1) {
        const payload = job(`Class${(step + thread) % 50}`, 'default', now * 1000, {
          jid: `${step}-${index}-${thread}`,
        });
        pipeline.hset(`${identity}:work`, `t${thread}`, JSON.stringify({ queue: 'default', payload, run_at: now }));
      }
      pipeline.expire(`${identity}:work`, 60);
    }
    for (let index = 0; index < 20; index += 1) {
      const name = `Class${(step + index) % 50}`;
      pipeline.hincrby(bucket, `${name}|p`, 3).hincrby(bucket, `${name}|ms`, 500);
    }
    pipeline
      .expire(bucket, 8 * 3600)
      .incrby('stat:processed', 60)
      .sadd('queues', 'default', 'low')
      .lpush('queue:default', job('Class1', 'default', now * 1000, { jid: `q${step}` }))
      .ltrim('queue:default', 0, step % 200)
      .zadd('dead', now, job('Class2', 'default', now * 1000, { jid: `d${step}`, error_class: `Error${step % 7}` }))
      .zremrangebyrank('dead', 0, -1001);
    await pipeline.exec();
  }

  const sources = Array.from({ length: DATA_SOURCES }, (_, index) => index);
  const contextOf = (index: number) =>
    pluginContext(server.url, {
      id: 500 + index,
      jsonData: { reuseSeconds: 0, samplerEnabled: false, ...(index < 2 && { historyFile: `soak-${index}.db` }) },
    });
  const TYPES = ['findings', 'queues', 'processes', 'busy', 'errors', 'job_metrics', 'capacity', 'lost'];

  function taken() {
    const status = readFileSync(`/proc/${plugin.child.pid}/status`, 'utf8');
    return {
      mebibytes: Math.round(Number(/VmRSS:\s+(\d+)/.exec(status)?.[1]) / 1024),
      handles: readdirSync(`/proc/${plugin.child.pid}/fd`).length,
    };
  }

  test('leaves memory and handles as they were after the first hours', async () => {
    const hours: Array<{ readings: number; mebibytes: number; handles: number }> = [];
    const begin = await clock();
    let readings = 0;
    for (let step = 0; hours.length < HOURS; step += 1) {
      const now = await clock();
      await churn(now, step);
      await Promise.all(
        sources.map(async (index) => {
          const queries = [dataQuery('A', { queryType: TYPES[(step + index) % TYPES.length] })];
          const { A: answer } = await queryData(plugin, contextOf(index), queries);
          expect(answer!.error).toBe('');
          readings += 1;
        })
      );
      if (now - begin >= (hours.length + 1) * 3600) {
        hours.push({ readings, ...taken() });
        readings = 0;
      }
    }
    writeFileSync(PAGE, page(hours));
    const most = (from: number, to: number) => Math.max(...hours.slice(from, to).map(({ mebibytes }) => mebibytes));
    // Eight hours of minutes fill first; the history in memory goes on growing for a week, to 24 MB a data source.
    expect(most(18, 24) / most(8, 12)).toBeLessThan(1.3);
    expect(hours[23]!.handles / hours[0]!.handles).toBeLessThanOrEqual(1.1);
  }, 900_000);
});

function page(hours: ReadonlyArray<{ readings: number; mebibytes: number; handles: number }>): string {
  return [
    '<!-- Written by npm run test:long. -->\n\n# Soak',
    `A day of a busy Sidekiq in four minutes: the clock of Redis, which every reading takes as its own, runs ${SPEED} times as fast. ${DATA_SOURCES} data sources, two of them with a history file, are asked without pause by eight query types, while jobs, processes and classes come and go. Resident memory and open handles of the built plugin at the end of each simulated hour; the run fails where they grow.`,
    `Run on ${new Date().toISOString().slice(0, 10)}.`,
    [
      '| Hour | Readings | Memory (MiB) | Handles |\n| --- | --- | --- | --- |',
      ...hours.map(
        ({ readings, mebibytes, handles }, hour) => `| ${hour + 1} | ${readings} | ${mebibytes} | ${handles} |`
      ),
    ].join('\n'),
    '',
  ].join('\n\n');
}

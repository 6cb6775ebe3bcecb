import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Installation } from '../../pkg/installation/installation';
import { askRows, createReader, openAsReader } from '../support/installation';
import { loadRecording, recordedApi, RECORDED_VERSIONS, type RecordedApi } from '../support/recordings';
import { startRedis, type RedisServer } from '../support/redisServer';

describe.each(RECORDED_VERSIONS)('on a database recorded from Sidekiq %s', (version) => {
  let server: RedisServer;
  let installation: Installation;
  let api: RecordedApi;

  beforeAll(async () => {
    server = await startRedis();
    await loadRecording(server.client, version);
    await createReader(server);
    api = recordedApi(version);
    installation = openAsReader(server, {}, () => api.now);
  });
  afterAll(async () => {
    installation.close();
    await server.stop();
  });

  test('overview has every figure of Sidekiq::Stats', async () => {
    const [row] = await askRows(installation, { queryType: 'overview' });
    const { stats } = api;
    expect(row).toMatchObject({
      processed: stats.processed,
      failed: stats.failed,
      scheduled: stats.scheduled,
      retry: stats.retry,
      dead: stats.dead,
      enqueued: stats.enqueued,
      busy: stats.workers,
      processes: stats.processes,
    });
    expect(row?.['threads']).toBe(api.processes.reduce((sum, { concurrency }) => sum + concurrency, 0));
  });

  test('queues has the size and latency that Sidekiq::Queue gives', async () => {
    const rows = await askRows(installation, { queryType: 'queues' });
    const known = new Map(rows.map((row) => [row['queue'], row]));
    for (const [name, { size, latency }] of Object.entries(api.queues)) {
      expect(known.get(name), name).toMatchObject({ size });
      // The API read its queues one by one just after `now`.
      expect(Number(known.get(name)?.['latency']) - latency, name).toBeCloseTo(0, 0);
    }
  });

  test('queues counts the threads and processes of those who serve each', async () => {
    const rows = await askRows(installation, { queryType: 'queues' });
    for (const row of rows) {
      const serving = api.processes.filter(({ queues }) => queues.includes(String(row['queue'])));
      expect(row['processes'], String(row['queue'])).toBe(serving.length);
      expect(row['threads'], String(row['queue'])).toBe(serving.reduce((sum, { concurrency }) => sum + concurrency, 0));
      expect(row['busy'], String(row['queue'])).toBe(api.work.filter(({ queue }) => queue === row['queue']).length);
    }
  });

  test('processes has every process of Sidekiq::ProcessSet', async () => {
    const rows = await askRows(installation, { queryType: 'processes' });
    const byIdentity = new Map(rows.map((row) => [row['process'], row]));
    expect(rows).toHaveLength(api.processes.length);
    for (const process of api.processes) {
      expect(byIdentity.get(process.identity)).toMatchObject({
        host: process.hostname,
        tag: process.tag,
        version: process.version ?? '',
        concurrency: process.concurrency,
        busy: process.busy,
        quiet: process.quiet === 'true',
        rss: process.rss * 1024,
        rtt: process.rtt / 1e6,
        startedAt: process.started_at * 1000,
      });
    }
  });

  test('busy has every job of Sidekiq::WorkSet', async () => {
    const rows = await askRows(installation, { queryType: 'busy' });
    expect(rows).toHaveLength(api.work.length);
    for (const work of api.work) {
      expect(rows).toContainEqual(
        expect.objectContaining({
          process: work.process,
          thread: work.tid,
          queue: work.queue,
          jid: work.jid,
          startedAt: work.run_at * 1000,
          runTime: api.now - work.run_at,
          ...(work.klass && { class: work.klass }),
        })
      );
    }
  });

  test('job_metrics has the totals of Sidekiq::Metrics::Query', async () => {
    // Sidekiq sums the current minute and the 59 before it.
    const minute = Math.floor(api.now / 60) * 60;
    const rows = await askRows(
      installation,
      { queryType: 'job_metrics', top: 1000 },
      { from: minute - 59 * 60, to: api.now }
    );
    const classes = Object.keys(api.top_jobs);
    expect(rows.map((row) => row['class']).sort()).toEqual(classes.sort());
    for (const [jobClass, { totals, avg }] of Object.entries(api.top_jobs)) {
      const row = rows.find((each) => each['class'] === jobClass);
      expect(row, jobClass).toMatchObject({
        executions: totals.p ?? 0,
        failures: totals.f ?? 0,
        totalTime: (totals.ms ?? 0) / 1000,
      });
      expect(Number(row?.['meanTime'] ?? 0), jobClass).toBeCloseTo(avg / 1000, 6);
    }
  });

  test('the heatmap has the histogram of Sidekiq::Metrics::Query for a class', async () => {
    const minute = Math.floor(api.now / 60) * 60;
    // Sidekiq tells the minute that runs; it is told here once it has ended.
    const later = openAsReader(server, {}, () => minute + 60);
    for (const [jobClass, { hist }] of Object.entries(api.for_job)) {
      const totals = new Array<number>(26).fill(0);
      for (const counts of Object.values(hist)) {
        // Sidekiq answers its histograms slowest first since 7.0.9.
        [...counts].reverse().forEach((count, index) => (totals[index] = totals[index]! + count));
      }
      const rows = await askRows(
        later,
        { queryType: 'job_metrics', show: 'heatmap', filters: [{ field: 'class', operator: '=', values: [jobClass] }] },
        { from: minute - 59 * 60, to: api.now }
      );
      const found = Object.keys(rows[0] ?? {})
        .filter((name) => name !== 'time')
        .map((name) => rows.reduce((sum, row) => sum + Number(row[name]), 0));
      expect(found, jobClass).toHaveLength(26);
      // Object keys that look like integers come first; compare as sorted counts with their sum.
      expect([...found].sort(), jobClass).toEqual([...totals].sort());
    }
    later.close();
  });
});

import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Installation } from '../../pkg/installation/installation';
import { startExporter } from '../../pkg/listeners/exporter';
import { COMPAT_METRICS } from '../../pkg/metrics/compatMetrics';
import { scrape } from '../../pkg/metrics/scrape';
import { parseExposition } from '../support/exposition';
import { createReader, openAsReader } from '../support/installation';
import { startPrometheus, type RunningPrometheus } from '../support/prometheus';
import { loadRecording, recordedApi } from '../support/recordings';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

const VERSION = '7.3.10';

let server: RedisServer;
let installation: Installation;
beforeAll(async () => {
  server = await startRedis();
  await loadRecording(server.client, VERSION);
  await createReader(server);
  installation = openAsReader(server, { compatNames: true }, () => recordedApi(VERSION).now);
});
afterAll(async () => {
  installation.close();
  await server.stop();
});

describe('the names of other exporters', () => {
  /** What prometheus_exporter's collectors, and Sidekiq's API by yabeda-sidekiq's calls, gave at the same instant (compat.rb). */
  const expected = parseExposition(
    readFileSync(join(__dirname, `data/sidekiq-${VERSION}.compat.prom`), 'utf8')
  ).samples;

  test('have the labels and values that the code of those exporters gives', async () => {
    const { samples } = parseExposition((await scrape(installation, '', 5)).body);
    for (const { name, labels, value } of expected) {
      const found = samples.filter(
        (sample) =>
          sample.name === name && Object.entries(labels).every(([label, text]) => sample.labels[label] === text)
      );
      expect(found, `${name} ${JSON.stringify(labels)}`).toHaveLength(1);
      // prometheus_exporter cuts the latency to whole seconds.
      const ours = name === 'sidekiq_queue_latency_seconds' ? Math.trunc(found[0]!.value) : found[0]!.value;
      expect(ours, name).toBeCloseTo(value, 3);
    }
  });

  test('have no other sample', async () => {
    const { samples } = parseExposition((await scrape(installation, '', 5)).body);
    for (const name of new Set(expected.map((each) => each.name))) {
      expect(samples.filter((sample) => sample.name === name)).toHaveLength(
        expected.filter((each) => each.name === name).length
      );
    }
  });

  test('are not there without the setting', async () => {
    const plain = openAsReader(server, {}, () => recordedApi(VERSION).now);
    const { samples } = parseExposition((await scrape(plain, '', 5)).body);
    plain.close();
    const names = COMPAT_METRICS.map(({ name }) => name).filter((name) => name !== 'sidekiq_queue_latency_seconds');
    expect(samples.filter(({ name }) => names.includes(name))).toEqual([]);
    expect(samples.find(({ name }) => name === 'sidekiq_queue_latency_seconds')?.labels).not.toHaveProperty('queue');
  });
});

describe('expressions that stand in public dashboards and rules for those exporters', () => {
  let prometheus: RunningPrometheus;
  let close: () => Promise<void>;
  const folder = mkdtempSync(join(tmpdir(), 'compat-'));

  beforeAll(async () => {
    const listen = `127.0.0.1:${await freePort()}`;
    close = await startExporter({ listen, source: installation });
    prometheus = await startPrometheus(
      folder,
      `global: { scrape_interval: 1s }\nscrape_configs: [{ job_name: sidekiq, static_configs: [{ targets: ['${listen}'] }] }]\n`
    );
    await vi.waitUntil(async () => (await result('count_over_time(sidekiq_up[1m]) > 3')) === 1, {
      timeout: 20_000,
      interval: 500,
    });
  }, 30_000);
  afterAll(async () => {
    prometheus.child.kill('SIGKILL');
    await close();
    rmSync(folder, { recursive: true, force: true });
  });

  /** The number of series of an expression, `null` while Prometheus does not answer. */
  async function result(expression: string): Promise<number | null> {
    try {
      const answer = await fetch(`${prometheus.url}/api/v1/query?query=${encodeURIComponent(expression)}`);
      const { data } = (await answer.json()) as { data: { result: unknown[] } };
      return data.result.length;
    } catch {
      return null;
    }
  }

  test.each([
    'sidekiq_stats_enqueued{job="sidekiq"}',
    'sidekiq_queue_backlog{job="sidekiq"}',
    'sum(sidekiq_queue_backlog) by (queue)',
    'sidekiq_queue_latency_seconds{job="sidekiq"}',
    'sidekiq_queue_latency_seconds{job="sidekiq"} > 300',
    'max_over_time(sidekiq_queue_latency_seconds{queue="ai_agent"}[30m])',
    'quantile_over_time(0.95, sidekiq_queue_latency_seconds{queue=~"^(?:ai_agent|default)$"}[5m])',
    'rate(sidekiq_failed_jobs_total{job="sidekiq"}[1m])',
    'sidekiq_stats_dead_size{job="sidekiq"}',
    'increase(sidekiq_stats_dead_size{job="sidekiq"}[1h])',
    'sidekiq_process_busy{job="sidekiq"}',
    'sum(sidekiq_process_busy) / sum(sidekiq_process_concurrency)',
    'rate(sidekiq_job_duration_seconds_sum{job="sidekiq"}[1m]) / clamp_min(rate(sidekiq_job_duration_seconds_count{job="sidekiq"}[1m]), 0.001)',
    'sum(sidekiq_jobs_waiting_count) by (queue)',
    'max(sidekiq_queue_latency{job="sidekiq"}) by (queue)',
    'sidekiq_jobs_retry_count + sidekiq_jobs_scheduled_count + sidekiq_jobs_dead_count',
    'sidekiq_active_processes',
    'max(sidekiq_running_job_runtime_seconds) by (queue, worker)',
    'sum(rate(sidekiq_jobs_total{job="sidekiq"}[1m])) by (job_name)',
    'sum(rate(sidekiq_jobs_success_total[1m])) by (worker)',
    'sum(increase(sidekiq_jobs_failed_total{worker=~".+"}[1m])) OR on() vector(0)',
    'sum(rate(sidekiq_jobs_executed_total[1m])) by (queue)',
    'max(rate(sidekiq_job_runtime_seconds_sum[1m])) by (worker)/max(rate(sidekiq_job_runtime_seconds_count[1m])) by (worker)',
    'sum(sidekiq_job_runtime_seconds_bucket) by (le)',
    'max by (queue) (ruby_sidekiq_queue_backlog{job="sidekiq"})',
    'max by (queue) (max_over_time(ruby_sidekiq_queue_latency_seconds[1m]))',
    'max(ruby_sidekiq_stats_dead_size{job="sidekiq"}) > 0',
    'rate(ruby_sidekiq_failed_jobs_total{job="sidekiq"}[1m])',
    'sum(ruby_sidekiq_job_duration_seconds_sum) by (job_name)',
    'sum(sidekiq_queue_size)',
    'max(sidekiq_queue_size) by (name)',
  ])('%s has an answer', async (expression) => {
    expect(await result(expression)).toBeGreaterThan(0);
  });

  test.each([
    'sum(rate(sidekiq_jobs_enqueued_total[1m])) by (queue)',
    'increase(sidekiq_dead_jobs_total[1m])',
    'rate(sidekiq_restarted_jobs_total[1m])',
  ])('%s has none, as Redis does not tell it', async (expression) => {
    expect(await result(expression)).toBe(0);
  });
});

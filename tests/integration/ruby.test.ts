import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { Installation } from '../../pkg/installation/installation';
import { checkHealth } from '../../pkg/source/health';
import { parseSettings } from '../../pkg/settings/settings';
import { askRows } from '../support/installation';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing, type Serving } from '../support/serve';

const APP = join(__dirname, '../../sidekiq-app');
/** Ruby finds the gems among its own or in RUBYLIB. */
const hasSidekiq =
  spawnSync('ruby', ['-e', 'require "sidekiq"; require "sidekiq/cli"; require "datadog/statsd"']).status === 0;

if (!hasSidekiq) {
  process.stdout.write(
    'The test with a real Sidekiq is skipped: Ruby does not find the gems sidekiq and dogstatsd-ruby.\n'
  );
}

describe.skipIf(!hasSidekiq)('a real Sidekiq', () => {
  let redis: RedisServer;
  let serving: Serving;
  let installation: Installation;
  const workers: ChildProcess[] = [];
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    redis = await startRedis();
    const statsd = `127.0.0.1:${await freePort()}`;
    serving = await startServing(redis.url, ['--statsd-listen', statsd]);
    installation = new Installation(parseSettings({ url: redis.url, options: { reuseSeconds: 0 } }));
    env = { ...process.env, REDIS_URL: redis.url, LAGO_SIDEKIQ_STATSD_ENDPOINT: statsd, TIME_SCALE: '0.05' };
    for (const worker of ['default', 'billing', 'events', 'webhook']) {
      workers.push(
        spawn(
          'ruby',
          ['-r', 'sidekiq/cli', '-e', 'cli = Sidekiq::CLI.instance; cli.parse(["-r", "./worker.rb"]); cli.run'],
          { cwd: APP, env: { ...env, WORKER: worker }, stdio: 'ignore' }
        )
      );
    }
    const produced = spawn('ruby', ['producer.rb'], {
      cwd: APP,
      env: { ...env, PRODUCE_SECONDS: '4', LOAD: '4' },
      stdio: 'inherit',
    });
    await new Promise((resolve) => produced.once('exit', resolve));
    // Until a heartbeat has counted everything that was to run at once.
    await vi.waitUntil(
      async () => {
        const { queues, totals } = await installation.state();
        return queues.every(({ size }) => size === 0) && (totals.processed ?? 0) > 50;
      },
      { timeout: 60_000, interval: 500 }
    );
  });
  afterAll(async () => {
    workers.forEach((worker) => worker.kill('SIGKILL'));
    installation?.close();
    await serving?.stop();
    await redis?.stop();
  });

  /** What Sidekiq's own API says. */
  function sidekiqApi(script: string): Record<string, number> {
    const { stdout, stderr } = spawnSync(
      'ruby',
      [
        '-r',
        'sidekiq',
        '-r',
        'sidekiq/api',
        '-e',
        `Sidekiq.logger.level = 2; puts JSON.generate(begin; ${script}; end)`,
      ],
      {
        env,
        encoding: 'utf8',
      }
    );
    expect(stderr).toBe('');
    return JSON.parse(stdout) as Record<string, number>;
  }

  test('is healthy in our eyes, with its version', async () => {
    expect(await checkHealth(installation)).toMatchObject({
      ok: true,
      message: expect.stringMatching(/Sidekiq 7\.3\.\d+ at .* 4 processes with 24 threads/),
    });
  });

  test('has the totals, threads and queues of its own API', async () => {
    const script =
      's = Sidekiq::Stats.new; ps = Sidekiq::ProcessSet.new(false).to_a; {processed: s.processed, failed: s.failed, ' +
      'retry: s.retry_size, dead: s.dead_size, scheduled: s.scheduled_size, processes: ps.size, threads: ps.sum { |p| p["concurrency"] }}';
    await vi.waitFor(async () => {
      const [row] = await askRows(installation, { queryType: 'overview' });
      expect(row).toMatchObject(sidekiqApi(script));
    });
  });

  test('shows which process serves which queues', async () => {
    const rows = await askRows(installation, { queryType: 'queues', figures: ['threads', 'processes'] });
    const served = Object.fromEntries(rows.map(({ queue, threads, processes }) => [queue, [threads, processes]]));
    // Sidekiq 7 writes no capsules into Redis: a process counts whole for each of its queues.
    expect(served).toMatchObject({ long_running: [10, 1], billing: [5, 1], payments: [5, 1], webhook_worker: [4, 1] });
  });

  test('its job metrics agree with Sidekiq’s own query', async () => {
    const script = 'q = Sidekiq::Metrics::Query.new.top_jobs; q.job_results.transform_values { |r| r.totals["p"] }';
    await vi.waitFor(async () => {
      const rows = await askRows(installation, { queryType: 'job_metrics', figures: ['executions'] });
      expect(Object.fromEntries(rows.map((row) => [row['class'], row['executions']]))).toEqual(sidekiqApi(script));
    });
  });

  test('every execution that it counts came by DogStatsD too', async () => {
    await vi.waitFor(
      async () => {
        const { samples, value } = await serving.scrape();
        const sent = samples
          .filter(({ name }) => name === 'lago_api_jobs_count')
          .reduce((sum, each) => sum + each.value, 0);
        expect(sent).toBe(value('sidekiq_processed_jobs_total'));
        expect(samples.some(({ labels }) => labels['worker'] === 'BillCustomersJob')).toBe(true);
      },
      { timeout: 30_000, interval: 500 }
    );
  });
});

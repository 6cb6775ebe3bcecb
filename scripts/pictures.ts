import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Browser, Page } from 'playwright-core';
import { stringify } from 'yaml';
import { QUERY_TYPES } from '../pkg/queries/registry';
import { launchBrowser } from '../tests/support/browser';
import { EXECUTABLE } from '../tests/support/plugin';
import { startPrometheus } from '../tests/support/prometheus';
import { freePort, startRedis } from '../tests/support/redisServer';
import { historyOf, startGrafana } from './grafana';

/**
 * Takes the pictures of the docs in a real Grafana (GRAFANA_BIN, GRAFANA_HOME) on simulated data, with the menu docked as
 * it is by default. `npm run pictures`, or `npm run pictures -- overview` for those whose name holds the word.
 */

const IMAGES = join(__dirname, '../docs/images');
const PLUGIN_IMAGES = join(__dirname, '../src/img');
const WATCHED_MINUTES = Number(process.env['PICTURES_MINUTES'] ?? 4);
const PHONE = { width: 390, height: 1600 };

/** A failed job with all that one may have, which the simulator does not write. */
const JOB = {
  jid: 'c0ffee0123456789abcdef01',
  class: 'Sidekiq::ActiveJob::Wrapper',
  wrapped: 'Exports::LongExportJob',
  queue: 'long_running',
  args: [{ job_class: 'Exports::LongExportJob', job_id: '0d9f7a52', executions: 3, locale: 'en', timezone: 'UTC' }],
  retry: 10,
  retry_count: 2,
  tags: ['export', 'eu'],
  error_class: 'Net::ReadTimeout',
  error_message: 'Net::ReadTimeout with #<TCPSocket:(closed)>',
};

interface Picture {
  name: string;
  path: string;
  width?: number;
  height: number;
  light?: boolean;
  /** Of the executable's own page. */
  ofServe?: boolean;
}

const dashboard = (uid: string, more = '') => `/d/${uid}?from=now-1h&to=now&refresh=${more}`;
const PICTURES: Picture[] = [
  { name: 'overview', path: dashboard('sidekiq-overview'), height: 1500 },
  { name: 'overview-light', path: dashboard('sidekiq-overview'), height: 1500, light: true },
  { name: 'overview-phone', path: dashboard('sidekiq-overview'), ...PHONE },
  { name: 'overview-prometheus', path: dashboard('sidekiq-overview-prom'), height: 1500 },
  { name: 'dashboard-queue', path: dashboard('sidekiq-queue', '&var-queue=default'), height: 1300 },
  { name: 'dashboard-job-class', path: dashboard('sidekiq-job-class', '&var-class=Events::IngestJob'), height: 1300 },
  { name: 'dashboard-processes', path: dashboard('sidekiq-processes'), height: 1300 },
  { name: 'dashboard-errors', path: dashboard('sidekiq-errors'), height: 1700 },
  {
    name: 'dashboard-job',
    path: dashboard('sidekiq-job', `&var-jid=${JOB.jid}&var-jobClass=${JOB.wrapped}`),
    height: 1200,
  },
  { name: 'dashboard-deploy', path: '/d/sidekiq-deploy?from=now-24h&to=now&refresh=', height: 1300 },
  { name: 'dashboard-planning', path: dashboard('sidekiq-planning', '&var-traffic=2'), height: 1300 },
  { name: 'dashboard-incident', path: '/d/sidekiq-incident?from=now-12h&to=now&refresh=', height: 1300 },
  { name: 'overview-past', path: '/d/sidekiq-overview?from=now-1h&to=now-5m&refresh=', height: 1500 },
  { name: 'dashboard-fleet', path: dashboard('sidekiq-fleet'), height: 900 },
  { name: 'page', path: '/', height: 1500, ofServe: true },
  { name: 'page-phone', path: '/', ...PHONE, ofServe: true },
  ...QUERY_TYPES.map(({ id }) => ({ name: `query-${id}`, path: explore(id), height: 900 })),
];
/** Pictures that the plugin's page in Grafana shows too; the docs show them from there. */
const OF_THE_PLUGIN: Record<string, string> = {
  overview: 'overview',
  'dashboard-job-class': 'job-class',
  'dashboard-processes': 'processes',
};

function explore(queryType: string): string {
  const show = queryType === 'job_metrics' ? { show: 'series', figures: ['rate'] } : {};
  const source = queryType === 'jobs' ? { source: 'retry' } : queryType === 'job' ? { jid: JOB.jid } : {};
  const comparison = queryType === 'compare' ? { with: 'deploy' } : {};
  const groupBy = queryType === 'errors' ? { groupBy: ['fingerprint'] } : {};
  const query = {
    refId: 'A',
    datasource: { uid: 'sidekiq' },
    queryType,
    ...show,
    ...source,
    ...comparison,
    ...groupBy,
  };
  const pane = {
    datasource: 'sidekiq',
    queries: [query],
    range: { from: queryType === 'compare' ? 'now-24h' : 'now-1h', to: 'now' },
  };
  return `/explore?schemaVersion=1&panes=${encodeURIComponent(JSON.stringify({ a: pane }))}`;
}

async function main(): Promise<void> {
  const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;
  if (!bin || !home) {
    throw new Error('Set GRAFANA_BIN and GRAFANA_HOME to a Grafana with its web frontend built.');
  }
  const workDir = mkdtempSync(join(tmpdir(), 'jobwatch-pictures-'));
  const children: ChildProcess[] = [];
  const redis = await startRedis();
  let browser: Browser | undefined;
  try {
    const [statsd, listen] = [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`];
    const env = { ...process.env, REDIS_URL: redis.url };
    const data = { directory: join(workDir, 'plugin-data'), historyFile: 'history.db' };
    mkdirSync(data.directory);
    const history = ['--history-file', historyOf(data)];
    const simulator = spawn(EXECUTABLE, ['demo', '--statsd-endpoint', statsd, ...history], {
      env,
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    children.push(simulator);
    process.stdout.write('Simulating a day.\n');
    for await (const line of createInterface(simulator.stderr)) {
      if (line.includes('simulating Sidekiq')) {
        break;
      }
    }
    simulator.stderr.resume();
    const args = ['serve', '--listen', listen, '--statsd-listen', statsd, '--preset', 'lago', ...history];
    children.push(spawn(EXECUTABLE, args, { env, stdio: 'ignore' }));
    const config = {
      global: { scrape_interval: '5s' },
      scrape_configs: [{ job_name: 'sidekiq', static_configs: [{ targets: [listen] }] }],
    };
    const prometheus = await startPrometheus(workDir, stringify(config));
    children.push(prometheus.child);
    const port = await freePort();
    const grafana = await startGrafana({
      bin,
      home,
      port,
      redisUrl: redis.url,
      workDir,
      prometheusUrl: prometheus.url,
      data,
    });
    children.push(grafana.child);
    browser = await launchBrowser();
    const seconds = Date.now() / 1000;
    const times = {
      created_at: seconds - 3600,
      enqueued_at: seconds - 60,
      failed_at: seconds - 3000,
      retried_at: seconds - 55,
    };
    await redis.client.zadd('retry', seconds + 86_400, JSON.stringify({ ...JOB, ...times }));
    await redis.client.zadd('profiles', seconds + 86_000, 'ops-c0ffee');
    await redis.client.hset('ops-c0ffee', {
      ...{ jid: JOB.jid, type: JOB.wrapped, token: 'ops', started_at: Math.round(seconds - 300) },
      ...{ elapsed: 41.5, size: 183_000 },
    });
    const words = process.argv.slice(2);
    const wanted = PICTURES.filter(({ name }) => words.length === 0 || words.some((word) => name.includes(word)));
    const first = await open(browser, grafana.url, PICTURES[0]!);
    process.stdout.write(`Watching for ${WATCHED_MINUTES} minutes, so that graphs have something to show.\n`);
    await first.waitForTimeout(WATCHED_MINUTES * 60_000);
    await first.context().close();
    for (const picture of wanted) {
      const page = await open(browser, picture.ofServe ? `http://${listen}` : grafana.url, picture);
      const ofThePlugin = OF_THE_PLUGIN[picture.name];
      const path = ofThePlugin ? join(PLUGIN_IMAGES, `${ofThePlugin}.png`) : join(IMAGES, `${picture.name}.png`);
      await page.screenshot({ path });
      await page.context().close();
      process.stdout.write(`${path}\n`);
    }
  } finally {
    await browser?.close();
    children.forEach((child) => child.kill('SIGKILL'));
    await redis.stop();
    rmSync(workDir, { recursive: true, force: true });
  }
}

async function open(browser: Browser, url: string, { path, width = 1440, height, light }: Picture): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height } });
  await context.addInitScript(() => {
    localStorage.setItem('grafana.navigation.docked', 'true');
    localStorage.setItem('grafana.navigation.open', 'true');
  });
  const page = await context.newPage();
  await page.goto(`${url}${path}${path.includes('?') ? '&' : '?'}${light ? 'theme=light' : 'theme=dark'}`);
  await page.waitForLoadState('networkidle').catch(() => undefined);
  // Charts are drawn some frames after their data has come.
  await page.waitForTimeout(2500);
  return page;
}

void main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
});

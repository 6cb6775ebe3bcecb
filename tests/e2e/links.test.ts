import { type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { startGrafana, type RunningGrafana } from '../../scripts/grafana';
import { launchBrowser } from '../support/browser';
import { startPrometheus } from '../support/prometheus';
import { startServing, type Serving } from '../support/serve';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;

/** Names that an address must encode. */
const QUEUE = 'q 1/a&b%25:é=#';
const CLASS = 'Ns::Jöb&%41';
const ERROR = 'Ns::Err+&%';
const HOST = 'höst&1';
const IDENTITY = `${HOST}:1:abc`;
const JID = 'abcdef0123456789abcdef01';
const LINE = 'app/jobs/jöb.rb:12';
/** As Sidekiq keeps it (`lib/sidekiq/job_retry.rb`, `compress_backtrace`). */
const BACKTRACE = deflateSync(JSON.stringify([`${LINE}:in 'perform'`])).toString('base64');

/** Panels that have links of their own, by dashboard; what the address chooses. */
const PAGES: Record<string, string> = {
  'sidekiq-overview': '',
  'sidekiq-errors': '',
  'sidekiq-processes': '',
  'sidekiq-queue': `var-queue=${encodeURIComponent(QUEUE)}`,
  'sidekiq-job-class': `var-class=${encodeURIComponent(CLASS)}`,
  'sidekiq-fleet': '',
  'sidekiq-incident': 'from=now-1h&to=now',
  'sidekiq-deploy': `var-deploy=${new Date(Date.now() - 600_000).toISOString()}&from=now-30m&to=now`,
  'sidekiq-planning': '',
  'sidekiq-overview-prom': 'from=now-5m&to=now',
  'sidekiq-processes-prom': 'from=now-5m&to=now',
};

/** What stands on the dashboard that a variable opens. */
const LANDS: Record<string, (value: string) => string> = {
  queue: (value) => `Queue ${value}`,
  class: (value) => `Executions of ${value}`,
  host: (value) => value,
  jid: (value) => `Job ${value}`,
  errorClass: (value) => value,
  workerType: () => 'Capacity by worker type',
};

/** What stands on a dashboard that is opened without a name. */
const PLAIN: Record<string, string> = {
  '/d/sidekiq-incident': 'What was wrong',
  '/d/sidekiq-overview': 'All queues and processes',
  '/d/sidekiq-errors': 'Latest dead jobs',
  '/d/sidekiq-errors-prom': 'Failures by class',
  '/d/sidekiq-processes': 'Capacity by worker type',
  '/d/sidekiq-deploy': 'By class',
};

describe.skipIf(!bin || !home)('links in a real Grafana', () => {
  let redis: RedisServer;
  let grafana: RunningGrafana;
  let serving: Serving;
  let prometheus: ChildProcess;
  let living: NodeJS.Timeout;
  let browser: Browser;
  const workDir = mkdtempSync(join(tmpdir(), 'jobwatch-links-'));

  beforeAll(async () => {
    redis = await startRedis();
    await fill();
    serving = await startServing(redis.url);
    const scrape_configs = [
      { job_name: 'sidekiq', static_configs: [{ targets: [serving.url.replace('http://', '')] }] },
    ];
    const { url: prometheusUrl, child } = await startPrometheus(
      workDir,
      JSON.stringify({ global: { scrape_interval: '1s' }, scrape_configs })
    );
    prometheus = child;
    // Rates take counters that grow.
    living = setInterval(() => void live(), 1000);
    grafana = await startGrafana({
      ...{ bin: bin!, home: home!, port: await freePort(), redisUrl: redis.url, workDir },
      prometheusUrl,
    });
    browser = await launchBrowser();
  });
  afterAll(async () => {
    clearInterval(living);
    await browser?.close();
    grafana?.child.kill('SIGKILL');
    prometheus?.kill('SIGKILL');
    await serving?.stop();
    await redis?.stop();
    rmSync(workDir, { recursive: true, force: true });
  });
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

  /** A heartbeat, and executions and failures of the class in this minute. */
  async function live(): Promise<void> {
    await redis.client.hset(IDENTITY, 'beat', String(Date.now() / 1000));
    const minute = metricKeys.minute(Date.now() / 1000);
    await redis.client.hincrby(minute, `${CLASS}|p`, 2);
    await redis.client.hincrby(minute, `${CLASS}|f`, 1);
    await redis.client.hincrby(minute, `${CLASS}|ms`, 90);
    await redis.client.incrby('stat:processed', 2);
    await redis.client.incr('stat:failed');
  }

  /** A queue that nobody serves, a class that fails, an error of each kind, a process with a running job. */
  async function fill(): Promise<void> {
    const { client } = redis;
    const now = Date.now() / 1000;
    const job = { class: CLASS, jid: JID, queue: QUEUE, args: [], created_at: now - 900, enqueued_at: now - 900 };
    const failed = { ...job, error_class: ERROR, error_message: 'no', failed_at: now - 60, retry_count: 1 };
    await client.set('stat:processed', 1000);
    await client.sadd('queues', QUEUE, 'default');
    await client.lpush(`queue:${QUEUE}`, JSON.stringify({ ...job, jid: 'waiting' }));
    await client.zadd('retry', now + 3600, JSON.stringify(failed));
    await client.zadd('dead', now - 30, JSON.stringify({ ...failed, jid: 'fedcba', error_backtrace: BACKTRACE }));
    for (let minute = 2; minute < 20; minute += 1) {
      await client.hset(metricKeys.minute(now - minute * 60), {
        [`${CLASS}|p`]: 20,
        [`${CLASS}|f`]: 9,
        [`${CLASS}|ms`]: 900,
      });
    }
    const info = {
      hostname: HOST,
      pid: 1,
      tag: '',
      started_at: now - 600,
      queues: ['default'],
      concurrency: 5,
      labels: [],
      identity: IDENTITY,
      version: '8.1.7',
    };
    await client.sadd('processes', IDENTITY);
    await client.hset(IDENTITY, {
      info: JSON.stringify(info),
      busy: '1',
      beat: String(now),
      quiet: 'false',
      rss: '9',
      rtt_us: '9',
    });
    await client.hset(`${IDENTITY}:work`, {
      t1: JSON.stringify({ queue: 'default', payload: JSON.stringify(job), run_at: Math.round(now - 700) }),
    });
  }

  async function addDataSource(source: { uid: string; name: string; url: string }, jsonData = {}): Promise<void> {
    const made = await fetch(`${grafana.url}/api/datasources`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...source, type: 'jobwatch-sidekiq-datasource', access: 'proxy', jsonData }),
    });
    expect(made.status, await made.text()).toBe(200);
  }

  async function open(path: string): Promise<Page> {
    const page = await (await browser.newContext({ viewport: { width: 1440, height: 4600 } })).newPage();
    await page.goto(`${grafana.url}${path}`);
    await page.locator('section h2').first().waitFor({ timeout: 20_000 });
    await page.waitForLoadState('networkidle').catch(() => undefined);
    return page;
  }

  /** Addresses of all links in panels to dashboards of ours, one of each kind. */
  async function linksOf(id: string, chosen: string): Promise<string[]> {
    const page = await open(`/d/${id}?${chosen}&kiosk&refresh=`);
    const anchors = page.locator('section a[href*="/d/sidekiq-"]');
    await anchors.first().waitFor({ timeout: 20_000 });
    // What stands for no value leads nowhere.
    expect(await page.locator('section a[href]', { hasText: /^–$/ }).count(), id).toBe(0);
    const all = await anchors.evaluateAll((found) => found.map((a) => (a as HTMLAnchorElement).href));
    await page.context().close();
    // Times differ by the click; the rest is what the link is.
    const kinds = new Map(all.map((href) => [href.replace(/&(?:from|to)=[^&]*/g, ''), href]));
    return [...kinds.values()];
  }

  test.each(Object.entries(PAGES))(
    'every link on %s names what it was on, and lands there',
    async (id, chosen) => {
      const links = await linksOf(id, chosen);
      expect(links.length).toBeGreaterThan(0);
      const named = new Set([QUEUE, CLASS, ERROR, HOST, JID, 'fedcba', 'waiting', 'default']);
      for (const link of links) {
        const { pathname, searchParams } = new URL(link);
        const variable = [...searchParams.keys()].find(
          (key) => key.startsWith('var-') && !/^var-(?:datasource|jobClass|job|instance)$/.test(key)
        );
        const name = variable?.slice(4) ?? '';
        const value = searchParams.get(variable ?? '') ?? '';
        if (variable !== undefined && name !== 'workerType') {
          expect(named, `${id}: ${link}`).toContain(value);
        }
        const page = await open(`${pathname}?${searchParams}&kiosk&refresh=`);
        await expect
          .poll(() => page.locator('body').innerText(), { timeout: 15_000, message: link })
          .toContain(variable === undefined ? PLAIN[pathname] : LANDS[name]!(value));
        expect(await page.getByLabel(/Panel status error/).count(), link).toBe(0);
        await page.context().close();
      }
    },
    300_000
  );

  test('the fleet shows findings of all data sources in one table, and each leads to a dashboard of its own', async () => {
    const others = [
      { uid: 'second', name: 'Second & last', url: redis.url.replace(/0$/, '1') },
      { uid: 'away', name: 'Away', url: `redis://127.0.0.1:${await freePort()}` },
    ];
    for (const other of others) {
      await addDataSource(other);
    }
    const job = JSON.stringify({ class: CLASS, jid: JID, queue: 'elsewhere', args: [], created_at: 1, enqueued_at: 1 });
    await redis.client.select(1);
    await redis.client.sadd('queues', 'elsewhere');
    await redis.client.lpush('queue:elsewhere', job);
    await redis.client.select(0);

    const page = await open('/d/sidekiq-fleet?kiosk&refresh=');
    const table = page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: 'What is wrong', exact: true }) });
    const row = (text: string) => table.getByRole('row').filter({ hasText: text });
    await row('No process takes jobs').waitFor({ timeout: 20_000 });
    expect(await row('No process takes jobs').innerText()).toContain('Second & last');
    expect(await row(`No process serves ${QUEUE}`).innerText()).toContain('Sidekiq');
    expect(await row('Away').innerText()).toMatch(/critical[^]*Nothing listens at/);
    const leadsTo = async (text: string) => {
      const { pathname, searchParams } = new URL(
        (await row(text).locator('a').filter({ hasText: text }).first().getAttribute('href'))!,
        grafana.url
      );
      return [pathname, searchParams.getAll('var-datasource'), searchParams.get('var-queue')];
    };
    expect(await leadsTo('No process takes jobs')).toEqual(['/d/sidekiq-processes', ['second'], null]);
    expect(await leadsTo(`No process serves ${QUEUE}`)).toEqual(['/d/sidekiq-queue', ['sidekiq'], QUEUE]);
    const severities = await table.getByRole('row').locator('[role="gridcell"]:first-child').allInnerTexts();
    const ranks = severities
      .filter((text) => /^[a-z]+$/.test(text.trim()))
      .map((severity) => ['critical', 'warning', 'info', 'ok'].indexOf(severity.trim()));
    expect(ranks).toEqual([...ranks].sort((a, b) => a - b));
    if (process.env['WALK_PICTURES']) {
      await page.screenshot({ path: join(process.env['WALK_PICTURES'], 'fleet.png') });
    }
  });

  test.each([
    ['the figure of dead jobs', (page: Page) => page.locator('section a[href*="/d/sidekiq-errors?"]'), 'fedcba'],
    [
      'a finding of its class',
      (page: Page) =>
        page.locator('section [role="row"]', { hasText: 'fail' }).locator('a[href*="/d/sidekiq-job-class?"]'),
      JID,
    ],
  ])('%s is two clicks away from the job', async (_, first, jid) => {
    await addDataSource({ uid: `shows-${jid}`, name: `Shows ${jid}`, url: redis.url }, { allowBacktraces: true });
    const page = await open(`/d/sidekiq-overview?var-datasource=shows-${jid}&kiosk&refresh=`);
    await first(page).first().click({ timeout: 20_000 });
    await page.locator('section a[href*="/d/sidekiq-job?"]', { hasText: jid }).first().click({ timeout: 20_000 });
    await page.getByRole('heading', { name: `Job ${jid}` }).waitFor({ timeout: 20_000 });
    if (jid === 'fedcba') {
      await expect.poll(() => page.locator('body').innerText(), { timeout: 20_000 }).toContain(LINE);
    }
  });
});

import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { stringify } from 'yaml';
import { metricKeys } from '../../pkg/sidekiq/keys';
import { startGrafana, type RunningGrafana } from '../../scripts/grafana';
import { launchBrowser } from '../support/browser';
import { EXECUTABLE } from '../support/plugin';
import { startPrometheus } from '../support/prometheus';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing, type Serving } from '../support/serve';

const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;
const PROVISIONED = join(__dirname, '../../provisioning/dashboards');

/** What Redis itself says, once the simulated Sidekiq has been stopped. */
interface Truth {
  enqueued: number;
  retry: number;
  dead: number;
  processes: number;
  threads: number;
  stranded: number;
  /** Epoch seconds since and until when executions are counted: whole minutes. */
  from: number;
  to: number;
  /** Executions of RARE in those minutes. */
  executions: number;
  failures: number;
  /** A dead job. */
  jid: string;
}

/** A count as Grafana's unit `short` shows it. */
function short(count: number): string {
  return count < 1000 ? String(count) : `${(count / 1000).toFixed(count < 10_000 ? 2 : 1)} K`;
}

/** Rare, so that its count is shown whole. */
const RARE = 'Exports::LongExportJob';
const FREQUENT = 'Events::IngestJob';

/** Texts that must stand in a panel, without blanks. Figures stand behind their titles. */
const TEXTS: Record<string, (truth: Truth, direct: boolean) => Array<[panel: string, text: string]>> = {
  'sidekiq-overview': ({ enqueued, retry }) => [
    ['All queues and processes', `Enqueued${short(enqueued)}`],
    ['All queues and processes', `Retries${retry}`],
  ],
  'sidekiq-queue': ({ stranded }) => [
    ['Queue meilisearch', `Size${stranded}`],
    ['Queue meilisearch', 'Busy0'],
    ['Queue meilisearch', 'Ready threads0'],
  ],
  'sidekiq-processes': ({ processes, threads }) => [
    ['All processes', `Processes${processes}`],
    ['All processes', 'Quiet processes0'],
    ['All processes', `Ready threads${threads}`],
  ],
  'sidekiq-errors': ({ retry, dead }) => [
    ['All failures', `Retries${retry}`],
    ['All failures', `Dead${dead}`],
    ['All failures', 'ActiveJob retries0'],
  ],
  'sidekiq-job-class': ({ executions, failures }, direct) => [
    // Prometheus has seen only what ran since it began to look.
    [`Executions of ${direct ? RARE : FREQUENT}`, direct ? `Executions${executions}` : 'Executions'],
    [
      `Executions of ${direct ? RARE : FREQUENT}`,
      direct ? `Failure rate${((failures / executions) * 100).toPrecision(3)}%` : '%',
    ],
    ['Executions per second', direct ? RARE : FREQUENT],
    ['p99 over time', direct ? RARE : FREQUENT],
  ],
  'sidekiq-incident': ({ stranded }) => [
    // Others that were found later stand above the queue that nobody serves.
    ['What was wrong', 'Ongoing.'],
    ['Queues then', `meilisearchunserved${stranded}`],
  ],
  'sidekiq-planning': () => [
    ['Waits by queue', 'Threads, if'],
    ['Waits by worker type', 'Busy, if'],
  ],
  'sidekiq-deploy': () => [
    // The demo has been watched for a minute.
    ['In total', 'a comparison needs 30 min on both sides.'],
    ['Errors, the newest first', 'Error'],
  ],
  'sidekiq-job': ({ jid }) => [
    [`Job ${jid}`, 'Placedead'],
    [`Job ${jid}`, 'First of this kind'],
  ],
  'sidekiq-fleet': ({ enqueued, retry }, direct) =>
    direct
      ? [
          ['Sidekiq', `Enqueued${short(enqueued)}`],
          ['Sidekiq', `Retries${retry}`],
          ['What is wrong', 'meilisearch'],
          ['Enqueued of Sidekiq', short(enqueued)],
        ]
      : [
          ['By target', 'sidekiq'],
          ['By target', String(enqueued)],
          ['Enqueued', short(enqueued)],
        ],
};
/** What the address chooses. */
const CHOSEN: Record<string, (truth: Truth, direct: boolean) => string> = {
  'sidekiq-queue': () => 'var-queue=meilisearch',
  'sidekiq-deploy': () => `var-deploy=${new Date(Date.now() - 60_000).toISOString()}&from=now-30m&to=now`,
  'sidekiq-job': ({ jid }) => `var-jid=${jid}&var-jobClass=${FREQUENT}`,
  'sidekiq-job-class': ({ from, to }, direct) =>
    direct ? `from=${from * 1000}&to=${to * 1000}&var-class=${RARE}` : `from=now-1h&to=now&var-class=${FREQUENT}`,
};

describe.skipIf(!bin || !home)('dashboards in a real Grafana', () => {
  let redis: RedisServer;
  let simulator: ChildProcess;
  let serving: Serving;
  let prometheus: ChildProcess;
  let grafana: RunningGrafana;
  let browser: Browser;
  let truth: Truth;
  const workDir = mkdtempSync(join(tmpdir(), 'jobwatch-dashboards-'));

  beforeAll(async () => {
    redis = await startRedis();
    const statsd = `127.0.0.1:${await freePort()}`;
    serving = await startServing(redis.url, ['--statsd-listen', statsd]);
    simulator = spawn(EXECUTABLE, ['demo', '--redis-url', redis.url, '--statsd-endpoint', statsd], { stdio: 'ignore' });
    const listen = serving.url.replace('http://', '');
    const config = {
      global: { scrape_interval: '1s' },
      scrape_configs: [{ job_name: 'sidekiq', static_configs: [{ targets: [listen] }] }],
    };
    const { url: prometheusUrl, child } = await startPrometheus(workDir, stringify(config));
    prometheus = child;
    grafana = await startGrafana({
      bin: bin!,
      home: home!,
      port: await freePort(),
      redisUrl: redis.url,
      workDir,
      prometheusUrl,
    });
    browser = await launchBrowser();
    // Long enough for rates and for jobs that nobody takes.
    await vi.waitUntil(async () => (await redis.client.llen('queue:meilisearch')) > 0 && (await asked()) > 20, {
      timeout: 90_000,
      interval: 500,
    });
    truth = await freeze();
  }, 180_000);

  afterAll(async () => {
    await browser?.close();
    grafana?.child.kill('SIGKILL');
    prometheus?.kill('SIGKILL');
    simulator?.kill('SIGKILL');
    await serving?.stop();
    await redis?.stop();
    rmSync(workDir, { recursive: true, force: true });
  });

  /** Scrapes so far; the panels need some. */
  async function asked(): Promise<number> {
    const answer = await fetch(
      `${grafana.url}/api/datasources/uid/prometheus/resources/api/v1/query?query=count_over_time(sidekiq_up[5m])`
    );
    const { data } = (await answer.json()) as { data?: { result: Array<{ value: [number, string] }> } };
    return Number(data?.result[0]?.value[1] ?? 0);
  }

  /** Stops the simulated Sidekiq where it is, keeps its processes alive, and counts. */
  async function freeze(): Promise<Truth> {
    simulator.kill('SIGSTOP');
    const identities = await redis.client.smembers('processes');
    let processes = 0;
    let threads = 0;
    for (const identity of identities) {
      const fields = await redis.client.hgetall(identity);
      if (fields['info'] === undefined || fields['quiet'] === 'true') {
        await redis.client.srem('processes', identity);
        continue;
      }
      processes += 1;
      threads += Number(fields['concurrency']);
      await redis.client.persist(identity);
      await redis.client.persist(`${identity}:work`);
    }
    const to = Math.floor(Date.now() / 60_000) * 60;
    const from = to - 7 * 3600;
    const keys = Array.from({ length: (to - from) / 60 }, (_, index) => metricKeys.minute(from + index * 60));
    const minutes = await Promise.all(keys.map((key) => redis.client.hgetall(String(key))));
    const counted = (part: string) => minutes.reduce((sum, minute) => sum + Number(minute[`${RARE}|${part}`] ?? 0), 0);
    const sizes = await Promise.all(
      (await redis.client.smembers('queues')).map((queue) => redis.client.llen(`queue:${queue}`))
    );
    return {
      enqueued: sizes.reduce((sum, size) => sum + size, 0),
      retry: await redis.client.zcard('retry'),
      dead: await redis.client.zcard('dead'),
      processes,
      threads,
      stranded: await redis.client.llen('queue:meilisearch'),
      from,
      to,
      executions: counted('p'),
      failures: counted('f'),
      jid: (JSON.parse((await redis.client.zrange('dead', '0', '0'))[0]!) as { jid: string }).jid,
    };
  }

  // A page that a failed test left open would go on refreshing beside the others.
  const newPage = async (viewport: { width: number; height: number }) =>
    (await browser.newContext({ viewport })).newPage();
  afterEach(() => Promise.all(browser.contexts().map((context) => context.close())));

  const panel = (page: Page, title: string) =>
    page
      .locator('section')
      .filter({ has: page.getByRole('heading', { name: title, exact: true }) })
      .first();

  const cases = ['direct', 'prometheus'].flatMap((flavour) =>
    readdirSync(join(PROVISIONED, flavour)).map((file): [string, string] => [flavour, file.replace('.json', '')])
  );

  test.each(cases)(
    '%s %s opens without an error, with data where data is, and the right figures',
    async (flavour, id) => {
      const direct = flavour === 'direct';
      const page = await newPage({ width: 1440, height: 6400 });
      const problems: string[] = [];
      page.on('pageerror', (error) => problems.push(error.message));
      await page.goto(
        `${grafana.url}/d/${id}${direct ? '' : '-prom'}?${CHOSEN[id]?.(truth, direct) ?? ''}&kiosk&refresh=30s`
      );
      const shown = JSON.parse(readFileSync(join(PROVISIONED, flavour, `${id}.json`), 'utf8')) as {
        panels: Array<{ title: string; type: string }>;
      };
      const titles = shown.panels
        .filter(({ type }) => type !== 'row')
        .map(({ title }) => title.replace('$datasource', 'Sidekiq'))
        // Titles with a variable are among those whose text is known.
        .filter((title) => !title.includes('$'));
      for (const title of titles) {
        await panel(page, title).waitFor({ timeout: 20_000 });
      }
      for (const [title, text] of TEXTS[id]!(truth, direct)) {
        await expect
          .poll(async () => (await panel(page, title).innerText()).replaceAll(/\s/g, ''), {
            timeout: 20_000,
            message: `${id}: ${title}`,
          })
          .toContain(text.replaceAll(/\s/g, ''));
      }
      expect(await page.getByText('No data', { exact: true }).count()).toBe(0);
      expect(await page.getByText('An unexpected error happened').count()).toBe(0);
      expect(await page.getByLabel(/Panel status error/).count()).toBe(0);
      expect(problems).toEqual([]);
    }
  );

  /** Titles, headers, cells, values of legends and figures whose text does not fit, and tables that scroll sideways. */
  const cut = (page: Page) =>
    page.evaluate(() => {
      const short = (element: Element) =>
        element.clientWidth > 0 &&
        element.scrollWidth > element.clientWidth + 1 &&
        getComputedStyle(element).overflowX !== 'visible';
      return [...document.querySelectorAll('section')].flatMap((section) => {
        const title = section.querySelector('h2')?.textContent ?? '';
        const texts = section.querySelectorAll('h2, [role="columnheader"], [role="gridcell"], table td, table th');
        // A legend is a table within a box that scrolls.
        const legends = [...section.querySelectorAll('table')].filter(
          (legend) => legend.getBoundingClientRect().right > section.getBoundingClientRect().right
        );
        const found = [...texts].filter(
          (text) => text.textContent !== '' && [text, ...text.querySelectorAll('*')].some(short)
        );
        const grids = [...section.querySelectorAll('[role="grid"]')].filter(
          (grid) => grid.scrollWidth > grid.clientWidth + 1
        );
        return [
          ...found.map(({ textContent }) => `${title}: ${textContent}`),
          ...legends.map(({ textContent }) => `${title}, legend: ${textContent}`),
          ...grids.map(({ scrollWidth, clientWidth }) => `${title} scrolls: ${scrollWidth} in ${clientWidth}`),
        ];
      });
    });

  /** Texts that were drawn over the edge of their chart at its last drawing: labels of axes and their names. */
  const cutLabels = (page: Page) =>
    page.evaluate(() =>
      [...(window as unknown as { drawn: Map<HTMLCanvasElement, string[]> }).drawn]
        .filter(([canvas]) => canvas.isConnected)
        .flatMap(([canvas, texts]) =>
          texts.map((text) => `${canvas.closest('section')?.querySelector('h2')?.textContent}, drawn: ${text}`)
        )
    );

  test.each(
    cases.flatMap(([flavour, id]) => [1440, 1920].map((width): [string, string, number] => [flavour, id, width]))
  )('%s %s cuts nothing at %d px beside the docked menu', async (flavour, id, width) => {
    const direct = flavour === 'direct';
    const context = await browser.newContext({ viewport: { width, height: 6400 } });
    await context.addInitScript(() => {
      // The compiler of this test names its functions by this one.
      (window as unknown as { __name: unknown }).__name = (value: unknown) => value;
      localStorage.setItem('grafana.navigation.docked', 'true');
      localStorage.setItem('grafana.navigation.open', 'true');
      const drawn = new Map<HTMLCanvasElement, string[]>();
      (window as unknown as { drawn: typeof drawn }).drawn = drawn;
      const { fillText, clearRect } = CanvasRenderingContext2D.prototype;
      // A chart is cleared as a whole before it is drawn anew.
      CanvasRenderingContext2D.prototype.clearRect = function (x, y, w, h) {
        drawn.delete(this.canvas);
        clearRect.call(this, x, y, w, h);
      };
      CanvasRenderingContext2D.prototype.fillText = function (text, x, y, ...rest) {
        const { actualBoundingBoxLeft: left, actualBoundingBoxRight: right } = this.measureText(text);
        const transform = this.getTransform();
        const ends = [x - left, x + right].map((end) => transform.transformPoint(new DOMPoint(end, y)));
        // A pixel for the rounding of the browser.
        const inside = ends.every(
          (end) => end.x >= -1 && end.x <= this.canvas.width + 1 && end.y >= -1 && end.y <= this.canvas.height + 1
        );
        // Times at the ends of Grafana's own axis are drawn over the edge.
        if (!inside && !/^\d\d:\d\d/.test(text)) {
          drawn.set(this.canvas, [...(drawn.get(this.canvas) ?? []), text]);
        }
        fillText.call(this, text, x, y, ...rest);
      };
    });
    const page = await context.newPage();
    await page.goto(`${grafana.url}/d/${id}${direct ? '' : '-prom'}?${CHOSEN[id]?.(truth, direct) ?? ''}&refresh=`);
    await page.locator('section h2').first().waitFor({ timeout: 20_000 });
    await page.waitForLoadState('networkidle').catch(() => undefined);
    await expect
      .poll(async () => [...(await cut(page)), ...(await cutLabels(page))], { timeout: 5000, interval: 250 })
      .toEqual([]);
    const pictures = process.env['WALK_PICTURES'];
    if (pictures) {
      await page.screenshot({ path: join(pictures, `${flavour}-${id}-${width}.png`), fullPage: true });
    }
  });

  /** Titles of panels that do not fit: a table on a phone scrolls. */
  const cutTitles = (page: Page) =>
    page.evaluate(() =>
      [...document.querySelectorAll('section h2')]
        .filter((title) => title.scrollWidth > title.clientWidth + 1)
        .map(({ textContent }) => textContent)
    );

  test.each(readdirSync(join(PROVISIONED, 'direct')).map((file) => file.replace('.json', '')))(
    'direct %s shows titles whole on a phone',
    async (id) => {
      const page = await newPage({ width: 390, height: 3000 });
      await page.goto(`${grafana.url}/d/${id}?${CHOSEN[id]?.(truth, true) ?? ''}&kiosk&refresh=&theme=light`);
      await page.locator('section h2').first().waitFor({ timeout: 20_000 });
      await page.waitForLoadState('networkidle').catch(() => undefined);
      await expect.poll(() => cutTitles(page), { timeout: 5000, interval: 250 }).toEqual([]);
    }
  );

  test('the menu "Sidekiq dashboards" leads to the others of its flavour', async () => {
    const page = await newPage({ width: 1440, height: 1200 });
    await page.goto(`${grafana.url}/d/sidekiq-overview?refresh=`);
    await page.getByRole('button', { name: 'Sidekiq dashboards' }).click({ timeout: 20_000 });
    const items = page.getByRole('menu').getByRole('link');
    await items.first().waitFor();
    expect((await items.allInnerTexts()).filter((title) => title.includes('Prometheus'))).toEqual([]);
    await items.filter({ hasText: 'Sidekiq errors' }).click();
    await page.waitForURL(/\/d\/sidekiq-errors/);
    await panel(page, 'Failures by class').waitFor({ timeout: 20_000 });
    // "All" of the others is no queue, and several data sources are not one: both stay behind.
    await page.getByRole('link', { name: 'Queue', exact: true }).click();
    await page.waitForURL(/\/d\/sidekiq-queue/);
    await expect
      .poll(() => page.locator('section h2').first().innerText(), { timeout: 20_000 })
      .toMatch(/^Queue [a-z_]+$/);
    await page.getByRole('link', { name: 'Fleet', exact: true }).click();
    await page.waitForURL(/\/d\/sidekiq-fleet/);
    await page.getByRole('button', { name: 'Sidekiq dashboards' }).click({ timeout: 20_000 });
    await items.filter({ hasText: 'Sidekiq overview' }).click();
    await page.waitForURL(/\/d\/sidekiq-overview/);
    await panel(page, 'All queues and processes').waitFor({ timeout: 20_000 });
    expect(new URL(page.url()).searchParams.getAll('var-datasource')).not.toContain('$__all');
    await expect.poll(() => panel(page, 'All queues and processes').innerText(), { timeout: 20_000 }).toMatch(/\d/);
  });

  test('the first panel of the overview says what is wrong, at phone width too', async () => {
    const page = await newPage({ width: 390, height: 900 });
    await page.goto(`${grafana.url}/d/sidekiq-overview?kiosk&refresh=`);
    const first = page.locator('section').first();
    await expect.poll(() => first.innerText(), { timeout: 20_000 }).toMatch(/No process serves meilisearch/);
  });
});

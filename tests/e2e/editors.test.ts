import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import { catalog } from '../../pkg/queries/catalog';
import { launchBrowser } from '../support/browser';

let script: string;
let server: Server;
let browser: Browser;
let page: Page;
const problems: string[] = [];

beforeAll(async () => {
  const { outputFiles } = await build({
    entryPoints: [join(__dirname, 'editorsPage.tsx')],
    bundle: true,
    write: false,
    format: 'iife',
    jsx: 'automatic',
    define: { 'process.env.NODE_ENV': '"production"', global: 'window', CATALOG: JSON.stringify(catalog()) },
    loader: { '.svg': 'dataurl', '.png': 'dataurl', '.woff2': 'dataurl', '.css': 'empty' },
    logLevel: 'error',
    external: ['node:*'],
  });
  script = outputFiles[0]!.text;
  server = createServer((request, response) => {
    const isScript = request.url === '/editors.js';
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html; charset=utf-8');
    response.end(
      isScript
        ? script
        : '<!doctype html><title>Editors</title><div id="root"></div><script src="/editors.js"></script>'
    );
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  browser = await launchBrowser();
});
afterAll(async () => {
  await browser?.close();
  server?.close();
});
beforeEach(async () => {
  await page?.close();
  page = await browser.newPage({ viewport: { width: 1280, height: 1200 } });
  page.setDefaultTimeout(10_000);
  problems.length = 0;
  page.on('pageerror', (error) => problems.push(error.message));
  await page.goto(`http://127.0.0.1:${(server.address() as { port: number }).port}/`);
  await page.getByTestId('query').getByText('Figures').waitFor();
});

const saved = (name: string) =>
  page.evaluate((key) => (window as unknown as { saved?: Record<string, unknown> }).saved?.[key], name);

describe('the query editor', () => {
  test('changes the type by mouse, forgets what belonged to the other, and runs', async () => {
    await page.locator('#query-type-A').click();
    await page.getByRole('option', { name: /^Processes/ }).click();
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'processes', figures: [], filters: [] });
    await expect.poll(() => saved('ran')).toBeGreaterThan(0);
    expect(problems).toEqual([]);
  });

  test('takes filters along to a type that has their field', async () => {
    await page.getByTestId('query').getByRole('button', { name: 'Filter' }).click();
    await page.locator('#query-type-A').click();
    await page.getByRole('option', { name: /^Busy/ }).click();
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'busy', filters: [{ field: 'queue' }] });
  });

  test('works with the keyboard alone', async () => {
    await page.locator('#query-type-A').focus();
    await page.keyboard.press('ArrowDown');
    await page.keyboard.type('Over');
    await page.getByRole('option', { name: /^Processes/ }).waitFor({ state: 'detached' });
    await page.keyboard.press('ArrowDown');
    await page.keyboard.press('Enter');
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'overview' });
  });

  test('chooses figures and filters', async () => {
    await page.getByTestId('query').getByLabel('Figures').click();
    await page.getByRole('option', { name: /^Latency/ }).click();
    await expect.poll(() => saved('query')).toMatchObject({ figures: ['latency'] });
    await page.keyboard.press('Escape');
    await page.getByTestId('query').getByRole('button', { name: 'Filter' }).click();
    await expect.poll(() => saved('query')).toMatchObject({ filters: [{ field: 'queue', operator: '=', values: [] }] });
    await page.getByTestId('query').getByLabel('Filter field').click();
    // The title of the column, and beside it the name that filters in text and provisioning use.
    await page.getByRole('option', { name: /^Worker type\s*workerType$/ }).click();
    await expect.poll(() => saved('query')).toMatchObject({ filters: [{ field: 'workerType' }] });
    await page.getByTestId('query').getByLabel('Remove filter').press('Enter');
    await expect.poll(() => saved('query')).toMatchObject({ filters: [] });
  });

  test('says what it asks and what that costs, and takes another query as text', async () => {
    const editor = page.getByTestId('query');
    await editor.getByText('Cost: none beyond the reading that all panels share.').waitFor();
    await expect.poll(() => page.locator('#query-text-A').inputValue()).toBe('gpx_sidekiq query queues');
    await page
      .locator('#query-text-A')
      .fill("gpx_sidekiq query jobs --option source=dead --figures age --filter 'class=A::B' --limit 7");
    await page.keyboard.press('Enter');
    await expect
      .poll(() => saved('query'))
      .toMatchObject({
        refId: 'A',
        queryType: 'jobs',
        source: 'dead',
        figures: ['age'],
        filters: [{ field: 'class', operator: '=', values: ['A::B'] }],
        limit: 7,
      });
    await editor
      .getByText(
        /Figures: Age\. Only where class = A::B\. Options: source = dead\. At most 7 rows\. Cost beyond the reading/
      )
      .waitFor();
    await page.locator('#query-text-A').fill('gpx_sidekiq query nonsense');
    await page.keyboard.press('Enter');
    await editor.getByText('There is no query type "nonsense". Write gpx_sidekiq query').waitFor();
    expect(await saved('query')).toMatchObject({ queryType: 'jobs' });
  });

  test('shows the values of a query that was pasted, and keeps the limit for another type', async () => {
    const limit = page.locator('#query-limit-A');
    const ask = async (text: string) => {
      await page.locator('#query-text-A').fill(text);
      await page.keyboard.press('Enter');
    };
    await ask('what_if --option threads=web=20 --limit 20');
    await expect.poll(() => limit.inputValue()).toBe('20');
    await expect.poll(() => page.locator('#what-if-threads').inputValue()).toBe('web=20');
    await ask('what_if --option threads=web=30');
    await expect.poll(() => limit.inputValue()).toBe('');
    await expect.poll(() => page.locator('#what-if-threads').inputValue()).toBe('web=30');
    await ask('queues --limit 7');
    await page.locator('#query-type-A').click();
    await page.getByRole('option', { name: /^Processes/ }).click({ delay: 50 });
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'processes', limit: 7 });
    await ask('queues');
  });

  test('names the figures that are shown where none is chosen, and the rows that are answered', async () => {
    const editor = page.getByTestId('query');
    expect(await editor.getByLabel('Figures').getAttribute('placeholder')).toBe('All');
    expect(await page.locator('#query-limit-A').getAttribute('placeholder')).toBe('1000');
    await page.locator('#query-text-A').fill('history');
    await page.keyboard.press('Enter');
    await expect.poll(() => editor.getByLabel('Figures').getAttribute('placeholder')).toBe('Default: Enqueued, Busy');
    await page.locator('#query-text-A').fill('jobs');
    await page.keyboard.press('Enter');
    await expect.poll(() => page.locator('#query-limit-A').getAttribute('placeholder')).toBe('100');
  });

  test('fits a pane of 300 px, whatever the type: a split Explore has no more', async () => {
    await page.getByTestId('query').evaluate((pane: HTMLElement) => {
      pane.style.width = '300px';
      pane.style.display = 'flex';
    });
    const wide: string[] = [];
    for (const { id } of catalog()) {
      await page.locator('#query-text-A').fill(id);
      await page.keyboard.press('Enter');
      await expect.poll(() => saved('query')).toMatchObject({ queryType: id });
      wide.push(
        ...(await page.getByTestId('query').evaluate((pane, type) => {
          const most = pane.getBoundingClientRect().right + 1;
          return [...pane.querySelectorAll('input, textarea, button, p, span')]
            .filter((each) => each.getBoundingClientRect().right > most && each.getBoundingClientRect().width > 1)
            .map((each) => `${type} ${each.tagName} ${each.id} ${each.textContent?.slice(0, 30)}`);
        }, id))
      );
    }
    expect(wide).toEqual([]);
  });

  test('takes a limit on leaving the field', async () => {
    await page.locator('#query-limit-A').fill('25');
    await page.keyboard.press('Tab');
    await expect.poll(() => saved('query')).toMatchObject({ limit: 25 });
  });
});

test('a live query is pushed at an interval, and a live overview keeps so many points', async () => {
  const form = page.getByTestId('query');
  await form.locator('#query-type-A').click();
  await page.getByRole('option', { name: /^Overview/ }).click();
  await form.getByLabel('Live').check({ force: true });
  await form.getByLabel('Interval (s)').fill('5');
  await page.keyboard.press('Tab');
  await form.getByLabel('Points').fill('200');
  await page.keyboard.press('Tab');
  await expect.poll(() => saved('query')).toMatchObject({ live: true, liveEverySeconds: 5, livePoints: 200 });
});

test('each tab stop of the form is something to act on, and has a name', async () => {
  const stops = await page.getByTestId('query').evaluate((form) =>
    [...form.querySelectorAll<HTMLElement>('input, button, [tabindex="0"]')]
      .filter((each) => each.tabIndex >= 0)
      .map((each) => ({
        tag: each.tagName,
        name:
          each.getAttribute('aria-label') ?? (each as HTMLInputElement).labels?.[0]?.textContent ?? each.textContent,
      }))
  );
  expect(stops.filter(({ tag }) => tag !== 'INPUT' && tag !== 'BUTTON')).toEqual([]);
  expect(stops.filter(({ name }) => !name?.trim())).toEqual([]);
  // The help of a field hangs on its label, which is no tab stop.
  const described = page.getByTestId('query').locator('#query-type-A');
  expect(await described.getAttribute('aria-description')).toMatch(/\w+/);
});

test('a new panel begins with lines: its type is shown, and it runs at once', async () => {
  await expect.poll(() => saved('new')).toMatchObject({ queryType: 'history', figures: ['enqueued', 'busy'] });
  await expect.poll(() => saved('newRan')).toBeGreaterThan(0);
  await expect.poll(() => page.locator('#query-type-B').inputValue()).toBe('History');
});

describe('the form of a query type', () => {
  const form = () => page.getByTestId('query');
  const choose = async (id: string, option: RegExp) => {
    await form().locator(`#${id}`).click();
    await page.getByRole('option', { name: option }).click();
  };
  beforeEach(async () => {
    // One that asks for its own type is opened by the type switch, as a user does.
    await form().locator('#query-type-A').click();
  });
  const open = async (title: string) => {
    await page.keyboard.type(title);
    await page.getByRole('option', { name: new RegExp(`^${title}`) }).click();
  };

  /** Fills a field and leaves it; a menu that closes at that moment takes the focus once more. */
  const leave = (id: string, text: string, expected: object) =>
    vi.waitFor(async () => {
      await form().locator(`#${id}`).fill(text);
      await page.keyboard.press('Tab');
      expect(await saved('query')).toMatchObject(expected);
    });

  test('jobs: source, queue and age', async () => {
    await open('Jobs');
    await choose('jobs-queue', /^mailers/);
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'jobs', queue: 'mailers' });
    await leave('jobs-min-age', '90', { minAgeSeconds: 90 });
    await form().locator('#jobs-min-age').fill('');
    await page.keyboard.press('Tab');
    await expect
      .poll(() => (saved('query') as Promise<{ minAgeSeconds?: number }>).then((q) => q.minAgeSeconds))
      .toBe(undefined);
    await leave('jobs-cursor', ' 0|17|ab ', { cursor: '0|17|ab' });
    // The cursor of one set is none of another.
    await choose('jobs-source', /^Dead/);
    await expect.poll(() => saved('query')).toMatchObject({ source: 'dead' });
    expect((await saved('query')) as { cursor?: string }).toMatchObject({ cursor: undefined });
    await expect.poll(() => form().locator('#jobs-queue').count()).toBe(0);
  });

  test('job: its id, and where it lies', async () => {
    await page.keyboard.type('Job');
    await page.getByRole('option', { name: /^Job\s*One job/ }).click();
    await leave('job-jid', ' abc ', { queryType: 'job', jid: 'abc' });
    await choose('job-source', /^Dead/);
    await expect.poll(() => saved('query')).toMatchObject({ jid: 'abc', source: 'dead' });
    await choose('job-source', /^Anywhere/);
    await expect
      .poll(() => (saved('query') as Promise<{ source?: string }>).then(({ source }) => source))
      .toBe(undefined);
    // A menu that closes at that moment takes the focus once more.
    await vi.waitFor(async () => {
      await form().locator('#job-jid').fill('def');
      await form().locator('#job-jid').press('Enter');
      expect(await saved('query')).toMatchObject({ jid: 'def' });
    });
  });

  test('job metrics: as what, ranked by what, how many, from where', async () => {
    await open('Job metrics');
    await choose('job-metrics-show', /^Heatmap/);
    await choose('job-metrics-sort', /^Failure rate/);
    await choose('job-metrics-origin', /^Redis/);
    await expect.poll(() => saved('query')).toMatchObject({ origin: 'redis' });
    await leave('job-metrics-top', '5', { top: 5 });
    await expect
      .poll(() => saved('query'))
      .toMatchObject({ queryType: 'job_metrics', show: 'heatmap', sortBy: 'failureRate', origin: 'redis', top: 5 });
  });

  test('history and capacity: what is a row', async () => {
    await open('History');
    await choose('history-by', /^By day/);
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'history', by: 'day' });
    await form().locator('#query-type-A').click();
    await open('Capacity');
    await choose('capacity-by', /^By queue/);
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'capacity', by: 'queue' });
  });

  test('findings: the least severity', async () => {
    await open('Findings');
    await choose('findings-severity', /^Critical/);
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'findings', severity: 'critical' });
  });

  test('errors: the groups, less one', async () => {
    await open('Errors');
    await choose('errors-group-by', /^Queue/);
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'errors', groupBy: ['errorClass', 'class'] });
    await choose('errors-format', /^Logs/);
    await expect.poll(() => saved('query')).toMatchObject({ format: 'logs' });
  });

  test('events: one kind', async () => {
    await open('Events');
    await choose('events-kinds', /^Deploys/);
    await expect.poll(() => saved('query')).toMatchObject({ queryType: 'events', kinds: ['deploy'] });
  });
});

describe('the config editor', () => {
  test('keeps the URL, and secrets only in secureJsonData', async () => {
    const config = page.getByTestId('config');
    await config.locator('#config-url').fill('redis://host:6379/2');
    await config.locator('#config-password').fill('hunter2');
    const options = (await saved('options')) as { url: string; jsonData: object; secureJsonData: object };
    expect(options.url).toBe('redis://host:6379/2');
    expect(options.secureJsonData).toEqual({ password: 'hunter2' });
    expect(JSON.stringify(options.jsonData)).not.toContain('hunter2');
  });

  test('moves a password out of the URL, which everyone can read', async () => {
    const field = page.getByTestId('config').locator('#config-url');
    await field.fill('redis://bob:hunter2@host:6379/1');
    await field.press('Tab');
    await expect
      .poll(() => saved('options'))
      .toMatchObject({ url: 'redis://host:6379/1', user: 'bob', secureJsonData: { password: 'hunter2' } });
  });

  test('asks for Sentinels where Sentinel is chosen', async () => {
    const config = page.getByTestId('config');
    await config.getByRole('radio', { name: 'Sentinel' }).check();
    await config.locator('#config-sentinels').fill('a:26379, b:26379');
    await expect
      .poll(() => saved('options'))
      .toMatchObject({ jsonData: { topology: 'sentinel', sentinels: 'a:26379, b:26379' } });
    await expect.poll(() => config.locator('#config-url').count()).toBe(0);
  });

  test('says at once what is wrong with an address to listen at', async () => {
    const config = page.getByTestId('config');
    await config.getByRole('button', { name: /Prometheus and Sidekiq Pro/ }).press('Enter');
    const field = config.locator('#config-statsdListen');
    await field.fill('udp://h:9125');
    await expect.poll(() => config.getByText(/expected host:port, got: "udp:\/\/h:9125"/).count()).toBe(1);
    await field.fill('127.0.0.1:9125, unixgram:///run/jobwatch.sock');
    await expect.poll(() => config.getByText(/expected host:port/).count()).toBe(0);
    await expect
      .poll(() => saved('options'))
      .toMatchObject({ jsonData: { statsdListen: '127.0.0.1:9125, unixgram:///run/jobwatch.sock' } });
  });

  test.each([
    ['Reading', 'sampleSeconds', 15],
    ['History and recording', 'historyRetentionDays', 90],
    ['Recurring jobs', 'schedulerTimeZone', 'Europe/Berlin'],
    ['Job data', 'contextFields', 'tenant_id'],
    ['Worker types', 'threadHourPrice', 0.02],
  ])('has a section %s with the field %s', async (title, name, value) => {
    const config = page.getByTestId('config');
    await config.getByRole('button', { name: new RegExp(`^Expand section ${title}`) }).press('Enter');
    await config.locator(`#config-${name}`).fill(String(value));
    await expect.poll(() => saved('options')).toMatchObject({ jsonData: { [name]: value } });
  });

  test('edits links, and the address of the Web UI', async () => {
    const config = page.getByTestId('config');
    await config.getByRole('button', { name: /Links/ }).press('Enter');
    await config.getByLabel('Address of Sidekiq’s Web UI').fill('https://x.test/sidekiq');
    await config.getByRole('button', { name: 'Link', exact: true }).click();
    await config.getByRole('radio', { name: 'host' }).check();
    await expect
      .poll(() => saved('options'))
      .toMatchObject({
        jsonData: {
          webUiUrl: 'https://x.test/sidekiq',
          links: [{ title: 'Logs', on: 'host', url: 'https://logs.example.com/?q={value}' }],
        },
      });
  });

  test('edits the map of worker types, from the preset', async () => {
    const config = page.getByTestId('config');
    await config.getByRole('button', { name: /Worker types/ }).press('Enter');
    await config.getByRole('radio', { name: 'Lago' }).check();
    await config.getByRole('button', { name: 'Worker type', exact: true }).click();
    const { jsonData } = (await saved('options')) as { jsonData: { workerTypes: Array<{ name: string }> } };
    expect(jsonData.workerTypes).toHaveLength(14);
    expect(jsonData.workerTypes.at(-1)).toMatchObject({ name: 'New worker type', queues: [] });
  });
});

test('the variable editor chooses whose values', async () => {
  await page.locator('#variable-field').fill('Processes: Host');
  await page.getByRole('option', { name: 'Processes: Host' }).click();
  await expect.poll(() => saved('variable')).toMatchObject({ queryType: 'processes', field: 'host' });
});

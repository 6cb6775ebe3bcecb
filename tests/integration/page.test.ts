import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import type { Browser, Page } from 'playwright-core';
import { launchBrowser } from '../support/browser';
import { writeFleet } from '../support/fleet';
import { createReader, READER } from '../support/installation';
import { startRedis, type RedisServer } from '../support/redisServer';
import { firstEvent } from '../support/pageEvents';
import { startServing, type Serving } from '../support/serve';

/** The page of the executable: 3 queues of one job each, 5 seconds old, and 2 processes of 10 threads, 1 of each busy. */
describe('the page of the executable', () => {
  let redis: RedisServer;
  let serving: Serving;

  beforeAll(async () => {
    redis = await startRedis();
    await writeFleet(redis.client, 3, 2, 1);
    serving = await startServing(redis.url);
  });
  afterAll(async () => {
    await serving.stop();
    await redis.stop();
  });

  test('is sent the figures of one state', async () => {
    const data = await firstEvent(serving.url);
    expect(data.ok).toBe(true);
    expect(data.health).toMatch(/3 queues · 2 processes with 20 threads · 3 jobs waiting/);
    expect(data.overview.rows).toMatchObject([{ enqueued: 3, busy: 2, threads: 20, processes: 2 }]);
    expect(data.queues.rows.map(({ queue, size }) => [queue, size]).sort()).toEqual([
      ['queue_0', 1],
      ['queue_1', 1],
      ['queue_2', 1],
    ]);
    expect(data.busy.rows.map(({ class: name, queue }) => [name, queue])).toEqual([
      ['PlainJob', 'queue_0'],
      ['PlainJob', 'queue_0'],
    ]);
    expect(data.processes.rows).toHaveLength(2);
    expect(data.findings.rows.length).toBeGreaterThan(0);
  });

  test('loads nothing but its own files, and may not be framed', async () => {
    for (const [path, type] of [
      ['/', 'text/html'],
      ['/page.js', 'text/javascript'],
      ['/page.css', 'text/css'],
    ] as const) {
      const answer = await fetch(`${serving.url}${path}`);
      expect(answer.headers.get('content-type'), path).toContain(type);
      expect(answer.headers.get('content-security-policy'), path).toMatch(
        /^default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';.* frame-ancestors 'none'$/
      );
      const body = await answer.text();
      expect(body.length, path).toBeGreaterThan(500);
      expect(body, path).not.toMatch(/https?:\/\/(?!www\.w3\.org)/);
    }
  });

  test('reads Redis once for all who watch, and not at all for nobody', async () => {
    const readings = async () => Number(/cmdstat_time:calls=(\d+)/.exec(await redis.client.info('commandstats'))?.[1]);
    const quiet = await startServing(redis.url, ['--sampler-enabled', 'false']);
    await vi.waitUntil(async () => (await readings()) > 0);
    const before = await readings();
    await Promise.all(Array.from({ length: 20 }, () => firstEvent(quiet.url)));
    // The state of the start may have been reused.
    expect((await readings()) - before).toBeLessThanOrEqual(1);
    await quiet.stop();
  });

  test('asks for the token of the metrics', async () => {
    const guarded = await startServing(redis.url, [], { JOBWATCH_EXPORTER_TOKEN: 'canary' });
    for (const path of ['/', '/page.js', '/page.css', '/events', '/sd', '/page.json?at=1', '/what-if.json']) {
      expect((await fetch(`${guarded.url}${path}`)).status, path).toBe(401);
    }
    const Authorization = `Basic ${Buffer.from('x:canary').toString('base64')}`;
    expect((await firstEvent(guarded.url, { Authorization })).ok).toBe(true);
    await guarded.stop();
  });

  test('says in its place what Redis refuses, and shows the rest', async () => {
    await createReader(redis);
    await redis.client.zadd('dead', 1, '{"class":"A","jid":"1","queue":"q","error_class":"E"}');
    await redis.client.call('ACL', 'SETUSER', READER, '-zrange', '-zrevrange');
    const limited = await startServing(redis.url.replace('redis://', `redis://${READER}:PASSWORD@`));
    const data = await firstEvent(limited.url);
    expect(data.errors).toMatchObject({ rows: [], problem: expect.stringMatching(/zrevrange/i) });
    expect(data.queues.rows).toHaveLength(3);
    await limited.stop();
    await redis.client.del('dead');
  });

  test('ends its streams when the executable ends', async () => {
    const ending = await startServing(redis.url);
    const answer = await fetch(`${ending.url}/events`);
    const read = answer.text();
    expect(await ending.stop()).toBe(0);
    await expect(read).resolves.toBeDefined();
  });

  describe('in a browser', () => {
    let browser: Browser;
    beforeAll(async () => {
      browser = await launchBrowser();
    });
    afterAll(() => browser.close());

    async function open(width: number, colorScheme: 'dark' | 'light'): Promise<{ page: Page; complaints: string[] }> {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme });
      const page = await context.newPage();
      const complaints: string[] = [];
      page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
      page.on('pageerror', ({ message }) => complaints.push(message));
      await page.goto(serving.url);
      await page.waitForSelector('#queues table');
      return { page, complaints };
    }

    test.each([
      [390, 'dark'],
      [390, 'light'],
      [1100, 'dark'],
      [1600, 'light'],
    ] as const)('nothing is cut off or refused at %d px, %s', async (width, scheme) => {
      const { page, complaints } = await open(width, scheme);
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      const cut = await page.$$eval(
        'h2, th, .figures b, .figures span, #queues td, #findings td, #errors td, #busy td',
        (elements) =>
          elements
            .filter(({ scrollWidth, clientWidth }) => scrollWidth > clientWidth + 1)
            .map((each) => each.textContent)
      );
      expect(cut).toEqual([]);
      expect(complaints).toEqual([]);
      await page.context().close();
    });

    test('has a slider over what was recorded: the page of then, playing, and back to now', async () => {
      const file = join(__dirname, '../recordings/data/incident-7.3.10.rec');
      const replay = await startServing('redis://127.0.0.1:1/0', ['--replay', file, '--at', '-0']);
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 }, timezoneId: 'UTC' });
      const page = await context.newPage();
      await page.goto(replay.url);
      const health = page.locator('#health');
      await page.locator('.timeline input').waitFor();
      const live = await health.textContent();
      // Two minutes after jobs were first pushed to a queue that nobody serves.
      const then = Date.UTC(2026, 10, 27, 23, 59, 40) / 1000;
      await page.locator('.timeline input').evaluate((slider: HTMLInputElement, value) => {
        slider.value = String(value);
        slider.dispatchEvent(new Event('input'));
      }, then);
      await expect.poll(() => health.textContent()).toMatch(/^As of 2026-11-27 23:59:\d\d UTC\.$/);
      expect(await page.locator('#findings').innerText()).toContain('No process serves push');
      expect(await page.locator('#queues tr', { hasText: 'push' }).innerText()).toContain('unserved');
      const shown = () => page.locator('.timeline output').textContent();
      const before = await shown();
      await page.getByRole('button', { name: 'Play' }).click();
      await expect.poll(shown).not.toBe(before);
      await page.getByRole('button', { name: 'Pause' }).click();
      await page.getByRole('button', { name: 'Now' }).click();
      await expect.poll(() => health.textContent()).toBe(live);
      // By keys alone: from now back, to the first instant, which has an answer, and to now again.
      const slider = page.getByRole('slider', { name: 'Time' });
      expect(await page.evaluate(() => document.activeElement?.getAttribute('aria-label'))).toBe('Time');
      await page.keyboard.press('ArrowLeft');
      await expect.poll(shown).toMatch(/^2026-11-28 00:17:\d\d UTC$/);
      expect(await slider.getAttribute('aria-valuetext')).toBe(await shown());
      await page.keyboard.press('Home');
      await expect.poll(() => health.textContent()).toMatch(/^As of 2026-11-27 23:3\d:\d\d UTC\.$/);
      await page.keyboard.press('End');
      await expect.poll(() => health.textContent()).toBe(live);
      // A time that cannot be read is told, with what is shown marked as that of another time.
      await page.route('**/page.json*', (route) => route.abort());
      await page.keyboard.press('ArrowLeft');
      await expect
        .poll(() => health.textContent())
        .toMatch(/^The figures of 2026-11-28 00:17:\d\d UTC could not be read: /);
      expect(await page.$eval('#queues', (each) => getComputedStyle(each).opacity)).toBe('0.5');
      await page.keyboard.press('End');
      await expect.poll(() => health.textContent()).toBe(live);
      for (const at of ['x', '', '-1e30', '%20%20', '0x10', '1e999', 'NaN']) {
        expect((await fetch(`${replay.url}/page.json?at=${at}`)).status, at).toBe(400);
      }
      expect((await fetch(`${replay.url}/page.json?at=1`)).status).toBe(200);
      await context.close();
      await replay.stop();
    });

    test('says of when its figures are while Redis does not answer', async () => {
      const own = await startRedis();
      await writeFleet(own.client, 3, 2, 1);
      const away = await startServing(own.url, ['--command-timeout-seconds', '1', '--connect-timeout-seconds', '1']);
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
      const page = await context.newPage();
      await page.goto(away.url);
      await page.waitForSelector('#queues table');
      const health = page.locator('#health');
      const opacityOf = (section: string) => page.$eval(section, (each) => getComputedStyle(each).opacity);
      expect(await opacityOf('#queues')).toBe('1');
      await own.stop();
      await expect
        .poll(() => health.textContent(), { timeout: 20_000 })
        .toMatch(/ Figures of \d{4}-\d\d-\d\d [\d:]+ UTC\.$/);
      expect([await opacityOf('#queues'), await opacityOf('.figures'), await opacityOf('#findings')]).toEqual([
        '0.5',
        '0.5',
        '1',
      ]);
      await context.close();
      await away.stop();
    });

    test('simulates the last hour as it was and with other threads and traffic', async () => {
      const file = join(__dirname, '../recordings/data/incident-7.3.10.rec');
      const replay = await startServing('redis://127.0.0.1:1/0', ['--replay', file, '--at', '2026-11-27T23:50:00Z']);
      const context = await browser.newContext({ viewport: { width: 1100, height: 900 } });
      const page = await context.newPage();
      await page.goto(replay.url);
      const section = page.locator('#what-if');
      await section.getByRole('button', { name: 'Simulate the last hour' }).click();
      const row = section.locator('tbody tr', { hasText: 'reports' });
      await row.waitFor();
      const cells = async () => (await row.locator('td').allTextContents()).slice(0, 3);
      const [name, threads, busy] = await cells();
      expect(Number(threads)).toBeGreaterThan(0);
      expect(busy).toMatch(/^\d+%$/);
      expect(await section.locator('.notes li').allTextContents()).toContainEqual(
        expect.stringMatching(/runs of \d+ minutes/)
      );
      // Twice the threads: half of them are busy with the same work.
      const set = (label: string, value: number) =>
        section
          .locator('label', { hasText: label })
          .locator('input')
          .evaluate((input: HTMLInputElement, chosen) => {
            input.value = String(chosen);
            input.dispatchEvent(new Event('input'));
          }, value);
      await set(name!, 2 * Number(threads));
      await section.getByRole('button', { name: 'Simulate the last hour' }).click();
      await expect
        .poll(cells)
        .toEqual([name, `${threads} → ${2 * Number(threads)}`, expect.stringMatching(/^\d+% → \d+%$/)]);
      const [before, after] = (await cells())[2]!.match(/\d+/g)!.map(Number);
      expect(Math.abs(before! / 2 - after!)).toBeLessThanOrEqual(1);
      const answer = await fetch(`${replay.url}/what-if.json?threads=nobody%3D3`);
      expect(await answer.json()).toMatchObject({ rows: [], problem: expect.stringMatching(/"nobody"/) });
      expect((await fetch(`${replay.url}/what-if.json?at=x`)).status).toBe(400);
      await context.close();
      await replay.stop();
    });

    test('asks for the threads that a reader has chosen, not for those of another hour', async () => {
      const { page } = await open(1100, 'dark');
      const asked: string[][] = [];
      const answers = [10, 6, 6].map((threads) => ({
        rows: [
          { workerType: 'moved', threads: 4 },
          { workerType: 'left', threads },
        ],
        notes: [],
      }));
      await page.route('**/what-if.json*', (route) => {
        asked.push(new URL(route.request().url()).searchParams.getAll('threads'));
        return route.fulfill({ json: answers[asked.length - 1] });
      });
      const section = page.locator('#what-if');
      const shown = (name: string) => section.locator('label', { hasText: name }).locator('output').textContent();
      const ask = () => section.getByRole('button', { name: 'Simulate the last hour' }).click();
      await ask();
      await section.locator('label', { hasText: 'moved' }).locator('input').fill('8');
      await ask();
      await expect.poll(() => shown('left')).toBe('6 threads');
      await ask();
      await expect.poll(() => asked.length).toBe(3);
      expect(asked).toEqual([[], ['moved=8'], ['moved=8']]);
      expect(await shown('moved')).toBe('8 threads');
    });

    test('shows the worst first, and each section by its heading', async () => {
      const { page } = await open(1100, 'dark');
      expect(await page.$$eval('main h2', (titles) => titles.map(({ textContent }) => textContent))).toEqual([
        'What is wrong',
        'Queues',
        'Executions by class, 8 h',
        'Failures by class, 8 h',
        'Mean run time by class, 8 h',
        'Waiting jobs by queue, 2 h',
        'Latency by queue, 2 h',
        'Running jobs',
        'Errors',
        'Processes',
        'What if',
      ]);
      expect(await page.locator('#health').textContent()).toContain('3 jobs waiting');
      // As bad as the worst finding below it.
      const has = async (severity: string) => (await page.locator(`#findings td.${severity}`).count()) > 0;
      const worst = (await has('critical')) ? 'critical' : (await has('warning')) ? 'warning' : 'ok';
      expect(worst).not.toBe('ok');
      expect(await page.locator('#health').getAttribute('class')).toBe(worst);
      expect(await page.locator('#errors .empty').textContent()).toBe('No job is in retry or dead.');
      expect(await page.locator('.figures').textContent()).toContain('2 of 20Busy threads');
      await page.context().close();
    });

    test('shows names of Redis as text, never as markup', async () => {
      await redis.client.sadd('queues', '<img src=x onerror=alert(1)>');
      const { page, complaints } = await open(1100, 'dark');
      await page.waitForFunction(() => document.querySelector('#queues')?.textContent?.includes('<img'));
      expect(await page.locator('#queues img').count()).toBe(0);
      expect(complaints).toEqual([]);
      await page.context().close();
    });
  });
});

import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startGrafana, type RunningGrafana } from '../../scripts/grafana';
import { launchBrowser } from '../support/browser';
import { freePort } from '../support/redisServer';

const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;
const TYPE = 'jobwatch-sidekiq-datasource';
const DIST = join(__dirname, '../../dist');

describe.skipIf(!bin || !home)('a Grafana in another language, with the plugin translated', () => {
  let grafana: RunningGrafana;
  let browser: Browser;
  const workDir = mkdtempSync(join(tmpdir(), 'jobwatch-e2e-'));

  beforeAll(async () => {
    const provisioning = join(workDir, 'provisioning');
    mkdirSync(provisioning);
    const plugin = join(workDir, 'plugins', TYPE);
    cpSync(DIST, plugin, { recursive: true });
    const manifest = JSON.parse(readFileSync(join(plugin, 'plugin.json'), 'utf8')) as object;
    writeFileSync(join(plugin, 'plugin.json'), JSON.stringify({ ...manifest, languages: ['en-US', 'de-DE'] }));
    mkdirSync(join(plugin, 'locales/de-DE'));
    writeFileSync(
      join(plugin, `locales/de-DE/${TYPE}.json`),
      JSON.stringify({
        config: { redis: { description: 'Das Redis von Sidekiq.' } },
        groups: { now: 'Jetzt' },
        queries: { queues: { title: 'Warteschlangen' } },
      })
    );
    const port = await freePort();
    grafana = await startGrafana({
      bin: bin!,
      home: home!,
      port,
      redisUrl: 'redis://127.0.0.1:1',
      workDir,
      provisioning,
    });
    browser = await launchBrowser();
    await api('PUT', '/api/org/preferences', { language: 'de-DE' });
    await api('POST', '/api/datasources', {
      type: TYPE,
      name: 'Shop',
      uid: 'shop',
      access: 'proxy',
      url: 'redis://127.0.0.1:1',
    });
  });
  afterAll(async () => {
    await browser?.close();
    grafana?.child.kill('SIGKILL');
    rmSync(workDir, { recursive: true, force: true });
  });

  const api = async (method: string, path: string, body: object) => {
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${grafana.url}${path}`, { method, headers, body: JSON.stringify(body) });
    expect(answer.status).toBe(200);
  };

  test('texts that are translated are shown, and the others in English', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${grafana.url}/connections/datasources/edit/shop`);
    await page.getByText('Das Redis von Sidekiq.').waitFor();
    await page.getByText('Copy ACL line').waitFor();

    const left = { datasource: 'shop', queries: [{ refId: 'A', queryType: 'queues' }] };
    const panes = encodeURIComponent(JSON.stringify({ one: { ...left, range: { from: 'now-1h', to: 'now' } } }));
    await page.goto(`${grafana.url}/explore?schemaVersion=1&panes=${panes}`);
    const type = page.locator('#query-type-A');
    await type.waitFor();
    await expect.poll(() => type.inputValue()).toBe('Warteschlangen');
    await type.click();
    await page.getByText('Jetzt', { exact: true }).waitFor();
    await page.getByText('Processes', { exact: true }).first().waitFor();
  });
});

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ALERTS } from '../../dashboards/alerts';
import { startGrafana, type RunningGrafana } from '../../scripts/grafana';
import { launchBrowser } from '../support/browser';
import plugin from '../../src/plugin.json';
import { writeFleet } from '../support/fleet';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;
const TYPE = 'jobwatch-sidekiq-datasource';
const direct = ALERTS.filter((alert) => alert.direct);

/** Those that the plugin brings. */
const DASHBOARDS = plugin.includes.filter(({ type }) => type === 'dashboard').length;

describe.skipIf(!bin || !home)('the first minutes in a Grafana without provisioning', () => {
  let redis: RedisServer;
  let grafana: RunningGrafana;
  let browser: Browser;
  const workDir = mkdtempSync(join(tmpdir(), 'jobwatch-e2e-'));

  beforeAll(async () => {
    const provisioning = join(workDir, 'provisioning');
    mkdirSync(provisioning);
    redis = await startRedis();
    await writeFleet(redis.client, 3, 2, 1);
    const port = await freePort();
    grafana = await startGrafana({ bin: bin!, home: home!, port, redisUrl: redis.url, workDir, provisioning });
    browser = await launchBrowser();
    // The first by name, which dashboards must not open with.
    await api('/api/datasources', {
      type: TYPE,
      name: 'Another',
      uid: 'another',
      access: 'proxy',
      url: 'redis://127.0.0.1:1/0',
    });
    await api('/api/datasources', {
      type: TYPE,
      name: 'Shop',
      uid: 'shop',
      access: 'proxy',
      url: 'redis://127.0.0.1:1/0',
    });
  });
  afterAll(async () => {
    await browser?.close();
    grafana?.child.kill('SIGKILL');
    await redis?.stop();
    rmSync(workDir, { recursive: true, force: true });
  });

  const api = async (path: string, body?: object) => {
    const answer = await fetch(`${grafana.url}${path}`, {
      method: body ? 'POST' : 'GET',
      headers: { 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as unknown;
  };

  test('form, test, import of all dashboards, and figures of that data source', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${grafana.url}/connections/datasources/edit/shop`);
    await page.getByText('Fields marked with').waitFor();
    await page.getByRole('button', { name: 'Copy ACL line' }).waitFor();

    // Before the data source works there is nothing to import for.
    await page.getByRole('button', { name: 'Import dashboards' }).click();
    await page.getByText('No dashboard was imported').waitFor();
    await page
      .getByText(/Nothing listens at 127\.0\.0\.1:1/)
      .first()
      .waitFor();

    await page.locator('#config-url').fill(redis.url);
    await page.getByRole('button', { name: 'Save & test' }).click();
    await page
      .getByText(/3 queues · 2 processes/)
      .first()
      .waitFor();
    await page.getByRole('button', { name: 'Import dashboards' }).click();
    await page.getByText(`${DASHBOARDS} dashboards imported`).waitFor();

    await page.getByRole('link', { name: 'Sidekiq overview' }).click();
    // The figures are those of the data source from which the dashboards came.
    await page.getByText('Nothing is wrong.').first().waitFor({ timeout: 60_000 });
    expect(await page.getByText('Another').count()).toBe(0);
    // A second import changes what is there, and does not end in "changed by someone else".
    await page.goto(`${grafana.url}/connections/datasources/edit/shop`);
    await page.getByRole('button', { name: 'Import dashboards' }).click();
    await page.getByText(`${DASHBOARDS} dashboards imported`).waitFor();
    await page.close();
  }, 180_000);

  test('the alert rules are imported for this data source, twice without a second copy', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`${grafana.url}/connections/datasources/edit/shop`);
    for (let time = 0; time < 2; time += 1) {
      await page.getByRole('button', { name: 'Import alert rules' }).click();
      await page.getByText(`${direct.length} alert rules imported`).waitFor();
      await page.reload();
    }
    const rules = (await api('/api/v1/provisioning/alert-rules')) as Array<{
      title: string;
      annotations: Record<string, string>;
      data: Array<{ datasourceUid: string }>;
    }>;
    expect(rules.map(({ title }) => title).sort()).toEqual(direct.map(({ name }) => name).sort());
    const asked = new Set(rules.flatMap(({ data }) => data.map(({ datasourceUid }) => datasourceUid)));
    expect([...asked].sort()).toEqual(['__expr__', 'shop']);
    // Each leads to a dashboard that was imported, and to a panel that is there.
    for (const { title, annotations } of rules) {
      expect(annotations['dashboard'], title).toMatch(/[?&]var-datasource=shop$/);
      const found = (await api(`/api/dashboards/uid/${annotations['__dashboardUid__']}`)) as {
        dashboard: { panels: Array<{ id: number }> };
      };
      const ids = found.dashboard.panels.map(({ id }) => id);
      expect(ids, title).toContain(Number(annotations['__panelId__']));
    }
    // The same rule in another folder: each alert would come twice.
    await api('/api/folders', { uid: 'copies', title: 'Copies' });
    const { id: _, uid: __, ...copied } = rules[0] as unknown as Record<string, unknown>;
    await api('/api/v1/provisioning/alert-rules', { ...copied, folderUID: 'copies' });
    await page.getByRole('button', { name: 'Import alert rules' }).click();
    await page.getByText('Each alert would come twice').waitFor();
    await page.close();
  }, 120_000);

  test('every link between the imported dashboards leads to one of them', async () => {
    const found = (await api('/api/search?type=dash-db')) as Array<{ uid: string }>;
    const uids = new Set(found.map(({ uid }) => uid));
    expect(uids.size).toBe(DASHBOARDS);
    for (const uid of uids) {
      const { dashboard } = (await api(`/api/dashboards/uid/${uid}`)) as { dashboard: object };
      const links = [...JSON.stringify(dashboard).matchAll(/\/d\/([a-z-]+)/g)].map(([, target]) => target);
      expect(links.filter((target) => !uids.has(target!))).toEqual([]);
    }
  });
});

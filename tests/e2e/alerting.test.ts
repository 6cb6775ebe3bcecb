import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { holding, shippedRules } from '../../pkg/alerting/evaluate';
import type { Installation } from '../../pkg/installation/installation';
import { startGrafana, type RunningGrafana } from '../../scripts/grafana';
import { backfill } from '../../pkg/simulator/backfill';
import { Simulator } from '../../pkg/simulator/simulator';
import { launchBrowser } from '../support/browser';
import { createReader, openAsReader } from '../support/installation';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

/** The rules tried on a recording hold where Grafana's own evaluation of the shipped rules does. */

const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;
const LIVED_SECONDS = 900;
const RULES = shippedRules();

interface Provisioned {
  groups: Array<{ rules: Array<{ title: string; condition: string; data: object[] }> }>;
}

interface Evaluated {
  results: Record<
    string,
    {
      error?: string;
      frames?: Array<{
        schema: { fields: Array<{ type: string; labels?: Record<string, string> }> };
        data: { values: unknown[][] };
      }>;
    }
  >;
}

describe.skipIf(!bin || !home)('alert rules in a real Grafana (GRAFANA_BIN and GRAFANA_HOME)', () => {
  let redis: RedisServer;
  let installation: Installation;
  let grafana: RunningGrafana;
  const shipped = new Map(
    (parse(readFileSync(join(__dirname, '../../provisioning/alerting/sidekiq.yaml'), 'utf8')) as Provisioned).groups
      .flatMap(({ rules }) => rules)
      .map((rule) => [rule.title, rule])
  );

  beforeAll(async () => {
    redis = await startRedis();
    await createReader(redis);
    const now = Date.now() / 1000;
    await backfill(redis.client, '8.1', 3, now - LIVED_SECONDS);
    const simulator = new Simulator(redis.client, { version: '8.1', seed: 3, startsAt: now - LIVED_SECONDS });
    for (let second = 0; second < LIVED_SECONDS; second += 1) {
      await simulator.advance(1);
    }
    // The shipped data source has this preset.
    installation = openAsReader(redis, { reuseSeconds: 1, preset: 'lago' });
    grafana = await startGrafana({
      bin: bin!,
      home: home!,
      port: await freePort(),
      redisUrl: redis.url,
      workDir: mkdtempSync(join(tmpdir(), 'jobwatch-alerting-')),
    });
  }, 120_000);
  afterAll(async () => {
    installation.close();
    grafana?.child.kill('SIGKILL');
    await redis.stop();
  });

  /** Labels of what Grafana's evaluation of a rule finds. */
  async function byGrafana(name: string): Promise<string[]> {
    const { data, condition } = shipped.get(name)!;
    const answer = await fetch(`${grafana.url}/api/v1/eval`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ data, condition, now: new Date().toISOString() }),
    });
    expect(answer.status, name).toBe(200);
    const { results } = (await answer.json()) as Evaluated;
    const { error, frames = [] } = results[condition]!;
    expect(error, name).toBeUndefined();
    return frames
      .flatMap(({ schema, data: { values } }) =>
        schema.fields.flatMap(({ type, labels = {} }, index) =>
          type === 'number' && Number(values[index]?.[0] ?? 0) !== 0
            ? [JSON.stringify(Object.entries(labels).sort())]
            : []
        )
      )
      .sort();
  }

  test('of a form that was not touched are previewed: they ask for the worst finding', async () => {
    const browser = await launchBrowser();
    const page = await browser.newPage({ viewport: { width: 1440, height: 1400 } });
    await page.goto(`${grafana.url}/alerting/new`);
    await page.locator('[id^="query-type-"]').first().waitFor();
    const evaluated = page.waitForResponse((answer) => answer.url().includes('/api/v1/eval'));
    await page
      .getByRole('button', { name: /Preview/ })
      .first()
      .click();
    const answer = await evaluated;
    const asked = answer.request().postDataJSON() as { data: Array<{ model: Record<string, unknown> }> };
    expect(asked.data[0]!.model).toMatchObject({ queryType: 'findings', figures: ['level'] });
    expect(answer.status()).toBe(200);
    await browser.close();
  }, 120_000);

  test.each([
    { queryType: 'history', by: 'total', figures: ['enqueued'] },
    { queryType: 'history', by: 'queue', figures: ['latency'] },
    { queryType: 'history', by: 'day', figures: ['processed'] },
    { queryType: 'history', by: 'total', figures: ['processedRate'], band: 'deviation' },
    { queryType: 'job_metrics', show: 'series', figures: ['executions'] },
  ])('and expressions take the series of %j', async (query) => {
    const { datasourceUid } = [...shipped.values()][0]!.data[0] as { datasourceUid: string };
    const relativeTimeRange = { from: 3600, to: 0 };
    const expression = (refId: string, model: object) => ({
      ...{ refId, datasourceUid: '__expr__', relativeTimeRange },
      model: { refId, datasource: { type: '__expr__', uid: '__expr__' }, ...model },
    });
    const answer = await fetch(`${grafana.url}/api/v1/eval`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({
        data: [
          { refId: 'A', datasourceUid, relativeTimeRange, model: { refId: 'A', intervalMs: 10_000, ...query } },
          expression('B', { type: 'reduce', expression: 'A', reducer: 'last', settings: { mode: 'dropNN' } }),
        ],
        condition: 'B',
        now: new Date().toISOString(),
      }),
    });
    const { results } = (await answer.json()) as Evaluated;
    expect([results['A']!.error, results['B']!.error, answer.status]).toEqual([undefined, undefined, 200]);
    const reduced = results['B']!.frames!.flatMap(({ data: { values } }) => values.flat());
    // What is usual takes two days.
    expect(reduced.length > 0 || 'band' in query).toBe(true);
  });

  test('hold for the same queues, classes, hosts and processes as by the command', async () => {
    const all = { grafana: {} as Record<string, string[]>, ours: {} as Record<string, string[]> };
    for (const rule of RULES) {
      all.grafana[rule.name] = await byGrafana(rule.name);
      const held = await holding(rule, await installation.state(), installation);
      all.ours[rule.name] = held.map(({ labels }) => JSON.stringify(Object.entries(labels).sort())).sort();
    }
    expect(all.ours).toEqual(all.grafana);
    // Enough is wrong to compare.
    expect(Object.values(all.ours).filter((held) => held.length > 0).length).toBeGreaterThanOrEqual(4);
  });
});

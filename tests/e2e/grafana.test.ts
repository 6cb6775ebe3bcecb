import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ALERTS } from '../../dashboards/alerts';
import { startGrafana, type RunningGrafana } from '../../scripts/grafana';
import { launchBrowser } from '../support/browser';
import { writeFleet } from '../support/fleet';
import { EXECUTABLE } from '../support/plugin';
import { startPrometheus } from '../support/prometheus';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';

const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;

if (!bin || !home) {
  process.stdout.write('Tests in a real Grafana are skipped: GRAFANA_BIN and GRAFANA_HOME are not set.\n');
}

describe.skipIf(!bin || !home)('in a real Grafana', () => {
  let redis: RedisServer;
  let simulator: ChildProcess;
  let grafana: RunningGrafana;
  let browser: Browser;
  const others: RedisServer[] = [];
  const workDir = mkdtempSync(join(tmpdir(), 'jobwatch-e2e-'));

  beforeAll(async () => {
    redis = await startRedis();
    simulator = spawn(EXECUTABLE, ['demo', '--redis-url', redis.url], { stdio: 'ignore' });
    grafana = await startGrafana({ bin: bin!, home: home!, port: await freePort(), redisUrl: redis.url, workDir });
    browser = await launchBrowser();
    await vi.waitUntil(
      async () => (await redis.client.scard('processes')) > 5 && (await redis.client.zcard('schedule')) > 0,
      { timeout: 20_000 }
    );
    // Nobody serves this queue, so there is a backlog.
    await redis.client.sadd('queues', 'meilisearch');
    await redis.client.lpush('queue:meilisearch', '{"class":"Search::ReindexJob","jid":"stranded","enqueued_at":1}');
  });
  afterAll(async () => {
    await browser?.close();
    grafana?.child.kill('SIGKILL');
    simulator?.kill('SIGKILL');
    await redis?.stop();
    await Promise.all(others.map((server) => server.stop()));
    rmSync(workDir, { recursive: true, force: true });
  });

  const api = async (path: string, body?: object, method = body ? 'POST' : 'GET') => {
    const answer = await fetch(`${grafana.url}${path}`, {
      method,
      headers: { 'Content-Type': 'application/json' },
      ...(body && { body: JSON.stringify(body) }),
    });
    return (await answer.json()) as Record<string, unknown>;
  };
  const query = (queries: object[]) =>
    api('/api/ds/query', {
      from: 'now-1h',
      to: 'now',
      queries: queries.map((each, index) => ({
        refId: 'ABCDEFGH'[index],
        datasource: { uid: 'sidekiq' },
        intervalMs: 10_000,
        ...each,
      })),
    });

  interface Rule {
    name: string;
    state: string;
    health: string;
    alerts?: Array<{ labels: Record<string, string>; annotations: Record<string, string> }>;
  }
  const rules = async (group?: string): Promise<Rule[]> => {
    const { data } = (await api('/api/prometheus/grafana/api/v1/rules')) as {
      data: { groups: Array<{ name: string; rules: Rule[] }> };
    };
    return data.groups.filter(({ name }) => group === undefined || name === group).flatMap((each) => each.rules);
  };

  test('the data source is healthy', async () => {
    expect(await api('/api/datasources/uid/sidekiq/health')).toMatchObject({
      status: 'OK',
      message: expect.stringMatching(/Sidekiq 8\.1\.7 .* processes/),
    });
  });

  test('the health check says what is wrong with Redis, with the remedy', async () => {
    const redisOf = async () => {
      const server = await startRedis();
      others.push(server);
      return server;
    };
    const [empty, guarded, limited] = [await redisOf(), await redisOf(), await redisOf()];
    await guarded.client.config('SET', 'requirepass', 'secret');
    await writeFleet(limited.client, 1, 1);
    await limited.client.call('ACL', 'SETUSER', 'poor', 'on', '>PASSWORD', '~*', '+@read', '-llen');
    const cases: Array<[name: string, source: object, says: RegExp]> = [
      ['empty', { url: empty.url }, /this database holds no Sidekiq/],
      ['guarded', { url: guarded.url }, /asks for a password, and none is set \(NOAUTH\)/],
      ['database', { url: empty.url.replace(/0$/, '99') }, /has no such database/],
      ['visible', { url: 'redis://:canary@127.0.0.1:1' }, /password/],
      ['scheme', { url: 'http://127.0.0.1:1' }, /scheme other than redis/],
      ['tls', { url: empty.url.replace('redis:', 'rediss:') }, /TLS/],
      ['sentinel', { url: '', jsonData: { topology: 'sentinel', sentinels: '127.0.0.1:1' } }, /127\.0\.0\.1:1/],
      [
        'refused',
        { url: limited.url, user: 'poor', secureJsonData: { password: 'PASSWORD' } },
        /No queue sizes: .*NOPERM.*gpx_sidekiq acl prints/,
      ],
      ['listener', { url: limited.url, jsonData: { exporterListen: '0.0.0.0:9' } }, /without a token/],
      [
        'pattern',
        { url: limited.url, jsonData: { queueInclude: '(' } },
        /"queueInclude" is not a regular expression.*In the form "queueInclude" is "Include only queues that match"/,
      ],
    ];
    for (const [name, source, says] of cases) {
      const uid = `wrong-${name}`;
      await api('/api/datasources', {
        uid,
        name: uid,
        type: 'jobwatch-sidekiq-datasource',
        access: 'proxy',
        ...source,
      });
      const health = await api(`/api/datasources/uid/${uid}/health`);
      expect(health['message'], name).toMatch(says);
      expect(JSON.stringify(health), name).not.toContain('canary');
      await api(`/api/datasources/uid/${uid}`, undefined, 'DELETE');
    }
  });

  test('a data source whose Redis is stopped says so', async () => {
    const port = await freePort();
    await api('/api/datasources', {
      uid: 'away',
      name: 'away',
      type: 'jobwatch-sidekiq-datasource',
      access: 'proxy',
      url: `redis://127.0.0.1:${port}`,
    });
    expect(await api('/api/datasources/uid/away/health')).toMatchObject({
      status: 'ERROR',
      message: expect.stringMatching(/Nothing listens at .*Check that Redis runs/),
    });
  });

  test.each([
    'overview',
    'queues',
    'processes',
    'busy',
    'jobs',
    'errors',
    'job_metrics',
    'backlog',
    'history',
    'capacity',
    'recurring',
    'events',
    'redis',
  ])('%s is answered', async (queryType) => {
    const { results } = (await query([{ queryType, source: 'scheduled' }])) as {
      results: Record<string, { status: number; frames: Array<{ data: { values: unknown[][] } }> }>;
    };
    expect(results['A']?.status).toBe(200);
    // The simulator has no scheduler; what failed may take a while to be seen.
    if (!['recurring', 'errors'].includes(queryType)) {
      expect(results['A']?.frames[0]?.data.values[0]?.length).toBeGreaterThan(0);
    }
  });

  test('a variable narrows another', async () => {
    const filters = encodeURIComponent(
      JSON.stringify({ filters: [{ field: 'workerType', operator: '=', values: ['Billing Worker'] }] })
    );
    const values = await api(
      `/api/datasources/uid/sidekiq/resources/values?queryType=queues&field=queue&query=${filters}`
    );
    expect(values).toEqual(['billing', 'billing_low_priority']);
  });

  test('the Prometheus text is scraped through Grafana', async () => {
    const text = await (await fetch(`${grafana.url}/api/datasources/uid/sidekiq/resources/metrics`)).text();
    expect(text).toMatch(/^sidekiq_up 1$/m);
  });

  test('Prometheus scrapes through Grafana with a service account, as documented', async () => {
    const account = (await api('/api/serviceaccounts', { name: 'prometheus', role: 'Viewer' })) as { id: number };
    const { key } = (await api(`/api/serviceaccounts/${account.id}/tokens`, { name: 'scrape' })) as { key: string };
    const page = readFileSync(join(__dirname, '../../docs/prometheus.md'), 'utf8');
    const block = [...page.matchAll(/```yaml\n(scrape_configs:[\s\S]*?)```/g)].find(([, text]) =>
      text!.includes('resources/metrics')
    );
    const config = block![1]!.replace('glsa_…', key).replace('grafana:3000', grafana.url.replace('http://', ''));
    const { url, child } = await startPrometheus(workDir, `global: { scrape_interval: 1s }\n${config}`);
    await expect
      .poll(
        async () => {
          const answer = await fetch(`${url}/api/v1/query?query=sidekiq_live_processes`).catch(() => undefined);
          const { data } = ((await answer?.json()) ?? {}) as { data?: { result: Array<{ value: [number, string] }> } };
          return Number(data?.result[0]?.value[1] ?? 0);
        },
        { timeout: 30_000, interval: 500 }
      )
      .toBeGreaterThan(5);
    child.kill('SIGKILL');
  });

  test('a live query shows what Grafana Live pushes', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const pushed: string[] = [];
    page.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => pushed.push(String(payload))));
    const panes = {
      a: {
        datasource: 'sidekiq',
        queries: [
          {
            refId: 'A',
            datasource: { uid: 'sidekiq', type: 'jobwatch-sidekiq-datasource' },
            queryType: 'queues',
            figures: ['size'],
            live: true,
          },
        ],
        range: { from: 'now-5m', to: 'now' },
      },
    };
    await page.goto(
      `${grafana.url}/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(JSON.stringify(panes))}`
    );
    await expect
      .poll(() => pushed.filter((text) => text.includes('"push"') && text.includes('"values"')).length, {
        timeout: 20_000,
      })
      .toBeGreaterThan(1);
    await page.close();
  });

  test('the provisioned alert rules are loaded, one fires and resolves', async () => {
    const ours = async () => (await rules()).filter(({ name }) => name.startsWith('Sidekiq'));
    await expect
      .poll(async () => (await ours()).filter(({ health }) => health === 'ok').length, { timeout: 90_000 })
      .toBe(ALERTS.filter(({ direct }) => direct).length);
    const dying = async () => (await ours()).find(({ name }) => name === 'SidekiqJobsDying');
    const now = Date.now() / 1000;
    const dead = Array.from({ length: 150 }, (_, index) => [now, JSON.stringify({ class: 'X', jid: `dead${index}` })]);
    await redis.client.zadd('dead', ...dead.flat());
    await expect.poll(async () => (await dying())?.state, { timeout: 90_000, interval: 1000 }).toBe('firing');
    // The demo itself has dead jobs.
    const died = Number(
      /^(\d+) jobs ran out of retries/.exec(String((await dying())?.alerts?.[0]?.annotations?.['description']))?.[1]
    );
    expect(died).toBeGreaterThanOrEqual(150);
    expect(died).toBeLessThanOrEqual(await redis.client.zcard('dead'));
    await redis.client.zrem('dead', ...dead.map(([, member]) => member!));
    await expect.poll(async () => (await dying())?.state, { timeout: 90_000, interval: 1000 }).toBe('inactive');
  }, 300_000);

  test('alert rules on queues, capacity and lost jobs fire, with an instance for each row', async () => {
    const identity = 'doomed:1:abc';
    const info = {
      hostname: 'doomed',
      pid: 1,
      started_at: Date.now() / 1000,
      queues: ['default'],
      identity,
      version: '8.1.7',
    };
    await redis.client.sadd('processes', identity);
    await redis.client.hset(identity, {
      info: JSON.stringify(info),
      busy: '1',
      beat: String(Date.now() / 1000),
      concurrency: '1',
      quiet: 'false',
    });
    await redis.client.hset(
      `${identity}:work`,
      't',
      JSON.stringify({ queue: 'default', payload: JSON.stringify({ class: 'DoomedJob', jid: 'doomed' }), run_at: 1 })
    );
    // It must have been seen alive; a snapshot may be a second old.
    const hosts = () => api('/api/datasources/uid/sidekiq/resources/values?queryType=processes&field=host');
    await expect.poll(hosts, { timeout: 10_000 }).toContain('doomed');
    const rule = (title: string, figure: string, above: number, model: object) => ({
      title,
      ruleGroup: 'e2e',
      folderUID: 'e2e',
      orgID: 1,
      for: '0s',
      noDataState: 'OK',
      execErrState: 'Error',
      condition: 'B',
      data: [
        {
          refId: 'A',
          datasourceUid: 'sidekiq',
          relativeTimeRange: { from: 600, to: 0 },
          model: { refId: 'A', figures: [figure], ...model },
        },
        {
          refId: 'B',
          datasourceUid: '__expr__',
          relativeTimeRange: { from: 600, to: 0 },
          model: {
            refId: 'B',
            type: 'threshold',
            expression: 'A',
            conditions: [{ evaluator: { type: 'gt', params: [above] } }],
          },
        },
      ],
    });
    await api('/api/folders', { uid: 'e2e', title: 'e2e' });
    await api('/api/v1/provisioning/alert-rules', rule('many threads', 'threads', 3, { queryType: 'queues' }));
    await api('/api/v1/provisioning/alert-rules', rule('room', 'headroom', 0, { queryType: 'capacity' }));
    await api('/api/v1/provisioning/alert-rules', rule('lost', 'jobs', 0, { queryType: 'lost' }));
    // Killed: its heartbeat expires, its name stays.
    await redis.client.del(identity, `${identity}:work`);
    await expect
      .poll(async () => (await rules('e2e')).filter(({ state }) => state === 'firing').length, {
        timeout: 150_000,
        interval: 1000,
      })
      .toBe(3);
    const found = await rules('e2e');
    expect(found.map(({ health }) => health)).toEqual(['ok', 'ok', 'ok']);
    const labels = (name: string) =>
      found.find((each) => each.name === name)?.alerts?.map((alert) => alert.labels) ?? [];
    expect(labels('many threads').map((each) => each['queue'])).toContain('events');
    expect(labels('room').map((each) => each['workerType'])).toContain('Events Worker');
    // One process that was killed is one alert.
    expect(labels('lost').map((each) => each['host'])).toEqual(['doomed']);
  }, 180_000);

  test('Explore shows the queues, and the editor its form', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const panes = {
      a: {
        datasource: 'sidekiq',
        queries: [
          { refId: 'A', datasource: { uid: 'sidekiq', type: 'jobwatch-sidekiq-datasource' }, queryType: 'queues' },
        ],
        range: { from: 'now-1h', to: 'now' },
      },
    };
    await page.goto(
      `${grafana.url}/explore?schemaVersion=1&orgId=1&panes=${encodeURIComponent(JSON.stringify(panes))}`
    );
    await page.getByText('Figures', { exact: true }).waitFor();
    await page.getByText('ai_agent').first().waitFor();
    await page.close();
  });

  test('Explore cuts no sentence of a finding, and says what a job needs', async () => {
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    const explore = async (queryType: string) => {
      const datasource = { uid: 'sidekiq', type: 'jobwatch-sidekiq-datasource' };
      const pane = {
        datasource: 'sidekiq',
        queries: [{ refId: 'A', datasource, queryType }],
        range: { from: 'now-1h', to: 'now' },
      };
      const panes = encodeURIComponent(JSON.stringify({ a: pane }));
      await page.goto(`${grafana.url}/explore?schemaVersion=1&orgId=1&panes=${panes}`);
    };
    await explore('findings');
    const cell = page.getByRole('gridcell', { name: /^No process serves meilisearch/ });
    await cell.waitFor();
    expect(await cell.evaluate(({ scrollWidth, clientWidth }) => scrollWidth - clientWidth)).toBeLessThanOrEqual(0);
    await explore('job');
    await page.getByText('Enter the job ID under "JID".').first().waitFor();
    await page.close();
  });
});

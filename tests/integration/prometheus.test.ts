import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { parse, stringify } from 'yaml';
import { dataQuery, EXECUTABLE, pluginContext, readArrow, startPlugin } from '../support/plugin';
import { startPrometheus } from '../support/prometheus';
import { loadRecording, RECORDED_VERSIONS } from '../support/recordings';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { startServing, type Serving } from '../support/serve';

// A rare kind of job may take its time.
vi.setConfig({ testTimeout: 240_000 });

const RULES = join(__dirname, '../../provisioning/prometheus');
const hasAlertmanager = spawnSync('prometheus-alertmanager', ['--version']).status === 0;
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-prometheus-'));
const children: ChildProcess[] = [];
const servers: RedisServer[] = [];
let serving: Serving;
let prometheus: string;
let alertmanager: string;
let prometheusLog = '';

/** A simulated Sidekiq with Pro, and each recording as a further target found by HTTP service discovery, scraped by a real Prometheus. */
beforeAll(async () => {
  const live = await startRedis();
  servers.push(live);
  const targets: Record<string, object> = {};
  for (const version of RECORDED_VERSIONS) {
    const server = await startRedis();
    servers.push(server);
    await loadRecording(server.client, version);
    targets[version] = { url: server.url };
  }
  const config = join(folder, 'jobwatch.yaml');
  writeFileSync(config, stringify({ targets }));
  const statsd = `127.0.0.1:${await freePort()}`;
  serving = await startServing(live.url, ['--config', config, '--statsd-listen', statsd]);
  start(EXECUTABLE, ['demo', '--redis-url', live.url, '--statsd-endpoint', statsd]);
  const alertmanagerAt = `127.0.0.1:${await freePort()}`;
  alertmanager = `http://${alertmanagerAt}`;
  if (hasAlertmanager) {
    const file = join(folder, 'alertmanager.yml');
    writeFileSync(file, stringify({ route: { receiver: 'none' }, receivers: [{ name: 'none' }] }));
    start('prometheus-alertmanager', [
      `--config.file=${file}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=${alertmanagerAt}`,
      '--cluster.listen-address=',
    ]);
  }
  await scrapeEverything(alertmanagerAt);
});

afterAll(async () => {
  children.forEach((child) => child.kill('SIGKILL'));
  await serving.stop();
  await Promise.all(servers.map((server) => server.stop()));
  rmSync(folder, { recursive: true, force: true });
});

function start(program: string, args: string[]): ChildProcess {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  children.push(child);
  return child;
}

/** The configuration that the project ships, at a pace for tests, with the recordings as probes. */
async function scrapeEverything(alertmanagerAt: string): Promise<void> {
  const shipped = parse(readFileSync(join(RULES, 'prometheus.yml'), 'utf8')) as {
    rule_files: string[];
    scrape_configs: Array<{ job_name: string; static_configs: unknown }>;
  };
  const listen = serving.url.replace('http://', '');
  const config = {
    ...shipped,
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    rule_files: shipped.rule_files.map((file) => join(RULES, file)),
    scrape_configs: [
      ...shipped.scrape_configs.map((each) => ({ ...each, static_configs: [{ targets: [listen] }] })),
      { job_name: 'recordings', http_sd_configs: [{ url: `${serving.url}/sd`, refresh_interval: '2s' }] },
    ],
    alerting: { alertmanagers: [{ static_configs: [{ targets: [alertmanagerAt] }] }] },
  };
  const { url, child } = await startPrometheus(folder, stringify(config));
  children.push(child);
  prometheus = url;
  child.stderr?.on('data', (text) => (prometheusLog += String(text)));
}

interface Vector {
  metric: Record<string, string>;
  value: [number, string];
}

async function api<T>(path: string): Promise<T> {
  const answer = await fetch(`${prometheus}/api/v1/${path}`);
  return ((await answer.json()) as { data: T }).data;
}

async function query(expr: string): Promise<Vector[]> {
  return (await api<{ result: Vector[] }>(`query?query=${encodeURIComponent(expr)}`)).result;
}

/** Polls: Prometheus scrapes each second, and starts when it starts. */
function soon(check: () => Promise<void>): Promise<void> {
  return expect.poll(() => check().then(() => 'ok', String), { timeout: 100_000, interval: 500 }).toBe('ok');
}

test('every target is up, and nothing about a scrape is worth a warning', async () => {
  await soon(async () => {
    const { activeTargets } = await api<{ activeTargets: Array<{ health: string; lastError: string }> }>('targets');
    expect(activeTargets).toHaveLength(1 + RECORDED_VERSIONS.length);
    activeTargets.forEach((target) => expect(target).toMatchObject({ health: 'up', lastError: '' }));
  });
  // Those of /sd are told apart by the name of their target.
  await soon(async () =>
    expect((await query('sidekiq_up{job="recordings"}')).map(({ metric }) => metric['instance']).sort()).toEqual([
      ...RECORDED_VERSIONS,
    ])
  );
  await soon(async () => expect((await query('count(sidekiq_up == 1)'))[0]?.value[1]).toBe('4'));
  expect(prometheusLog.split('\n').filter((line) => /level=(warn|error).*component="?scrape/.test(line))).toEqual([]);
});

test('the rule file is loaded, and every rule evaluates without an error', async () => {
  await soon(async () => {
    const { groups } = await api<{ groups: Array<{ name: string; rules: Array<{ name: string; health: string }> }> }>(
      'rules'
    );
    const rules = groups.flatMap((group) => group.rules);
    expect(rules.length).toBeGreaterThanOrEqual(20);
    rules.forEach((rule) => expect(rule).toMatchObject({ health: 'ok' }));
  });
});

test('Lago’s example queries answer, its failure rate once it is corrected', async () => {
  await soon(async () => {
    const perQueue = await query('sum by (queue) (rate(lago_api_jobs_count[5m]))');
    // A queue that has run one job so far has a rate of 0 yet.
    const events = perQueue.find(({ metric }) => metric['queue'] === 'events');
    expect(Number(events?.value[1])).toBeGreaterThan(0);
  });
  await soon(async () => {
    const slowest = await query('topk(10, lago_api_jobs_perform{quantile="0.5"})');
    expect(slowest).toHaveLength(10);
    expect(slowest.every(({ metric }) => metric['worker'] !== undefined)).toBe(true);
  });
  await soon(async () => {
    const [billing] = await query('lago_api_jobs_perform{queue="billing",quantile="0.99"}');
    expect(Number(billing?.value[1])).toBeGreaterThan(0);
  });
  await soon(async () => {
    const corrected = await query(
      'sum by (queue, worker) (rate(lago_api_jobs_failure[5m])) / sum by (queue, worker) (rate(lago_api_jobs_count[5m]))'
    );
    expect(corrected.some(({ value }) => Number(value[1]) > 0)).toBe(true);
  });
  // As written it never answers: failures carry error_type, executions do not.
  expect(await query('rate(lago_api_jobs_failure[5m]) / rate(lago_api_jobs_count[5m])')).toEqual([]);
});

test('real counters and histograms per class without Sidekiq Pro answer rate and quantile', async () => {
  await soon(async () => {
    expect(await query('topk(3, sum by (class) (rate(sidekiq_job_executions_total[5m]))) > 0')).toHaveLength(3);
    const p99 = await query(
      'histogram_quantile(0.99, sum by (le, class) (rate(sidekiq_job_duration_seconds_bucket[5m]))) > 0'
    );
    expect(p99.length).toBeGreaterThan(0);
  });
});

/** Panels that may rightly be empty: nothing has vanished, waits, or was seen long enough to tell a rate. */
const MAY_BE_EMPTY = [
  // A killed process is counted a minute after it was missed; that alerts fire has a test of its own.
  'What is wrong',
  'Lost jobs',
  // Jobs of milliseconds are seldom seen running, and errors are compared by the hour.
  'Wait in the queue',
  'By error',
  'Next jobs',
  'Waiting jobs by class',
  'Running jobs',
  'Running',
  'Waiting for a retry',
  'Dead jobs',
  'In and out (estimate)',
  'Jobs taken from backlogs (estimate)',
  'Throughput by queue',
  'Events',
  'Errors',
  'Errors of the class',
  'Deploys and other events',
  'Next retries',
  'Latest dead jobs',
  // Before and after a deploy: there was none within these minutes.
  'In total',
  'By class',
  'By queue',
  // Pushes are an estimate that takes a while.
  'Work over time',
];

interface GrafanaPanel {
  title: string;
  type: string;
  targets?: Array<Record<string, unknown>>;
}

function panelsOf(flavour: string): Array<[string, string, Array<Record<string, unknown>>]> {
  const dashboards = join(__dirname, '../../provisioning/dashboards', flavour);
  return readdirSync(dashboards).flatMap((file) =>
    (JSON.parse(readFileSync(join(dashboards, file), 'utf8')) as { panels: GrafanaPanel[] }).panels
      .filter(({ targets }) => targets !== undefined)
      .map(({ title, targets }): [string, string, Array<Record<string, unknown>>] => [file, title, targets!])
  );
}

/** Variables as Grafana fills them in: one queue and class in the details, all elsewhere. */
function filledIn(text: string, file: string, jid = ''): string {
  const one = /queue|job-class/.test(file);
  return (
    text
      .replaceAll('${statsd}', 'lago_api')
      .replaceAll('$queue', one ? 'webhook_worker' : '.*')
      .replaceAll('$class', one ? 'Webhooks::DeliverJob' : '.*')
      .replaceAll('${jobClass:regex}', 'Webhooks::DeliverJob')
      .replaceAll('$jid', jid)
      .replaceAll(/\$(?:job|instance)\b/g, '.*')
      .replaceAll('${quantile:text}', 'p95')
      .replaceAll('$quantile', '0.95')
      .replaceAll(/\$(host|workerType|changedType|errorClass)/g, '.*')
      // What is typed is empty at first.
      .replaceAll(/\$(deploy|threads|order|computing)/g, '')
      .replaceAll(/\$(traffic|runTime)/g, '1')
      .replaceAll('$search', 'none')
      .replaceAll('$__rate_interval', '1m')
      .replaceAll('$__range', '5m')
  );
}

test('every query of every dashboard by Prometheus answers', async () => {
  const panels = panelsOf('prometheus').filter(([, title]) => !MAY_BE_EMPTY.includes(title));
  expect(panels.length).toBeGreaterThan(40);
  await soon(async () => {
    const answers = await Promise.all(
      panels.map(async ([file, title, targets]) => {
        const found = await Promise.all(targets.map(({ expr }) => query(filledIn(String(expr), file))));
        return found.some((result) => result.length > 0) ? [] : [`${file}: ${title}`];
      })
    );
    expect(answers.flat().join('; ')).toBe('');
  });
});

test('every query of a dashboard by Prometheus is of the chosen scrape targets alone', async () => {
  const queries = panelsOf('prometheus')
    .filter(([file]) => file !== 'sidekiq-fleet.json')
    .flatMap(([file, title, targets]) => targets.map(({ expr }) => [`${file}: ${title}`, String(expr), file] as const));
  const answersOf = async (job: string, instance: string) =>
    Promise.all(
      queries.map(async ([name, expr, file]) => {
        const chosen = expr.replaceAll('"$job"', `"${job}"`).replaceAll('"$instance"', `"${instance}"`);
        return (await query(filledIn(chosen, file))).map(({ metric }) => ({ name, instance: metric['instance'] }));
      })
    );
  await soon(async () => {
    // Those of DogStatsD come last.
    const byStatsd = (await answersOf('.*', '.*')).filter((_, index) => queries[index]![1].includes('${statsd}'));
    expect(byStatsd.flat().length).toBeGreaterThan(0);
  });
  expect((await answersOf('none', '.*')).flat()).toEqual([]);
  expect((await answersOf('.*', 'none')).flat()).toEqual([]);
  await soon(async () => {
    const [version] = RECORDED_VERSIONS;
    const instances = (await answersOf('recordings', version)).flat().flatMap(({ instance }) => instance ?? []);
    expect(new Set(instances)).toEqual(new Set([version]));
    expect(instances.length).toBeGreaterThan(20);
  });
});

test('every query of every direct dashboard answers through the plugin', async () => {
  const plugin = await startPlugin();
  const live = servers[0]!;
  const panels = panelsOf('direct');
  expect(panels.length).toBeGreaterThan(50);
  await soon(async () => {
    // The last one to be retried is still there when it is asked for.
    const [failed = '{}'] = await live.client.zrange('retry', '-1', '-1');
    const { jid } = JSON.parse(failed) as { jid: string };
    const problems = await Promise.all(
      panels.map(async ([file, title, targets]) => {
        const queries = targets.map((target) => {
          const model = JSON.parse(filledIn(JSON.stringify(target), file, jid)) as {
            filters?: Array<{ values: string[] }>;
          };
          return dataQuery(String(target['refId']), {
            ...model,
            // "All" keeps everything, as the frontend does.
            filters: (model.filters ?? []).filter(({ values }) => !values.includes('.*')),
          });
        });
        const { responses } = await plugin.call<{ responses: Record<string, { frames: Uint8Array[]; error: string }> }>(
          'pluginv2.Data',
          'QueryData',
          { pluginContext: pluginContext(live.url), headers: {}, queries }
        );
        return Object.values(responses).flatMap(({ frames, error }) => {
          const rows = frames.reduce((sum, frame) => sum + readArrow(frame).table.numRows, 0);
          return error !== ''
            ? [`${file}: ${title}: ${error}`]
            : rows > 0 || MAY_BE_EMPTY.includes(title)
              ? []
              : [`${file}: ${title}`];
        });
      })
    );
    expect(problems.flat().join('; ')).toBe('');
  });
  plugin.stop();
});

test.skipIf(!hasAlertmanager)('an alert that fires reaches Alertmanager', async () => {
  const now = Date.now() / 1000;
  const dead = Array.from({ length: 150 }, (_, index) => [now, JSON.stringify({ class: 'X', jid: `dead${index}` })]);
  await servers[0]!.client.zadd('dead', ...dead.flat());
  await soon(async () => {
    const alerts = (await (await fetch(`${alertmanager}/api/v2/alerts`)).json()) as Array<{
      labels: Record<string, string>;
      annotations: Record<string, string>;
    }>;
    const alert = alerts.find(({ labels }) => labels['alertname'] === 'SidekiqJobsDying');
    expect(alert).toMatchObject({ labels: { severity: 'critical', job: 'sidekiq' } });
    expect(alert?.annotations['description']).toMatch(/^[12]\d\d jobs ran out of retries/);
  });
});

import type { ChildProcess } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startGrafana } from '../../scripts/grafana';
import { writeFleet } from '../support/fleet';
import { freePort, startRedis, type RedisServer } from '../support/redisServer';
import { cpuMilliseconds } from './processes';
import { reach } from './reach';
import { percentile, spread } from './spread';

const PROVISIONING = join(__dirname, '../../provisioning');
const DASHBOARD = join(PROVISIONING, 'dashboards/direct/sidekiq-overview.json');
const VIEWERS = [1, 10, 100];
const REFRESHES = 5;
const EVERY_SECONDS = 10;

interface Target {
  queryType: string;
  filters?: Array<{ values?: string[] }>;
}

interface Panel {
  targets?: Target[];
  panels?: Panel[];
}

/** The overview with 1, 10 and 100 viewers through a real Grafana: readings taken, CPU of Redis, time of a panel. */
export async function benchViewers(): Promise<string[]> {
  const heading = '## Dashboards with several viewers';
  const { GRAFANA_BIN: bin, GRAFANA_HOME: home } = process.env;
  if (!bin || !home) {
    return [heading, '', 'No Grafana was at hand: set GRAFANA_BIN and GRAFANA_HOME.'];
  }
  const redis = await startRedis();
  await writeFleet(redis.client, 24, 16, 10);
  const workDir = mkdtempSync(join(tmpdir(), 'jobwatch-viewers-'));
  // Alert rules read at times of their own.
  const provisioning = join(workDir, 'provisioning');
  cpSync(join(PROVISIONING, 'datasources'), join(provisioning, 'datasources'), { recursive: true });
  const grafana = await startGrafana({ bin, home, port: await freePort(), redisUrl: redis.url, workDir, provisioning });
  const panels = panelsOf(JSON.parse(readFileSync(DASHBOARD, 'utf8')) as Panel);
  const rows: string[] = [];
  for (const viewers of VIEWERS) {
    const times: number[] = [];
    const before = await spent(redis);
    const cpuBefore = cpuOf(grafana.child);
    for (let refresh = 0; refresh < REFRESHES; refresh += 1) {
      // Of one refresh, a browser sends the same range with every panel.
      const at = Date.now();
      const round = Array.from({ length: viewers }, () =>
        panels.map((targets) => ask(grafana.url, at, targets, times))
      );
      await Promise.all([...round.flat(), sleep(EVERY_SECONDS * 1000)]);
    }
    const after = await spent(redis);
    const cpu = cpuOf(grafana.child).map((after, index) => (after - cpuBefore[index]!) / REFRESHES);
    reach(`Readings of Redis a refresh, ${viewers} viewers`, (after.readings - before.readings) / REFRESHES, 1, '');
    rows.push(
      `| ${viewers} | ${((after.readings - before.readings) / REFRESHES).toFixed(1)} | ${(((after.cpu - before.cpu) / REFRESHES) * 1000).toFixed(0)} | ${cpu.map((milliseconds) => milliseconds.toFixed(0)).join(' | ')} | ${spread(times).text} | ${percentile(times, 0.99).toFixed(0)} |`
    );
  }
  grafana.child.kill('SIGKILL');
  await redis.stop();
  rmSync(workDir, { recursive: true, force: true });
  return [
    heading,
    '',
    `The ${panels.length} panels of the overview, asked by that many viewers at the same moment through Grafana 12.3, ${REFRESHES} times, every ${EVERY_SECONDS} seconds. The readings of the sampler are among those counted; alert rules were not provisioned.`,
    '',
    '| Viewers | Readings of Redis a refresh | CPU a refresh (ms): Redis | Grafana | Plugin | A panel (ms): median (10th to 90th percentile) | 99th percentile |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ];
}

/** CPU milliseconds of Grafana and of the plugin so far. */
function cpuOf(grafana: ChildProcess): [number, number] {
  return [cpuMilliseconds(grafana), cpuMilliseconds(pluginOf(grafana))];
}

function panelsOf({ panels = [], targets }: Panel): object[][] {
  const asked = targets?.filter(({ queryType }) => queryType).map(withVariables) ?? [];
  return [...(asked.length > 0 ? [asked] : []), ...panels.flatMap(panelsOf)];
}

/** The variables as they are when the dashboard opens, which the browser puts in: everything, and the 95th percentile. */
function withVariables(target: Target): Target {
  const { filters = [], ...rest } = JSON.parse(JSON.stringify(target).replaceAll('${quantile:text}', 'p95')) as Target;
  return { ...rest, filters: filters.filter(({ values }) => values?.every((value) => !value.startsWith('$'))) };
}

/** The plugin's process, which Grafana starts. */
function pluginOf(grafana: ChildProcess): Pick<ChildProcess, 'pid'> {
  const found = readdirSync('/proc').find((pid) => {
    try {
      return Number(/^PPid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) === grafana.pid;
    } catch {
      return false;
    }
  });
  if (!found) {
    throw new Error('The plugin does not run.');
  }
  return { pid: Number(found) };
}

async function ask(url: string, at: number, targets: readonly object[], times: number[]): Promise<void> {
  const begin = performance.now();
  const answer = await fetch(`${url}/api/ds/query`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({
      from: String(at - 3_600_000),
      to: String(at),
      queries: targets.map((target) => ({
        ...target,
        datasource: { type: 'jobwatch-sidekiq-datasource', uid: 'sidekiq' },
        maxDataPoints: 500,
        intervalMs: 10_000,
      })),
    }),
  });
  await answer.arrayBuffer();
  if (!answer.ok) {
    throw new Error(`Grafana answered ${answer.status}`);
  }
  times.push(performance.now() - begin);
}

/** Each reading asks the clock of Redis once. */
async function spent({ client }: RedisServer): Promise<{ readings: number; cpu: number }> {
  const [stats, cpu] = await Promise.all([client.info('commandstats'), client.info('cpu')]);
  const of = (text: string, pattern: RegExp) => Number(pattern.exec(text)?.[1] ?? 0);
  return {
    readings: of(stats, /cmdstat_time:calls=(\d+)/),
    cpu: of(cpu, /used_cpu_sys:([\d.]+)/) + of(cpu, /used_cpu_user:([\d.]+)/),
  };
}

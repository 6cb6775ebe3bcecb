import { spawn, type ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, symlinkSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';

const PLUGIN_ID = 'jobwatch-sidekiq-datasource';
const ROOT = join(__dirname, '..');

export interface GrafanaOptions {
  /** The server's executable and its home folder, with the web frontend built. */
  bin: string;
  home: string;
  port: number;
  redisUrl: string;
  /** Where it keeps its data; may be thrown away. */
  workDir: string;
  prometheusUrl?: string;
  /** Data sources, dashboards and alert rules that are there from the start; those of provisioning/ by default. */
  provisioning?: string;
  /** Where the plugin may keep files, and the name of the history file of the provisioned data source there. */
  data?: { directory: string; historyFile: string };
}

/** The history file of the provisioned data source, as the plugin names it; the exporter goes on with the same file. */
export function historyOf({ directory, historyFile }: NonNullable<GrafanaOptions['data']>): string {
  return join(directory, `1-sidekiq-${historyFile}`);
}

export interface RunningGrafana {
  url: string;
  child: ChildProcess;
  logFile: string;
}

/** Starts a Grafana with this plugin and what provisioning/ holds, open to everyone on this machine as admin. */
export async function startGrafana({
  bin,
  home,
  port,
  redisUrl,
  workDir,
  prometheusUrl,
  provisioning = join(ROOT, 'provisioning'),
  data,
}: GrafanaOptions): Promise<RunningGrafana> {
  const plugins = join(workDir, 'plugins');
  mkdirSync(plugins, { recursive: true });
  if (!existsSync(join(plugins, PLUGIN_ID))) {
    symlinkSync(join(ROOT, 'dist'), join(plugins, PLUGIN_ID), 'dir');
  }
  const config = join(workDir, 'grafana.ini');
  writeFileSync(config, ini(port, workDir, plugins, data?.directory));
  const logFile = join(workDir, 'grafana.log');
  const log = openSync(logFile, 'w');
  const child = spawn(bin, ['server', '--homepath', home, '--config', config], {
    stdio: ['ignore', log, log],
    env: {
      ...process.env,
      GF_PATHS_PROVISIONING: provisioning,
      JOBWATCH_REDIS_URL: redisUrl,
      JOBWATCH_HISTORY_FILE: data?.historyFile ?? '',
      JOBWATCH_PROMETHEUS_URL: prometheusUrl ?? 'http://127.0.0.1:9090',
    },
  });
  const url = `http://127.0.0.1:${port}`;
  await waitUntilHealthy(url, child, logFile);
  return { url, child, logFile };
}

async function waitUntilHealthy(url: string, child: ChildProcess, logFile: string): Promise<void> {
  const deadline = Date.now() + 90_000;
  while (Date.now() < deadline) {
    if (child.exitCode !== null) {
      throw new Error(`Grafana ended with code ${child.exitCode}; see ${logFile}`);
    }
    const answer = await fetch(`${url}/api/health`).catch(() => undefined);
    if (answer?.ok) {
      return;
    }
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`Grafana did not start within 90 seconds; see ${logFile}`);
}

function ini(port: number, workDir: string, plugins: string, data: string | undefined): string {
  return `
[server]
http_addr = 127.0.0.1
http_port = ${port}
[paths]
data = ${join(workDir, 'data')}
logs = ${join(workDir, 'logs')}
plugins = ${plugins}
[plugins]
allow_loading_unsigned_plugins = ${PLUGIN_ID}
preinstall_disabled = true
[auth.anonymous]
enabled = true
org_role = Admin
[auth]
disable_login_form = true
[analytics]
reporting_enabled = false
check_for_updates = false
check_for_plugin_updates = false
[news]
news_feed_enabled = false
[log]
level = warn
[dashboards]
default_home_dashboard_path = ${join(ROOT, 'provisioning/dashboards/direct/sidekiq-overview.json')}
${data === undefined ? '' : `[plugin.${PLUGIN_ID}]\ndata_dir = ${data}\n`}`;
}

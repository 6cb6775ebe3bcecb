import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { historyOf, startGrafana } from './grafana';

/**
 * Shows the whole product on live, simulated data: with a Docker engine the compose stack, with GRAFANA_BIN and
 * GRAFANA_HOME a local Grafana, with neither the exporter's web page and the terminal view. Ends on Ctrl-C.
 */

const ROOT = join(__dirname, '..');
const HISTORY_FILE = 'history.db';
const children: ChildProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-demo-'));
let stopping = false;

process.on('SIGINT', () => void stop(0));
process.on('SIGTERM', () => void stop(0));

async function main(): Promise<void> {
  if (hasDocker()) {
    say('Docker is here: starting the compose stack. Grafana will be at http://localhost:3000');
    await run('npm', ['run', '-s', 'build:compose'], 'Building the plugin');
    const compose = start('docker', ['compose', 'up', '--build', '--abort-on-container-exit'], 'inherit');
    compose.once('exit', (code) => void stop(code ?? 0));
    return;
  }
  const grafana = grafanaAtHand();
  await run('npm', ['run', '-s', 'build:backend'], 'Building the executable');
  const executable = executablePath();

  const redisPort = await freePort(6399);
  say(`Starting Redis at 127.0.0.1:${redisPort}`);
  start('redis-server', ['--port', String(redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', folder], 'ignore');
  const redisUrl = `redis://127.0.0.1:${redisPort}/0`;
  await until('Redis', () =>
    spawnSync(executable, ['check', '--redis-url', redisUrl], { encoding: 'utf8' }).stdout.includes('Redis at')
  );

  say('Starting a simulated Sidekiq: 8 processes, 20 queues, failing and slow jobs, and a recorded day');
  const statsd = `127.0.0.1:${await freePort(9125, udpPort)}`;
  const data = { directory: join(folder, 'plugin-data'), historyFile: HISTORY_FILE };
  mkdirSync(data.directory);
  // The exporter goes on with the recording from the first minute, and the data source reads the same file.
  const history = historyOf(data);
  const simulator = start(
    executable,
    ['demo', '--redis-url', redisUrl, '--statsd-endpoint', statsd, '--history-file', history],
    'ignore'
  );
  let lives = false;
  simulator.stderr?.on('data', (bytes: Buffer) => (lives ||= bytes.toString().includes('simulating Sidekiq')));
  // The frontend is built while the past is simulated.
  const built = grafana
    ? run('npm', ['run', '-s', 'webpack', '--', '--env', 'production'], 'Building the plugin')
    : undefined;
  // A failure is thrown where it is awaited, not before.
  built?.catch(() => undefined);
  // Whoever reads while its past is being written sees processes come and go within a second.
  await until('the simulated past', () => lives, 120);

  const exporterPort = await freePort(9292);
  start(
    executable,
    [
      'serve',
      '--redis-url',
      redisUrl,
      '--listen',
      `127.0.0.1:${exporterPort}`,
      '--statsd-listen',
      statsd,
      '--preset',
      'lago',
      '--history-file',
      history,
    ],
    'ignore'
  );
  if (grafana) {
    const port = await freePort(3000);
    const prometheusUrl = await startPrometheus(exporterPort);
    await built;
    say('Starting Grafana');
    const { url, child } = await startGrafana({
      ...grafana,
      port,
      redisUrl,
      workDir: folder,
      prometheusUrl,
      data,
    });
    children.push(child);
    say(`\nGrafana:  ${url}/d/sidekiq-overview`);
  } else {
    say(
      '\nNo Docker engine, and no Grafana named by GRAFANA_BIN and GRAFANA_HOME: here are the live figures without it.'
    );
  }
  say(`Web page: http://127.0.0.1:${exporterPort}/`);
  say(`Metrics:  http://127.0.0.1:${exporterPort}/metrics`);
  say(`Terminal: ${executable} top --redis-url ${redisUrl}`);
  say('Ctrl-C ends everything.\n');
  showFigures(executable, redisUrl);
}

/** Prometheus feeds the second flavour of the dashboards; without its program they stay empty. */
async function startPrometheus(exporterPort: number): Promise<string> {
  const port = await freePort(9090);
  const config = parse(readFileSync(join(ROOT, 'provisioning/prometheus/prometheus.yml'), 'utf8')) as {
    rule_files: string[];
    scrape_configs: Array<{ static_configs: Array<{ targets: string[] }> }>;
  };
  config.rule_files = config.rule_files.map((file) => join(ROOT, 'provisioning/prometheus', file));
  config.scrape_configs[0]!.static_configs[0]!.targets = [`127.0.0.1:${exporterPort}`];
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  start(
    'prometheus',
    [
      `--config.file=${file}`,
      `--storage.tsdb.path=${join(folder, 'prometheus')}`,
      `--web.listen-address=127.0.0.1:${port}`,
    ],
    'ignore'
  );
  return `http://127.0.0.1:${port}`;
}

/** In a terminal the live view takes over; elsewhere the figures are printed now and then. */
function showFigures(executable: string, redisUrl: string): void {
  const args = ['top', '--redis-url', redisUrl];
  if (process.stdout.isTTY && !process.env['GRAFANA_HOME']) {
    start(executable, args, 'inherit');
    return;
  }
  const show = () => process.stdout.write(spawnSync(executable, args, { encoding: 'utf8' }).stdout);
  setTimeout(show, 3000);
  setInterval(show, 60_000);
}

function grafanaAtHand(): { bin: string; home: string } | undefined {
  const { GRAFANA_HOME: home, GRAFANA_BIN: bin } = process.env;
  if (!home) {
    return undefined;
  }
  const found = [bin, join(home, 'bin/grafana')].find((path) => path !== undefined && existsSync(path));
  if (!found) {
    throw new Error(`GRAFANA_HOME is ${home}, but there is no bin/grafana; name the executable in GRAFANA_BIN.`);
  }
  return { bin: found, home };
}

function hasDocker(): boolean {
  return spawnSync('docker', ['info'], { stdio: 'ignore', timeout: 10_000 }).status === 0;
}

function executablePath(): string {
  const arch = process.arch === 'arm64' ? 'arm64' : 'amd64';
  return join(ROOT, 'dist', `gpx_sidekiq_${process.platform}_${arch}`);
}

/** Runs a program to its end. @throws Error with what it printed, where it fails */
function run(program: string, args: string[], what: string): Promise<void> {
  say(`${what} …`);
  const child = spawn(program, args, { cwd: ROOT });
  let output = '';
  [child.stdout, child.stderr].forEach((stream) => stream.on('data', (bytes: Buffer) => (output += bytes.toString())));
  children.push(child);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(`${what} failed:\n${output}`))));
  });
}

function start(program: string, args: string[], output: 'inherit' | 'ignore'): ChildProcess {
  const child = spawn(program, args, {
    cwd: ROOT,
    stdio: ['ignore', output, output === 'inherit' ? 'inherit' : 'pipe'],
  });
  // Read on, so that a log never fills the pipe.
  child.stderr?.resume();
  child.once('error', () => say(`${program} is not installed; what it would show stays empty.`));
  child.once('exit', (code) => {
    if (!stopping && code !== 0 && code !== null) {
      say(`${program} ended with code ${code}.`);
    }
  });
  children.push(child);
  return child;
}

async function until(what: string, ready: () => boolean, seconds = 20): Promise<void> {
  const deadline = Date.now() + seconds * 1000;
  while (!ready()) {
    if (Date.now() > deadline) {
      throw new Error(`waited ${seconds} seconds for ${what}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Binds a port for a moment. @returns the port, where it was free */
type Probe = (port: number) => Promise<number | undefined>;

const tcpPort: Probe = (port) =>
  new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(undefined));
    server.listen(port, '127.0.0.1', () => {
      const { port: bound } = server.address() as { port: number };
      server.close(() => resolve(bound));
    });
  });

/** A port that TCP has free may be taken for UDP, as by another demo. */
const udpPort: Probe = (port) =>
  new Promise((resolve) => {
    const socket = createSocket('udp4');
    socket.once('error', () => resolve(undefined));
    socket.bind(port, '127.0.0.1', () => {
      const { port: bound } = socket.address();
      socket.close(() => resolve(bound));
    });
  });

/** The preferred port where it is free, else any. */
async function freePort(preferred: number, probe: Probe = tcpPort): Promise<number> {
  return (await probe(preferred)) ?? (await probe(0)) ?? 0;
}

async function stop(code: number): Promise<void> {
  if (stopping) {
    return;
  }
  stopping = true;
  const running = children.filter(({ exitCode, signalCode }) => exitCode === null && signalCode === null);
  const ended = Promise.all(running.map((child) => new Promise((resolve) => child.once('exit', resolve))));
  running.forEach((child) => child.kill('SIGTERM'));
  const timer = setTimeout(() => running.forEach((child) => child.kill('SIGKILL')), 5000);
  await ended;
  clearTimeout(timer);
  rmSync(folder, { recursive: true, force: true });
  say('Stopped.');
  process.exit(code);
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().catch((error: unknown) => {
  process.stderr.write(`The demo failed: ${(error as Error).message}\n`);
  void stop(1);
});

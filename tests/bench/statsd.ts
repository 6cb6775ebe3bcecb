import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { parseExposition, type Exposition } from '../support/exposition';
import { EXECUTABLE } from '../support/plugin';
import { freePort, startRedis } from '../support/redisServer';
import { cpuSeconds, residentBytes } from './processes';
import { reach } from './reach';

const LINES = 1_200_000;
const LINES_PER_SECOND = 300_000;
const QUANTILES = ['0.5', '0.9', '0.99'];

interface Measured {
  cpu: number;
  resident: number;
  found: Exposition;
}

/**
 * The same DogStatsD stream into our receiver and into Prometheus' statsd_exporter, one after the other: CPU seconds,
 * lines lost, and whether counters and quantiles agree. The other one is found in PATH or at STATSD_EXPORTER_BIN.
 */
export async function benchStatsd(): Promise<string[]> {
  const redis = await startRedis();
  const ours = await measure(async (statsd, web) =>
    spawn(EXECUTABLE, ['serve', '--listen', `127.0.0.1:${web}`, '--statsd-listen', `127.0.0.1:${statsd}`], {
      env: { PATH: process.env['PATH'], REDIS_URL: redis.url },
      stdio: 'ignore',
    })
  );
  await redis.stop();
  const report = [
    '## DogStatsD',
    '',
    `${LINES.toLocaleString('en')} lines at ${LINES_PER_SECOND.toLocaleString('en')} a second, 12 a packet, as Pro 7 and Pro 8 send them.`,
    '',
    `- Jobwatch: ${line(ours)}`,
  ];
  const binary = process.env['STATSD_EXPORTER_BIN'] ?? 'statsd_exporter';
  if (spawnSync(binary, ['--version']).status !== 0) {
    return [...report, '- statsd_exporter was not at hand: put it in PATH or name it in STATSD_EXPORTER_BIN.'];
  }
  const theirs = await measure(async (statsd, web) =>
    spawn(
      binary,
      [
        `--statsd.listen-udp=127.0.0.1:${statsd}`,
        '--statsd.listen-tcp=',
        '--statsd.read-buffer=8388608',
        `--web.listen-address=127.0.0.1:${web}`,
      ],
      { stdio: 'ignore' }
    )
  );
  reach('DogStatsD: CPU', (ours.cpu / theirs.cpu) * 100, 100 / 3, '% of statsd_exporter’s');
  return [
    ...report,
    `- statsd_exporter: ${line(theirs)}`,
    `- CPU as a share of statsd_exporter’s: 1/${(theirs.cpu / ours.cpu).toFixed(2)}`,
    ...compare(ours.found, theirs.found),
  ];
}

async function measure(start: (statsd: number, web: number) => Promise<ChildProcess>): Promise<Measured> {
  const statsd = await freePort();
  const web = await freePort();
  const child = await start(statsd, web);
  const scrape = async () => parseExposition(await (await fetch(`http://127.0.0.1:${web}/metrics`)).text());
  for (let tries = 0; tries < 200 && !(await scrape().catch(() => undefined)); tries += 1) {
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const before = cpuSeconds(child);
  await new Promise((resolve) =>
    spawn('npx', ['tsx', join(__dirname, 'statsdSender.ts'), String(statsd), String(LINES), String(LINES_PER_SECOND)], {
      stdio: 'inherit',
    }).once('exit', resolve)
  );
  const cpu = cpuSeconds(child) - before;
  const found = await scrape();
  const resident = residentBytes(child);
  child.kill('SIGKILL');
  return { cpu, resident, found };
}

function line({ cpu, resident, found }: Measured): string {
  const counted = sum(found, /^lago_api_(?:sidekiq_)?jobs_count$/);
  const lost = LINES / 3 - counted;
  return `${cpu.toFixed(2)} CPU s, ${(resident / 2 ** 20).toFixed(0)} MiB resident, ${lost} of ${LINES / 3} jobs lost`;
}

function sum({ samples }: Exposition, name: RegExp): number {
  return samples.filter((sample) => name.test(sample.name)).reduce((total, { value }) => total + value, 0);
}

function compare(ours: Exposition, theirs: Exposition): string[] {
  const counters = ['lago_api_jobs_count', 'lago_api_jobs_success', 'lago_api_jobs_failure'];
  // Pro 8's names keep their infix there.
  const samples = theirs.samples.map((each) => ({
    ...each,
    name: each.name.replace('lago_api_sidekiq_', 'lago_api_'),
  }));
  const compared = samples.filter(({ name }) => counters.includes(name));
  const different = compared.filter(({ name, labels, value }) => ours.value(name, labels) !== value);
  const errors = QUANTILES.map((quantile) => {
    const apart = samples
      .filter(({ name, labels }) => name === 'lago_api_jobs_perform' && labels['quantile'] === quantile)
      .map(({ name, labels, value }) => Math.abs((ours.value(name, labels) ?? NaN) / value - 1));
    return `p${Number(quantile) * 100} ${(Math.max(...apart) * 100).toFixed(1)} %`;
  });
  return [
    `- Counters that differ: ${different.length} of ${compared.length}`,
    `- Quantiles apart at most: ${errors.join(', ')} (theirs may be off by 5, 1 and 0.1 % of rank)`,
  ];
}

import { execSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { benchFigures, benchMemory } from './memory';
import { benchOutlook } from './outlook';
import { benchPaced } from './paced';
import { benchPlugin } from './plugin';
import { reached } from './reach';
import { benchRedisDataSource } from './redisDataSource';
import { benchRest } from './rest';
import { benchScrape } from './scrape';
import { benchStatsd } from './statsd';
import { benchPublicSeries } from './publicSeries';
import { benchUsualClasses } from './usualClasses';
import { benchUsualMethods } from './usualMethods';
import { benchViewers } from './viewers';
import { benchWhatIf } from './whatIf';

const PAGE = join(__dirname, '../../docs/benchmarks.md');

const BENCHES: Record<string, () => string[] | Promise<string[]>> = {
  scrape: benchScrape,
  paced: benchPaced,
  plugin: benchPlugin,
  redisDataSource: benchRedisDataSource,
  viewers: benchViewers,
  rest: benchRest,
  statsd: benchStatsd,
  memory: benchMemory,
  figures: benchFigures,
  outlook: benchOutlook,
  usualMethods: benchUsualMethods,
  usualClasses: benchUsualClasses,
  publicSeries: benchPublicSeries,
  whatIf: benchWhatIf,
};

/** Performance as ratios measured side by side on this machine; nothing here passes or fails. Writes docs/benchmarks.md, unless single ones are named. */
async function main(): Promise<void> {
  const page = [
    '<!-- Written by npm run bench. -->',
    '',
    '# Benchmarks',
    '',
    'Machines differ and are noisy, so only the ratios of one run mean something: all targets of a table were measured in turns, in the same run.',
    '',
    `Run on ${new Date().toISOString().slice(0, 10)}: ${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'unknown'}, ${version('redis-server --version').replace(/ sha=.*/, '')}, Node ${process.versions.node}${optional(', ', 'ruby --version')}. Reproduce with \`npm run bench\`.`,
  ];
  const chosen = process.argv.slice(2);
  for (const [name, bench] of Object.entries(BENCHES)) {
    if (chosen.length === 0 || chosen.includes(name)) {
      const section = await bench();
      process.stdout.write(`${section.join('\n')}\n\n`);
      page.push('', ...section);
    }
  }
  if (chosen.length > 0) {
    return;
  }
  page.push('', ...reached());
  writeFileSync(PAGE, await format(`${page.join('\n')}\n`, { ...(await resolveConfig(PAGE)), parser: 'markdown' }));
}

function version(command: string): string {
  return execSync(command, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).split('\n')[0] ?? '';
}

function optional(before: string, command: string): string {
  try {
    return `${before}${version(command).split(' (')[0]}`;
  } catch {
    return '';
  }
}

void main();

import { execSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { benchFigures, benchMemory } from './memory';
import { benchPlugin } from './plugin';
import { reached } from './reach';
import { benchRedisDataSource } from './redisDataSource';
import { benchRest } from './rest';
import { benchScrape } from './scrape';
import { benchStatsd } from './statsd';
import { benchViewers } from './viewers';

const PAGE = join(__dirname, '../../docs/benchmarks.md');

/** Performance as ratios measured side by side on this machine; nothing here passes or fails. Writes docs/benchmarks.md. */
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
  for (const bench of [
    benchScrape,
    benchPlugin,
    benchRedisDataSource,
    benchViewers,
    benchRest,
    benchStatsd,
    benchMemory,
    benchFigures,
  ]) {
    const section = await bench();
    process.stdout.write(`${section.join('\n')}\n\n`);
    page.push('', ...section);
  }
  page.push('', ...reached());
  writeFileSync(PAGE, `${page.join('\n')}\n`);
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

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { prometheusRules } from '../dashboards/buildAlerts';
import { generatedFiles } from '../dashboards/files';
import { metricsPage, queriesPage } from './referencePages';
import { englishTexts } from './translations';

/**
 * Writes what is generated from code; with --check it only says what differs, for CI. With --statsd-namespace NAME it
 * prints the rules of Prometheus for another sender than the shipped ones.
 */

const ROOT = join(__dirname, '..');

async function main(): Promise<void> {
  const asked = process.argv.indexOf('--statsd-namespace');
  if (asked > 0) {
    process.stdout.write(prometheusRules(process.argv[asked + 1]));
    return;
  }
  const check = process.argv.includes('--check');
  const files = generatedFiles();
  for (const [path, page] of [
    ['docs/metrics.md', metricsPage()],
    ['docs/queries.md', queriesPage()],
  ] as const) {
    const options = await resolveConfig(join(ROOT, path));
    files.set(path, await format(page, { ...options, parser: 'markdown' }));
  }
  files.set('src/locales/en-US/jobwatch-sidekiq-datasource.json', `${JSON.stringify(englishTexts(ROOT), null, 2)}\n`);
  const stale = [...files].filter(([path, content]) => read(path) !== content);
  if (check && stale.length > 0) {
    process.stdout.write(`Out of date, run npm run generate: ${stale.map(([path]) => path).join(', ')}\n`);
    process.exitCode = 1;
    return;
  }
  for (const [path, content] of stale) {
    mkdirSync(dirname(join(ROOT, path)), { recursive: true });
    writeFileSync(join(ROOT, path), content);
    process.stdout.write(`${path}\n`);
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(join(ROOT, path), 'utf8');
  } catch {
    return undefined;
  }
}

void main();

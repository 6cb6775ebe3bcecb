import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { globSync } from 'glob';
import { expect, test } from 'vitest';
import { ALERTS } from '../../dashboards/alerts';
import { aclLine } from '../../pkg/redis/acl';
import { metricTable } from '../../pkg/metrics/table';
import { EXPORTER_METRICS } from '../../pkg/metrics/exporterMetrics';
import { SECRET_NAMES, optionsSchema } from '../../pkg/settings/model';

const ROOT = join(__dirname, '../..');
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: ROOT })];

test.each(pages)('every link and picture of %s leads to a file', (page) => {
  for (const [, target = ''] of read(page).matchAll(/\]\(((?!https?:|#)[^)\s#]+)/g)) {
    expect(existsSync(join(ROOT, dirname(page), target)), target).toBe(true);
  }
});

test('every alert has its runbook', () => {
  const headings = [...read('docs/alerts.md').matchAll(/^### (\w+)$/gm)].map(([, name]) => name);
  expect(headings).toEqual(expect.arrayContaining(ALERTS.map(({ name }) => name)));
});

test('every requirement has a test or an exception, and the files it names exist', () => {
  const page = read('docs/adr/requirements.md');
  const points = [...page.matchAll(/^\| D(\d+)(?:–D(\d+))?/gm)].flatMap(([, from, to]) =>
    Array.from({ length: Number(to ?? from) - Number(from) + 1 }, (_, index) => Number(from) + index)
  );
  expect(points).toEqual(Array.from({ length: 59 }, (_, index) => index + 1));
  for (const [, path] of page.matchAll(/`((?:unit|integration|recordings|plugin|rules|e2e|bench)\/[\w./]+)`/g)) {
    expect(existsSync(join(ROOT, 'tests', path!)), path).toBe(true);
  }
  for (const [, path] of page.matchAll(/`((?:pkg|dashboards|provisioning|sidekiq-app)\/[\w./-]+)`/g)) {
    expect(existsSync(join(ROOT, path!)), path).toBe(true);
  }
});

test('the page on moving over names every metric of the Ruby exporter', () => {
  // `a_b`, `_c` stands for a_b and a_c.
  const page = read('docs/migration.md');
  for (const { name } of EXPORTER_METRICS) {
    expect(
      page.includes(name) ||
        page.includes(`_${name.split('_').at(-1)}\``) ||
        page.includes(name.replace('sidekiq_job', '')),
      name
    ).toBe(true);
  }
});

test('the README has the ACL line as it is printed', () => {
  expect(read('README.md')).toContain(aclLine('jobwatch'));
});

test('the README names every setting', () => {
  const page = read('README.md');
  for (const name of [...Object.keys(optionsSchema.shape), ...SECRET_NAMES]) {
    expect(page.includes(`\`${name}\``), name).toBe(true);
  }
});

test('CONTRIBUTING.md draws the folders in the order that dependency-cruiser checks', async () => {
  const { LAYERS } = await import('../../.dependency-cruiser.mjs');
  const drawing = /```\n([\s\S]*?)```/.exec(read('CONTRIBUTING.md').split('## Folders')[1]!)![1]!;
  const drawn = drawing
    .split('\n')
    .filter((line) => /^[a-z]/.test(line))
    .map((line) => line.split(/ {3,}/)[0]!.split(/ +/));
  expect(drawn).toEqual(LAYERS);
  const folders = readdirSync(join(ROOT, 'pkg'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
  expect(folders.map(({ name }) => name).filter((name) => !LAYERS.flat().includes(name))).toEqual(['simulator']);
});

test('every metric of the endpoint stands on its reference page', () => {
  const named = new Set([...read('docs/metrics.md').matchAll(/^\| `(\w+)`/gm)].map(([, name]) => name));
  expect(
    metricTable([], true)
      .filter(({ name }) => !named.has(name))
      .map(({ name }) => name)
  ).toEqual([]);
});

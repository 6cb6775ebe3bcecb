import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';

/**
 * Runs Stryker over the middle of the code and writes docs/quality.md. Arguments go to Stryker: `--mutate <files>` tests
 * one file and leaves the page as it is. `--report` writes the page from the last run.
 */

const ROOT = join(__dirname, '..');
const REPORT = join(ROOT, 'node_modules/.cache/stryker/mutation.json');
const PAGE = join(ROOT, 'docs/quality.md');

type Status = 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'Ignored';
interface Mutant {
  status: Status;
  location: { start: { line: number } };
}
interface Report {
  files: Record<string, { mutants: Mutant[] }>;
}

async function main(): Promise<void> {
  const args = process.argv.slice(2);
  if (!args.includes('--report')) {
    const { status } = spawnSync('npx', ['stryker', 'run', 'stryker.config.json', ...args], {
      cwd: ROOT,
      stdio: 'inherit',
    });
    if (status !== 0 || args.includes('--mutate')) {
      process.exitCode = status ?? 1;
      return;
    }
  }
  const report = JSON.parse(readFileSync(REPORT, 'utf8')) as Report;
  writeFileSync(PAGE, await format(page(report), { ...(await resolveConfig(PAGE)), parser: 'markdown' }));
  process.stdout.write('docs/quality.md\n');
}

function page({ files }: Report): string {
  const byFolder = new Map<string, Mutant[]>();
  for (const [path, { mutants }] of Object.entries(files)) {
    const folder = path.split('/').slice(0, 2).join('/');
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), ...mutants]);
  }
  const survivors = Object.entries(files)
    .map(([path, { mutants }]) => ({ path, left: mutants.filter(({ status }) => status === 'Survived') }))
    .filter(({ left }) => left.length > 0)
    .sort((a, b) => b.left.length - a.left.length);
  return [
    '<!-- Written by npm run mutation. -->',
    '# Test quality',
    'Stryker changes one expression at a time in the middle of the code (`pkg/` without plugin, cli, listeners, frames, redis, installation and simulator) and runs the table tests of `tests/unit`. A change that no test notices is a survivor; a change in code that no table test runs is not covered. The score is the share of noticed changes (killed or timed out) among all of them, covered or not.',
    table(
      ['Folder', 'Score', 'Killed', 'Timed out', 'Survived', 'Not covered', 'Static'],
      [...byFolder, ['**all**', [...byFolder.values()].flat()] as const].map(([folder, mutants]) => [
        folder,
        score(mutants),
        ...(['Killed', 'Timeout', 'Survived', 'NoCoverage', 'Ignored'] as const).map((status) =>
          count(mutants, status)
        ),
      ])
    ),
    'Static changes lie in code that runs once at import: names, titles and descriptions in tables of columns, metrics and settings. Stryker would have to run all tests for each, so they are not run and not in the score. `npm run generate -- --check` and the tests of `tests/unit/docs.test.ts` compare these texts with the committed reference pages.',
    '## Reproduce a row',
    '```bash\nnpm run mutation -- --mutate "pkg/observe/**/*.ts"\n```',
    'Without arguments the command runs all folders (about 20 minutes on two cores) and writes this page.',
    '## Survivors',
    'Most survivors are equivalent: they change an early exit that only saves work, a bound of memory that the excluded simulated months cover, an initial capacity, or a `?? fallback` for a case that the types forbid. The others are gaps. The list gives the lines by file, so that a change of a file can look at its own.',
    table(
      ['File', 'Survivors', 'Lines'],
      survivors.map(({ path, left }) => [
        `\`${path}\``,
        String(left.length),
        [...new Set(left.map(({ location }) => location.start.line))].sort((a, b) => a - b).join(', '),
      ])
    ),
    '',
  ].join('\n\n');
}

function count(mutants: readonly Mutant[], status: Status): string {
  return String(mutants.filter((mutant) => mutant.status === status).length);
}

function score(mutants: readonly Mutant[]): string {
  const run = mutants.filter(({ status }) => status !== 'Ignored');
  const noticed = run.filter(({ status }) => status === 'Killed' || status === 'Timeout');
  return `${((noticed.length / run.length) * 100).toFixed(1)} %`;
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

void main();

import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { groupBy } from '../pkg/sidekiq/groupBy';
import { REASON_TEXTS, reasonOf, type Survivor } from './survivors';

/**
 * Runs Stryker over the middle of the code and writes docs/quality.md, and the list of survivors beside its report.
 * Arguments go to Stryker: `--mutate <files>` tests one file and leaves the page as it is. `--report` writes the page from
 * the last run.
 */

const ROOT = join(__dirname, '..');
const REPORT = join(ROOT, 'node_modules/.cache/stryker/mutation.json');
const PAGE = join(ROOT, 'docs/quality.md');
const LIST = join(ROOT, 'node_modules/.cache/stryker/survivors.md');

type Status = 'Killed' | 'Timeout' | 'Survived' | 'NoCoverage' | 'Ignored';
interface Place {
  line: number;
  column: number;
}
interface Mutant {
  status: Status;
  mutatorName: string;
  replacement?: string;
  location: { start: Place; end: Place };
}
interface Report {
  files: Record<string, { source: string; mutants: Mutant[] }>;
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
  writeFileSync(LIST, `# Survivors\n\n${survivorsList(allSurvivors(report))}\n`);
  process.stdout.write(`docs/quality.md\n${LIST}\n`);
}

function page({ files }: Report): string {
  const byFolder = new Map<string, Mutant[]>();
  for (const [path, { mutants }] of Object.entries(files)) {
    const folder = path.split('/').slice(0, 2).join('/');
    byFolder.set(folder, [...(byFolder.get(folder) ?? []), ...mutants]);
  }
  const survivors = allSurvivors({ files });
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
    'Each with the reason for which it stays:',
    table(
      ['Reason', 'Survivors', 'Meaning'],
      REASON_TEXTS.map(([code, text]) => [
        code,
        String(survivors.filter((survivor) => reasonOf(survivor) === code).length),
        text,
      ])
    ),
    'The list with each change is `node_modules/.cache/stryker/survivors.md` after a run, and the artifact `survivors` of the workflow _Mutation_ in CI.',
    '',
  ].join('\n\n');
}

/** Every survivor with its change and reason, file by file. */
function survivorsList(survivors: readonly Survivor[]): string {
  return byPath(survivors)
    .map(([path, own]) =>
      [`## ${path}\n`, ...own.map((survivor) => `- ${reasonOf(survivor)} ${changeOf(survivor)}`)].join('\n')
    )
    .join('\n\n');
}

function allSurvivors({ files }: Report): Survivor[] {
  return Object.entries(files).flatMap(([path, { source, mutants }]) => survivorsOf(path, source, mutants));
}

function survivorsOf(path: string, source: string, mutants: readonly Mutant[]): Survivor[] {
  const lines = source.split('\n');
  return mutants
    .filter(({ status }) => status === 'Survived' || status === 'NoCoverage')
    .map(({ status, mutatorName, replacement = '', location: { start, end } }) => ({
      path,
      line: start.line,
      mutator: mutatorName,
      original: (lines[start.line - 1] ?? '').slice(
        start.column - 1,
        end.line === start.line ? end.column - 1 : undefined
      ),
      replacement,
      covered: status === 'Survived',
    }));
}

function byPath(survivors: readonly Survivor[]): Array<[string, Survivor[]]> {
  return [...groupBy(survivors, ({ path }) => path)].sort(([, a], [, b]) => b.length - a.length);
}

function changeOf({ line, original, replacement }: Survivor): string {
  const code = (text: string) => `\`${text.replace(/[`|]/g, "'").replace(/\s+/g, ' ').slice(0, 60)}\``;
  return `line ${line}: ${code(original)} → ${code(replacement)}`;
}

function count(mutants: readonly Mutant[], status: Status): string {
  return String(mutants.filter((mutant) => mutant.status === status).length);
}

function score(mutants: readonly Mutant[]): string {
  const run = mutants.filter(({ status }) => status !== 'Ignored');
  const noticed = run.filter(({ status }) => status === 'Killed' || status === 'Timeout');
  return `${((noticed.length / run.length) * 100).toFixed(1)}%`;
}

function table(head: readonly string[], rows: ReadonlyArray<readonly string[]>): string {
  return [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

void main();

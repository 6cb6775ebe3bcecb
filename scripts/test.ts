import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Checks, builds and tests everything, and ends with one line that counts over all of it. */

const ROOT = join(__dirname, '..');
const REPORT = join(ROOT, 'node_modules/.cache/vitest.json');

let passed = 0;
let failed = 0;

step('types', ['npm', 'run', '-s', 'typecheck']);
step('lint', ['npm', 'run', '-s', 'lint']);
step('generated files', ['npm', 'run', '-s', 'generate', '--', '--check']);
if (step('build', ['npm', 'run', '-s', 'build'])) {
  runVitest();
}
process.stdout.write(`${passed} passed, ${failed} failed\n`);
process.exit(failed === 0 ? 0 : 1);

function step(name: string, [program = '', ...args]: string[]): boolean {
  const { status, stdout } = spawnSync(program, args, {
    cwd: ROOT,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status === 0) {
    passed += 1;
    process.stdout.write(`✓ ${name}\n`);
    return true;
  }
  failed += 1;
  process.stdout.write(`${stdout}✗ ${name}\n`);
  return false;
}

function runVitest(): void {
  rmSync(REPORT, { force: true });
  const { status } = spawnSync('npx', ['vitest', 'run', ...process.argv.slice(2)], {
    cwd: ROOT,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  try {
    const report = JSON.parse(readFileSync(REPORT, 'utf8')) as { numPassedTests: number; numFailedTests: number };
    passed += report.numPassedTests;
    failed += report.numFailedTests;
    // A file that cannot be loaded has no test that could fail.
    if (status !== 0 && report.numFailedTests === 0) {
      failed += 1;
    }
  } catch {
    failed += 1;
  }
}

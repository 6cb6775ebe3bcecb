import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

/** Checks, builds and tests everything, and ends with one line that counts over all of it. */

const ROOT = join(__dirname, '..');
const REPORT = join(ROOT, 'node_modules/.cache/vitest.json');

let passed = 0;
let failed = 0;

void main();

async function main(): Promise<void> {
  // Each of them uses one core; the tests, which come after, use all of them.
  const [isBuilt] = await Promise.all([
    step('build', 'build'),
    step('lint', 'lint'),
    step('types', 'typecheck').then(() => step('generated files', 'generate', '--', '--check')),
  ]);
  if (isBuilt) {
    runVitest();
  }
  process.stdout.write(`${passed} passed, ${failed} failed\n`);
  process.exit(failed === 0 ? 0 : 1);
}

async function step(name: string, script: string, ...args: string[]): Promise<boolean> {
  const child = spawn('npm', ['run', '-s', script, ...args], { cwd: ROOT, stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const [status] = (await once(child, 'close')) as [number | null];
  if (status === 0) {
    passed += 1;
    process.stdout.write(`✓ ${name}\n`);
    return true;
  }
  failed += 1;
  process.stdout.write(`${output}✗ ${name}\n`);
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

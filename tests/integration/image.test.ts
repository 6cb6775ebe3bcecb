import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const ROOT = join(__dirname, '../..');
const lines = (name: string) => readFileSync(join(ROOT, name), 'utf8').split('\n');

/** Files and folders that the first stage of the Dockerfile copies, of those that .dockerignore lets in. */
function copied(): string[] {
  const allowed = new Set(lines('.dockerignore').flatMap((line) => (line.startsWith('!') ? [line.slice(1)] : [])));
  return lines('Dockerfile')
    .filter((line) => /^COPY (?!--from)/.test(line))
    .flatMap((line) => line.split(/\s+/).slice(1, -1))
    .filter((name) => name !== 'LICENSE' && allowed.has(name));
}

test('the executable is built from what the Dockerfile copies', () => {
  const folder = mkdtempSync(join(tmpdir(), 'jobwatch-image-'));
  for (const name of copied()) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  execFileSync('npm', ['run', '-s', 'build:backend'], { cwd: folder, stdio: 'pipe' });
  const [, name] = /mv dist\/(\S+)_\*/.exec(readFileSync(join(ROOT, 'Dockerfile'), 'utf8'))!;
  const arch = process.arch === 'x64' ? 'amd64' : process.arch;
  expect(existsSync(join(folder, 'dist', `${name}_${arch}`))).toBe(true);
  rmSync(folder, { recursive: true });
}, 120_000);

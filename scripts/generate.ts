import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { generatedFiles } from '../dashboards/files';

/** Writes what is generated from code; with --check it only says what differs, for CI. */

const ROOT = join(__dirname, '..');
const check = process.argv.includes('--check');
const stale: string[] = [];

for (const [path, content] of generatedFiles()) {
  const file = join(ROOT, path);
  if (read(file) === content) {
    continue;
  }
  if (check) {
    stale.push(path);
  } else {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, content);
    process.stdout.write(`${path}\n`);
  }
}
if (stale.length > 0) {
  process.stdout.write(`Out of date, run npm run generate: ${stale.join(', ')}\n`);
  process.exit(1);
}

function read(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return undefined;
  }
}

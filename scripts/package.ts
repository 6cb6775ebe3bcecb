import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { createWriteStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { id as pluginId } from '../plugin.json';
import { version } from '../package.json';

/**
 * Packs the plugin as Grafana installs it: a zip per platform and one for all, each with a checksum, and the licences
 * of everything that is in it. Wants `npm run build:all` before.
 */

const ROOT = join(__dirname, '..');
const DIST = join(ROOT, 'dist');
const OUT = join(ROOT, 'artifacts');
const EXECUTABLE = /^gpx_sidekiq_(.+?)(?:\.exe)?$/;

interface Installed {
  name: string;
  version: string;
  license?: string | { type?: string };
  repository?: string | { url?: string };
}

async function main(): Promise<void> {
  rmSync(OUT, { recursive: true, force: true });
  mkdirSync(OUT, { recursive: true });
  writeFileSync(join(DIST, 'THIRD_PARTY_LICENSES.md'), licences());
  const files = filesOf(DIST);
  const platforms = files.flatMap((file) => EXECUTABLE.exec(file)?.[1] ?? []);
  if (platforms.length === 0) {
    throw new Error('dist/ holds no executable; run npm run build:all.');
  }
  for (const platform of [...platforms, undefined]) {
    const name = [`${pluginId}-${version}`, ...(platform ? [platform] : [])].join('.');
    const wanted = files.filter((file) => {
      const found = EXECUTABLE.exec(file);
      return !found || platform === undefined || found[1] === platform;
    });
    await pack(join(OUT, `${name}.zip`), wanted);
    process.stdout.write(`artifacts/${name}.zip\n`);
  }
}

async function pack(target: string, files: readonly string[]): Promise<void> {
  const zip = new ZipFile();
  for (const file of files) {
    const executable = EXECUTABLE.test(file);
    zip.addFile(join(DIST, file), `${pluginId}/${file}`, { mode: executable ? 0o100755 : 0o100644 });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
  const sum = createHash('sha256').update(readFileSync(target)).digest('hex');
  writeFileSync(`${target}.sha256`, `${sum}  ${target.split('/').pop()}\n`);
}

function filesOf(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesOf(path) : [relative(DIST, path)];
  });
}

function licences(): string {
  const { stdout, status } = spawnSync('npm', ['query', '.prod'], { cwd: ROOT, encoding: 'utf8', maxBuffer: 2 ** 28 });
  if (status !== 0) {
    throw new Error('npm query failed; run npm ci first.');
  }
  const rows = (JSON.parse(stdout) as Installed[])
    .map(({ name, version: installed, license, repository }) => {
      const kind = typeof license === 'string' ? license : (license?.type ?? 'see its files');
      const url = typeof repository === 'string' ? repository : (repository?.url ?? '');
      return `| ${name} | ${installed} | ${kind} | ${url.replace(/^git\+/, '')} |`;
    })
    .sort();
  return `# Licences of what this package is built with\n\n| Package | Version | Licence | Source |\n| --- | --- | --- | --- |\n${[...new Set(rows)].join('\n')}\n`;
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
});

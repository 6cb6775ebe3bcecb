import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import {
  copyFileSync,
  createWriteStream,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { ZipFile } from 'yazl';
import { id as pluginId } from '../plugin.json';
import { version } from '../package.json';
import { licencesText } from './licences';
import { checkManifest, MANIFEST } from './manifest';

/**
 * Packs the plugin as Grafana installs it: a zip per platform and one for all, each with a checksum and the licences of
 * everything that is in it. Wants `npm run build:all` before.
 *
 * With GRAFANA_ACCESS_POLICY_TOKEN each package is signed once all its files are in place, since a signature covers
 * exactly these files. GRAFANA_ROOT_URLS names the Grafanas of a private signature, separated by commas.
 */

const ROOT = join(__dirname, '..');
const DIST = join(ROOT, 'dist');
const OUT = join(ROOT, 'artifacts');
const STAGE = join(OUT, 'stage');
const EXECUTABLE = /^gpx_sidekiq_(.+?)(?:\.exe)?$/;
/** A build for Alpine, which Grafana starts by the same name as the other of its CPU. */
const MUSL = /_musl$/;
const SIGN = ['--yes', '@grafana/sign-plugin@3'];
/** A larger package of one platform holds something that does not belong into it. */
const LARGEST_BYTES = 60 * 1024 * 1024;

async function main(): Promise<void> {
  rmSync(OUT, { recursive: true, force: true });
  writeFileSync(join(DIST, 'THIRD_PARTY_LICENSES.txt'), await licencesText());
  const files = filesOf(DIST).filter((file) => file !== MANIFEST);
  const platforms = files.flatMap((file) => EXECUTABLE.exec(file)?.[1] ?? []);
  if (platforms.length === 0) {
    throw new Error('dist/ holds no executable; run npm run build:all.');
  }
  for (const platform of [...platforms, undefined]) {
    const name = [`${pluginId}-${version}`, ...(platform ? [platform] : [])].join('.');
    const folder = join(STAGE, name, pluginId);
    for (const file of files.filter((each) => isFor(platform, each))) {
      const target = join(folder, file.replace(MUSL, ''));
      mkdirSync(dirname(target), { recursive: true });
      copyFileSync(join(DIST, file), target);
    }
    if (process.env['GRAFANA_ACCESS_POLICY_TOKEN']) {
      sign(folder);
    }
    const bytes = await pack(folder, join(OUT, `${name}.zip`));
    if (platform && bytes > LARGEST_BYTES) {
      throw new Error(`artifacts/${name}.zip has ${bytes} bytes; ${LARGEST_BYTES} is the most for one platform.`);
    }
    process.stdout.write(`artifacts/${name}.zip ${Math.round(bytes / 1024 / 1024)} MiB\n`);
  }
  rmSync(STAGE, { recursive: true });
}

/** @param platform `undefined` for the package with all executables */
function isFor(platform: string | undefined, file: string): boolean {
  const found = EXECUTABLE.exec(file);
  return !found || (platform === undefined ? !MUSL.test(file) : found[1] === platform);
}

function sign(folder: string): void {
  const rootUrls = process.env['GRAFANA_ROOT_URLS'];
  const { status } = spawnSync('npx', [...SIGN, '--distDir', folder, ...(rootUrls ? ['--rootUrls', rootUrls] : [])], {
    cwd: ROOT,
    stdio: 'inherit',
  });
  if (status !== 0) {
    throw new Error(`${folder} could not be signed; the message of sign-plugin is above.`);
  }
  checkManifest(folder);
}

async function pack(folder: string, target: string): Promise<number> {
  const zip = new ZipFile();
  for (const file of filesOf(folder)) {
    zip.addFile(join(folder, file), `${pluginId}/${file}`, { mode: EXECUTABLE.test(file) ? 0o100755 : 0o100644 });
  }
  zip.end();
  await pipeline(zip.outputStream, createWriteStream(target));
  const sum = createHash('sha256').update(readFileSync(target)).digest('hex');
  writeFileSync(`${target}.sha256`, `${sum}  ${target.split('/').pop()}\n`);
  return statSync(target).size;
}

function filesOf(folder: string, root = folder): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? filesOf(path, root) : [relative(root, path)];
  });
}

main().catch((error: unknown) => {
  process.stderr.write(`${(error as Error).message}\n`);
  process.exit(1);
});

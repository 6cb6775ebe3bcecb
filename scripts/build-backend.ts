import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { bunExecutable } from './bun';

/** Bun's target and the suffix by which Grafana finds the executable of a platform. */
const PLATFORMS = [
  { target: 'bun-linux-x64-baseline', suffix: 'linux_amd64', node: 'linux-x64' },
  { target: 'bun-linux-arm64', suffix: 'linux_arm64', node: 'linux-arm64' },
  // For Alpine; Grafana's own Alpine image brings the other libc on amd64 alone.
  { target: 'bun-linux-x64-musl-baseline', suffix: 'linux_amd64_musl', node: 'linux-x64-musl' },
  { target: 'bun-linux-arm64-musl', suffix: 'linux_arm64_musl', node: 'linux-arm64-musl' },
  { target: 'bun-darwin-x64', suffix: 'darwin_amd64', node: 'darwin-x64' },
  { target: 'bun-darwin-arm64', suffix: 'darwin_arm64', node: 'darwin-arm64' },
  { target: 'bun-windows-x64-baseline', suffix: 'windows_amd64.exe', node: 'win32-x64' },
];

/** What lies in the directory in which the executable is started must not change what it does. */
const ISOLATED = ['--no-compile-autoload-dotenv', '--no-compile-autoload-bunfig'];

const root = join(__dirname, '..');
const here = `${process.platform}-${process.arch}`;
// Containers are Linux on this machine's CPU.
const platform = process.argv.includes('--containers') ? `linux-${process.arch}` : here;
const wanted = process.argv.includes('--all') ? PLATFORMS : PLATFORMS.filter(({ node }) => node === platform);
const bun = bunExecutable();

mkdirSync(join(root, 'dist'), { recursive: true });
const assets = webAssets();
for (const { target, suffix, node } of wanted) {
  const outfile = join(root, 'dist', `gpx_sidekiq_${suffix}`);
  // Without a target Bun uses itself, which needs no download.
  // Its own bytecode halves the time to the handshake; for other platforms Bun may not be able to make it.
  const targetFlags = node === here ? ['--bytecode'] : [`--target=${target}`];
  const { status } = spawnSync(
    bun,
    [
      'build',
      '--compile',
      '--minify-syntax',
      ...ISOLATED,
      `--define=WEB_ASSETS=${JSON.stringify(assets)}`,
      ...targetFlags,
      join(root, 'pkg/main.ts'),
      `--outfile=${outfile}`,
    ],
    { stdio: ['ignore', 'ignore', 'inherit'] }
  );
  if (status !== 0) {
    process.stderr.write(`The executable for ${suffix} could not be built.\n`);
    process.exit(1);
  }
  chmodSync(outfile, 0o755);
  process.stdout.write(`dist/gpx_sidekiq_${suffix}\n`);
}

/** Script and style of the executable's page, each as one text. */
function webAssets(): { script: string; style: string } {
  const { outputFiles } = buildSync({
    absWorkingDir: root,
    entryPoints: ['pkg/web/client/page.ts', 'pkg/web/client/page.css'],
    outdir: 'web',
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: 'es2022',
  });
  const text = (ending: string) => outputFiles.find(({ path }) => path.endsWith(ending))?.text ?? '';
  return { script: text('.js'), style: text('.css') };
}

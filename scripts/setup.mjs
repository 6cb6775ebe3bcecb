// Installs what a fresh machine lacks: npm packages, and, where apt and the right to use it are at hand, the
// servers and programs that the demo and the tests start. Plain Node, as nothing is installed yet when it runs.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const forTests = process.argv.includes('--tests');

if (Number(process.versions.node.split('.')[0]) < 20) {
  fail(`Node 20 or newer is needed; this is ${process.version}.`);
}
installPackages();
// By program: the Debian package that brings it, and whether nothing works without it.
installPrograms([
  { program: 'redis-server', debian: 'redis-server', needed: true },
  ...(forTests
    ? [
        { program: 'promtool', debian: 'prometheus', needed: true },
        { program: 'prometheus-alertmanager', debian: 'prometheus-alertmanager', needed: false },
        { program: 'chromium', debian: 'chromium', needed: true },
      ]
    : []),
]);

function installPackages() {
  const installed = join(root, 'node_modules/.package-lock.json');
  // A link leads to what belongs to another copy: npm would empty it there.
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink()) {
    return;
  }
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(join(root, 'package-lock.json')).mtimeMs) {
    return;
  }
  process.stdout.write('Installing npm packages …\n');
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
    stdio: 'inherit',
  });
  if (status !== 0) {
    fail('npm ci failed; its message is above.');
  }
}

function installPrograms(programs) {
  const missing = programs.filter(({ program }) => !onPath(program));
  if (missing.length === 0) {
    return;
  }
  const names = missing.map(({ debian }) => debian);
  if (onPath('apt-get') && process.getuid?.() === 0) {
    process.stdout.write(`Installing ${names.join(', ')} …\n`);
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    // Packaged services are not wanted, only their programs.
    execFileSync('apt-get', ['update', '-qq'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
    execFileSync('apt-get', ['install', '-y', '-qq', '--no-install-recommends', ...names], {
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
  const absent = missing.filter(({ program, needed }) => needed && !onPath(program));
  if (absent.length > 0) {
    fail(
      `Please install ${absent.map(({ program }) => program).join(', ')} (Debian: apt-get install ${names.join(' ')}; macOS: brew install redis).`
    );
  }
}

function onPath(program) {
  return (process.env.PATH ?? '').split(':').some((folder) => folder !== '' && existsSync(join(folder, program)));
}

function fail(message) {
  process.stderr.write(`${message}\n`);
  process.exit(1);
}

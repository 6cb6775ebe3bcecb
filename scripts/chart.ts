import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { version } from '../package.json';

/**
 * Puts the Helm chart together: kubernetes/chart with the dashboards and rules of provisioning/, which are committed
 * once, there. `npm run chart` makes artifacts/jobwatch-<version>.tgz, which `helm install` takes as it is.
 */

const ROOT = join(__dirname, '..');

/** Writes the whole chart into a folder named `jobwatch`. @returns that folder */
export function writeChart(into: string): string {
  const folder = join(into, 'jobwatch');
  rmSync(folder, { recursive: true, force: true });
  cpSync(join(ROOT, 'kubernetes/chart'), folder, { recursive: true });
  const files = join(folder, 'files');
  mkdirSync(files);
  cpSync(join(ROOT, 'provisioning/prometheus/sidekiq.rules.yml'), join(files, 'sidekiq.rules.yml'));
  const dashboards = join(ROOT, 'provisioning/dashboards/prometheus');
  readdirSync(dashboards).forEach((name) => cpSync(join(dashboards, name), join(files, name)));
  return folder;
}

if (require.main === module) {
  const out = join(ROOT, 'artifacts');
  mkdirSync(out, { recursive: true });
  writeChart(out);
  const name = `jobwatch-${version}.tgz`;
  const { status } = spawnSync('tar', ['czf', name, 'jobwatch'], { cwd: out, stdio: 'inherit' });
  if (status !== 0) {
    throw new Error('The chart could not be packed.');
  }
  process.stdout.write(`artifacts/${name}\n`);
}

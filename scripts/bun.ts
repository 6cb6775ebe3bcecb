import { existsSync } from 'node:fs';
import { join } from 'node:path';

const ROOT = join(__dirname, '..');

/**
 * npm's package `bun` brings its binary in a package per platform. Where install scripts run, that of `bun`
 * has moved it; where npm was not told to run them, it is still in its place.
 *
 * @throws Error where it is not installed
 */
export function bunExecutable(): string {
  const platform = process.platform === 'win32' ? 'windows' : process.platform;
  const arch = process.arch === 'arm64' ? 'aarch64' : 'x64';
  const inPlace = join(
    ROOT,
    'node_modules',
    '@oven',
    `bun-${platform}-${arch}`,
    'bin',
    process.platform === 'win32' ? 'bun.exe' : 'bun'
  );
  const moved = join(ROOT, 'node_modules', 'bun', 'bin', 'bun.exe');
  const found = [inPlace, moved].find((path) => existsSync(path));
  if (!found) {
    throw new Error(`Bun is not installed for ${process.platform}-${process.arch}; run npm ci.`);
  }
  return found;
}

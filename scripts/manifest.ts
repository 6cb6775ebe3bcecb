import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** The file with which Grafana checks a signed plugin: a PGP clear-signed JSON with the SHA-256 of each file. */
export const MANIFEST = 'MANIFEST.txt';

/**
 * Checks the manifest of a signed plugin as Grafana does: every file of the folder is in it with its sum, and no other.
 *
 * @throws Error naming the file that Grafana would call modified
 */
export function checkManifest(folder: string): void {
  const text = readFileSync(join(folder, MANIFEST), 'utf8');
  const body = /\n\n([\s\S]*?)\n-----BEGIN PGP SIGNATURE-----/.exec(text)?.[1];
  if (body === undefined) {
    throw new Error(`${MANIFEST} is not a clear-signed text.`);
  }
  const { files } = JSON.parse(body.replace(/^- /gm, '')) as { files: Record<string, string> };
  const named = new Map(Object.entries(files));
  for (const path of readdirSync(folder, { recursive: true, encoding: 'utf8' })) {
    if (path === MANIFEST || statSync(join(folder, path)).isDirectory()) {
      continue;
    }
    const sum = createHash('sha256')
      .update(readFileSync(join(folder, path)))
      .digest('hex');
    if (named.get(path) !== sum) {
      throw new Error(`${path} is ${named.has(path) ? 'modified' : 'missing in the manifest'}.`);
    }
    named.delete(path);
  }
  const [absent] = named.keys();
  if (absent !== undefined) {
    throw new Error(`${absent} is in the manifest and not in the package.`);
  }
}

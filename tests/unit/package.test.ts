import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { bundledPackages } from '../../scripts/licences';
import { checkManifest } from '../../scripts/manifest';
import { sourceName } from '../../scripts/sourceName';

/** Packages whose authors publish no licence text; their package.json names the licence. */
const WITHOUT_TEXT = ['toggle-selection'];

test('every bundled package has its licence text in the zip', async () => {
  const packages = await bundledPackages();
  const names = packages.map(({ name }) => name);
  expect(names).toEqual(expect.arrayContaining(['ioredis', '@grpc/grpc-js', 'apache-arrow', '@grafana/plugin-ui']));
  expect(names).not.toContain('vitest');
  expect(packages.filter(({ texts }) => texts.length === 0).map(({ name }) => name)).toEqual(WITHOUT_TEXT);
  expect(packages.find(({ name }) => name === 'ioredis')!.texts[0]).toMatch(/Permission is hereby granted/);
});

test.each([
  ['./module.ts', './module.ts'],
  ['../pkg/faults/fault.ts', '../pkg/faults/fault.ts'],
  [`javascript/esm|${join(process.cwd(), 'node_modules/zod/v4/core/util.js')}`, '../node_modules/zod/v4/core/util.js'],
  ['./locales/ lazy ^x$ namespace object', 'webpack/./locales/ lazy ^x$ namespace object'],
])('the source map calls %s by a name that plugin-validator finds or leaves out', (resourcePath, name) => {
  expect(sourceName({ namespace: 'id', resourcePath })).toBe(`webpack://id/${name}`);
});

describe('the manifest of a signed plugin', () => {
  let folder: string;
  const sum = (text: string) => createHash('sha256').update(text).digest('hex');
  const sign = (files: Record<string, string>) =>
    writeFileSync(
      join(folder, 'MANIFEST.txt'),
      `-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n${JSON.stringify({ plugin: 'x', files }, null, 2)}\n-----BEGIN PGP SIGNATURE-----\n\nx\n-----END PGP SIGNATURE-----\n`
    );

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'jobwatch-manifest-'));
    mkdirSync(join(folder, 'img'));
    writeFileSync(join(folder, 'module.js'), 'a');
    writeFileSync(join(folder, 'img/logo.svg'), 'b');
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test('names every file of the package with its sum', () => {
    sign({ 'module.js': sum('a'), 'img/logo.svg': sum('b') });
    expect(() => checkManifest(folder)).not.toThrow();
  });

  test.each([
    ['a file changed after signing', { 'module.js': sum('other'), 'img/logo.svg': sum('b') }, 'module.js is modified'],
    ['a file added after signing', { 'module.js': sum('a') }, 'img/logo.svg is missing in the manifest'],
    [
      'a file left out after signing',
      { 'module.js': sum('a'), 'img/logo.svg': sum('b'), gone: sum('c') },
      'gone is in the manifest and not in the package',
    ],
  ])('is refused for %s', (_, files, message) => {
    sign(files);
    expect(() => checkManifest(folder)).toThrow(message);
  });
});

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';

const ROOT = join(__dirname, '..');
const ENTRIES = ['pkg/main.ts', 'pkg/web/client/page.ts', 'src/module.ts'];
/** Grafana brings these itself; the webpack configuration leaves them out of module.js. */
const BROUGHT_BY_GRAFANA = [
  ...['@grafana/data', '@grafana/runtime', '@grafana/ui', '@emotion/css', '@emotion/react', 'lodash', 'moment'],
  ...['react', 'react-dom', 'rxjs', 'i18next', 'd3'],
];
const TEXT = /^(licen[cs]e|copying|notice)([-._].*)?$/i;

/** A package of which code is in the executable or in module.js. */
export interface Bundled {
  name: string;
  version: string;
  license: string;
  /** Of its licence and notice files, as they are. */
  texts: string[];
}

/** The packages of which code is bundled, by name, found by following the imports as the bundlers do. */
export async function bundledPackages(): Promise<Bundled[]> {
  const { metafile } = await build({
    absWorkingDir: ROOT,
    entryPoints: ENTRIES,
    outdir: 'unused',
    bundle: true,
    metafile: true,
    write: false,
    platform: 'node',
    format: 'esm',
    logLevel: 'error',
    external: ['bun:*', ...BROUGHT_BY_GRAFANA],
    loader: { '.svg': 'empty', '.scss': 'empty' },
  });
  const folders = new Set(Object.keys(metafile.inputs).flatMap((path) => packageOf(dirname(path)) ?? []));
  return [...folders]
    .map((folder) => bundled(join(ROOT, folder)))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
}

/** The folder of the installed package that a folder belongs to; some packages hold copies of others. */
function packageOf(folder: string): string | undefined {
  if (!folder.includes('node_modules/')) {
    return undefined;
  }
  const isPackage = /node_modules\/(?:@[^/]+\/)?[^/]+$/.test(folder) && existsSync(join(ROOT, folder, 'package.json'));
  return isPackage ? folder : packageOf(dirname(folder));
}

function bundled(folder: string): Bundled {
  const { name, version, license } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    name: string;
    version: string;
    license?: string | { type?: string };
  };
  return {
    name,
    version,
    license: typeof license === 'string' ? license : (license?.type ?? 'see its text'),
    texts: licenceFiles(folder).map((path) => readFileSync(path, 'utf8').trim()),
  };
}

/** Packages of a repository of several often have the text only at its root, so it is looked for one folder up too. */
function licenceFiles(folder: string): string[] {
  return (
    [folder, dirname(folder)]
      .map((place) =>
        (existsSync(place) ? readdirSync(place) : [])
          .filter((file) => TEXT.test(file))
          .sort()
          .map((file) => join(place, file))
      )
      .find((found) => found.length > 0) ?? []
  );
}

/** The licences and notices of all that the packages contain, as one text. */
export async function licencesText(): Promise<string> {
  const packages = await bundledPackages();
  return [
    'Jobwatch for Sidekiq contains code of the packages below, each under its own licence.',
    'The executable also contains the Bun runtime (MIT), whose notices are at https://bun.com/docs/project/license.',
    ...packages.map(({ name, version, license, texts }) =>
      [`${'='.repeat(80)}\n${name} ${version} (${license})`, ...texts].join('\n\n')
    ),
    '',
  ].join('\n\n');
}

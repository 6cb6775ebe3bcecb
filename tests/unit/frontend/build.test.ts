import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { Configuration } from 'webpack';

/** What Grafana 11.6 shares with plugins (public/app/features/plugins/loader/sharedDependencies of that version). */
const SHARED_SINCE_11_6 = [
  'react',
  'react-dom',
  'rxjs',
  'lodash',
  'moment',
  '@emotion/css',
  '@emotion/react',
  'i18next',
];

test('the frontend brings its own JSX runtime: Grafana shares one since 12.3 only', async () => {
  // The scaffold's own files would not pass the type check of ours.
  const file = join(__dirname, '../../../webpack.config.ts');
  const built = (await import(file)) as { default: (env: { production: boolean }) => Promise<Configuration> };
  const { externals, resolve } = await built.default({ production: true });
  const names = (externals as unknown[]).map(String);
  expect(names).toEqual(expect.arrayContaining(SHARED_SINCE_11_6));
  expect(names.filter((name) => name.includes('jsx'))).toEqual([]);
  expect(resolve?.alias).toMatchObject({ 'react/jsx-runtime$': expect.stringMatching(/src\/jsxRuntime\.ts$/) });
});

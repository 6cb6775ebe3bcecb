import { expect, test } from 'vitest';
import { loadersFor } from '../../../src/loadResources';

test.each([
  ['11.6.0', 1],
  ['12.0.2', 1],
  ['12.1.0', 0],
  ['12.10.0', 0],
  ['13.0.0-pre', 0],
])('in Grafana %s the plugin brings %i loaders of texts', (version, loaders) => {
  expect(loadersFor(version)).toHaveLength(loaders);
});

test('the loader brings the English texts, and none in a language that the plugin has not', async () => {
  const [load] = loadersFor('11.6.0');
  expect(await load!('en-US')).toMatchObject({ config: { url: { label: 'URL' } } });
  expect(await load!('xx-XX')).toEqual({});
});

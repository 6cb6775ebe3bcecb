import { expect, test } from 'vitest';
import { loadResources } from '../../../src/loadResources';

test('the loader brings the English texts, and none in a language that the plugin has not', async () => {
  expect(await loadResources('en-US')).toMatchObject({ config: { url: { label: 'URL' } } });
  expect(await loadResources('xx-XX')).toEqual({});
});

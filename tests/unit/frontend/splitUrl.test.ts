import { expect, test } from 'vitest';
import { splitUrl } from '../../../src/components/config/splitUrl';

test.each([
  ['redis://user:p%40ss@h:6379/2', { url: 'redis://h:6379/2', user: 'user', password: 'p@ss' }],
  ['rediss://:secret@h', { url: 'rediss://h', password: 'secret' }],
  ['redis://secret@h', { url: 'redis://h', password: 'secret' }],
  ['redis://user:@h', { url: 'redis://h', user: 'user' }],
  ['unix://u:a+b@/tmp/r.sock?db=1', { url: 'unix:///tmp/r.sock?db=1', user: 'u', password: 'a b' }],
])('%s is taken apart', (url, expected) => {
  expect(splitUrl(url)).toEqual(expected);
});

test.each(['redis://h:6379/2', 'h:6379', '', 'redis://u:p%zz@h', 'redis://h/?x=a@b'])('%s stays as it is', (url) => {
  expect(splitUrl(url)).toBeUndefined();
});

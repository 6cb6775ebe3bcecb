import { expect, test } from 'vitest';
import { commaSeparated, listenProblem, parseEndpoint, parseEndpoints } from '../../../pkg/settings/endpoint';
import { settingsFrom } from '../../../pkg/settings/environment';

test.each([
  ['statsd-exporter:9125', { host: 'statsd-exporter', port: 9125 }],
  [' 127.0.0.1:9125 ', { host: '127.0.0.1', port: 9125 }],
  ['[::1]:9125', { host: '::1', port: 9125 }],
])('%o is an endpoint', (text, expected) => {
  expect(parseEndpoint('listen', text)).toEqual(expected);
});

test.each(['', 'host', 'host:', ':9125', 'host:abc', 'udp://h:9125', 'a:1:2', 'host:0', 'host:65536'])(
  '%o is none, and the message names it',
  (text) => {
    expect(() => parseEndpoint('listen', text)).toThrow(`listen invalid format, expected host:port, got: "${text}"`);
  }
);

test('flags go before the environment, and that before the file', () => {
  const settings = settingsFrom({
    flags: { redisUrl: 'redis://flag' },
    env: { REDIS_URL: 'redis://env', REDIS_PASSWORD: 'secret', JOBWATCH_REUSE_SECONDS: '5' },
    file: { url: 'redis://file', reuseSeconds: 9, queueExclude: '^x' },
  });
  expect(settings).toMatchObject({
    url: 'redis://flag',
    secrets: { password: 'secret' },
    options: { reuseSeconds: 5, queueExclude: '^x' },
  });
});

test('the Sentinels of Lago are understood, spaces and all', () => {
  const { options } = settingsFrom({ flags: {}, env: { LAGO_REDIS_SIDEKIQ_SENTINELS: 'a:26379, b:26379' } });
  expect(options).toMatchObject({ topology: 'sentinel', sentinels: 'a:26379, b:26379', sentinelMaster: 'master' });
});

test('a wrong value names its variable', () => {
  expect(() => settingsFrom({ flags: {}, env: { JOBWATCH_REUSE_SECONDS: 'often' } })).toThrow(
    /"JOBWATCH_REUSE_SECONDS" must be a number/
  );
});

test('a list of endpoints is read entry by entry, and the wrong one is named by its place', () => {
  expect(parseEndpoints('sentinels', ' a:1, b:2 ')).toEqual([
    { host: 'a', port: 1 },
    { host: 'b', port: 2 },
  ]);
  expect(() => parseEndpoints('sentinels', 'a:1,secret')).toThrow(
    /^Entry 2 of the setting "sentinels" is not host:port/
  );
  expect(commaSeparated(' a,, b ')).toEqual(['a', 'b']);
});

test.each([
  ['', undefined],
  [' ', undefined],
  ['127.0.0.1:9125, unixgram:///run/a.sock', undefined],
  ['127.0.0.1', /^statsdListen invalid format/],
  ['127.0.0.1:1, x', /^statsdListen invalid format/],
])('%o to listen at is told as %s', (value, problem) => {
  const told = listenProblem('statsdListen', value);
  if (problem) {
    expect(told).toMatch(problem);
  } else {
    expect(told).toBeUndefined();
  }
});

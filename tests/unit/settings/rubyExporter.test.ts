import { describe, expect, test } from 'vitest';
import { settingsFrom } from '../../../pkg/settings/environment';

const env = (variables: NodeJS.ProcessEnv) => settingsFrom({ flags: {}, env: variables });

describe('the variables of the Ruby exporter’s container', () => {
  test('make a URL of host, port, TLS and database', () => {
    const all = { REDIS_HOST: 'cache', REDIS_PORT: '6380', REDIS_SSL: 'true', REDIS_DB_NUMBER: '3' };
    expect(env(all).url).toBe('rediss://cache:6380/3');
    expect(env({ REDIS_HOST: 'cache' }).url).toBe('redis://cache:6379/0');
    expect(env({ REDIS_DB_NUMBER: '4' }).url).toBe('redis://localhost:6379/4');
    expect(env({ REDIS_HOST: 'cache', REDIS_SSL: 'false' }).url).toBe('redis://cache:6379/0');
  });

  test('give way to REDIS_URL, and are unset where they are empty', () => {
    expect(env({ REDIS_URL: 'redis://h:1', REDIS_HOST: 'cache' }).url).toBe('redis://h:1');
    expect(env({ REDIS_HOST: '', REDIS_PORT: ' ', REDIS_SENTINELS: '' })).toMatchObject({
      url: 'redis://127.0.0.1:6379/0',
      options: { topology: 'single' },
    });
  });

  test('are not what Kubernetes sets for a service of the name redis', () => {
    expect(env({ REDIS_PORT: 'tcp://10.0.0.1:6379', REDIS_SERVICE_HOST: '10.0.0.1' }).url).toBe(
      'redis://127.0.0.1:6379/0'
    );
    expect(env({ REDIS_HOST: 'h', REDIS_PORT: 'tcp://10.0.0.1:6379' }).url).toBe('redis://h:6379/0');
  });

  test('give user, password and namespace', () => {
    const settings = env({ REDIS_HOST: 'h', REDIS_USERNAME: 'u', REDIS_PASSWORD: 'p', REDIS_NAMESPACE: 'shop' });
    expect(settings).toMatchObject({ username: 'u', secrets: { password: 'p' }, options: { keyPrefix: 'shop:' } });
    expect(env({ REDIS_NAMESPACE: 'shop', JOBWATCH_KEY_PREFIX: 'own:' }).options.keyPrefix).toBe('own:');
  });

  test('name Sentinels by URL, the master by the host, and a replica by the role', () => {
    const { options } = env({
      REDIS_URL: 'redis://mymaster/2',
      REDIS_SENTINELS: 'redis://:secret@s1:26380, s2, redis://[::1]:5',
      REDIS_SENTINEL_ROLE: 'slave',
    });
    expect(options).toMatchObject({
      topology: 'sentinel',
      sentinels: 's1:26380,s2:26379,[::1]:5',
      sentinelMaster: 'mymaster',
      readFromReplica: true,
    });
    expect(env({ REDIS_HOST: 'main', REDIS_SENTINELS: 's' }).options).toMatchObject({
      sentinelMaster: 'main',
      readFromReplica: false,
    });
  });

  test('name hosts as Sentinels, never a socket', () => {
    const socket = { REDIS_URL: 'redis://mymaster', REDIS_SENTINELS: 'unix:///run/redis.sock' };
    expect(() => env(socket)).toThrow('The setting "REDIS_SENTINELS" names a socket.');
  });
});

import { describe, expect, test } from 'vitest';
import { commaSeparated, listenProblem, parseEndpoints } from '../../../pkg/settings/endpoint';
import { SCALAR_OPTIONS, settingsFrom } from '../../../pkg/settings/environment';
import { pattern } from '../../../pkg/settings/pattern';
import { parseSettings } from '../../../pkg/settings/settings';
import { statsdAddress } from '../../../pkg/settings/statsdEndpoint';
import { faultOf } from '../../support/faults';
import { latencyObjectiveOf, workerTypeOf } from '../../../pkg/settings/workerTypes';

const env = (variables: NodeJS.ProcessEnv) => settingsFrom({ flags: {}, env: variables });

describe('the preset of Lago', () => {
  test('stands in for worker types that are not given', () => {
    expect(parseSettings({ options: { preset: 'lago' } }).options.workerTypes).toHaveLength(13);
    const own = [{ name: 'Own', queues: ['a'], latencyObjectiveSeconds: 5 }];
    expect(parseSettings({ options: { preset: 'lago', workerTypes: own } }).options.workerTypes).toEqual(own);
    expect(() => parseSettings({ options: { preset: 'other' } })).toThrow(/"preset" is not valid/);
  });

  test('is chosen where a variable of Lago is set, and by nothing else', () => {
    expect(env({}).options.preset).toBe('none');
    expect(env({ LAGO_SIDEKIQ_STATSD_ENDPOINT: 'h:9125' }).options.preset).toBe('lago');
    expect(env({ LAGO_REDIS_SIDEKIQ_SENTINELS: 'h:26379' }).options.preset).toBe('lago');
    expect(env({ LAGO_SIDEKIQ_STATSD_ENDPOINT: 'h:9125', JOBWATCH_PRESET: 'none' }).options.preset).toBe('none');
    expect(env({ LAGO_SIDEKIQ_STATSD_ENDPOINT: '' }).options.preset).toBe('none');
  });
});

describe('settings of a data source', () => {
  test('that are empty have every default', () => {
    const { url, username, options, secrets } = parseSettings({});
    expect({ url, username, secrets }).toEqual({ url: '', username: '', secrets: {} });
    const { workerTypes, ...rest } = options;
    expect(workerTypes).toEqual([]);
    expect(rest).toEqual({
      topology: 'single',
      preset: 'none',
      keyPrefix: '',
      sentinels: '',
      sentinelMaster: 'mymaster',
      sentinelUsername: '',
      clusterNodes: '',
      readFromReplica: false,
      tlsEnabled: false,
      tlsSkipVerify: false,
      tlsServerName: '',
      connectTimeoutSeconds: 3,
      commandTimeoutSeconds: 3,
      reuseSeconds: 1,
      queueInclude: '',
      queueExclude: '',
      allowArguments: false,
      contextFields: '',
      allowBacktraces: false,
      deadMaxJobs: 10_000,
      threadHourPrice: 0,
      samplerEnabled: true,
      sampleSeconds: 10,
      idleHours: 168,
      historyFile: '',
      historyFileMode: '0600',
      socketMode: '0660',
      historyRetentionDays: 30,
      recordHours: 24,
      recordMemory: 32,
      recordDays: 7,
      recordFileSize: 512,
      replayFile: '',
      exporterListen: '',
      kedaListen: '',
      webUiUrl: '',
      links: [],
      statsdListen: '',
      statsdMetricsListen: '',
      statsdPrefix: '',
      statsdExpireSeconds: 172_800,
      seriesLimit: 30_000,
      otlpEndpoint: '',
      compatNames: false,
      cronNamespaces: '',
      schedulerPrefixes: '',
      schedulerTimeZone: '',
      cadences: [],
    });
  });

  test('lose spaces around URL and user', () => {
    const secrets = { password: 'p' };
    expect(parseSettings({ url: ' redis://h ', username: ' u ', secrets })).toMatchObject({
      url: 'redis://h',
      username: 'u',
      secrets,
    });
  });

  test.each([
    ['"sampleSeconds"', 'it must be at least 1', { sampleSeconds: 0 }],
    ['"sampleSeconds"', 'it must be at most 3600', { sampleSeconds: 3601 }],
    ['"reuseSeconds"', 'it must be a number', { reuseSeconds: 'often' }],
    ['"database"', 'it must be a whole number', { database: 1.5 }],
    ['"idleHours"', 'it must be more than 0', { idleHours: 0 }],
    ['"statsdPrefix"', 'use letters, digits and _', { statsdPrefix: '9x' }],
    ['"topology"', 'it must be one of single, sentinel, cluster', { topology: 'ring' }],
    ['"compatNames"', 'it must be true or false', { compatNames: 'maybe' }],
    ['"links"', 'it must be a list', { links: 'https://x' }],
    ['name of row 1 of "workerTypes"', 'a worker type needs a name', { workerTypes: [{ name: '' }] }],
    [
      'name of row 2 of "workerTypes"',
      'there is a worker type "a" already',
      {
        workerTypes: [
          { name: 'a', queues: ['x'] },
          { name: 'a', queues: ['y'] },
        ],
      },
    ],
    [
      'queues of row 2 of "workerTypes"',
      'the queue "x" is one of "a" already',
      {
        workerTypes: [
          { name: 'a', queues: ['x'] },
          { name: 'b', queues: ['y', 'x'] },
        ],
      },
    ],
    ['queues.1 of row 1 of "workerTypes"', 'it must not be empty', { workerTypes: [{ name: 'a', queues: ['b', ''] }] }],
    [
      'everySeconds of row 2 of "cadences"',
      'it must be more than 0',
      {
        cadences: [
          { class: 'A', everySeconds: 1 },
          { class: 'B', everySeconds: 0 },
        ],
      },
    ],
    ['"jsonData"', 'it must be an object', 'text'],
  ])('with a wrong %s are refused by name and in plain words: %s', (field, reason, options) => {
    const { kind, message, remedy } = faultOf(() => parseSettings({ options }));
    expect(kind).toBe('settings');
    expect(message).toBe(`The setting ${field} is not valid: ${reason}.`);
    expect(remedy).toBe('Correct it in the data source’s settings and save again.');
  });

  test.each(['queueInclude', 'queueExclude'])('with a %s that is no pattern are refused', (field) => {
    const { kind, message, remedy, cause } = faultOf(() => parseSettings({ options: { [field]: 'a(' } }));
    expect(kind).toBe('settings');
    expect(message).toMatch(new RegExp(`^The setting "${field}" is not a regular expression: .+\\.$`));
    expect(remedy).toBe('Use the syntax of Prometheus (RE2), for example ^sidekiq-alive.');
    expect(cause).toBeInstanceOf(Error);
  });
});

describe('flags and variables', () => {
  test('are named after their setting, with a kind', () => {
    const named = new Map(SCALAR_OPTIONS.map(({ name, flag, variable, kind }) => [name, [flag, variable, kind]]));
    expect(named.get('topology')).toEqual(['--topology', 'JOBWATCH_TOPOLOGY', 'text']);
    expect(named.get('database')).toEqual(['--database', 'JOBWATCH_DATABASE', 'number']);
    expect(named.get('tlsSkipVerify')).toEqual(['--tls-skip-verify', 'JOBWATCH_TLS_SKIP_VERIFY', 'boolean']);
    expect(named.get('keyPrefix')).toEqual(['--key-prefix', 'JOBWATCH_KEY_PREFIX', 'text']);
    expect(named.has('workerTypes') || named.has('cadences')).toBe(false);
    expect(SCALAR_OPTIONS.every(({ description }) => description !== '')).toBe(true);
  });

  test.each([
    ['true', true],
    ['YES', true],
    ['1', true],
    ['false', false],
    ['no', false],
    ['0', false],
  ])('read %o as %o', (text, expected) => {
    expect(env({ JOBWATCH_TLS_ENABLED: text }).options.tlsEnabled).toBe(expected);
  });

  test.each(['trueish', 'xyes', 'noo', '2', ' '])('refuse %o where yes or no is asked', (text) => {
    const { kind, message, remedy } = faultOf(() => env({ JOBWATCH_TLS_ENABLED: text }));
    expect([kind, message, remedy]).toEqual([
      'settings',
      'The setting "JOBWATCH_TLS_ENABLED" must be true or false.',
      'Correct it, or leave it out for its default.',
    ]);
  });

  test.each(['often', ' '])('refuse %o where a number is asked', (text) => {
    expect(faultOf(() => env({ JOBWATCH_SAMPLE_SECONDS: text })).message).toBe(
      'The setting "JOBWATCH_SAMPLE_SECONDS" must be a number.'
    );
  });

  test('of a flag are named by the flag’s setting', () => {
    const { message } = faultOf(() => settingsFrom({ flags: { sampleSeconds: 'x' }, env: {} }));
    expect(message).toBe('The setting "sampleSeconds" must be a number.');
  });

  test('are unset where their variable is empty, as container manifests write them', () => {
    const { options } = env({ JOBWATCH_SAMPLE_SECONDS: '', JOBWATCH_TLS_ENABLED: '', JOBWATCH_TOPOLOGY: '' });
    expect(options).toMatchObject({ sampleSeconds: 10, tlsEnabled: false, topology: 'single' });
  });

  test('keep text as it is, and values that are no text', () => {
    const { options } = settingsFrom({
      flags: { sampleSeconds: 7, tlsEnabled: true },
      env: { JOBWATCH_KEY_PREFIX: '1' },
    });
    expect(options).toMatchObject({ sampleSeconds: 7, tlsEnabled: true, keyPrefix: '1' });
  });

  test('find Redis on this host where nothing is said, but not beside Sentinels or a cluster', () => {
    expect(env({}).url).toBe('redis://127.0.0.1:6379/0');
    expect(env({ REDIS_URL: '' }).url).toBe('redis://127.0.0.1:6379/0');
    expect(env({ JOBWATCH_TOPOLOGY: 'single' }).url).toBe('redis://127.0.0.1:6379/0');
    expect(env({ JOBWATCH_TOPOLOGY: 'cluster', JOBWATCH_CLUSTER_NODES: 'a:1' }).url).toBe('');
    expect(env({ LAGO_REDIS_SIDEKIQ_SENTINELS: 'a:1' }).url).toBe('');
  });

  test('take URL and user from flag, then environment, then file', () => {
    const file = { url: 'redis://file', username: 'file' };
    const variables = { REDIS_URL: 'redis://env', REDIS_USERNAME: 'env' };
    const flags = { redisUrl: 'redis://flag', username: 'flag' };
    expect(settingsFrom({ flags, env: variables, file })).toMatchObject({ url: 'redis://flag', username: 'flag' });
    expect(settingsFrom({ flags: {}, env: variables, file })).toMatchObject({ url: 'redis://env', username: 'env' });
    expect(settingsFrom({ flags: {}, env: {}, file })).toMatchObject({ url: 'redis://file', username: 'file' });
    expect(env({}).username).toBe('');
  });

  test('name Lago’s master', () => {
    const variables = { LAGO_REDIS_SIDEKIQ_SENTINELS: 'a:1', LAGO_REDIS_SIDEKIQ_MASTER_NAME: 'lago' };
    expect(env(variables).options).toMatchObject({ topology: 'sentinel', sentinels: 'a:1', sentinelMaster: 'lago' });
    expect(env({ LAGO_REDIS_SIDEKIQ_SENTINELS: '' }).options).toMatchObject({ topology: 'single', sentinels: '' });
  });

  test('give secrets by variable or file, and none that is empty', () => {
    const { secrets } = settingsFrom({
      flags: {},
      env: { JOBWATCH_EXPORTER_TOKEN: 't', JOBWATCH_TLS_CA_CERT: '', REDIS_PASSWORD: 'r' },
      file: { tlsClientKey: 'k', exporterToken: 'other', sentinelPassword: null, password: 'file' },
    });
    expect(secrets).toEqual({ exporterToken: 't', tlsClientKey: 'k', password: 'r' });
    expect(env({ JOBWATCH_PASSWORD: 'j', REDIS_PASSWORD: 'r' }).secrets).toEqual({ password: 'j' });
  });
});

describe('addresses', () => {
  test('are listed with commas, spaces and empty parts', () => {
    expect(commaSeparated(' a, ,b,')).toEqual(['a', 'b']);
    expect(parseEndpoints('nodes', 'a:1, [::1]:2')).toEqual([
      { host: 'a', port: 1 },
      { host: '::1', port: 2 },
    ]);
  });

  test('are needed where a list must not be empty', () => {
    const { kind, message, remedy } = faultOf(() => parseEndpoints('sentinels', ' , '));
    expect([kind, message, remedy]).toEqual([
      'settings',
      'The setting "sentinels" is empty.',
      'Name at least one host:port.',
    ]);
  });

  test.each(['', ' ', 'a:1', 'a:1, unixgram:///tmp/s', 'unix:///tmp/s', '[::1]:65535'])(
    'to listen at may be %o',
    (text) => {
      expect(listenProblem('statsdListen', text)).toBeUndefined();
    }
  );

  test.each(['a', 'a:1,b', 'x unix:///tmp/s', 'a:1,', 'a:b:1', '[::1:5', 'a/b:1', 'a@b:1', 'xa:1x'])(
    'to listen at cannot be %o',
    (text) => {
      expect(listenProblem('statsdListen', text)).toMatch(
        /^statsdListen invalid format, expected host:port, got: ".*"\. Give a host and a port between 1 and 65535/
      );
    }
  );

  test('of DogStatsD are the setting’s, else those of Lago’s variable', () => {
    const lago = { LAGO_SIDEKIQ_STATSD_ENDPOINT: ' 0.0.0.0:9125 ' };
    expect(statsdAddress('a:1', lago)).toBe('a:1');
    expect(statsdAddress('', lago)).toBe('0.0.0.0:9125');
    expect(statsdAddress('', {})).toBeUndefined();
    expect(faultOf(() => statsdAddress('', { LAGO_SIDEKIQ_STATSD_ENDPOINT: 'udp://h:1' })).message).toBe(
      'LAGO_SIDEKIQ_STATSD_ENDPOINT invalid format, expected host:port, got: "udp://h:1".'
    );
  });
});

describe('patterns', () => {
  test('look anywhere in a text, or at the whole of it, line ends too', () => {
    expect(['ab', 'b', 'x'].map(pattern.contains('b'))).toEqual([true, true, false]);
    expect(['ab', 'b', 'a\nb'].map(pattern.matchesWhole('a?.?b'))).toEqual([true, true, true]);
    expect(['ab', 'abc'].map(pattern.matchesWhole('ab'))).toEqual([true, false]);
    expect(pattern.contains('a.b')('a\nb')).toBe(false);
  });
});

describe('worker types', () => {
  const types = [
    { name: 'Billing', queues: ['billing', 'low'], latencyObjectiveSeconds: 120 },
    { name: 'Second', queues: ['low'], latencyObjectiveSeconds: 60 },
  ];

  test('are the first that serves the queue', () => {
    expect(['billing', 'low', 'other'].map((queue) => workerTypeOf(queue, types))).toEqual(['Billing', 'Billing', '']);
  });

  test('bring the objective of a queue; a queue of none has five minutes', () => {
    expect(['low', 'other'].map((queue) => latencyObjectiveOf(queue, types))).toEqual([120, 300]);
  });
});

import { Cluster, Redis, type ClusterOptions, type RedisOptions } from 'ioredis';
import type { ConnectionOptions } from 'node:tls';
import { Fault } from '../faults/fault';
import { parseEndpoints } from '../settings/endpoint';
import type { Settings } from '../settings/settings';

/** An unopened ioredis client and the address to show for it. */
export interface Client {
  redis: Redis | Cluster;
  address: string;
}

/**
 * Makes an ioredis client from settings without connecting it.
 *
 * The ready check is off because it needs INFO, and client info because older servers refuse it: a
 * managed Redis may forbid both. Failed commands are not retried; the caller hears of them at once.
 *
 * @throws Fault `settings` naming the field that cannot be used
 */
export function createClient(settings: Settings): Client {
  const { options } = settings;
  switch (options.topology) {
    case 'single': {
      const target = parseUrl(settings.url, 'url');
      return { redis: new Redis({ ...base(settings, target), ...target.where }), address: target.address };
    }
    case 'sentinel': {
      const sentinels = parseEndpoints('sentinels', options.sentinels);
      const target = settings.url === '' ? NOWHERE : parseUrl(settings.url, 'url');
      return {
        redis: new Redis({
          ...base(settings, target),
          sentinels,
          name: options.sentinelMaster,
          role: options.readFromReplica ? 'slave' : 'master',
          ...defined({
            sentinelUsername: options.sentinelUsername || undefined,
            sentinelPassword: settings.secrets.sentinelPassword,
            sentinelTLS: options.tlsEnabled ? tlsOptions(settings) : undefined,
          }),
          sentinelRetryStrategy: backoff,
          failoverDetector: true,
        }),
        address: `sentinel ${options.sentinels} (${options.sentinelMaster})`,
      };
    }
    case 'cluster': {
      const nodes = parseEndpoints('clusterNodes', options.clusterNodes);
      const { keyPrefix, ...redisOptions } = base(settings, NOWHERE);
      const clusterOptions: ClusterOptions = {
        redisOptions,
        lazyConnect: true,
        enableReadyCheck: false,
        enableAutoPipelining: true,
        scaleReads: options.readFromReplica ? 'slave' : 'master',
        clusterRetryStrategy: backoff,
        ...defined({ keyPrefix }),
      };
      return { redis: new Cluster(nodes, clusterOptions), address: `cluster ${options.clusterNodes}` };
    }
  }
}

/** Grows from 50 ms to 2 s, with jitter so that many instances do not reconnect in step. */
function backoff(times: number): number {
  return Math.min(50 * 2 ** Math.min(times, 6), 2000) * (0.75 + Math.random() / 2);
}

interface Target {
  address: string;
  where: Pick<RedisOptions, 'host' | 'port' | 'path'>;
  username: string;
  password: string;
  database: number | undefined;
  tls: boolean;
}

const NOWHERE: Target = { address: '', where: {}, username: '', password: '', database: undefined, tls: false };

function base(settings: Settings, target: Target): RedisOptions {
  const { options, secrets } = settings;
  return {
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    autoResendUnfulfilledCommands: false,
    connectTimeout: options.connectTimeoutSeconds * 1000,
    commandTimeout: options.commandTimeoutSeconds * 1000,
    retryStrategy: backoff,
    ...defined({
      username: settings.username || target.username || undefined,
      password: secrets.password || target.password || undefined,
      db: options.database ?? target.database,
      keyPrefix: options.keyPrefix || undefined,
      tls: options.tlsEnabled || target.tls ? tlsOptions(settings) : undefined,
    }),
  };
}

function tlsOptions({ options, secrets }: Settings): ConnectionOptions {
  return {
    rejectUnauthorized: !options.tlsSkipVerify,
    ...defined({
      servername: options.tlsServerName || undefined,
      ca: secrets.tlsCaCert,
      cert: secrets.tlsClientCert,
      key: secrets.tlsClientKey,
    }),
  };
}

function defined<T extends object>(values: T): { [K in keyof T]?: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as never;
}

function parseUrl(value: string, field: string): Target {
  const wrong = (why: string) =>
    new Fault({
      kind: 'settings',
      message: `The setting "${field}" ${why}.`,
      remedy: 'Use redis://host:6379/0, rediss://host:6380 for TLS, or unix:///path/to/redis.sock.',
    });
  if (value === '') {
    throw wrong('is empty');
  }
  const withScheme = /^[a-z][a-z0-9+.-]*:\/\//i.test(value) ? value : `redis://${value}`;
  let url: URL;
  try {
    url = new URL(withScheme);
  } catch {
    throw wrong('cannot be read as a URL');
  }
  const password = decodeURIComponent(url.password);
  const username = decodeURIComponent(url.username);
  if (url.protocol === 'unix:') {
    const database = url.searchParams.get('db');
    return {
      address: `unix://${url.pathname}`,
      where: { path: url.pathname },
      username,
      password,
      database: database === null ? undefined : Number(database),
      tls: false,
    };
  }
  if (url.protocol !== 'redis:' && url.protocol !== 'rediss:') {
    throw wrong(`has the scheme "${url.protocol.replace(':', '')}"`);
  }
  const path = url.pathname.replace(/^\//, '');
  if (path !== '' && !/^\d+$/.test(path)) {
    throw wrong(`names the database "${path}", which is not a number`);
  }
  const host = url.hostname.replace(/^\[|\]$/g, '');
  if (host === '') {
    throw wrong('names no host');
  }
  const port = url.port === '' ? 6379 : Number(url.port);
  return {
    address: `${url.hostname}:${port}`,
    where: { host, port },
    username,
    password,
    database: path === '' ? undefined : Number(path),
    tls: url.protocol === 'rediss:',
  };
}

import { parseEndpoints } from '../../settings/endpoint';
import type { Settings } from '../../settings/settings';
import { credentialsOf, NOBODY, parseRedisUrl } from '../../settings/redisUrl';
import { tlsOptions } from '../tls';
import type { Connection, Topology } from '../topology';
import { SENTINEL_TIMEOUT_MS, SentinelWatch } from './sentinelWatch';
import { connectServer } from './server';

/** The master that Sentinels name, or one of its replicas. @throws Fault `settings` */
export function sentinelMaster(settings: Settings): Topology {
  const { options, secrets } = settings;
  const sentinels = parseEndpoints('sentinels', options.sentinels);
  const target = settings.url === '' ? NOBODY : parseRedisUrl(settings.url);
  const tls = options.tlsEnabled || target.tls ? tlsOptions(settings) : undefined;
  const names = sentinels.map(({ host, port }) => `${host}:${port}`).join(', ');
  const watch = new SentinelWatch(
    sentinels,
    {
      ...(options.sentinelUsername && { username: options.sentinelUsername }),
      ...(secrets.sentinelPassword && { password: secrets.sentinelPassword }),
      ...(tls && { tls }),
    },
    `No Sentinel of ${names} answers. The server that they named last is still read; a failover would not be noticed.`
  );
  return {
    address: `sentinel ${names} (${options.sentinelMaster})`,
    async connect() {
      const connection = await connectServer(
        {
          sentinels,
          name: options.sentinelMaster,
          role: options.readFromReplica ? 'slave' : 'master',
          failoverDetector: true,
          sentinelCommandTimeout: SENTINEL_TIMEOUT_MS,
          ...(options.sentinelUsername && { sentinelUsername: options.sentinelUsername }),
          ...(secrets.sentinelPassword && { sentinelPassword: secrets.sentinelPassword }),
          ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
        },
        credentialsOf(settings, target),
        settings
      );
      watch.answered();
      return watched(connection, watch);
    },
  };
}

function watched(connection: Connection, watch: SentinelWatch): Connection {
  return {
    send(commands) {
      watch.look();
      return connection.send(commands);
    },
    get open() {
      return connection.open;
    },
    get bytesRead() {
      return connection.bytesRead;
    },
    get warning() {
      return watch.warning;
    },
    close: () => connection.close(),
  };
}

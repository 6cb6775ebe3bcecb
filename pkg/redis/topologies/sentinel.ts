import { parseEndpoints } from '../../settings/endpoint';
import type { Settings } from '../../settings/settings';
import { credentialsOf, NOBODY, parseRedisUrl } from '../../settings/redisUrl';
import { tlsOptions } from '../tls';
import type { Topology } from '../topology';
import { connectServer } from './server';

/** One that does not answer gives way to the next within the time for a connection. */
const SENTINEL_TIMEOUT_MS = 1000;

/** The master that Sentinels name, or one of its replicas. @throws Fault `settings` */
export function sentinelMaster(settings: Settings): Topology {
  const { options, secrets } = settings;
  const sentinels = parseEndpoints('sentinels', options.sentinels);
  const target = settings.url === '' ? NOBODY : parseRedisUrl(settings.url);
  const tls = options.tlsEnabled || target.tls ? tlsOptions(settings) : undefined;
  return {
    address: `sentinel ${sentinels.map(({ host, port }) => `${host}:${port}`).join(', ')} (${options.sentinelMaster})`,
    connect: () =>
      connectServer(
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
      ),
  };
}

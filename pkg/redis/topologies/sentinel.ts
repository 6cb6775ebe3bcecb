import { parseEndpoints } from '../../settings/endpoint';
import type { Settings } from '../../settings/settings';
import { credentialsOf, parseRedisUrl, type Credentials } from '../target';
import { tlsOptions } from '../tls';
import type { Topology } from '../topology';
import { connectServer } from './server';

const NOBODY: Credentials = { username: '', password: '', database: 0 };

/** The master that Sentinels name, or one of its replicas. @throws Fault `settings` */
export function sentinelMaster(settings: Settings): Topology {
  const { options, secrets } = settings;
  const sentinels = parseEndpoints('sentinels', options.sentinels);
  const target = settings.url === '' ? NOBODY : parseRedisUrl(settings.url);
  const tls = options.tlsEnabled ? tlsOptions(settings) : undefined;
  return {
    address: `sentinel ${sentinels.map(({ host, port }) => `${host}:${port}`).join(', ')} (${options.sentinelMaster})`,
    connect: () =>
      connectServer(
        {
          sentinels,
          name: options.sentinelMaster,
          role: options.readFromReplica ? 'slave' : 'master',
          failoverDetector: true,
          ...(options.sentinelUsername && { sentinelUsername: options.sentinelUsername }),
          ...(secrets.sentinelPassword && { sentinelPassword: secrets.sentinelPassword }),
          ...(tls && { tls, sentinelTLS: tls, enableTLSForSentinelMode: true }),
        },
        credentialsOf(settings, target),
        settings
      ),
  };
}

import type { Settings } from '../../settings/settings';
import { credentialsOf, parseRedisUrl } from '../../settings/redisUrl';
import { tlsOptions } from '../tls';
import type { Topology } from '../topology';
import { connectServer } from './server';

/** One server, named by its URL. @throws Fault `settings` */
export function singleServer(settings: Settings): Topology {
  const target = parseRedisUrl(settings.url);
  const tls = settings.options.tlsEnabled || target.tls;
  return {
    address: target.address,
    connect: () =>
      connectServer(
        { ...target.where, ...(tls && { tls: tlsOptions(settings) }) },
        credentialsOf(settings, target),
        settings
      ),
  };
}

import { Fault } from '../faults/fault';
import { isTrue } from './administration';
import { commaSeparated } from './endpoint';
import { parseRedisUrl } from './redisUrl';

/** What the variables of the Ruby exporter's container say, in our own terms. */
export interface RubyExporterVariables {
  /** Made of host, port, TLS and database; left out where none of them is set. */
  url?: string;
  options: Record<string, unknown>;
}

/**
 * Reads the variables of sidekiq-prometheus-exporter's container (its docker/README.md and config.ru), so that the same
 * manifest starts either. An empty variable is an unset one. With REDIS_SENTINELS, a list of URLs, the host of REDIS_URL
 * or REDIS_HOST is the name of the master.
 *
 * @throws Fault `settings` for a sentinel that is no URL; it repeats nothing of it
 */
export function rubyExporterVariables(env: NodeJS.ProcessEnv): RubyExporterVariables {
  const of = (name: string) => env[`REDIS_${name}`]?.trim() || undefined;
  // Kubernetes sets REDIS_PORT to tcp://… for a service of the name redis.
  const port = /^\d+$/.test(of('PORT') ?? '') ? of('PORT') : undefined;
  const parts = [of('HOST'), port, of('SSL'), of('DB_NUMBER')];
  const url = parts.some((part) => part !== undefined)
    ? `${isTrue(of('SSL')) ? 'rediss' : 'redis'}://${of('HOST') ?? 'localhost'}:${port ?? '6379'}/${of('DB_NUMBER') ?? '0'}`
    : undefined;
  const options: Record<string, unknown> = {};
  const namespace = of('NAMESPACE');
  if (namespace) {
    options['keyPrefix'] = `${namespace}:`;
  }
  const sentinels = of('SENTINELS');
  if (sentinels) {
    const named = of('URL') ?? url;
    options['topology'] = 'sentinel';
    options['sentinels'] = commaSeparated(sentinels).map(sentinelAddress).join(',');
    options['readFromReplica'] = /^(slave|replica)$/i.test(of('SENTINEL_ROLE') ?? '');
    if (named) {
      const { where } = parseRedisUrl(named, 'REDIS_URL');
      options['sentinelMaster'] = 'host' in where ? where.host : undefined;
    }
  }
  return { ...(url && { url }), options };
}

/** Sentinels listen at 26379 where their URL names no port. */
function sentinelAddress(text: string): string {
  const withPort = /:\d+(?:[/?]|$)/.test(text.replace(/^[a-z]+:\/\//i, ''));
  const { where } = parseRedisUrl(text, 'REDIS_SENTINELS');
  if (!('host' in where)) {
    throw new Fault({
      kind: 'settings',
      message: 'The setting "REDIS_SENTINELS" names a socket.',
      remedy: 'Name hosts, for example redis://sentinel-1:26379.',
    });
  }
  const host = where.host.includes(':') ? `[${where.host}]` : where.host;
  return `${host}:${withPort ? where.port : 26_379}`;
}

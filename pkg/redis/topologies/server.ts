import { Redis, type RedisOptions } from 'ioredis';
import type { Settings } from '../../settings/settings';
import { withKeyPrefix } from '../readOnlyRedis';
import { setUp } from '../setUp';
import type { Credentials } from '../../settings/redisUrl';
import type { Connection } from '../topology';
import { TLS_TIMEOUT } from '../faults';
import { CLOSED_AT_ONCE, Disconnected, Wire } from '../wire';

/** Where a server is, in the words of ioredis. */
export type Where = Omit<RedisOptions, 'replyMapping'>;

/**
 * Connects to one server: ioredis finds it (address, TLS, Sentinel), and a wire of ours speaks to it. ioredis would go
 * on after a SELECT that failed, decodes names that are not UTF-8 into one another, and spends most of a reading's time.
 */
export async function connectServer(where: Where, credentials: Credentials, settings: Settings): Promise<Connection> {
  const { connectTimeoutSeconds, commandTimeoutSeconds, keyPrefix } = settings.options;
  const redis = new Redis({
    ...where,
    connectTimeout: connectTimeoutSeconds * 1000,
    lazyConnect: true,
    protocol: 2,
    enableReadyCheck: false,
    enableOfflineQueue: false,
    disableClientInfo: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    sentinelRetryStrategy: () => null,
  });
  const failed: { first?: Error } = {};
  redis.on('error', (error: Error) => (failed.first ??= error));
  let deadline: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    deadline = setTimeout(
      () => {
        failed.first ??= new Error(where.tls ? TLS_TIMEOUT : 'connect timed out');
        reject(failed.first);
      },
      connectTimeoutSeconds * 1000 + 1000 * (where.sentinels?.length ?? 0)
    );
  });
  try {
    // ioredis itself goes on waiting for a Sentinel that accepts and never answers.
    await Promise.race([redis.connect(), late]);
    const { stream } = redis as unknown as { stream: import('node:net').Socket };
    stream.removeAllListeners('data');
    const wire = new Wire(stream, commandTimeoutSeconds * 1000);
    await setUp(wire, credentials);
    return {
      send: (commands) =>
        wire.send(keyPrefix === '' ? commands : commands.map((each) => withKeyPrefix(keyPrefix, each))),
      get open() {
        return wire.open;
      },
      get bytesRead() {
        return wire.bytesRead;
      },
      close() {
        wire.end(new Disconnected('the connection was closed'));
        redis.disconnect();
      },
    };
  } catch (error) {
    redis.disconnect();
    // ioredis says "Connection is closed."; the event before it said why.
    const { name, message } = error as Error;
    throw name === 'ReplyError' || name === 'ProtocolError' || message === CLOSED_AT_ONCE
      ? error
      : (failed.first ?? error);
  } finally {
    clearTimeout(deadline);
  }
}

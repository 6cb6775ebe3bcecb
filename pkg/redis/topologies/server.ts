import { connect } from 'node:net';
import { Redis, type RedisOptions } from 'ioredis';
import type { Settings } from '../../settings/settings';
import { withKeyPrefix } from '../readOnlyRedis';
import { ReplyReader } from '../resp';
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
    const { remoteAddress: host, remotePort: port } = stream;
    const explained = async (error: unknown): Promise<never> => {
      const isMute = wire.bytesRead === 0 && !where.tls && host !== undefined && port !== undefined;
      throw (
        (isMute && CLOSED.test(`${(error as NodeJS.ErrnoException).code} ${(error as Error).message}`)
          ? await refusalOf(host, port)
          : undefined) ?? error
      );
    };
    await setUp(wire, credentials).catch(explained);
    return {
      send: (commands) =>
        wire
          .send(keyPrefix === '' ? commands : commands.map((each) => withKeyPrefix(keyPrefix, each)))
          .catch(explained),
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

/** How a write ends that the peer did not wait for. */
const CLOSED = new RegExp(`EPIPE|ECONNRESET|${CLOSED_AT_ONCE}`);
const REFUSAL_MS = 300;

/**
 * Why a server refuses a new connection, as Redis does beyond maxclients. It says so before anything is asked and closes; whoever
 * writes meanwhile loses what it said.
 *
 * @returns `undefined` where it says nothing, or no error of Redis
 */
function refusalOf(host: string, port: number): Promise<Error | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: REFUSAL_MS });
    const done = (refusal?: Error) => {
      socket.destroy();
      resolve(refusal);
    };
    const reader = new ReplyReader(({ error }) => done(error));
    socket.on('data', (bytes: Buffer) => {
      try {
        reader.push(bytes);
      } catch {
        done();
      }
    });
    socket.once('error', () => done());
    socket.once('close', () => done());
    socket.once('timeout', () => done());
  });
}

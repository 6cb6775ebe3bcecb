import { Cluster, Command as RedisCommand } from 'ioredis';
import { Fault } from '../../faults/fault';
import { parseEndpoints, type Endpoint } from '../../settings/endpoint';
import type { Settings } from '../../settings/settings';
import { command, withKeyPrefix, type Command, type Reply, type Value } from '../readOnlyRedis';
import { credentialsOf, NOBODY, parseRedisUrl, type Credentials } from '../../settings/redisUrl';
import { tlsOptions } from '../tls';
import { TIMED_OUT } from '../wire';
import type { Connection, Topology } from '../topology';

/** What ioredis says of a node that it cannot reach; the event of that node said why. */
const WITHOUT_CAUSE = /Too many Cluster redirections|Connection is closed/;

/** How often ioredis sends a command again while slots move or the cluster is down. */
const ATTEMPTS = 16;

/** A cluster endpoint. ioredis keeps the map of slots and groups the calls of one tick by node. @throws Fault `settings` */
export function clusterNodes(settings: Settings): Topology {
  const nodes = parseEndpoints('clusterNodes', settings.options.clusterNodes);
  const target = settings.url === '' ? NOBODY : parseRedisUrl(settings.url);
  const credentials = credentialsOf(settings, target);
  if (credentials.database !== 0) {
    throw new Fault({
      kind: 'settings',
      message: `A cluster has only the database 0, and "database" or "url" names ${credentials.database}.`,
      remedy: 'Remove the number.',
    });
  }
  const tls = settings.options.tlsEnabled || target.tls;
  return {
    address: `cluster ${nodes.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
    connect: () => connectCluster(nodes, settings, credentials, tls),
  };
}

async function connectCluster(
  nodes: readonly Endpoint[],
  settings: Settings,
  { username, password }: Credentials,
  tls: boolean
): Promise<Connection> {
  const { options } = settings;
  const timeoutMs = options.commandTimeoutSeconds * 1000;
  const cluster = new Cluster([...nodes], {
    redisOptions: {
      protocol: 2,
      disableClientInfo: true,
      connectTimeout: options.connectTimeoutSeconds * 1000,
      ...(username && { username }),
      ...(password && { password }),
      ...(tls && { tls: tlsOptions(settings) }),
    },
    lazyConnect: true,
    enableReadyCheck: false,
    enableOfflineQueue: true,
    scaleReads: options.readFromReplica ? 'slave' : 'master',
    clusterRetryStrategy: () => null,
    ...retriesWithin(timeoutMs),
  });
  let lastError: Error | undefined;
  let lastErrorAt = -Infinity;
  const failed = (error: Error) => {
    lastError = causeOf(error);
    lastErrorAt = performance.now();
  };
  cluster.on('error', failed);
  cluster.on('+node', (node: import('ioredis').Redis) => node.on('error', failed));
  let open = true;
  cluster.on('end', () => (open = false));
  const close = () => {
    open = false;
    cluster.disconnect();
  };
  try {
    await inTime(cluster.connect(), options.connectTimeoutSeconds * 1000);
  } catch (error) {
    close();
    throw lastError ?? causeOf(error as Error);
  }
  const call = async (asked: Command): Promise<Reply> => {
    const { name, args } = withKeyPrefix(options.keyPrefix, asked);
    try {
      // Upper case: by its lower-case name ioredis would turn a hash into an object, in which names collide.
      const sent = new RedisCommand(name.toUpperCase(), [...args], { replyEncoding: null });
      return { value: await inTime(cluster.sendCommand(sent) as Promise<Value>, timeoutMs) };
    } catch (error) {
      return { error: causeOf(error as Error) };
    }
  };
  return {
    async send(commands) {
      const sentAt = performance.now();
      const replies = await Promise.all(
        commands.map((asked) => (asked.name === 'mget' ? getEach(asked, call) : call(asked)))
      );
      const broken = replies.find(({ error }) => error && error.name !== 'ReplyError')?.error;
      if (broken) {
        close();
        // A node that is down is tried again with each attempt; an older error is not why a command took long.
        const isWithoutCause =
          broken.message === TIMED_OUT ? lastErrorAt >= sentAt : WITHOUT_CAUSE.test(broken.message);
        throw isWithoutCause ? (lastError ?? broken) : broken;
      }
      return replies;
    },
    get open() {
      return open;
    },
    get bytesRead() {
      return cluster.nodes().reduce((sum, node) => sum + bytesOf(node), 0);
    },
    close,
  };
}

/** All attempts together take half the time for a reply, so that the cluster's own answer (CLUSTERDOWN) is what arrives. */
function retriesWithin(timeoutMs: number) {
  const delay = Math.min(100, timeoutMs / 2 / ATTEMPTS);
  return {
    maxRedirections: ATTEMPTS,
    retryDelayOnClusterDown: delay,
    retryDelayOnFailover: delay,
    retryDelayOnTryAgain: delay,
  };
}

/** Keys of different slots cannot be asked for together. */
async function getEach({ args }: Command, call: (asked: Command) => Promise<Reply>): Promise<Reply> {
  const replies = await Promise.all(args.map((key) => call(command('get', key))));
  const refused = replies.find(({ error }) => error)?.error;
  return refused ? { error: refused } : { value: replies.map(({ value }) => value ?? null) };
}

/** ioredis names a node's answer or the network's error only within "Failed to refresh slots cache". */
function causeOf(error: Error & { lastNodeError?: Error }): Error {
  return error.lastNodeError ?? error;
}

function bytesOf(node: unknown): number {
  return (node as { stream?: { bytesRead?: number } }).stream?.bytesRead ?? 0;
}

/** ioredis times a command once it is sent; one that waits for a node would wait for ever. */
function inTime<T>(work: Promise<T>, milliseconds: number): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(TIMED_OUT)), milliseconds);
  });
  return Promise.race([work, late]).finally(() => clearTimeout(timer));
}

import { Fault } from '../faults/fault';
import { TLS_INSTEAD } from './resp';
import { CLOSED_AT_ONCE } from './wire';

/** What is told of a handshake that never ends, since sockets say no more. */
export const TLS_TIMEOUT = 'the TLS handshake did not end in time';
const AUTHENTICATION =
  /^(NOAUTH|WRONGPASS|ERR (AUTH|Client sent AUTH|invalid password|invalid username-password|wrong number of arguments for 'auth'))/i;
const CLUSTER_COMMAND = /'(cluster\b|readonly')/i;
const NO_SUCH_DATABASE = /^ERR (DB index|invalid DB index|SELECT is not allowed)/i;

const UNKNOWN_COMMAND = /^ERR unknown command/i;

/** True for an error reply that tells of the server or of rights, and not of the key that was asked for. */
export function concernsServer(error: Error): boolean {
  return /^(NOPERM|BUSY )/i.test(error.message) || UNKNOWN_COMMAND.test(error.message);
}

/** True for an error reply that every further command would get as well. */
export function concernsAllCommands(error: Error): boolean {
  return (
    AUTHENTICATION.test(error.message) ||
    NO_SUCH_DATABASE.test(error.message) ||
    /^(LOADING|MASTERDOWN|MOVED|CLUSTERDOWN|ERR max number of clients)/i.test(error.message)
  );
}

/** True where the next attempt must authenticate or find its server anew. */
export function endsConnection(error: Error): boolean {
  return AUTHENTICATION.test(error.message) || /^(MASTERDOWN|MOVED)/i.test(error.message);
}

/** Turns what ioredis or Redis said into a sentence with a remedy. */
export function redisFault(error: Error, address: string): Fault {
  const said = error.message;
  const details = explain(said, error, address);
  return new Fault({ ...details, cause: error });
}

function explain(said: string, error: NodeJS.ErrnoException, address: string) {
  if (AUTHENTICATION.test(said)) {
    if (/without any password|no password is set/i.test(said)) {
      return {
        kind: 'permission' as const,
        message: `Redis at ${address} asks for no password, but one is set.`,
        remedy: 'Remove "Password", or the password in "URL".',
      };
    }
    if (/^NOAUTH/i.test(said)) {
      return {
        kind: 'permission' as const,
        message: `Redis at ${address} asks for a password, and none is set (${firstWord(said)}).`,
        remedy:
          'Set "Password", and "User" where it is not the default one; gpx_sidekiq acl prints the line that creates a minimal user.',
      };
    }
    return {
      kind: 'permission' as const,
      message: `Redis at ${address} refused the user name or password (${firstWord(said)}).`,
      remedy: 'Check "User" and "Password"; gpx_sidekiq acl prints the line that creates a minimal user.',
    };
  }
  if (/^NOPERM/i.test(said)) {
    return {
      kind: 'permission' as const,
      message: `The Redis user may not do this: ${said}.`,
      remedy: CLUSTER_COMMAND.test(said)
        ? 'Grant it with the line that gpx_sidekiq acl --cluster prints, on every node.'
        : 'Grant it with the line that gpx_sidekiq acl prints.',
    };
  }
  if (/^CLUSTERDOWN/i.test(said)) {
    return {
      kind: 'connection' as const,
      message: `The cluster at ${address} is down (${said}).`,
      remedy: 'Check the cluster nodes with CLUSTER INFO; a slot may have no master.',
    };
  }
  if (/^MOVED/i.test(said)) {
    return {
      kind: 'settings' as const,
      message: `Redis at ${address} is a cluster (${firstWord(said)}).`,
      remedy: 'Set the topology to "Cluster" and name its nodes.',
    };
  }
  if (/^ERR max number of clients/i.test(said)) {
    return {
      kind: 'connection' as const,
      message: `Redis at ${address} accepts no further client (${said}).`,
      remedy: 'Raise maxclients of Redis, or close clients that are not needed.',
    };
  }
  if (/^ERR SELECT is not allowed in cluster/i.test(said)) {
    return {
      kind: 'settings' as const,
      message: `Redis at ${address} has no such database: a node of a cluster has the database 0 alone (${said}).`,
      remedy: 'Set "Database" to 0 and the topology to "Cluster".',
    };
  }
  if (NO_SUCH_DATABASE.test(said)) {
    return {
      kind: 'settings' as const,
      message: `Redis at ${address} has no such database (${said}).`,
      remedy: 'Correct "Database"; Redis has 16 unless configured otherwise.',
    };
  }
  if (/^BUSY /i.test(said)) {
    return {
      kind: 'connection' as const,
      message: `Redis at ${address} is busy with a script and answers nothing else (${said}).`,
      remedy: 'Wait until the script ends, or end it with SCRIPT KILL.',
    };
  }
  if (UNKNOWN_COMMAND.test(said)) {
    return {
      kind: 'permission' as const,
      message: `Redis at ${address} does not know the command (${said}).`,
      remedy: 'The command was renamed or disabled (rename-command of Redis, or by the provider): allow it.',
    };
  }
  if (/^LOADING|^MASTERDOWN/i.test(said)) {
    return {
      kind: 'connection' as const,
      message: `Redis at ${address} is not ready yet (${said}).`,
      remedy: 'Wait until Redis has loaded its data or found its master.',
    };
  }
  return { kind: 'connection' as const, ...explainSocket(said, error.code ?? '', address) };
}

function explainSocket(said: string, code: string, address: string) {
  const refusing = /ECONNREFUSED (\S+)$/.exec(said)?.[1];
  if (refusing && address.startsWith('cluster ')) {
    return {
      message: `The node ${refusing} of the ${address} is down (connection refused).`,
      remedy: 'Check the cluster nodes with CLUSTER INFO; a part of the keys cannot be read without it.',
    };
  }
  if (code === 'ECONNREFUSED') {
    return {
      message: `Nothing listens at ${address} (connection refused).`,
      remedy: 'Check that Redis runs there and that "URL" names its host and port.',
    };
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return {
      message: `The host name in ${address} cannot be resolved (${code}).`,
      remedy: 'Check the host in "URL", and that Grafana’s machine can resolve it.',
    };
  }
  if (code === 'ENOENT') {
    return { message: `The socket ${address} does not exist.`, remedy: 'Check the path in "URL".' };
  }
  if (said === TLS_TIMEOUT) {
    return {
      message: `The TLS handshake with ${address} did not end in time.`,
      remedy: 'Check that this port speaks TLS; if not, write redis:// in "URL" and switch "Use TLS" off.',
    };
  }
  if (said === CLOSED_AT_ONCE) {
    return {
      message: `The connection to ${address} was closed before Redis answered.`,
      remedy:
        'If this port expects TLS, write rediss:// in "URL" or switch "Use TLS" on; else check maxclients and the log of Redis.',
    };
  }
  if (said === TLS_INSTEAD) {
    return {
      message: `The port at ${address} expects TLS, and the connection is without.`,
      remedy: 'Write rediss:// in "URL", or switch "Use TLS" on.',
    };
  }
  if (/wrong version number|packet length too long|record overflow/i.test(said)) {
    return {
      message: `The port at ${address} does not speak TLS.`,
      remedy: 'Write redis:// in "URL" and switch "Use TLS" off, or name the TLS port.',
    };
  }
  const isPipe = code === 'EPIPE' || /EPIPE/.test(said);
  if (isPipe || /begins no reply/.test(said)) {
    const why = isPipe ? 'it closed the connection while it was written to' : 'its answer is no reply of Redis';
    return {
      message: `What listens at ${address} is not Redis: ${why}.`,
      remedy: 'Check host and port in "URL"; Redis listens at 6379 unless configured otherwise.',
    };
  }
  if (/cluster support disabled/i.test(said)) {
    return {
      message: `Redis at ${address} is no cluster.`,
      remedy: 'Set "Topology" to a single server.',
    };
  }
  if (/certificate|TLS|SSL|EPROTO|self.signed/i.test(`${code} ${said}`)) {
    return {
      message: `The TLS connection to ${address} failed: ${said}.`,
      remedy: 'Check the CA certificate and server name, and whether this port speaks TLS at all.',
    };
  }
  if (/timed out|ETIMEDOUT/i.test(`${code} ${said}`)) {
    return {
      message: `Redis at ${address} did not answer in time.`,
      remedy: 'Check firewalls, and whether Redis is blocked by a slow command (SLOWLOG GET).',
    };
  }
  if (/sentinel/i.test(said)) {
    return {
      message: `No Sentinel of ${address} named a reachable master: ${said}.`,
      remedy:
        'Check "Sentinels", "Master name", and user name and password of the Sentinels; before version 6 a Sentinel knows no user names. "Read from a replica" needs a replica that is alive.',
    };
  }
  return {
    message: `The connection to Redis at ${address} failed: ${(said || code).replace(/\.$/, '')}.`,
    remedy: 'The connection is tried again with the next reading.',
  };
}

function firstWord(said: string): string {
  return said.split(' ', 1)[0] ?? said;
}

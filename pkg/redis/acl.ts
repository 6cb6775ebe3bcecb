import { ALLOWED_COMMANDS } from './readOnlyRedis';

/** What the set-up of a connection needs beside. */
const CONNECTION_COMMANDS = ['auth', 'select'] as const;
/** What ioredis sends to a cluster to find its nodes and to read from a replica. */
const CLUSTER_COMMANDS = ['cluster|slots', 'readonly'] as const;

/** What the query type `connections` needs. */
const CLIENT_COMMANDS = ['client|list'] as const;

/**
 * The `ACL SETUSER` line of the smallest Redis user that Jobwatch works with.
 *
 * @param user its name
 * @param keyPattern `~*`, or `~namespace:*` under redis-namespace
 * @param cluster grants what a cluster client needs beside
 * @param clientList grants CLIENT LIST, which tells of the connections of all clients
 */
export function aclLine(user: string, keyPattern = '~*', cluster = false, clientList = false): string {
  const names = [
    ...CONNECTION_COMMANDS,
    ...(cluster ? CLUSTER_COMMANDS : []),
    ...ALLOWED_COMMANDS,
    ...(clientList ? CLIENT_COMMANDS : []),
  ];
  const commands = names.map((name) => `+${name}`);
  return ['ACL', 'SETUSER', user, 'reset', 'on', '>PASSWORD', 'resetchannels', keyPattern, '-@all', ...commands].join(
    ' '
  );
}

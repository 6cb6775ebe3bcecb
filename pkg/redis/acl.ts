import { ALLOWED_COMMANDS } from './readOnlyRedis';

/** What a connection itself needs, before the first batch. */
const CONNECTION_COMMANDS = ['auth', 'select', 'hello'] as const;

/**
 * The `ACL SETUSER` line of the smallest Redis user that Jobwatch works with.
 *
 * @param user its name
 * @param keyPattern `~*`, or `~namespace:*` under redis-namespace
 */
export function aclLine(user: string, keyPattern = '~*'): string {
  const commands = [...CONNECTION_COMMANDS, ...ALLOWED_COMMANDS].map((name) => `+${name}`);
  return ['ACL', 'SETUSER', user, 'reset', 'on', '>PASSWORD', 'resetchannels', keyPattern, '-@all', ...commands].join(
    ' '
  );
}

import { aclLine } from '../redis/acl';

/** Prints the `ACL SETUSER` line of the smallest Redis user. */
export function printAcl({ user, keyPrefix, cluster }: { user: string; keyPrefix?: string; cluster?: boolean }): void {
  process.stdout.write(`${aclLine(user, keyPrefix ? `~${keyPrefix}*` : '~*', cluster)}\n`);
}

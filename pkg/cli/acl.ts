import { aclLine } from '../redis/acl';

/** Prints the `ACL SETUSER` line of the smallest Redis user. */
export function printAcl({ user, keyPrefix }: { user: string; keyPrefix?: string }): void {
  process.stdout.write(`${aclLine(user, keyPrefix ? `~${keyPrefix}*` : '~*')}\n`);
}

import { aclLine } from '../redis/acl';

/** Flags of the command, as commander reads them. */
export interface AclFlags {
  user: string;
  keyPrefix?: string;
  cluster?: boolean;
  clientList?: boolean;
}

/** Prints the `ACL SETUSER` line of the smallest Redis user. */
export function printAcl({ user, keyPrefix, cluster, clientList }: AclFlags): void {
  process.stdout.write(`${aclLine(user, keyPrefix ? `~${keyPrefix}*` : '~*', cluster, clientList)}\n`);
}

import { numberOf } from './plausible';

/** What is said of such a replica; for how long follows. */
export const NO_MASTER = 'The replica that is read has had no link to its master';

/**
 * For how long a replica that is read has had no link to its master, so that what it says is of that time.
 *
 * @param info lines of INFO (redis.io, INFO, section replication)
 * @returns seconds; `null` for a master, a replica with a link, and where that is not known
 */
export function withoutMasterSeconds(info: ReadonlyMap<string, string> | null): number | null {
  return info?.get('role') === 'slave' && info.get('master_link_status') === 'down'
    ? Math.max(0, numberOf(info.get('master_link_down_since_seconds')) ?? 0)
    : null;
}

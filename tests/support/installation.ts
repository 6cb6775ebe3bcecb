import { Installation, type Clock } from '../../pkg/installation/installation';
import { rowsOf, type Frame, type Value } from '../../pkg/frames/frame';
import { runQuery } from '../../pkg/queries/registry';
import { aclLine } from '../../pkg/redis/acl';
import { parseSettings } from '../../pkg/settings/settings';
import type { RedisServer } from './redisServer';

export const READER = 'jobwatch';
const PASSWORD = 'PASSWORD';

/** Creates the user of the printed ACL line: everything is read as it. */
export async function createReader({ client }: RedisServer, cluster = false): Promise<void> {
  const [name = '', ...args] = aclLine(READER, '~*', cluster).split(' ');
  await client.call(name, ...args);
}

/** An installation read as the minimal user. `clock` gives the reading time of a recording. */
export function openAsReader(server: RedisServer, options: Record<string, unknown> = {}, clock?: Clock): Installation {
  const settings = parseSettings({
    url: server.url,
    username: READER,
    options: { reuseSeconds: 0, ...options },
    secrets: { password: PASSWORD },
  });
  return new Installation(settings, { ...(clock && { clock }) });
}

export interface AskOptions {
  alerting?: boolean;
  from?: number;
  to?: number;
  intervalSeconds?: number;
}

/** Asks a query and gives its frames. */
export async function ask(
  installation: Installation,
  query: Record<string, unknown>,
  options: AskOptions = {}
): Promise<Frame[]> {
  const now = Date.now() / 1000;
  return runQuery(query, installation, {
    range: { from: options.from ?? now - 3600, to: options.to ?? now },
    intervalSeconds: options.intervalSeconds ?? 60,
    alerting: options.alerting ?? false,
  });
}

/** Asks a query and gives the rows of its first frame. */
export async function askRows(
  installation: Installation,
  query: Record<string, unknown>,
  options?: AskOptions
): Promise<Array<Record<string, Value>>> {
  const [frame] = await ask(installation, query, options);
  return frame ? rowsOf(frame) : [];
}

/** The texts of all notices of frames. */
export function noticesOf(frames: readonly Frame[]): string[] {
  return frames.flatMap(({ meta }) => (meta?.notices ?? []).map(({ text }) => text));
}

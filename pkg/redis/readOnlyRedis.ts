/**
 * The commands that may reach Redis, every one a read. The ACL line that `gpx_sidekiq acl` prints is
 * made from this list, and anything else throws before it reaches the socket.
 */
export const ALLOWED_COMMANDS = [
  'get',
  'hget',
  'hgetall',
  'hlen',
  'hmget',
  'hscan',
  'info',
  'lindex',
  'llen',
  'lrange',
  'ping',
  'scard',
  'smembers',
  'sscan',
  'time',
  'ttl',
  'zcard',
  'zcount',
  'zrange',
  'zrangebyscore',
  'zrevrange',
  'zrevrangebyscore',
] as const;

export type AllowedCommand = (typeof ALLOWED_COMMANDS)[number];

/** One command and its arguments; `binary` asks for the reply's raw bytes (histograms are not text). */
export interface Command {
  name: AllowedCommand;
  args: ReadonlyArray<string | number>;
  binary?: boolean;
}

/** What Redis answered to one command: its value, or the error it gave to this command alone. */
export type Reply = { value: unknown; error?: undefined } | { value?: undefined; error: Error };

/** What a batch cost. */
export interface Cost {
  roundTrips: number;
  commands: number;
  bytesIn: number;
  milliseconds: number;
}

export interface Batch {
  replies: Reply[];
  cost: Cost;
}

/**
 * The only way to Redis.
 *
 * - A batch is written at once and costs one round trip, whatever its length.
 * - Replies stand in the order of the commands. An error of one command (NOPERM, WRONGTYPE) is its
 *   reply; errors that concern all of them (no connection, wrong password) are thrown.
 * - Only commands of {@link ALLOWED_COMMANDS} pass; another throws a `Fault` before anything is sent.
 * - Safe to call from several places at once. An aborted signal makes the call throw at once; replies
 *   that still arrive are dropped.
 *
 * @throws Fault `connection` or `permission`
 */
export interface ReadOnlyRedis {
  batch(commands: readonly Command[], signal?: AbortSignal): Promise<Batch>;
  /** Where it is connected to, without secrets, for messages. */
  readonly address: string;
  close(): void;
}

/** Shorthand for a command. */
export function command(name: AllowedCommand, ...args: Array<string | number>): Command {
  return { name, args };
}

/**
 * The commands that may reach Redis, every one a read. The ACL line that `gpx_sidekiq acl` prints is
 * made from this list, and anything else throws before it reaches the socket.
 */
export const ALLOWED_COMMANDS = [
  'get',
  'hgetall',
  'hmget',
  'hscan',
  'info',
  'lindex',
  'llen',
  'lrange',
  'mget',
  'scard',
  'smembers',
  'sscan',
  'time',
  'ttl',
  'zcard',
  'zcount',
  'zrange',
  'zrevrange',
] as const;

/** Commands of rights that are optional, with the arguments that alone may follow: others of theirs write. */
export const OPTIONAL_COMMANDS = { client: ['list'] } as const satisfies Record<string, readonly string[]>;

export type AllowedCommand = (typeof ALLOWED_COMMANDS)[number] | keyof typeof OPTIONAL_COMMANDS;

/** Whether a command may be sent. */
export function mayBeSent({ name, args }: { name: string; args: readonly unknown[] }): boolean {
  return Object.hasOwn(OPTIONAL_COMMANDS, name)
    ? args.map(String).join() === OPTIONAL_COMMANDS[name as keyof typeof OPTIONAL_COMMANDS].join()
    : allowed.has(name);
}

const allowed: ReadonlySet<string> = new Set(ALLOWED_COMMANDS);

/** An argument as it is sent; a `Buffer` where a key holds bytes that are not UTF-8. */
export type Argument = string | number | Buffer;

/** One command and its arguments. */
export interface Command {
  name: AllowedCommand;
  args: readonly Argument[];
}

/** A value of Redis as it travels (RESP2): bytes, an integer, nothing, or a list of these. */
export type Value = Buffer | number | null | readonly Value[];

/** What Redis answered to one command: its value, or the error that concerns this command alone. */
export type Reply = { value: Value; error?: undefined } | { value?: undefined; error: Error };

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
 * - Only commands of {@link ALLOWED_COMMANDS} and {@link OPTIONAL_COMMANDS} pass; another throws a `Fault` before anything is sent.
 * - Calls may overlap. An aborted signal makes the call throw at once; replies that arrive later are dropped.
 *
 * @throws Fault `connection`, `permission` or `settings`
 */
export interface ReadOnlyRedis {
  batch(commands: readonly Command[], signal?: AbortSignal): Promise<Batch>;
  /** Where the client connects to, without secrets, for messages. */
  readonly address: string;
  /** What an operator should mend although Redis still answers; a sentence. */
  readonly warning?: string | undefined;
  close(): void;
}

/** Shorthand for a command. */
export function command(name: AllowedCommand, ...args: Argument[]): Command {
  return { name, args };
}

const WITHOUT_KEY: ReadonlySet<AllowedCommand> = new Set<AllowedCommand>(['info', 'time', 'client']);

/** The command with a prefix before each of its keys. Of the allowed commands only MGET has several. */
export function withKeyPrefix(prefix: string, asked: Command): Command {
  if (prefix === '' || WITHOUT_KEY.has(asked.name)) {
    return asked;
  }
  const prefixed = (key: Argument): Argument =>
    Buffer.isBuffer(key) ? Buffer.concat([Buffer.from(prefix), key]) : `${prefix}${key}`;
  return {
    name: asked.name,
    args: asked.args.map((arg, index) => (index === 0 || asked.name === 'mget' ? prefixed(arg) : arg)),
  };
}

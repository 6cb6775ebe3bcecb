import type { Batch, Command, ReadOnlyRedis, Reply } from '../../pkg/redis/readOnlyRedis';
import { ReplyError } from '../../pkg/redis/resp';
import { reply, type Literal } from './values';

/** Answers a command by its text (`get stat:processed`); what is not in it is an empty reply. */
export type Answers = Record<string, Literal | Error>;

/** A Redis that answers from a table, and remembers what it was asked. */
export interface FakeRedis extends ReadOnlyRedis {
  /** Commands by round trip: what is asked without waiting for an answer between. */
  readonly batches: string[][];
  answers: Answers;
}

export function fakeRedis(answers: Answers = {}): FakeRedis {
  const batches: string[][] = [];
  let asking: string[] | undefined;
  return {
    address: 'fake:6379',
    batches,
    answers,
    close: () => undefined,
    async batch(commands: readonly Command[]): Promise<Batch> {
      const texts = commands.map(({ name, args }) => [name, ...args.map(String)].join(' '));
      if (asking) {
        asking.push(...texts);
      } else {
        asking = texts.slice();
        batches.push(asking);
        queueMicrotask(() => (asking = undefined));
      }
      return {
        replies: texts.map((text, index): Reply => {
          const { name } = commands[index]!;
          const found = this.answers[text] ?? this.answers[name] ?? EMPTY[name] ?? null;
          return found instanceof Error ? { error: found } : { value: reply(found) };
        }),
        cost: { roundTrips: 1, commands: commands.length, bytesIn: 10, milliseconds: 1 },
      };
    },
  };
}

const EMPTY: Record<string, Literal> = {
  hgetall: [],
  hmget: [null, null, null, null, null, null, null],
  hscan: ['0', []],
  llen: 0,
  lrange: [],
  mget: [],
  scard: 0,
  smembers: [],
  sscan: ['0', []],
  ttl: -2,
  zcard: 0,
  zcount: 0,
  zrange: [],
  zrevrange: [],
};

/** What Redis says to a user who may not send a command. */
export function noPermission(command: string): Error {
  return new ReplyError(`NOPERM this user has no permissions to run the '${command}' command`);
}

import type { Batch, Command, ReadOnlyRedis, Reply } from '../../pkg/redis/readOnlyRedis';
import { ReplyError } from '../../pkg/redis/resp';
import { reply, type Literal } from './values';

/**
 * Answers a command by its text (`get stat:processed`), or by command and key where a list or a sorted set is read in
 * parts (`zrange retry` with all members and scores in the order of the reply); what is not in it is an empty reply.
 */
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
          const found =
            this.answers[text] ?? partOf(this.answers, commands[index]!) ?? this.answers[name] ?? EMPTY[name] ?? null;
          return found instanceof Error ? { error: found } : { value: reply(found) };
        }),
        cost: { roundTrips: 1, commands: commands.length, bytesIn: 10, milliseconds: 1 },
      };
    },
  };
}

/** The part of a whole list or set that a command asks for. */
function partOf(answers: Answers, { name, args }: Command): Literal | Error | undefined {
  const [key, from, to, withScores] = args.map(String);
  const whole = answers[`${name} ${key}`];
  if (whole instanceof Error) {
    return whole;
  }
  if (!Array.isArray(whole) || (name !== 'lrange' && name !== 'zrange' && name !== 'zrevrange')) {
    return undefined;
  }
  const all = whole as Literal[];
  const size = withScores === undefined ? 1 : 2;
  const length = all.length / size;
  const at = (place: string) => (Number(place) < 0 ? length + Number(place) : Number(place));
  return all.slice(Math.max(0, at(from!)) * size, Math.max(0, at(to!) + 1) * size);
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
  // No plausible time: the clock of the reader stands.
  time: ['0', '0'],
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

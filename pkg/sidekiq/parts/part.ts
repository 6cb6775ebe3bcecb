import { Fault } from '../../faults/fault';
import { redisFault } from '../../redis/faults';
import type { Command, Cost, ReadOnlyRedis, Reply, Value } from '../../redis/readOnlyRedis';
import type { Notice } from '../model';

/** What a part was read as, and what its reader should know. */
export interface Parsed<T> {
  value: T;
  notices?: readonly Notice[];
}

/**
 * One structure of Sidekiq in Redis: the commands that ask for it, and how their values are read. Both are pure, so a
 * part is tested on literal values. `parse` never throws: what is not what Sidekiq writes is unknown, with a notice.
 */
export interface Part<Input, T> {
  /** What it is called in notices and in the metric of refused parts: a plural noun. */
  readonly what: string;
  commands(input: Input): Command[];
  /** @param values of the commands, in their order; none of them was refused */
  parse(values: readonly Value[], input: Input): Parsed<T>;
}

/** A part that was read, or that Redis refused: a zero and a refusal are told apart by type. */
export type Read<T> = { ok: true; value: T; notices: readonly Notice[] } | { ok: false; refused: Notice };

/** The value, or `null` where it was refused. */
export function valueOf<T>(read: Read<T>): T | null {
  return read.ok ? read.value : null;
}

/** The place of a part in a trip. */
export interface Ticket<T> {
  readonly index: number;
  /** Only tells the type. */
  readonly type?: T;
}

/** What a trip brought. */
export interface Brought {
  read<T>(ticket: Ticket<T>): Read<T>;
  readonly notices: readonly Notice[];
  /** Commands that were refused, by part. */
  readonly refused: ReadonlyMap<string, number>;
  readonly cost: Cost;
}

/** Commands of one pipeline at most; more are sent in further ones, so that no reply grows without bound. */
const PIPELINE = 20_000;

/** Parts that are asked for together in one round trip. */
export class Trip {
  private readonly asked: Array<{ part: Part<unknown, unknown>; input: unknown; start: number; count: number }> = [];
  private readonly commands: Command[] = [];

  ask<Input, T>(part: Part<Input, T>, input: Input): Ticket<T> {
    const commands = part.commands(input);
    const start = this.commands.length;
    this.commands.push(...commands);
    this.asked.push({ part: part, input, start, count: commands.length });
    return { index: this.asked.length - 1 };
  }

  /**
   * @param allRefused what to do where nothing was answered: `throw`, or `tell` by notices as of a part
   * @throws Fault when everything was refused, or Redis cannot be read at all
   */
  async go(redis: ReadOnlyRedis, signal?: AbortSignal, allRefused: 'throw' | 'tell' = 'throw'): Promise<Brought> {
    const replies: Reply[] = [];
    let cost: Cost = { roundTrips: 0, commands: 0, bytesIn: 0, milliseconds: 0 };
    for (let start = 0; start < this.commands.length; start += PIPELINE) {
      const batch = await redis.batch(this.commands.slice(start, start + PIPELINE), signal);
      replies.push(...batch.replies);
      cost = addCosts(cost, batch.cost);
    }
    const first = replies[0]?.error;
    if (first && allRefused === 'throw' && replies.every(({ error }) => error)) {
      throw refusal(first, this.commands[0]!, redis.address);
    }
    return this.parse(replies, cost, redis.address);
  }

  private parse(replies: readonly Reply[], cost: Cost, address: string): Brought {
    const notices = new Map<string, Notice>();
    const refused = new Map<string, number>();
    const reads = this.asked.map(({ part, input, start, count }): Read<unknown> => {
      const values: Value[] = [];
      let at = start;
      while (at < start + count && !replies[at]!.error) {
        values.push(replies[at]!.value!);
        at += 1;
      }
      if (at < start + count) {
        const fault = refusal(replies[at]!.error!, this.commands[at]!, address);
        const notice: Notice = { severity: 'warning', text: `No ${part.what}: ${fault.explanation}` };
        notices.set(notice.text, notice);
        refused.set(part.what, (refused.get(part.what) ?? 0) + 1);
        return { ok: false, refused: notice };
      }
      const { value, notices: found = NO_NOTICES } = part.parse(values, input);
      found.forEach((notice) => notices.set(notice.text, notice));
      return { ok: true, value, notices: found };
    });
    return {
      read: <T>({ index }: Ticket<T>) => reads[index] as Read<T>,
      notices: [...notices.values()],
      refused,
      cost,
    };
  }
}

const NO_NOTICES: readonly Notice[] = [];

/** Asks for one part alone. @throws Fault where it is refused */
export async function readPart<Input, T>(
  redis: ReadOnlyRedis,
  part: Part<Input, T>,
  input: Input,
  signal?: AbortSignal
): Promise<Parsed<T>> {
  const commands = part.commands(input);
  if (commands.length === 0) {
    return part.parse([], input);
  }
  const { replies } = await redis.batch(commands, signal);
  return part.parse(
    replies.map((reply, index) => {
      if (reply.error) {
        throw refusal(reply.error, commands[index]!, redis.address);
      }
      return reply.value;
    }),
    input
  );
}

/** Why one command was refused, with the remedy. */
export function refusal(error: Error, { name, args }: Command, address: string): Fault {
  if (/^NOPERM/.test(error.message) || error.name !== 'ReplyError') {
    return redisFault(error, address);
  }
  return new Fault({
    kind: 'data',
    message: `${name.toUpperCase()} ${String(args[0] ?? '').slice(0, 200)} failed: ${error.message}.`,
    remedy: 'Check what else writes this key.',
    cause: error,
  });
}

/** Adds what two batches cost. */
export function addCosts(a: Cost, b: Cost): Cost {
  return {
    roundTrips: a.roundTrips + b.roundTrips,
    commands: a.commands + b.commands,
    bytesIn: a.bytesIn + b.bytesIn,
    milliseconds: a.milliseconds + b.milliseconds,
  };
}

/** A reply that is a list, as a list; anything else is an empty one. */
export function listOf(value: Value | undefined): readonly Value[] {
  return Array.isArray(value) ? (value as readonly Value[]) : [];
}

/** A reply that is bytes, as text; anything else is `null`. */
export function textOf(value: Value | undefined): string | null {
  return Buffer.isBuffer(value) ? value.toString('utf8') : typeof value === 'number' ? String(value) : null;
}

/** The pairs of a flat list: fields and values of a hash, members and scores of a sorted set. */
export function pairsOf(value: Value | undefined): Array<[Value, Value]> {
  const flat = listOf(value);
  return Array.from({ length: Math.floor(flat.length / 2) }, (_, index) => [flat[2 * index]!, flat[2 * index + 1]!]);
}

/** A notice of something that is left out. */
export function warning(text: string): Notice {
  return { severity: 'warning', text };
}

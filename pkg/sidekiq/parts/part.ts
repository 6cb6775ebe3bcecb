import { Fault } from '../../faults/fault';
import { concernsServer, redisFault } from '../../redis/faults';
import type { AllowedCommand, Batch, Command, Cost, ReadOnlyRedis, Reply, Value } from '../../redis/readOnlyRedis';
import { ReplyError } from '../../redis/resp';
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

/** A part that was asked for, with its place in the trip. */
interface Asked {
  readonly index: number;
  readonly part: Part<unknown, unknown>;
  readonly input: unknown;
  readonly commands: readonly Command[];
}

/** Parts whose commands go to Redis together; they are read when the last reply of the pipeline is there. */
type Pipeline = Asked[];

/** Parts that are asked for together in one round trip. */
export class Trip {
  private asked = 0;
  private commands = 0;
  private readonly common: Pipeline[] = [];
  private readonly apart: Pipeline[] = [];

  ask<Input, T>(part: Part<Input, T>, input: Input): Ticket<T> {
    const asked = this.take(part, input);
    this.commands += asked.commands.length;
    if (this.common.length === 0 || this.commands > PIPELINE) {
      this.common.push([]);
      this.commands = asked.commands.length;
    }
    this.common.at(-1)!.push(asked);
    return asked;
  }

  /**
   * The same for a part whose reply may be large: a pipeline of its own in the same round trip, so that one such reply
   * is read and gone before the next is there.
   */
  askApart<Input, T>(part: Part<Input, T>, input: Input): Ticket<T> {
    const asked = this.take(part, input);
    this.apart.push([asked]);
    return asked;
  }

  private take<Input, T>(part: Part<Input, T>, input: Input): Asked {
    this.asked += 1;
    return { index: this.asked - 1, part, input, commands: part.commands(input) };
  }

  /**
   * @param allRefused what to do where nothing was answered: `throw`, or `tell` by notices as of a part
   * @throws Fault when everything was refused, or Redis cannot be read at all
   */
  async go(redis: ReadOnlyRedis, signal?: AbortSignal, allRefused: 'throw' | 'tell' = 'throw'): Promise<Brought> {
    const brought = new Collected(this.asked, redis.address);
    const send = async (pipeline: Pipeline): Promise<Cost> => {
      const commands = pipeline.flatMap((asked) => asked.commands);
      const { replies, cost } = commands.length === 0 ? NOTHING : await redis.batch(commands, signal);
      brought.take(pipeline, replies);
      return cost;
    };
    const oneAfterTheOther = async (): Promise<Cost> => {
      let cost = NOTHING.cost;
      for (const pipeline of this.common) {
        cost = addCosts(cost, await send(pipeline));
      }
      return cost;
    };
    brought.cost = costTogether(await Promise.all([oneAfterTheOther(), ...this.apart.map(send)]));
    if (brought.refusedAll && allRefused === 'throw') {
      throw brought.refusedAll;
    }
    return brought;
  }
}

const NOTHING: Batch = { replies: [], cost: { roundTrips: 0, commands: 0, bytesIn: 0, milliseconds: 0 } };

/** Reads the parts of a trip as they come. */
class Collected implements Brought {
  private readonly reads: Array<Read<unknown>>;
  private readonly texts = new Map<string, Notice>();
  private answered = false;
  private firstRefusal: Fault | undefined;
  readonly refused = new Map<string, number>();
  cost: Cost = NOTHING.cost;

  constructor(
    parts: number,
    private readonly address: string
  ) {
    this.reads = new Array<Read<unknown>>(parts);
  }

  get notices(): readonly Notice[] {
    return [...this.texts.values()];
  }

  /** Why everything was refused, where it was. */
  get refusedAll(): Fault | undefined {
    return this.answered ? undefined : this.firstRefusal;
  }

  read<T>({ index }: Ticket<T>): Read<T> {
    return this.reads[index] as Read<T>;
  }

  take(pipeline: Pipeline, replies: readonly Reply[]): void {
    let at = 0;
    for (const asked of pipeline) {
      this.reads[asked.index] = this.readOne(asked, replies, at);
      at += asked.commands.length;
    }
  }

  /** @param from place of its first reply */
  private readOne({ part, input, commands }: Asked, replies: readonly Reply[], from: number): Read<unknown> {
    const values: Value[] = [];
    for (let index = 0; index < commands.length; index += 1) {
      const { value, error } = checked(replies[from + index]!, commands[index]!);
      if (error) {
        const fault = refusal(error, commands[index]!, this.address);
        this.firstRefusal ??= fault;
        const notice = refusalOf(part.what, fault);
        this.texts.set(notice.text, notice);
        this.refused.set(part.what, (this.refused.get(part.what) ?? 0) + 1);
        return { ok: false, refused: notice };
      }
      this.answered = true;
      values.push(value);
    }
    const { value, notices = NO_NOTICES } = part.parse(values, input);
    for (const notice of notices) {
      this.texts.set(notice.text, notice);
    }
    return { ok: true, value, notices };
  }
}

function refusalOf(what: string, fault: Fault): Notice {
  return { severity: 'warning', text: `No ${what}: ${fault.explanation}` };
}

/** Whether a notice says that Redis refused a part. */
export function tellsOfRefusal({ severity, text }: Notice): boolean {
  return severity === 'warning' && /^No [^:]+: /.test(text);
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
      const { value, error } = checked(reply, commands[index]!);
      if (error) {
        throw refusal(error, commands[index]!, redis.address);
      }
      return value;
    }),
    input
  );
}

type Form = 'number' | 'bytes' | 'list' | 'page' | 'time';

/** What each command answers (redis.io, commands): another form is no answer to it, and must not be read as nothing. */
const FORMS: Readonly<Record<AllowedCommand, Form>> = {
  client: 'bytes',
  get: 'bytes',
  hgetall: 'list',
  hmget: 'list',
  hscan: 'page',
  info: 'bytes',
  lindex: 'bytes',
  llen: 'number',
  lrange: 'list',
  mget: 'list',
  scard: 'number',
  smembers: 'list',
  sscan: 'page',
  time: 'time',
  ttl: 'number',
  zcard: 'number',
  zcount: 'number',
  zrange: 'list',
  zrevrange: 'list',
};

/** The reply, or an error where it has not the form that the command answers with. */
export function checked(reply: Reply, { name }: Pick<Command, 'name'>): Reply {
  return reply.error || hasForm(reply.value, FORMS[name])
    ? reply
    : { error: new ReplyError(`the reply is not what ${name.toUpperCase()} answers with`) };
}

function hasForm(value: Value, form: Form): boolean {
  switch (form) {
    case 'number':
      return typeof value === 'number';
    case 'bytes':
      return value === null || Buffer.isBuffer(value);
    case 'list':
      return Array.isArray(value);
    case 'page':
      return Array.isArray(value) && value.length === 2 && Buffer.isBuffer(value[0]) && Array.isArray(value[1]);
    case 'time':
      return Array.isArray(value) && value.length === 2;
  }
}

/** Why one command was refused, with the remedy. */
export function refusal(error: Error, { name, args }: Command, address: string): Fault {
  if (concernsServer(error) || error.name !== 'ReplyError') {
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

/** What batches cost that were under way at once: each counts the bytes and the time of all until its own end. */
function costTogether(costs: readonly Cost[]): Cost {
  return {
    roundTrips: Math.max(...costs.map(({ roundTrips }) => roundTrips)),
    commands: costs.reduce((sum, { commands }) => sum + commands, 0),
    bytesIn: Math.max(...costs.map(({ bytesIn }) => bytesIn)),
    milliseconds: Math.max(...costs.map(({ milliseconds }) => milliseconds)),
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

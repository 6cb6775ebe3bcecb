import type { Batch, Command, ReadOnlyRedis, Reply, Value } from '../redis/readOnlyRedis';
import { encodeCommands, ReplyReader } from '../redis/resp';
import type { Settings } from '../settings/settings';
import type { Source } from '../source/source';
import type { Given } from './installation';

/** By which time goes on from round to round: rates have a span, and the minutes of most rounds are known ones. */
const STEP_SECONDS = 0.5;
/**
 * Replies of a larger installation are not kept: its readings are long enough to be compiled soon, and a second memory of
 * it would be large. 24 queues, 16 processes, 160 running jobs and 20 classes take 130 kB.
 */
const MOST_BYTES = 768 * 1024;

/**
 * An installation that reads the same replies again and again, so that its code is compiled before somebody waits for
 * it. Nothing of it reaches Redis, a file, or what the real one remembers.
 */
export interface Rehearsal {
  readonly source: Source;
  /** Moves its time on: what is read next is another reading. */
  next(): void;
  close(): void;
}

interface Rehearsed extends Source {
  startSampling(): void;
  close(): void;
}

/**
 * @param redis what answers the first reading
 * @param open makes the installation
 * @returns `undefined` where the replies are too many to keep
 * @throws Fault when Redis cannot be read
 */
export async function rehearsalOf(
  redis: ReadOnlyRedis,
  open: (given: Given) => Rehearsed
): Promise<Rehearsal | undefined> {
  const replies = new KeptReplies(redis);
  let now = Date.now() / 1000;
  const source = open({ redis: replies, clock: () => now });
  try {
    await source.state(Infinity, true);
  } catch (error) {
    source.close();
    throw error;
  }
  replies.learned();
  if (replies.bytes > MOST_BYTES) {
    source.close();
    return undefined;
  }
  // It records, as the real one does.
  source.startSampling();
  return { source, next: () => (now += STEP_SECONDS), close: () => source.close() };
}

/** Each reading is a new one, and nothing is written. */
export function rehearsed(settings: Settings): Settings {
  return { ...settings, options: { ...settings.options, reuseSeconds: 0, samplerEnabled: false, historyFile: '' } };
}

/** Passes a reading through, keeps the bytes of its replies, and goes on with them. */
class KeptReplies implements ReadOnlyRedis {
  private readonly kept = new Map<string, Buffer>();
  /** By a key whose digits do not matter: the hash of another minute is as good. */
  private readonly alike = new Map<string, Buffer>();
  private learning = true;
  bytes = 0;

  constructor(private readonly redis: ReadOnlyRedis) {}

  get address(): string {
    return this.redis.address;
  }

  learned(): void {
    this.learning = false;
  }

  async batch(commands: readonly Command[], signal?: AbortSignal): Promise<Batch> {
    if (!this.learning) {
      return this.again(commands);
    }
    const batch = await this.redis.batch(commands, signal);
    batch.replies.forEach((reply, index) => {
      const bytes = encodeReply(reply);
      this.bytes += bytes.length;
      if (this.bytes <= MOST_BYTES) {
        this.kept.set(keyOf(commands[index]!), bytes);
        this.alike.set(withoutDigits(keyOf(commands[index]!)), bytes);
      }
    });
    return batch;
  }

  close(): void {
    this.kept.clear();
    this.alike.clear();
  }

  private replyTo(key: string): Buffer {
    return this.kept.get(key) ?? this.alike.get(withoutDigits(key)) ?? UNKNOWN;
  }

  /** Written and read as on a connection. What was not asked before is refused. */
  private again(commands: readonly Command[]): Batch {
    encodeCommands(commands);
    const replies: Reply[] = [];
    const reader = new ReplyReader((reply) => replies.push(reply));
    const bytes = Buffer.concat(commands.map((asked) => this.replyTo(keyOf(asked))));
    reader.push(bytes);
    return {
      replies,
      cost: { roundTrips: 1, commands: commands.length, bytesIn: bytes.length, milliseconds: 0 },
    };
  }
}

function withoutDigits(key: string): string {
  return key.replace(/\d+/g, '#');
}

const UNKNOWN = Buffer.from('-ERR not rehearsed\r\n');

/** Scores and cursors go with the time; the reply to another one is as good. */
function keyOf({ name, args }: Command): string {
  return `${name} ${String(args[0] ?? '')}`;
}

function encodeReply({ value, error }: Reply): Buffer {
  return error ? Buffer.from(`-${error.message.replace(/[\r\n]+/g, ' ')}\r\n`) : Buffer.concat(encoded(value));
}

/** RESP2 (redis.io, RESP specification). */
function encoded(value: Value): Buffer[] {
  if (value === null) {
    return [Buffer.from('$-1\r\n')];
  }
  if (typeof value === 'number') {
    return [Buffer.from(`:${value}\r\n`)];
  }
  return Buffer.isBuffer(value)
    ? [Buffer.from(`$${value.length}\r\n`), value, Buffer.from('\r\n')]
    : [Buffer.from(`*${value.length}\r\n`), ...value.flatMap(encoded)];
}

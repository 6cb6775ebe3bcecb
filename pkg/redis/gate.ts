import { Cluster, type Redis } from 'ioredis';
import { Fault } from '../faults/fault';
import type { Settings } from '../settings/settings';
import { createClient } from './connect';
import { concernsAllCommands, redisFault } from './faults';
import { ALLOWED_COMMANDS, type Batch, type Command, type ReadOnlyRedis, type Reply } from './readOnlyRedis';

const allowed: ReadonlySet<string> = new Set(ALLOWED_COMMANDS);

type Call = (...args: Array<string | number>) => Promise<unknown>;

/** Opens the read-only gate. The connection itself is made with the first batch. */
export function openGate(settings: Settings): ReadOnlyRedis {
  const { redis, address } = createClient(settings);
  const { connectTimeoutSeconds, commandTimeoutSeconds } = settings.options;
  return new Gate(redis, address, connectTimeoutSeconds * 1000, commandTimeoutSeconds * 1000);
}

class Gate implements ReadOnlyRedis {
  private lastError: Error | undefined;
  private connecting: Promise<void> | undefined;

  constructor(
    private readonly redis: Redis | Cluster,
    readonly address: string,
    private readonly connectTimeoutMs: number,
    private readonly commandTimeoutMs: number
  ) {
    redis.on('error', (error: Error) => (this.lastError = error));
    redis.on('ready', () => (this.lastError = undefined));
  }

  async batch(commands: readonly Command[], signal?: AbortSignal): Promise<Batch> {
    for (const { name } of commands) {
      if (!allowed.has(name)) {
        throw new Fault({
          kind: 'permission',
          message: `The command ${String(name).toUpperCase()} is not on the read-only list.`,
          remedy: 'Jobwatch never writes to Redis; this is a defect, please report it.',
        });
      }
    }
    await this.ready();
    signal?.throwIfAborted();
    const started = performance.now();
    const bytesBefore = this.bytesRead();
    const replies = await abortable(this.send(commands), signal);
    this.throwWhatConcernsAll(replies);
    return {
      replies,
      cost: {
        roundTrips: 1,
        commands: commands.length,
        bytesIn: Math.max(0, this.bytesRead() - bytesBefore),
        milliseconds: performance.now() - started,
      },
    };
  }

  close(): void {
    this.redis.disconnect();
  }

  private async send(commands: readonly Command[]): Promise<Reply[]> {
    // A cluster pipeline must stay in one slot; there, ioredis groups the calls of one tick by node.
    if (this.redis instanceof Cluster) {
      const calls = commands.map((command) => this.inTime(methodOf(this.redis, command)(...command.args)));
      const settled = await Promise.allSettled(calls);
      return settled.map((result) =>
        result.status === 'fulfilled' ? { value: result.value } : { error: asError(result.reason) }
      );
    }
    const pipeline = this.redis.pipeline();
    for (const command of commands) {
      methodOf(pipeline, command)(...command.args);
    }
    const results = (await pipeline.exec()) ?? [];
    return results.map(([error, value]) => (error ? { error } : { value }));
  }

  /** ioredis times a command once it is sent; one that waits for a node of the cluster would wait for ever. */
  private inTime(call: Promise<unknown>): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error('Command timed out')), this.commandTimeoutMs);
    });
    return Promise.race([call, late]).finally(() => clearTimeout(timer));
  }

  private throwWhatConcernsAll(replies: readonly Reply[]): void {
    const first = replies.find((reply) => reply.error !== undefined)?.error;
    if (!first) {
      return;
    }
    const isReply = first.name === 'ReplyError';
    if (!isReply || concernsAllCommands(first)) {
      throw redisFault(isReply ? first : (this.lastError ?? first), this.address);
    }
  }

  private async ready(): Promise<void> {
    if (this.redis.status === 'ready') {
      return;
    }
    this.connecting ??= this.connect().finally(() => (this.connecting = undefined));
    await this.connecting;
  }

  private async connect(): Promise<void> {
    const isReady = new Promise<void>((resolve, reject) => {
      const settle = (error?: Error) => {
        clearTimeout(timer);
        this.redis.off('ready', onReady);
        this.redis.off('error', settle);
        if (error) {
          reject(error);
        } else {
          resolve();
        }
      };
      const onReady = () => settle();
      const timer = setTimeout(() => settle(this.lastError ?? new Error('timed out')), this.connectTimeoutMs);
      this.redis.once('ready', onReady);
      this.redis.once('error', settle);
    });
    if (['wait', 'close', 'end'].includes(this.redis.status)) {
      this.redis.connect().catch((error: Error) => (this.lastError = error));
    }
    try {
      await isReady;
    } catch (error) {
      throw redisFault(asError(error), this.address);
    }
  }

  private bytesRead(): number {
    // ioredis has no public counter of bytes; its socket has.
    const stream = (this.redis as unknown as { stream?: { bytesRead?: number } }).stream;
    return stream?.bytesRead ?? 0;
  }
}

function methodOf(target: object, { name, binary }: Command): Call {
  const method = binary ? `${name}Buffer` : name;
  return (target as Record<string, Call>)[method]!.bind(target);
}

function asError(reason: unknown): Error {
  return reason instanceof Error ? reason : new Error(String(reason));
}

async function abortable<T>(work: Promise<T>, signal?: AbortSignal): Promise<T> {
  if (!signal) {
    return work;
  }
  return new Promise<T>((resolve, reject) => {
    const onAbort = () => reject(asError(signal.reason));
    signal.addEventListener('abort', onAbort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
  });
}

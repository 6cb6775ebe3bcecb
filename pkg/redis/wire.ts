import type { Socket } from 'node:net';
import type { Command, Reply } from './readOnlyRedis';
import { encodeCommands, ReplyReader } from './resp';

interface Waiting {
  replies: Reply[];
  sentAt: number;
  count: number;
  resolve(replies: Reply[]): void;
  reject(error: Error): void;
}

/** The connection ended before a reply was complete; whatever was asked may be asked again. */
export class Disconnected extends Error {
  override readonly name = 'Disconnected';
}

/** By which the time for a whole batch exceeds that for its next byte. */
const WHOLE = 5;

/** What a port that speaks another protocol does at the first bytes. */
export const CLOSED_AT_ONCE = 'the connection was closed before the first reply';
/** What is told of a command without an answer in time, in the words of ioredis. */
export const TIMED_OUT = 'Command timed out';

/**
 * Commands and replies over a connected socket. Batches may overlap: replies come in the order of the commands.
 *
 * A batch that gets no byte for `silenceMs`, or is not whole after five times as long, closes the connection, so that a
 * reply that comes too late is never taken for the answer to another command.
 */
export class Wire {
  private readonly waiting: Waiting[] = [];
  /** Whole within the bytes that are read now: one reply more among these, and all of them may answer other commands. */
  private readonly answered: Waiting[] = [];
  private readonly reader = new ReplyReader((reply) => this.take(reply));
  private timer: NodeJS.Timeout | undefined;
  private ended: Error | undefined;
  /** Bytes received since the connection was made. */
  bytesRead = 0;

  constructor(
    private readonly socket: Socket,
    private readonly silenceMs: number
  ) {
    socket.on('data', (chunk: Buffer) => this.receive(chunk));
    socket.on('error', (error: Error) => this.end(error));
    // `end` comes first where Redis closes: from then on nothing can be written.
    socket.on('end', () => this.end(new Disconnected('the connection was closed')));
    socket.on('close', () => this.end(new Disconnected('the connection was closed')));
  }

  get open(): boolean {
    return this.ended === undefined;
  }

  /** Sends commands at once. @returns their replies in order. Rejects when the connection ends before the last one. */
  send(commands: ReadonlyArray<Pick<Command, 'args'> & { name: string }>): Promise<Reply[]> {
    if (this.ended) {
      return Promise.reject(this.ended);
    }
    if (commands.length === 0) {
      return Promise.resolve([]);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ replies: [], sentAt: performance.now(), count: commands.length, resolve, reject });
      this.socket.write(encodeCommands(commands));
      this.watch();
    });
  }

  /** Closes the connection; what still waits is rejected. */
  end(error: Error): void {
    if (this.ended) {
      return;
    }
    this.ended = this.reasonOf(error);
    clearTimeout(this.timer);
    this.socket.destroy();
    this.waiting.splice(0).forEach(({ reject }) => reject(this.ended!));
  }

  private reasonOf(error: Error): Error {
    if (!(error instanceof Disconnected) && (error as NodeJS.ErrnoException).code !== 'ECONNRESET') {
      return error;
    }
    // Where Redis said why it closes (maxclients), that is the reason.
    const said = this.waiting[0]?.replies.find((reply) => reply.error)?.error;
    return said ?? (this.bytesRead === 0 && this.waiting.length > 0 ? new Error(CLOSED_AT_ONCE) : error);
  }

  private receive(chunk: Buffer): void {
    this.bytesRead += chunk.length;
    this.timer?.refresh();
    try {
      this.reader.push(chunk);
    } catch (error) {
      this.end(error as Error);
    }
    this.answered.splice(0).forEach(({ resolve, replies }) => resolve(replies));
    // A peer that sends byte after byte is never silent.
    const [first] = this.waiting;
    if (first && performance.now() - first.sentAt > WHOLE * this.silenceMs) {
      this.end(new Error(TIMED_OUT));
    }
  }

  private take(reply: Reply): void {
    const first = this.waiting[0];
    if (!first) {
      // Redis may say why it closes (maxclients) before anything was asked.
      const surplus = new Disconnected('a reply came to no command');
      this.answered.splice(0).forEach(({ reject }) => reject(surplus));
      this.end(reply.error ?? surplus);
      return;
    }
    first.replies.push(reply);
    if (first.replies.length === first.count) {
      this.waiting.shift();
      this.reader.restart();
      // The time of a batch begins when Redis turns to it.
      this.waiting[0] && (this.waiting[0].sentAt = performance.now());
      this.answered.push(first);
      if (this.waiting.length === 0) {
        clearTimeout(this.timer);
        this.timer = undefined;
      }
    }
  }

  private watch(): void {
    this.timer ??= setTimeout(() => this.end(new Error(TIMED_OUT)), this.silenceMs);
  }
}

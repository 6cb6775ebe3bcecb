import { Fault } from '../faults/fault';
import { redisFault } from '../redis/faults';
import { command, type Command, type Cost, type ReadOnlyRedis, type Reply } from '../redis/readOnlyRedis';
import type { Notice } from './snapshot';

/** Members read of the sets `queues`, `processes` and `paused`. */
export const SET_CAP = 5000;

/** The value of a part after the round trip; `undefined` when Redis refused it. */
export interface Answer<T> {
  (): T | undefined;
  failed(): boolean;
}

/** Collects commands with how to read their replies, runs them at once, and notes what Redis refused. */
export class Reading {
  private readonly commands: Command[] = [];
  private readonly parts: string[] = [];
  private replies: Reply[] = [];
  private readonly found = new Map<string, Notice>();

  constructor(private readonly address: string) {}

  ask<T>(part: string, asked: Command, read: (value: unknown) => T): Answer<T> {
    const index = this.commands.push(asked) - 1;
    this.parts.push(part);
    const answer = () => {
      const reply = this.replies[index];
      return reply === undefined || reply.error ? undefined : read(reply.value);
    };
    return Object.assign(answer, { failed: () => this.replies[index]?.error !== undefined });
  }

  async run(redis: ReadOnlyRedis): Promise<Cost> {
    if (this.commands.length === 0) {
      return { roundTrips: 0, commands: 0, bytesIn: 0, milliseconds: 0 };
    }
    const { replies, cost } = await redis.batch(this.commands);
    this.replies = replies;
    replies.forEach(({ error }, index) => error && this.refused(error, index));
    if (replies.every(({ error }) => error)) {
      throw redisFault(replies[0]!.error!, this.address);
    }
    return cost;
  }

  private refused(error: Error, index: number): void {
    const { name, args } = this.commands[index]!;
    const fault = /^NOPERM/.test(error.message)
      ? redisFault(error, this.address)
      : new Fault({
          kind: 'data',
          message: `${name.toUpperCase()} ${String(args[0] ?? '')} failed: ${error.message}.`,
          remedy: 'Check what else writes this key.',
        });
    this.note('warning', `No ${this.parts[index]} here: ${fault.explanation}`);
  }

  note(severity: Notice['severity'], text: string): void {
    this.found.set(text, { severity, text });
  }

  noteCap(part: string, set: SetRead | undefined): void {
    if (set?.capped) {
      this.note(
        'warning',
        `More than ${SET_CAP} ${part}; only ${set.members.length} were read. Narrow them by the queue patterns in the settings.`
      );
    }
  }

  notices(): Notice[] {
    return [...this.found.values()];
  }
}

/** Members of a set, and whether there are more than were read. */
export interface SetRead {
  members: string[];
  capped: boolean;
}

/** With COUNT at the cap one SSCAN returns a smaller set whole, and never much more than the cap. */
export function scanSet(key: string): Command {
  return command('sscan', key, 0, 'COUNT', SET_CAP);
}

/** Reads the reply of {@link scanSet}; SSCAN may repeat members. */
export function readSet(reply: unknown): SetRead {
  const [cursor, members] = reply as [string, string[]];
  return { members: [...new Set(members)], capped: cursor !== '0' };
}

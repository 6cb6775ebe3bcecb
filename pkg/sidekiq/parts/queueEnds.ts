import { command, type Command, type Value } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { countOf } from '../plausible';
import { listOf } from './part';

/** The jobs at both ends of a queue as they are stored: all of them where it is short. */
export interface QueueEnds {
  /** Jobs of the queue. */
  size: number;
  /** From the oldest end, then from the newest. */
  entries: Buffer[];
}

/** Asks for `most` jobs of each end, and for the length. */
export function endsCommands(name: string, most: number): Command[] {
  return [
    command('lrange', keys.queue(name), -most, -1),
    command('lrange', keys.queue(name), 0, most - 1),
    command('llen', keys.queue(name)),
  ];
}

/** Reads what {@link endsCommands} were answered with. */
export function readEnds([oldest, newest, length]: readonly Value[]): QueueEnds {
  const size = countOf(length) ?? 0;
  const last = listOf(oldest).filter(Buffer.isBuffer);
  // The ends of a short queue overlap.
  const first = listOf(newest)
    .filter(Buffer.isBuffer)
    .slice(0, Math.max(0, size - last.length));
  return { size, entries: [...last, ...first] };
}

import type { Notice } from './model';
import { LARGE_JOB_BYTES } from './largeJob';
import { queueHead, type QueueHead } from './parts/queue';
import { warning, type Brought, type Read, type Ticket, type Trip } from './parts/part';

/** A large oldest job is read again after so long, for it may have been taken. */
const LARGE_AGAIN_SECONDS = 60;
/** Bytes of large jobs that a reading asks for, by what they had; one is always read. */
const LARGE_BYTES_A_READING = 16 * 1024 * 1024;

interface Known {
  head: QueueHead;
  readAt: number;
}

type Asked = Map<string, Ticket<QueueHead> | Known>;

/**
 * Plans of which queues a snapshot reads the oldest job. Redis gives a job only as a whole, so one of megabytes is read
 * rarely, and its wait goes on meanwhile. Remembers the large ones, and which queues were read before.
 */
export class QueueHeads {
  private large = new Map<string, Known>();
  private seen: ReadonlySet<string> = new Set();

  /** Adds to the trip what is due. @param now epoch seconds */
  ask(trip: Trip, names: readonly string[], now: number): Asked {
    const asked: Asked = new Map();
    const due = this.due(now);
    for (const name of names) {
      const known = this.large.get(name);
      if (known && !due.has(name)) {
        asked.set(name, known);
      } else {
        // What is large, or may be, is gone before the next is there.
        asked.set(name, known || !this.seen.has(name) ? trip.askApart(queueHead, name) : trip.ask(queueHead, name));
      }
    }
    return asked;
  }

  /** Takes what the trip brought. @param sizeOf the length of a queue, `null` where it is unknown */
  settle(asked: Asked, brought: Brought, now: number, sizeOf: (name: string) => number | null) {
    const heads = new Map<string, Read<QueueHead>>();
    const large = new Map<string, Known>();
    for (const [name, planned] of asked) {
      if (!('head' in planned)) {
        const read = brought.read(planned);
        heads.set(name, read);
        if (read.ok && read.value.bytes > LARGE_JOB_BYTES) {
          large.set(name, { head: read.value, readAt: now });
        }
      } else if (sizeOf(name) === 0) {
        heads.set(name, { ok: true, value: { empty: true, next: null, bytes: 0 }, notices: [] });
      } else {
        heads.set(name, { ok: true, value: planned.head, notices: [] });
        large.set(name, planned);
      }
    }
    this.large = large;
    this.seen = new Set(asked.keys());
    return { heads, notices: noticesOf(large) };
  }

  /** Large ones whose time has come, the longest unread first, as many as a reading may cost. */
  private due(now: number): ReadonlySet<string> {
    const old = [...this.large]
      .filter(([, { readAt }]) => now - readAt >= LARGE_AGAIN_SECONDS)
      .sort(([, a], [, b]) => a.readAt - b.readAt);
    let bytes = 0;
    const affordable = old.filter(([, { head }], index) => {
      bytes += head.bytes;
      return index === 0 || bytes <= LARGE_BYTES_A_READING;
    });
    return new Set(affordable.map(([name]) => name));
  }
}

function noticesOf(large: ReadonlyMap<string, Known>): Notice[] {
  const [largest] = [...large].sort(([, a], [, b]) => b.head.bytes - a.head.bytes);
  if (!largest) {
    return [];
  }
  const [name, { head }] = largest;
  const size = `${(head.bytes / 1024 / 1024).toFixed(1)} MiB`;
  const which =
    large.size === 1
      ? `The oldest job of the queue ${name} takes ${size}.`
      : `The oldest jobs of ${large.size} queues are large; that of ${name} takes ${size}.`;
  return [
    warning(
      `${which} Such a job is read once a minute at most. In between, the latency is that of the job last seen, which may have been taken.`
    ),
  ];
}

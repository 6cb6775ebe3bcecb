import { Fault } from '../faults/fault';
import { redisFault } from '../redis/faults';
import { command, type ReadOnlyRedis } from '../redis/readOnlyRedis';
import { keys } from './keys';
import { jobOf, parsePayload, type Job } from './payload';

/** Where a stored job lies. */
export const JOB_SOURCES = ['queue', 'scheduled', 'retry', 'dead'] as const;
export type JobSource = (typeof JOB_SOURCES)[number];

/** A job that waits, or is kept: its place and its payload. */
export interface StoredJob extends Job {
  source: JobSource;
  /** Epoch seconds: when it is due (scheduled, retry) or died (dead); `null` in a queue. */
  scoreAt: number | null;
  payload: Record<string, unknown>;
  /** Bytes of its payload. */
  bytes: number;
}

export interface JobsAsked {
  source: JobSource;
  /** Name of the queue where the source is one. */
  queue: string;
  /** Where the former page ended. */
  cursor?: string;
  limit: number;
  keeps(job: StoredJob): boolean;
  signal?: AbortSignal;
}

export interface JobsPage {
  jobs: StoredJob[];
  /** Entries that were looked at, and that there are. */
  looked: number;
  total: number;
  /** Entries that are no JSON object. */
  broken: number;
  /** Where the next page begins; `undefined` at the end. */
  cursor?: string;
}

const PAGE = 500;
/** A query looks at this much at most, so that no reply blocks Redis and nothing grows here without bound. */
export const LOOK_CAP = 5000;
const BYTES_CAP = 16 * 1024 * 1024;

interface Entry {
  raw: string;
  score: number | null;
}

/**
 * Reads stored jobs in the order in which they are next: a queue and the scheduled and retry sets from the next
 * one on, the dead from the newest.
 *
 * A cursor names the last entry, not a position, so that pages stay right while jobs come and go: where that
 * entry has left a queue, all before it have too (first in, first out), and the page begins at the queue's end.
 *
 * @throws Fault
 */
export async function readJobs(redis: ReadOnlyRedis, asked: JobsAsked): Promise<JobsPage> {
  const source = asked.source === 'queue' ? queueSource(redis, asked) : setSource(redis, asked);
  const total = await source.total();
  const page: JobsPage = { jobs: [], looked: 0, total, broken: 0 };
  let bytes = 0;
  let position = await source.begin();
  while (page.looked < LOOK_CAP && bytes < BYTES_CAP) {
    const entries = await source.read(position);
    for (const [index, entry] of entries.entries()) {
      page.looked += 1;
      bytes += entry.raw.length;
      const payload = parsePayload(entry.raw);
      if (payload === null) {
        page.broken += 1;
        continue;
      }
      const job: StoredJob = {
        ...jobOf(payload),
        source: asked.source,
        scoreAt: entry.score,
        payload,
        bytes: Buffer.byteLength(entry.raw),
      };
      if (asked.keeps(job)) {
        page.jobs.push(job);
      }
      if (page.jobs.length === asked.limit) {
        const isLast = index === entries.length - 1 && entries.length < PAGE;
        return isLast ? page : { ...page, cursor: cursorOf(job) };
      }
    }
    if (entries.length < PAGE) {
      return page;
    }
    position = source.after(position, entries);
  }
  return page.jobs.length > 0 ? { ...page, cursor: cursorOf(page.jobs[page.jobs.length - 1]!) } : page;
}

function cursorOf({ scoreAt, jid }: StoredJob): string {
  return scoreAt === null ? jid : `${scoreAt}|${jid}`;
}

interface Source {
  total(): Promise<number>;
  begin(): Promise<number>;
  read(position: number): Promise<Entry[]>;
  after(position: number, entries: readonly Entry[]): number;
}

/** Positions count from the tail, where the next job is. */
function queueSource(redis: ReadOnlyRedis, { queue, cursor, signal }: JobsAsked): Source {
  const key = keys.queue(queue);
  const read = async (position: number): Promise<Entry[]> => {
    const raws = (await ask(redis, 'lrange', [key, -(position + PAGE), -(position + 1)], signal)) as string[];
    return raws.reverse().map((raw) => ({ raw, score: null }));
  };
  return {
    total: async () => Number(await ask(redis, 'llen', [key], signal)),
    async begin() {
      for (let position = 0; cursor && position < LOOK_CAP; position += PAGE) {
        const entries = await read(position);
        const found = entries.findIndex(({ raw }) => parsePayload(raw)?.['jid'] === cursor);
        if (found >= 0) {
          return position + found + 1;
        }
        if (entries.length < PAGE) {
          break;
        }
      }
      return 0;
    },
    read,
    after: (position) => position + PAGE,
  };
}

/** Positions are offsets from the cursor's score on. */
function setSource(redis: ReadOnlyRedis, { source, cursor, signal }: JobsAsked): Source {
  const key = source === 'scheduled' ? keys.schedule : source === 'retry' ? keys.retry : keys.dead;
  const newestFirst = source === 'dead';
  const [score, jid] = parseCursor(cursor);
  const from = score ?? (newestFirst ? '+inf' : '-inf');
  const to = newestFirst ? '-inf' : '+inf';
  const read = async (offset: number): Promise<Entry[]> => {
    const name = newestFirst ? 'zrevrangebyscore' : 'zrangebyscore';
    const flat = (await ask(redis, name, [key, from, to, 'WITHSCORES', 'LIMIT', offset, PAGE], signal)) as string[];
    return Array.from({ length: flat.length / 2 }, (_, index) => ({
      raw: flat[2 * index]!,
      score: Number(flat[2 * index + 1]),
    }));
  };
  return {
    total: async () => Number(await ask(redis, 'zcard', [key], signal)),
    async begin() {
      if (score === undefined) {
        return 0;
      }
      const entries = await read(0);
      const found = entries.findIndex(
        (entry) => entry.score === Number(score) && parsePayload(entry.raw)?.['jid'] === jid
      );
      return found + 1;
    },
    read,
    after: (offset) => offset + PAGE,
  };
}

function parseCursor(cursor: string | undefined): [score: string | undefined, jid: string] {
  if (!cursor) {
    return [undefined, ''];
  }
  const match = /^(-?[\d.e+]+)\|(.*)$/.exec(cursor);
  if (!match) {
    throw new Fault({
      kind: 'query',
      message: `The cursor "${cursor}" cannot be read.`,
      remedy: 'Use the one that the former page gave, or none.',
    });
  }
  return [match[1], match[2] ?? ''];
}

async function ask(
  redis: ReadOnlyRedis,
  name: Parameters<typeof command>[0],
  args: Array<string | number>,
  signal?: AbortSignal
): Promise<unknown> {
  const { replies } = await redis.batch([command(name, ...args)], signal);
  const reply = replies[0]!;
  if (reply.error) {
    throw redisFault(reply.error, redis.address);
  }
  return reply.value;
}

import { Fault } from '../../faults/fault';
import { command, type AllowedCommand, type Argument, type ReadOnlyRedis, type Value } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { countOf, secondsOf } from '../plausible';
import { listOf, pairsOf, refusal, textOf } from '../parts/part';
import { storedJob, type JobSource, type StoredJob } from './storedJobs';

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
  /** Entries whose score is no plausible instant. */
  implausible: number;
  /** The entry that the cursor names is gone: the page begins at the place where it was. */
  moved: boolean;
  /** Where the next page begins; `undefined` at the end. */
  cursor?: string;
}

const PAGE = 500;
/** A query looks at this much at most, so that no reply blocks Redis and nothing grows here without bound. */
export const LOOK_CAP = 5000;
const BYTES_CAP = 16 * 1024 * 1024;

interface Entry {
  raw: Buffer;
  /** As Redis printed it; `''` in a queue. */
  score: string;
}

/** One place where jobs lie, in the order in which they are next. Positions count from the first of that order. */
interface Source {
  total(): Promise<number>;
  /** Entries from a position on; fewer than asked for only at the end. */
  read(position: number, count: number): Promise<Entry[]>;
  /** The position at which to go on where the entry of the cursor is gone. */
  resume(cursor: Cursor): Promise<number>;
}

/** Names an entry by its position, its score and its job id. */
interface Cursor {
  position: number;
  score: string;
  jid: string;
}

/**
 * Reads stored jobs in the order in which they are next: a queue, the scheduled and the retry set from the next one on,
 * the dead from the newest.
 *
 * A cursor names the last entry and its position. Jobs come and go between pages, so the entry is looked for around
 * that position first, then before it: jobs leave a queue at the end that is read first.
 *
 * @throws Fault
 */
export async function readJobs(redis: ReadOnlyRedis, asked: JobsAsked): Promise<JobsPage> {
  const source = asked.source === 'queue' ? queueSource(redis, asked) : setSource(redis, asked);
  const total = await source.total();
  const page: JobsPage = { jobs: [], looked: 0, total, broken: 0, implausible: 0, moved: false };
  let bytes = 0;
  let position = 0;
  if (asked.cursor !== undefined && asked.cursor !== '') {
    const cursor = parseCursor(asked.cursor);
    const found = await find(source, cursor);
    page.moved = found === undefined;
    position = found ?? (await source.resume(cursor));
  }
  let last: Cursor | undefined;
  while (page.looked < LOOK_CAP && bytes < BYTES_CAP) {
    const entries = await source.read(position, PAGE);
    for (const [index, { raw, score }] of entries.entries()) {
      page.looked += 1;
      bytes += raw.length;
      const scoreAt = score === '' ? null : secondsOf(score);
      const job = storedJob(asked.source, raw, scoreAt);
      if (score !== '' && scoreAt === null) {
        page.implausible += 1;
      }
      if (job === null) {
        page.broken += 1;
        continue;
      }
      last = { position: position + index, score, jid: job.jid };
      if (asked.keeps(job)) {
        page.jobs.push(job);
      }
      if (page.jobs.length === asked.limit) {
        const isLast = index === entries.length - 1 && entries.length < PAGE;
        return isLast ? page : { ...page, cursor: printCursor(last) };
      }
    }
    if (entries.length < PAGE) {
      return page;
    }
    position += PAGE;
  }
  return last ? { ...page, cursor: printCursor(last) } : page;
}

/** The position after the entry of the cursor, or `undefined` where it is gone. */
async function find(source: Source, cursor: Cursor): Promise<number | undefined> {
  // A page on either side, then further towards the front.
  let from = Math.max(0, cursor.position - PAGE);
  let count = cursor.position - from + PAGE;
  for (let looked = 0; looked < 2 * LOOK_CAP; looked += count) {
    const entries = await source.read(from, count);
    const index = entries.findIndex(
      ({ raw, score }) => score === cursor.score && storedJob('queue', raw, null)?.jid === cursor.jid
    );
    if (index >= 0) {
      return from + index + 1;
    }
    if (from === 0) {
      return undefined;
    }
    count = Math.min(PAGE, from);
    from -= count;
  }
  return undefined;
}

/** The next job of a queue is the last element of its list. */
function queueSource(redis: ReadOnlyRedis, { queue, signal }: JobsAsked): Source {
  const key = keys.queue(queue);
  return {
    total: async () => countOf(await ask(redis, 'llen', [key], signal)) ?? 0,
    async read(position, count) {
      const raws = listOf(await ask(redis, 'lrange', [key, -(position + count), -(position + 1)], signal));
      return raws
        .filter(Buffer.isBuffer)
        .reverse()
        .map((raw) => ({ raw, score: '' }));
    },
    // First in, first out: where the entry has left, all before it have too.
    resume: async () => 0,
  };
}

function setSource(redis: ReadOnlyRedis, { source, signal }: JobsAsked): Source {
  const key = source === 'scheduled' ? keys.schedule : source === 'retry' ? keys.retry : keys.dead;
  const newestFirst = source === 'dead';
  const name = newestFirst ? 'zrevrange' : 'zrange';
  return {
    total: async () => countOf(await ask(redis, 'zcard', [key], signal)) ?? 0,
    async read(position, count) {
      const found = await ask(redis, name, [key, position, position + count - 1, 'WITHSCORES'], signal);
      return pairsOf(found).flatMap(([raw, score]) =>
        Buffer.isBuffer(raw) ? [{ raw, score: textOf(score) ?? '' }] : []
      );
    },
    /** The first entry at or after the score of the cursor. Entries of one score may come twice, none is left out. */
    async resume({ score }) {
      const before = newestFirst ? [`(${score}`, '+inf'] : ['-inf', `(${score}`];
      return countOf(await ask(redis, 'zcount', [key, ...before], signal)) ?? 0;
    },
  };
}

function printCursor({ position, score, jid }: Cursor): string {
  return `${position}|${score}|${jid}`;
}

function parseCursor(cursor: string): Cursor {
  const match = /^(\d{1,15})\|(-?[\d.e+]*(?:inf)?)\|(.*)$/s.exec(cursor);
  if (!match) {
    throw new Fault({
      kind: 'query',
      message: `The cursor "${cursor.slice(0, 100)}" cannot be read.`,
      remedy: 'Use the cursor that the former page gave, or none.',
    });
  }
  return { position: Number(match[1]), score: match[2] ?? '', jid: match[3] ?? '' };
}

async function ask(redis: ReadOnlyRedis, name: AllowedCommand, args: Argument[], signal?: AbortSignal): Promise<Value> {
  const asked = command(name, ...args);
  const { replies } = await redis.batch([asked], signal);
  const reply = replies[0]!;
  if (reply.error) {
    throw refusal(reply.error, asked, redis.address);
  }
  return reply.value;
}

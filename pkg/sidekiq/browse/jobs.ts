import { createHash } from 'node:crypto';
import { Fault } from '../../faults/fault';
import { command, type AllowedCommand, type Argument, type ReadOnlyRedis, type Value } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import { countOf, secondsOf } from '../plausible';
import { OversizedReply } from '../../redis/resp';
import { checked, listOf, pairsOf, refusal, textOf } from '../parts/part';
import { Turns } from '../../turns';
import { storedJob, type JobSource, type StoredJob } from './storedJobs';

export interface JobsAsked {
  source: JobSource;
  /** Name of the queue where the source is one. */
  queue: string;
  /** Where the former page ended. */
  cursor?: string;
  limit: number;
  /** Text that an entry must hold to be read at all; whether it is the right place is for `keeps` to say. */
  contains?: string;
  /**
   * Called once for each readable entry, in order; `end` keeps none of what follows either. The score is as Redis holds it,
   * also where it is no plausible instant; `NaN` in a queue.
   */
  keeps(job: StoredJob, score: number): boolean | 'end';
  /** How much is looked at; that of a page where it is left out. */
  most?: LookedAt;
  signal?: AbortSignal;
}

/** Bounds of one read: it ends at the first that is reached, and says how far it came. */
export interface LookedAt {
  entries: number;
  bytes: number;
  seconds: number;
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
  /** Entries that are too large to be read. */
  oversized: number;
  /** The entry that the cursor names is gone: the page begins at the place where it was. */
  moved: boolean;
  /** Where the next page begins; `undefined` at the end. */
  cursor?: string;
}

/** Entries asked for at once. */
const PAGE = 500;
const FIRST_PAGE = 8;
/** By which a page may have more entries than the one before: what comes next may be larger. */
const PAGE_GROWTH = 4;
/** Bytes that a page is to have, by the largest entry that was seen. */
const PAGE_BYTES = 4 * 1024 * 1024;
/** Entries of one page of jobs. */
export const LOOK_CAP = 5000;
const PAGE_OF_JOBS: LookedAt = { entries: LOOK_CAP, bytes: 16 * 1024 * 1024, seconds: 5 };
/** A whole set: far more entries than anyone keeps, bounded by what a query may cost. */
export const WHOLE_SET: LookedAt = { entries: Infinity, bytes: 256 * 1024 * 1024, seconds: 5 };

/** A stored job as it lies in its place. */
export interface Entry {
  raw: Buffer;
  /** As Redis printed it; `''` in a queue. */
  score: string;
}

/** One place where jobs lie, in the order in which they are next. Positions count from the first of that order. */
interface Source {
  total(): Promise<number>;
  /** Entries from a position on; fewer than asked for only at the end. */
  read(position: number, count: number): Promise<Entry[]>;
  /** The position from which the cursor's rank counts: of the first entry with its score, 0 in a queue. */
  base(cursor: Cursor): Promise<number>;
}

/**
 * Names an entry by its score and its text. The rank is its place among the entries of one score, or in a queue: it says
 * where to look first, and where to go on when the entry is gone.
 */
interface Cursor {
  rank: number;
  score: string;
  /** Of the raw entry: job ids may be missing, and come twice. */
  digest: string;
}

/**
 * Reads stored jobs in the order in which they are next: a queue, the scheduled and the retry set from the next one on,
 * the dead from the newest.
 *
 * A cursor names the last entry that was looked at. Jobs come and go between pages, so the entry is looked for around its
 * place first, then before it (jobs leave a queue at the end that is read first), then after it.
 *
 * @throws Fault
 */
export async function readJobs(redis: ReadOnlyRedis, asked: JobsAsked): Promise<JobsPage> {
  const source = asked.source === 'queue' ? queueSource(redis, asked) : setSource(redis, asked);
  const pages = new JobPages(source, Math.min(FIRST_PAGE, asked.limit));
  const total = await source.total();
  const page: JobsPage = { jobs: [], looked: 0, total, broken: 0, implausible: 0, oversized: 0, moved: false };
  const most = asked.most ?? PAGE_OF_JOBS;
  const turns = new Turns();
  let bytes = 0;
  let position = 0;
  let last: Place | undefined;
  if (asked.cursor !== undefined && asked.cursor !== '') {
    const cursor = parseCursor(asked.cursor);
    const base = await source.base(cursor);
    const found = await find(pages, cursor, base);
    page.moved = found === undefined;
    // In a queue all before a job that has left have left too.
    position = found ?? (asked.source === 'queue' ? 0 : base + cursor.rank);
    last = { rank: position - base - 1, score: cursor.score, raw: Buffer.of() };
  }
  const endsAt = performance.now() + most.seconds * 1000;
  while (page.looked < most.entries && bytes < most.bytes && performance.now() < endsAt) {
    const { entries, oversized, ended } = await pages.read(position, Math.min(PAGE, most.entries - page.looked));
    page.oversized += oversized;
    page.looked += oversized;
    for (const [index, { raw, score }] of entries.entries()) {
      await turns.give();
      page.looked += 1;
      bytes += raw.length;
      last = { rank: last?.score === score ? last.rank + 1 : 0, score, raw };
      if (asked.contains !== undefined && !mayHold(raw, asked.contains)) {
        continue;
      }
      const scoreAt = score === '' ? null : secondsOf(score);
      const job = storedJob(asked.source, raw, scoreAt, asked.source === 'queue' ? asked.queue : undefined);
      if (score !== '' && scoreAt === null) {
        page.implausible += 1;
      }
      if (job === null) {
        page.broken += 1;
        continue;
      }
      const kept = asked.keeps(job, scoreOf(score));
      if (kept === 'end') {
        return page;
      }
      if (kept) {
        page.jobs.push(job);
      }
      if (page.jobs.length === asked.limit) {
        const isLast = index === entries.length - 1 && ended;
        return isLast ? page : { ...page, cursor: printCursor(last) };
      }
    }
    if (ended) {
      return page;
    }
    position += entries.length + oversized;
  }
  return last ? { ...page, cursor: printCursor(last) } : page;
}

function scoreOf(printed: string): number {
  return printed === '' ? NaN : Number(printed.replace('inf', 'Infinity'));
}

/** Whether a JSON text may hold another: a producer may have escaped any of its characters. */
function mayHold(raw: Buffer, text: string): boolean {
  return raw.includes(text) || raw.includes('\\');
}

/**
 * Reads a source page by page. Redis does not tell how large entries are before it sends them, so the first page is
 * small, and no page is larger than what the largest entry so far lets expect.
 */
export class JobPages {
  private largest = 1;

  constructor(
    private readonly source: Source,
    private size: number
  ) {}

  /**
   * The next entries from a position on, `most` of them at most.
   *
   * @returns `oversized` is 1 where the entry at the position is too large to be read, and was left out
   */
  async read(position: number, most: number): Promise<{ entries: Entry[]; oversized: number; ended: boolean }> {
    for (;;) {
      const count = Math.max(1, Math.min(most, this.size, Math.floor(PAGE_BYTES / this.largest)));
      try {
        const entries = await this.source.read(position, count);
        this.largest = entries.reduce((largest, { raw }) => Math.max(largest, raw.length), this.largest);
        this.size = Math.min(PAGE, count * PAGE_GROWTH);
        return { entries, oversized: 0, ended: entries.length < count };
      } catch (error) {
        if (!((error as Error).cause instanceof OversizedReply)) {
          throw error;
        }
        if (count === 1) {
          return { entries: [], oversized: 1, ended: false };
        }
        this.size = Math.floor(count / PAGE_GROWTH);
      }
    }
  }
}

/** The entries of a set, page by page, in the order in which they are next. */
export function jobPages(redis: ReadOnlyRedis, source: 'retry' | 'dead'): JobPages {
  return new JobPages(setSource(redis, { source }), FIRST_PAGE);
}

/** Where an entry lies: what a cursor is printed from. */
interface Place {
  rank: number;
  score: string;
  raw: Buffer;
}

/**
 * The position after the entry of the cursor, or `undefined` where it is gone. Producers without job ids push the same text
 * many times into a queue: of equal entries it is the one at the cursor's place, or else the nearest.
 */
async function find(pages: JobPages, cursor: Cursor, base: number): Promise<number | undefined> {
  const near = base + cursor.rank;
  const there = await findWithin(pages, cursor, near, 1);
  if (there.found !== undefined) {
    return there.found;
  }
  let from = Math.max(base, near - PAGE);
  let count = near - from + PAGE;
  for (let looked = 0; looked < 2 * LOOK_CAP && count > 0; looked += count) {
    const { found } = await findWithin(pages, cursor, from, count, near);
    if (found !== undefined) {
      return found;
    }
    count = Math.min(PAGE, from - base);
    from -= count;
  }
  // Entries of the same score that have come since may stand before it; a queue grows at its other end.
  for (let at = near + PAGE; cursor.score !== '' && at < near + 2 * LOOK_CAP; at += PAGE) {
    const { found, firstScore } = await findWithin(pages, cursor, at, PAGE);
    if (found !== undefined || firstScore !== cursor.score) {
      return found;
    }
  }
  return undefined;
}

/** Looks through some entries for the one of a cursor, of equal ones the nearest to a place; none of them is kept. */
async function findWithin(
  pages: JobPages,
  { score, digest }: Cursor,
  from: number,
  count: number,
  near = from
): Promise<{ found?: number; firstScore?: string | undefined }> {
  let firstScore: string | undefined;
  let nearest: number | undefined;
  for (let at = from; at < from + count;) {
    const { entries, oversized, ended } = await pages.read(at, from + count - at);
    firstScore ??= entries[0]?.score;
    for (const [index, entry] of entries.entries()) {
      const place = at + index;
      const isNearer = nearest === undefined || Math.abs(place - near) < Math.abs(nearest - near);
      if (isNearer && entry.score === score && digestOf(entry.raw) === digest) {
        nearest = place;
      }
    }
    const isSeen = nearest !== undefined && at + entries.length - near >= Math.abs(nearest - near);
    if (ended || isSeen) {
      break;
    }
    at += entries.length + oversized;
  }
  return nearest === undefined ? { firstScore } : { found: nearest + 1, firstScore };
}

function digestOf(raw: Buffer): string {
  return createHash('sha1').update(raw).digest('hex').slice(0, 16);
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
    base: async () => 0,
  };
}

function setSource(redis: ReadOnlyRedis, { source, signal }: Pick<JobsAsked, 'source' | 'signal'>): Source {
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
    async base({ score }) {
      const before = newestFirst ? [`(${score}`, '+inf'] : ['-inf', `(${score}`];
      return countOf(await ask(redis, 'zcount', [key, ...before], signal)) ?? 0;
    },
  };
}

function printCursor({ rank, score, raw }: Place): string {
  return `${rank}|${score}|${digestOf(raw)}`;
}

function parseCursor(cursor: string): Cursor {
  const match = /^(\d{1,15})\|([-+\d.e]*(?:inf)?)\|([0-9a-f]{16})$/.exec(cursor);
  if (!match) {
    throw new Fault({
      kind: 'query',
      message: `The cursor "${cursor.slice(0, 100)}" cannot be read.`,
      remedy: 'Use the cursor that the former page gave, or none.',
    });
  }
  return { rank: Number(match[1]), score: match[2] ?? '', digest: match[3] ?? '' };
}

async function ask(redis: ReadOnlyRedis, name: AllowedCommand, args: Argument[], signal?: AbortSignal): Promise<Value> {
  const asked = command(name, ...args);
  const { replies } = await redis.batch([asked], signal);
  const reply = checked(replies[0]!, asked);
  if (reply.error) {
    throw refusal(reply.error, asked, redis.address);
  }
  return reply.value;
}

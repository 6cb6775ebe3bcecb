import { z } from 'zod';
import { LRUCache } from 'lru-cache';
import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import type { Notice, Work } from '../model';
import { findHolders } from './lockHolders';
import { readHeld, UNTIL_EXPIRED } from './lockKeys';

/** The gems whose locks have names that can be told without SCAN. */
export const LOCK_GEMS = ['sidekiq-unique-jobs', 'sidekiq-throttled', 'activejob-uniqueness'] as const;
export type LockGem = (typeof LOCK_GEMS)[number];

/**
 * Where the job of a lock is. `unseen`: one look did not find it, `nowhere`: several looks did not; `unknown`: not all jobs
 * could be looked at; `none`: the lock names no job.
 */
export const LOCK_PLACES = [
  'waiting',
  'running',
  'scheduled',
  'retry',
  'dead',
  'unseen',
  'nowhere',
  'unknown',
  'none',
] as const;
export type LockPlace = (typeof LOCK_PLACES)[number];

/** A lock and one job that holds it. Instants are epoch seconds. */
export interface Lock {
  readonly gem: LockGem;
  /** The key of the lock without its endings. */
  readonly digest: string;
  /** Of sidekiq-unique-jobs the value of `lock`; `concurrency` or `threshold`; `''` where it is not written. */
  readonly kind: string;
  readonly class: string;
  readonly queue: string;
  /** `''` where the lock names no job. */
  readonly jid: string;
  /** When it was taken; `null` where that is not written. */
  readonly since: number | null;
  /** When it expires; `null` where it does not, or where that is not known. */
  readonly expiresAt: number | null;
  /** Jobs that hold the lock; of a threshold the last executions that are kept, at most its limit; `null` where there are more than are read. */
  readonly held: number | null;
  /** Jobs that wait for the lock, and those that are about to get it. */
  readonly queued: number;
  readonly primed: number;
  readonly place: LockPlace;
  /** Since when it is known that the job is nowhere. */
  readonly nowhereSince: number | null;
}

/**
 * Whether the job of a lock will not release it; `null` where that is not known. A lock `until_expired` outlives its job,
 * and activejob-uniqueness does not write of which kind a lock is.
 */
export function isStuck({ gem, kind, place }: Pick<Lock, 'gem' | 'kind' | 'place'>): boolean | null {
  if (place === 'nowhere' || place === 'dead') {
    return kind === UNTIL_EXPIRED ? false : gem === 'activejob-uniqueness' ? null : true;
  }
  return place === 'unknown' || place === 'unseen' || place === 'none' ? null : false;
}

/** Locks that were looked at. */
export interface LocksRead {
  readonly locks: readonly Lock[];
  /** Digests that sidekiq-unique-jobs lists; `null` where that was refused. */
  readonly digests: number | null;
  readonly notices: readonly Notice[];
}

/** What is looked for, and with what it is compared. */
export interface LocksAsked {
  /** Epoch seconds, by the clock of Redis. */
  readonly now: number;
  /** Classes by their metrics name, for the keys that are named after classes. */
  readonly classes: readonly string[];
  readonly work: readonly Work[];
  /** Queues that hold jobs. */
  readonly queues: readonly string[];
  /** Names of queues in which super_fetch (Sidekiq Pro) keeps what a process has taken; most of them do not exist. */
  readonly privateQueues: readonly string[];
  /** All queues and all running jobs of the installation are among them: only then a job can be nowhere. */
  readonly isWhole: boolean;
  readonly most: LocksBounds;
}

/** Bounds of one look. */
export interface LocksBounds {
  digests: number;
  /** Stored jobs that are looked through, all places together, in entries, bytes and seconds. */
  entries: number;
  bytes: number;
  seconds: number;
}

/** A job that one look did not find may just have been taken: a process writes what it runs every ten seconds. */
const CONFIRMED_SECONDS = 20;
/** A job that no look has missed for so long is looked for anew. */
const FORGOTTEN_SECONDS = 600;
/** Jobs that were not found, of all looks. */
const MISSED_KEPT = 5000;

const looksSchema = z.array(z.tuple([z.string(), z.object({ firstAt: z.number(), lastAt: z.number() })]));

/** Remembers from one look to the next whose jobs were not found: those of 5,000 holders. */
export class LockLooks {
  /** When a job was missed first and last, by lock and job. */
  private readonly missed = new LRUCache<string, { firstAt: number; lastAt: number }>({ max: MISSED_KEPT });

  /**
   * Reads the locks, the oldest first, and looks for the jobs that hold them: round trips by the number of locks, then
   * stored jobs within the bounds that are asked for. Calls may overlap, and may have different bounds.
   *
   * @throws Fault where nothing of it may be read
   */
  async read(redis: ReadOnlyRedis, asked: LocksAsked, signal?: AbortSignal): Promise<LocksRead> {
    const { held, digests, notices } = await readHeld(redis, asked, signal);
    const { places, notices: told } = await findHolders(redis, held, asked, signal);
    const locks = held.map((lock, index): Lock => {
      const { place, kind, ...found } = places[index]!;
      // What the payload says of a lock is said of that of sidekiq-unique-jobs.
      const job = { ...found, ...(lock.kind === '' && kind !== undefined && { kind }) };
      const key = `${lock.digest}\0${lock.jid}`;
      if (place !== 'unseen') {
        // A look that did not come to an end says nothing.
        if (place !== 'unknown') {
          this.missed.delete(key);
        }
        return { ...lock, ...job, place, nowhereSince: null };
      }
      const firstAt = this.missedSince(key, asked.now);
      const isKnown = asked.now - firstAt >= CONFIRMED_SECONDS;
      // A lock is taken before its job is written among those that run, so that a look at a new one says little.
      const since = Math.min(asked.now, Math.max(firstAt, (lock.since ?? -Infinity) + CONFIRMED_SECONDS));
      return { ...lock, ...job, place: isKnown ? 'nowhere' : 'unseen', nowhereSince: isKnown ? since : null };
    });
    return { locks, digests, notices: [...notices, ...told] };
  }

  /** No job was missed yet. */
  get isEmpty(): boolean {
    return this.missed.size === 0;
  }

  save(): z.input<typeof looksSchema> {
    return [...this.missed.entries()].reverse();
  }

  /** @throws ZodError for what was not saved by this */
  restore(saved: unknown): void {
    for (const [key, times] of looksSchema.parse(saved)) {
      this.missed.set(key, times);
    }
  }

  /** A clock that was put back, or a long pause, begins anew. */
  private missedSince(key: string, now: number): number {
    const before = this.missed.get(key);
    const goesOn = before !== undefined && before.firstAt <= now && now - before.lastAt < FORGOTTEN_SECONDS;
    const firstAt = goesOn ? before.firstAt : now;
    this.missed.set(key, { firstAt, lastAt: goesOn ? Math.max(before.lastAt, now) : now });
    return firstAt;
  }
}

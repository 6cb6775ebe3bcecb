import { command, type ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { Notice } from '../model';
import { warning } from '../parts/part';
import { activeJobOf, text } from '../payload';
import { readJobs } from './jobs';
import type { Held } from './lockKeys';
import type { Lock, LockPlace, LocksAsked } from './locks';
import type { JobSource, StoredJob } from './storedJobs';

/** Where the job of a lock is, and what is told better there than by the lock. */
export interface Holder extends Partial<Pick<Lock, 'class' | 'queue' | 'kind' | 'jid'>> {
  place: LockPlace;
}

const PLACES: Readonly<Record<JobSource, LockPlace>> = {
  scheduled: 'scheduled',
  queue: 'waiting',
  retry: 'retry',
  dead: 'dead',
};

/**
 * Looks for the jobs of locks, each place once: scheduled, waiting, for a retry, dead, taken by super_fetch, then running.
 * Jobs move in this order, so that one that moves meanwhile is met. What a process has written of its jobs is ten seconds
 * old, so a stored job is where it is stored.
 *
 * @returns one holder for each lock, in their order
 * @throws Fault where a place cannot be read
 */
export async function findHolders(
  redis: ReadOnlyRedis,
  held: readonly Held[],
  asked: LocksAsked,
  signal?: AbortSignal
): Promise<{ places: Holder[]; notices: readonly Notice[] }> {
  const wanted = new Wanted(held);
  const sources: Array<{ source: JobSource; queue: string }> = [
    { source: 'scheduled', queue: '' },
    ...asked.queues.map((queue) => ({ source: 'queue' as const, queue })),
    { source: 'retry', queue: '' },
    { source: 'dead', queue: '' },
  ];
  asked.work.forEach(({ metricsClass }) => wanted.mayBeOf(metricsClass));
  sources.push(...(wanted.isEmpty ? [] : await filled(redis, asked.privateQueues, signal)));
  const endsAt = performance.now() + asked.most.seconds * 1000;
  let { entries, bytes } = asked.most;
  let { isWhole } = asked;
  for (const place of sources) {
    const seconds = (endsAt - performance.now()) / 1000;
    if (wanted.isEmpty) {
      break;
    }
    if (entries <= 0 || bytes <= 0 || seconds <= 0) {
      isWhole = false;
      break;
    }
    const page = await readJobs(redis, {
      ...place,
      limit: Infinity,
      most: { entries, bytes, seconds },
      keeps: (job) => {
        bytes -= job.bytes;
        wanted.take(job);
        return wanted.isEmpty ? 'end' : false;
      },
      ...(signal && { signal }),
    });
    entries -= page.looked;
    // Where it came to the end there is no next page, however many have left meanwhile.
    isWhole &&= page.cursor === undefined && page.oversized === 0;
  }
  for (const { jid, class: name, metricsClass, queue } of asked.work) {
    wanted.found({ jid, metricsClass, hasArguments: true }, { place: 'running', class: name, queue });
  }
  const places = wanted.holders(isWhole ? 'unseen' : 'unknown');
  const unknown = places.filter(({ place }) => place === 'unknown').length;
  return {
    places,
    notices:
      unknown === 0
        ? []
        : [
            warning(
              `It is not known where the jobs of ${unknown} locks are: not all jobs could be looked at, or a job that runs may hold the lock.`
            ),
          ],
  };
}

/** Those of some queues that hold jobs, in one round trip. One that may not be read is looked into, which says so. */
async function filled(
  redis: ReadOnlyRedis,
  names: readonly string[],
  signal?: AbortSignal
): Promise<Array<{ source: 'queue'; queue: string }>> {
  if (names.length === 0) {
    return [];
  }
  const { replies } = await redis.batch(
    names.map((name) => command('llen', keys.queue(name))),
    signal
  );
  return names.filter((_, index) => replies[index]?.value !== 0).map((queue) => ({ source: 'queue' as const, queue }));
}

/** The locks whose jobs have not been found yet. */
class Wanted {
  private readonly places: Array<Holder | undefined>;
  private readonly byJid = new Map<string, number[]>();
  /** Locks that name a class in place of a job. */
  private readonly byClass = new Map<string, number>();

  constructor(held: readonly Held[]) {
    this.places = held.map(({ gem, jid }) =>
      jid === '' && gem !== 'activejob-uniqueness' ? { place: 'none' } : undefined
    );
    for (const [index, { gem, jid, class: name }] of held.entries()) {
      if (jid !== '') {
        this.byJid.set(jid, [...(this.byJid.get(jid) ?? []), index]);
      } else if (gem === 'activejob-uniqueness') {
        this.byClass.set(name, index);
      }
    }
  }

  get isEmpty(): boolean {
    return this.byJid.size === 0 && this.byClass.size === 0;
  }

  take(job: StoredJob): void {
    const { jid, metricsClass, source, class: name, queue, payload } = job;
    if (!this.byJid.has(jid) && !this.byClass.has(metricsClass)) {
      return;
    }
    const args = activeJobOf(payload)?.['arguments'];
    const kind = text(payload['lock']);
    this.found(
      { jid, metricsClass, hasArguments: Array.isArray(args) && args.length > 0 },
      { place: PLACES[source], class: name, queue, ...(kind !== '' && { kind }) }
    );
  }

  /** Gives the locks of a job their holder; a lock by class is one of jobs without arguments. */
  found(
    { jid, metricsClass, hasArguments }: { jid: string; metricsClass: string; hasArguments: boolean },
    holder: Holder
  ): void {
    for (const index of this.byJid.get(jid) ?? []) {
      this.places[index] = holder;
    }
    this.byJid.delete(jid);
    const index = hasArguments ? undefined : this.byClass.get(metricsClass);
    if (index !== undefined) {
      this.places[index] = { ...holder, jid };
      this.byClass.delete(metricsClass);
    }
  }

  /** A job of the class runs; of its arguments nothing is known, so that it may hold the lock of its class, or one that waits. */
  mayBeOf(metricsClass: string): void {
    const index = this.byClass.get(metricsClass);
    if (index !== undefined) {
      this.places[index] = { place: 'unknown' };
      this.byClass.delete(metricsClass);
    }
  }

  holders(otherwise: LockPlace): Holder[] {
    return this.places.map((found) => found ?? { place: otherwise });
  }
}

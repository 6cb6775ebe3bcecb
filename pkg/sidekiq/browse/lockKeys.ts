import { command, type ReadOnlyRedis } from '../../redis/readOnlyRedis';
import type { Notice } from '../model';
import { escapedName, keyOf, nameOf } from '../name';
import { listOf, pairsOf, textOf, Trip, valueOf, warning, type Part } from '../parts/part';
import { parsePayload, text } from '../payload';
import { countOf, instantOf, numberOf, secondsOf } from '../plausible';
import type { Lock, LocksAsked } from './locks';

/** A lock as its keys tell it, before its job is looked for. */
export type Held = Omit<Lock, 'place' | 'nowhereSince'>;

/** The kind of lock that outlives its job. */
export const UNTIL_EXPIRED = 'until_expired';

const CLASSES_LOOKED_AT = 300;
/** Digests whose keys are read in one round trip. */
const DIGESTS_A_TRIP = 100;
/** Holders of one lock that are read. */
const HOLDERS = 100;
/** Holders of all locks together. */
const HOLDERS_IN_ALL = 2000;
/** Locks whose keys could not be read of which the reason is told. */
const REFUSED_TOLD = 3;
/** Texts of locks hold the arguments of jobs, which may be large. */
const LOCK_BYTES = 16 * 1024 * 1024;

interface DigestsPage {
  total: number;
  digests: Buffer[];
}

/** Sorted sets of digests (sidekiq-unique-jobs, constants.rb); those of `until_expired` are in the other up to 8. */
const DIGEST_SETS = [
  { key: 'uniquejobs:digests', kind: '' },
  { key: 'uniquejobs:expiring_digests', kind: UNTIL_EXPIRED },
] as const;

const digestSet: Part<{ key: string; most: number }, DigestsPage> = {
  what: 'locks of sidekiq-unique-jobs',
  commands: ({ key, most }) => [command('zcard', key), command('zrange', key, 0, most - 1)],
  parse: ([total, members]) => ({
    value: { total: countOf(total) ?? 0, digests: listOf(members).filter((each) => Buffer.isBuffer(each)) },
  }),
};

/** A digest, and the kind of lock that its set tells of. */
interface Digest {
  name: Buffer;
  kind: string;
}

/** What the keys of one digest hold. */
interface DigestKeys {
  held: Held[];
  /** Seconds until they expire; `null` where they do not. */
  ttl: number | null;
}

/** The keys of a digest (sidekiq-unique-jobs, key.rb); 9 writes what INFO held as the value of the holder. */
const digestKeys: Part<Digest, DigestKeys> = {
  what: 'locks of sidekiq-unique-jobs',
  commands: ({ name }) => {
    const key = (ending: string) => Buffer.concat([name, Buffer.from(ending)]);
    return [
      command('hscan', key(':LOCKED'), 0, 'COUNT', HOLDERS),
      command('ttl', key(':LOCKED')),
      command('llen', key(':QUEUED')),
      command('llen', key(':PRIMED')),
      command('get', key(':INFO')),
    ];
  },
  parse: ([locked, ttl, queued, primed, info], { name, kind }) => {
    const [cursor, flat] = listOf(locked);
    const holders = pairsOf(flat)
      .slice(0, HOLDERS)
      .map(([jid, value]) => [nameOf(jid), textOf(value) ?? ''] as const);
    const isWhole = textOf(cursor) === '0' && pairsOf(flat).length <= HOLDERS;
    const shared = parsePayload(info) ?? {};
    return {
      value: {
        ttl: countOf(ttl),
        // A digest that nobody holds is listed all the same.
        held: (holders.length === 0 ? [['', ''] as const] : holders).map(([jid, value]) => {
          const told = { ...shared, ...parsePayload(value) };
          return {
            gem: 'sidekiq-unique-jobs',
            digest: nameOf(name),
            kind: text(told['type']) || kind,
            class: escapedName(text(told['worker'])),
            queue: escapedName(text(told['queue'])),
            jid,
            since: instantOf(value) ?? instantOf(told['time']),
            expiresAt: null,
            held: isWhole ? holders.length : null,
            queued: countOf(queued) ?? 0,
            primed: countOf(primed) ?? 0,
          };
        }),
      },
    };
  },
};

/** What is found under the name of a class: numbers of holders and executions, seconds to live. */
interface ClassKeys {
  class: string;
  concurrency: number;
  threshold: number;
  ttl: number | null;
}

/** Keys that are named after a class: of sidekiq-throttled, and of an ActiveJob without arguments. */
const classKeys: Part<string, ClassKeys> = {
  what: 'locks by class',
  commands: (name) => [
    command('zcard', throttleKey(name, CONCURRENCY)),
    command('llen', throttleKey(name, THRESHOLD)),
    command('ttl', activeJobKey(name)),
  ],
  parse: ([concurrency, threshold, ttl], name) => ({
    value: {
      class: name,
      concurrency: countOf(concurrency) ?? 0,
      threshold: countOf(threshold) ?? 0,
      ttl: countOf(ttl),
    },
  }),
};

const CONCURRENCY = ':concurrency.v2';
const THRESHOLD = ':threshold';

/** sidekiq-throttled, strategy_collection.rb and strategy/*.rb. */
function throttleKey(name: string, ending: string): string | Buffer {
  return keyOf('throttled:', name, ending);
}

/** activejob-uniqueness, lock_key.rb; its class is written as `String#underscore` of ActiveSupport does. */
function activeJobKey(name: string): string | Buffer {
  const underscored = name
    .replaceAll('::', '/')
    .replace(/([A-Z\d]+)([A-Z][a-z])/g, '$1_$2')
    .replace(/([a-z\d])([A-Z])/g, '$1_$2')
    .replaceAll('-', '_')
    .toLowerCase();
  return keyOf('activejob_uniqueness:', underscored, ':no_arguments');
}

/** The holders of a throttle: ids of jobs by when they are given up for lost (strategy/concurrency.lua), and their number. */
const concurrency: Part<
  { keys: ClassKeys; now: number },
  { alive: number; holders: Array<[jid: string, lostAt: number | null]> }
> = {
  what: 'throttles of sidekiq-throttled',
  commands: ({ keys, now }) => [
    command('zcount', throttleKey(keys.class, CONCURRENCY), now, '+inf'),
    // Those that are given up for lost come last.
    command('zrevrange', throttleKey(keys.class, CONCURRENCY), 0, HOLDERS - 1, 'WITHSCORES'),
  ],
  parse: ([alive, members]) => ({
    value: {
      alive: countOf(alive) ?? 0,
      holders: pairsOf(members).map(([jid, score]) => [nameOf(jid), secondsOf(textOf(score))]),
    },
  }),
};

/** The first of the executions that count (strategy/threshold.lua). */
const threshold: Part<ClassKeys, number | null> = {
  what: 'throttles of sidekiq-throttled',
  commands: (keys) => [command('lindex', throttleKey(keys.class, THRESHOLD), -1)],
  parse: ([value]) => ({ value: numberOf(textOf(value)) }),
};

/** Locks as their keys tell them. */
interface HeldRead {
  held: Held[];
  digests: number | null;
  notices: Notice[];
}

/**
 * Reads the keys of locks, the oldest first: one round trip for sets and classes, then one for each hundred digests, one for
 * throttles.
 *
 * @throws Fault where nothing of it may be read
 */
export async function readHeld(redis: ReadOnlyRedis, asked: LocksAsked, signal?: AbortSignal): Promise<HeldRead> {
  const { now, most } = asked;
  const first = new Trip();
  const sets = DIGEST_SETS.map(({ key }) => first.ask(digestSet, { key, most: most.digests }));
  const names = asked.classes.slice(0, CLASSES_LOOKED_AT);
  const byClass = names.map((name) => first.ask(classKeys, name));
  const one = await first.go(redis, signal);
  const pages = sets.map((ticket) => valueOf(one.read(ticket)));
  const digests = pages
    .flatMap((page, index) => (page?.digests ?? []).map((name): Digest => ({ name, kind: DIGEST_SETS[index]!.kind })))
    .slice(0, most.digests);
  const total = pages.includes(null) ? null : pages.reduce((sum, page) => sum + page!.total, 0);
  const found = byClass.flatMap((ticket) => valueOf(one.read(ticket)) ?? []);
  const notices: Notice[] = [];
  const held: Held[] = [];
  const refused: Notice[] = [...one.notices];
  let bytes = 0;
  let looked = 0;
  while (looked < digests.length && bytes < LOCK_BYTES) {
    const trip = new Trip();
    const some = digests.slice(looked, looked + DIGESTS_A_TRIP);
    const tickets = some.map((digest) => trip.ask(digestKeys, digest));
    const brought = await trip.go(redis, signal, 'tell');
    for (const ticket of tickets) {
      const keys = valueOf(brought.read(ticket));
      held.push(...(keys?.held ?? []).map((each) => ({ ...each, expiresAt: expiry(keys!.ttl, now) })));
    }
    refused.push(...brought.notices);
    bytes += brought.cost.bytesIn;
    looked += some.length;
  }
  notices.push(...refused.slice(0, REFUSED_TOLD));
  if (refused.length > REFUSED_TOLD) {
    notices.push(warning(`The keys of ${refused.length - REFUSED_TOLD} more locks could not be read.`));
  }
  if (total !== null && looked < total) {
    notices.push(warning(`The ${looked} oldest of ${total} locks of sidekiq-unique-jobs were read.`));
  }
  if (names.length < asked.classes.length) {
    notices.push(warning(`Throttles were looked for by ${names.length} of ${asked.classes.length} classes.`));
  }
  const all = [...held, ...(await readByClass(redis, found, now, signal))];
  if (all.length > HOLDERS_IN_ALL) {
    notices.push(warning(`The first ${HOLDERS_IN_ALL} of ${all.length} holders of locks are told.`));
  }
  return { held: all.slice(0, HOLDERS_IN_ALL), digests: total, notices };
}

async function readByClass(
  redis: ReadOnlyRedis,
  found: readonly ClassKeys[],
  now: number,
  signal?: AbortSignal
): Promise<Held[]> {
  const trip = new Trip();
  const throttles = found
    .filter((keys) => keys.concurrency > 0 || keys.threshold > 0)
    .map((keys) => ({ keys, holders: trip.ask(concurrency, { keys, now }), oldest: trip.ask(threshold, keys) }));
  const brought = throttles.length === 0 ? null : await trip.go(redis, signal, 'tell');
  const throttled = throttles.flatMap(({ keys, holders, oldest }): Held[] => {
    // Those that are given up for lost are removed by the next job.
    const read = valueOf(brought!.read(holders));
    const alive = (read?.holders ?? []).filter(([, lostAt]) => lostAt === null || lostAt >= now);
    const shared = { gem: 'sidekiq-throttled', class: keys.class, queue: '', queued: 0, primed: 0 } as const;
    const digest = `throttled:${keys.class}`;
    return [
      ...alive.map(([jid, lostAt]) => ({
        ...shared,
        digest: `${digest}${CONCURRENCY}`,
        kind: 'concurrency',
        jid,
        since: null,
        expiresAt: lostAt,
        held: read!.alive,
      })),
      ...(keys.threshold === 0
        ? []
        : [
            {
              ...shared,
              digest: `${digest}${THRESHOLD}`,
              kind: 'threshold',
              jid: '',
              since: valueOf(brought!.read(oldest)),
              expiresAt: null,
              held: keys.threshold,
            },
          ]),
    ];
  });
  return [
    ...throttled,
    ...found
      .filter(({ ttl }) => ttl !== null)
      .map(({ class: name, ttl }): Held => ({
        gem: 'activejob-uniqueness',
        digest: String(activeJobKey(name)),
        kind: '',
        class: name,
        queue: '',
        jid: '',
        since: null,
        expiresAt: expiry(ttl, now),
        held: 1,
        queued: 0,
        primed: 0,
      })),
  ];
}

/** An instant beyond all plausible ones is none. */
function expiry(ttl: number | null, now: number): number | null {
  return ttl === null ? null : secondsOf(now + ttl);
}

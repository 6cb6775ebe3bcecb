import { z } from 'zod';
import { orNull } from '../faults/fault';
import type { BacklogSample } from '../sidekiq/browse/backlog';
import type { Failure, FailuresRead } from '../sidekiq/browse/failures';
import { LOCK_GEMS, LOCK_PLACES, type LocksBounds, type LocksRead } from '../sidekiq/browse/locks';
import type { Profile } from '../sidekiq/browse/profiles';
import { locksAsked } from '../watch/locksAsked';
import { lookUsual } from '../outlook/lookUsual';
import { usualSchema, type UsualView } from '../outlook/usualView';
import { messagePattern } from '../sidekiq/fingerprint';
import type { Notice } from '../sidekiq/model';
import { noticeSchema, type Codec } from '../sidekiq/snapshotCodec';
import type { Reads } from '../source/reads';
import type { Reading } from '../watch/reading';
import type { State } from '../watch/state';

/** What was read beside a state when it was recorded; `null` where Redis refused it. */
export interface BesideReads {
  /** Epoch seconds of the state that it was read after. */
  readonly at: number;
  readonly info: ReadonlyMap<string, string> | null;
  /** Failures that are alike are one, with their number. */
  readonly failures: Readonly<Record<Failure['source'], FailuresRead>> | null;
  readonly backlog: RecordedBacklog | null;
  readonly profiles: readonly Profile[] | null;
  readonly locks: LocksRead | null;
  /** `null` while there is too little history. */
  readonly usual: UsualView | null;
}

/** What of it the fold takes. */
export type OfBeside = Pick<Reading, 'info' | 'locks' | 'usual'>;

/** @param read `null` before anything was read */
export function readBesideOf(read: BesideReads | null): OfBeside {
  return { info: read?.info ?? null, locks: read?.locks ?? null, usual: read?.usual ?? null };
}

/** What waited at an instant (epoch seconds): looked into less often, as it takes some megabytes of jobs. */
export interface RecordedBacklog {
  readonly at: number;
  readonly samples: readonly BacklogSample[];
  readonly notices: readonly Notice[];
}

const MIB = 1024 * 1024;
/** The backlog is looked into so often. */
const BACKLOG_SECONDS = 300;
/** The longest queues that are looked into. */
const QUEUES_LOOKED_INTO = 20;
/** Kinds of failures that are kept of a set: those with the most jobs. */
const GROUPS_KEPT = 300;
/** Patterns and messages are kept to so many characters. */
const MESSAGE_KEPT = 500;
const PROFILES_KEPT = 50;
/** Every minute, so that it may cost little. */
const LOCKS_OF_A_LOOK: LocksBounds = { digests: 200, entries: 5000, bytes: 8 * MIB, seconds: 2 };
/** Lines of INFO that a table or a rule shows. */
const INFO_KEPT = [
  'redis_version',
  'valkey_version',
  'role',
  'master_link_status',
  'master_link_down_since_seconds',
  'used_memory',
  'maxmemory',
  'maxmemory_policy',
  'connected_clients',
  'blocked_clients',
  'instantaneous_ops_per_sec',
  'evicted_keys',
  'connected_slaves',
  'uptime_in_seconds',
];

/**
 * Reads all of it. What Redis refuses, or does not answer in time, is missing; it throws for nothing else.
 *
 * @param before what was read the last time
 */
export async function readBeside(state: State, reads: Reads, before: BesideReads | null): Promise<BesideReads> {
  const sinceBacklog = state.now - (before?.backlog?.at ?? -Infinity);
  const keptBacklog = sinceBacklog >= 0 && sinceBacklog < BACKLOG_SECONDS ? before!.backlog : null;
  const longest = state.queues
    .filter(({ size }) => size !== 0)
    .sort((a, b) => (b.size ?? 0) - (a.size ?? 0))
    .slice(0, QUEUES_LOOKED_INTO)
    .map(({ name }) => name);
  const rhythm = { sampleSeconds: state.options.sampleSeconds, timeZone: state.options.schedulerTimeZone };
  const [info, failures, backlog, profiles, locks, usual] = await Promise.all([
    orNull(reads.info()),
    orNull(reads.failures(state.now)),
    keptBacklog ?? orNull(backlogOf(longest, state.now, reads)),
    orNull(reads.profiles(state.now)),
    orNull(reads.locks(locksAsked(state, LOCKS_OF_A_LOOK))),
    reads.history().then((history) => lookUsual(history, state, rhythm)),
  ]);
  return {
    at: state.now,
    info: info && new Map(INFO_KEPT.flatMap((name) => (info.has(name) ? [[name, info.get(name)!] as const] : []))),
    failures: failures && {
      retry: grouped(failures.retry, state.now),
      dead: grouped(failures.dead, state.now),
    },
    backlog,
    profiles: profiles && profiles.profiles.slice(0, PROFILES_KEPT),
    locks,
    usual,
  };
}

async function backlogOf(names: readonly string[], at: number, reads: Reads): Promise<RecordedBacklog> {
  const { samples, notices } = names.length === 0 ? { samples: [], notices: [] } : await reads.backlog(names);
  return { at, samples, notices };
}

/** Failures of one kind and one hour as one: what the table of errors needs to count them. */
export function grouped(read: FailuresRead, now: number): FailuresRead {
  const groups = new Map<string, Failure & { count: number }>();
  for (const failure of read.failures) {
    const { errorClass, class: name, queue, frame, firstAt, lastAt, count = 1 } = failure;
    const message = failure.message.slice(0, MESSAGE_KEPT);
    const hour = lastAt === null ? null : Math.floor((now - lastAt) / 3600);
    const key = JSON.stringify([errorClass, name, queue, frame, messagePattern(message), hour]);
    const before = groups.get(key);
    groups.set(key, {
      ...failure,
      message: before === undefined || (lastAt ?? 0) >= (before.lastAt ?? 0) ? message : before.message,
      firstAt: least(before?.firstAt ?? null, firstAt),
      lastAt: lastAt === null ? null : Math.max(before?.lastAt ?? 0, lastAt),
      count: (before?.count ?? 0) + count,
    });
  }
  const kept = [...groups.values()].sort((a, b) => b.count - a.count).slice(0, GROUPS_KEPT);
  const left = read.failures.length > 0 && kept.length < groups.size;
  const jobs = kept.reduce((sum, { count }) => sum + count, 0);
  return { ...read, failures: kept, looked: left ? jobs : read.looked };
}

function least(one: number | null, other: number | null): number | null {
  return one === null ? other : other === null ? one : Math.min(one, other);
}

const nullable = z.number().nullable();
const failure = z.object({
  source: z.enum(['retry', 'dead']),
  class: z.string(),
  metricsClass: z.string(),
  queue: z.string(),
  errorClass: z.string(),
  message: z.string(),
  frame: z.string(),
  firstAt: nullable,
  lastAt: nullable,
  count: z.number().int().positive(),
});
const failuresRead = z.object({
  failures: z.array(failure),
  looked: z.number(),
  total: z.number(),
  broken: z.number(),
  oversized: z.number(),
});
const lock = z.object({
  gem: z.enum(LOCK_GEMS),
  digest: z.string(),
  kind: z.string(),
  class: z.string(),
  queue: z.string(),
  jid: z.string(),
  since: nullable,
  expiresAt: nullable,
  held: nullable,
  queued: z.number(),
  primed: z.number(),
  place: z.enum(LOCK_PLACES),
  nowhereSince: nullable,
});
const locksRead = z.object({
  locks: z.array(lock),
  digests: nullable,
  notices: z.array(noticeSchema),
});
const schema = z.object({
  at: z.number(),
  info: z
    .array(z.tuple([z.string(), z.string()]))
    .transform((lines) => new Map(lines))
    .nullable(),
  failures: z.object({ retry: failuresRead, dead: failuresRead }).nullable(),
  backlog: z
    .object({
      at: z.number(),
      samples: z.array(
        z.object({
          queue: z.string(),
          size: z.number(),
          broken: z.number(),
          classes: z.array(
            z.object({
              class: z.string(),
              metricsClass: z.string(),
              jobs: z.number(),
              oldestAt: nullable,
              bytes: z.number(),
            })
          ),
        })
      ),
      notices: z.array(noticeSchema),
    })
    .nullable(),
  profiles: z
    .array(
      z.object({
        jid: z.string(),
        class: z.string(),
        metricsClass: z.string(),
        token: z.string(),
        startedAt: nullable,
        elapsedSeconds: nullable,
        bytes: nullable,
        expiresAt: nullable,
      })
    )
    .nullable(),
  // Recordings of before have none.
  locks: locksRead.nullable().default(null),
  usual: usualSchema.nullable().default(null),
});

export const besideCodec: Codec<BesideReads> = {
  encode: (beside) => ({ ...beside, info: beside.info && [...beside.info] }),
  decode: (json) => schema.parse(json),
};

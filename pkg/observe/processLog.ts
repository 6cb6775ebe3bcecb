import { z } from 'zod';
import { groupBy } from '../sidekiq/groupBy';
import { HEARTBEAT_SECONDS, HEARTBEAT_TTL_SECONDS } from '../sidekiq/parts/process';
import { sumCounts } from '../sidekiq/jobMetrics';
import { hasBegunAnew } from '../sidekiq/counters';
import type { LookedFor, Process, Work } from '../sidekiq/model';
import type { Snapshot } from '../sidekiq/snapshot';
import { workSchema } from '../sidekiq/snapshotCodec';
import type { Observer } from './observer';

/** A job that ran in a process when that vanished. */
export interface LostJob extends Work {
  /** It was seen again: super_fetch, or somebody, put it back. */
  readonly recovered: boolean;
  /** Mean execution time of its class over the hour before; `null` where none ended. */
  readonly usualSeconds: number | null;
}

/**
 * Whether a job may have ended before its process was killed. What runs is known as of the last heartbeat, up to ten seconds
 * before: where jobs of its class take less, others have taken its place.
 */
export function mayHaveEnded({ usualSeconds, runAt }: LostJob, lastBeatAt: number): boolean {
  const hadRun = runAt === null ? 0 : lastBeatAt - runAt;
  return usualSeconds !== null && Math.max(usualSeconds, hadRun) < HEARTBEAT_SECONDS;
}

/** What is told of a process that is gone. */
export type GoneProcess = Pick<Process, 'identity' | 'host'>;

/** A process that is gone without a clean stop, with what ran in it. Instants are epoch seconds. */
export interface VanishedProcess {
  readonly process: GoneProcess;
  readonly lastBeatAt: number;
  /** The same by the clock of its host; `null` where it is not known. */
  readonly beatAt: number | null;
  readonly noticedAt: number;
  /** When it beat again: it was frozen or did not reach Redis, and nothing was lost. `null` while it is gone. */
  readonly returnedAt: number | null;
  /** It was gone for so long that its jobs are counted as lost. */
  readonly confirmed: boolean;
  readonly jobs: readonly LostJob[];
}

/** Something that happened, for annotations. `endsAt` where it lasted. */
export interface WatchedEvent {
  readonly kind: 'start' | 'stop' | 'vanished' | 'returned' | 'version' | 'leader';
  readonly at: number;
  readonly endsAt?: number;
  readonly title: string;
  readonly host: string;
  /** Identity of the process, where the event is of one. */
  readonly process?: string;
}

export interface ProcessLogView {
  /** When the watch began; `null` before the first snapshot. */
  readonly since: number | null;
  /** Newest first. */
  readonly vanished: readonly VanishedProcess[];
  /** In the order in which they were noticed. */
  readonly events: readonly WatchedEvent[];
  /** Vanished processes since the watch began that are confirmed, by host; hosts without a loss are not in it. */
  readonly vanishedByHost: ReadonlyMap<string, number>;
  /** Jobs that ran in those. */
  readonly lostJobsTotal: number;
}

/**
 * A process that is gone for so long after it was noticed is counted as vanished: one that is frozen, or holds the
 * interpreter's lock, beats again.
 */
export const CONFIRMED_SECONDS = 60;
/** For so long lost jobs are looked for in their queues. */
const LOOKED_FOR_SECONDS = 600;
/** Clocks of hosts differ by less. */
const CLOCKS_SECONDS = 10;
/** Of a process that was seen to have missed two heartbeats it is known that it did not stop cleanly after that. */
const MISSED_BEATS_SECONDS = 25;
/** Processes write their names again by their next heartbeat after the database was emptied. */
const EMPTIED_SECONDS = 60;
const EVENTS_KEPT = 2000;
const VANISHED_KEPT = 200;
const HOSTS_KEPT = 1000;
const EMPTY: ProcessLogView = {
  since: null,
  vanished: [],
  events: [],
  vanishedByHost: new Map(),
  lostJobsTotal: 0,
};

/** Where the jobs of processes that have just gone are looked for. @param now epoch seconds */
export function lookedForOf({ vanished }: ProcessLogView, now: number): LookedFor {
  const recent = vanished.filter(
    ({ noticedAt, returnedAt }) => returnedAt === null && now - noticedAt <= LOOKED_FOR_SECONDS
  );
  const missing = ({ jobs }: VanishedProcess) => jobs.filter((job) => !job.recovered);
  const open = recent.filter((each) => !each.confirmed && missing(each).length > 0);
  return {
    queues: [...new Set(recent.flatMap((each) => missing(each).map(({ queue }) => queue)))],
    jids: new Set(open.flatMap((each) => missing(each).map(({ jid }) => jid))),
    since: open.reduce((first, { lastBeatAt }) => Math.min(first, lastBeatAt), Infinity) - CLOCKS_SECONDS,
  };
}

/** Mean execution times by class. */
function meanSeconds(minutes: Snapshot['minutes']): Map<string, number> {
  const means = new Map<string, number>();
  for (const [name, { processed, failed, milliseconds }] of sumCounts(minutes.items)) {
    if (processed > failed) {
      means.set(name, milliseconds / 1000 / (processed - failed));
    }
  }
  return means;
}

/** Those that are still to be counted, and the newest others. @param vanished newest first, by when they were noticed */
function bounded(vanished: readonly VanishedProcess[]): VanishedProcess[] {
  let others = 0;
  return vanished.filter(({ confirmed, returnedAt }) => {
    const isOpen = !confirmed && returnedAt === null;
    others += isOpen ? 0 : 1;
    return isOpen || others <= VANISHED_KEPT;
  });
}

interface Known {
  process: GoneProcess & Pick<Process, 'version' | 'beatAt' | 'beatAgeSeconds'>;
  work: readonly Work[];
  seenAt: number;
  /** Nobody watched for a while, so that it may have stopped cleanly meanwhile. */
  unwatched: boolean;
  /** Until when nothing follows from its absence: the database was emptied. */
  absentUntil: number | null;
}

const gone = z.object({ identity: z.string(), host: z.string() });

/** What {@link ProcessLog.save} writes. Saved logs of the first versions lack what has a default. */
const savedSchema = z.object({
  since: z.number().nullable(),
  vanished: z.array(
    z.object({
      process: gone,
      lastBeatAt: z.number(),
      beatAt: z.number().nullable().default(null),
      noticedAt: z.number(),
      returnedAt: z.number().nullable().default(null),
      confirmed: z.boolean().default(true),
      jobs: z.array(workSchema.extend({ recovered: z.boolean(), usualSeconds: z.number().nullable().default(null) })),
    })
  ),
  events: z.array(
    z.object({
      kind: z.enum(['start', 'stop', 'vanished', 'returned', 'version', 'leader']),
      at: z.number(),
      endsAt: z.number().exactOptional(),
      title: z.string(),
      host: z.string(),
      process: z.string().exactOptional(),
    })
  ),
  vanishedByHost: z.array(z.tuple([z.string(), z.number()])),
  lostJobsTotal: z.number(),
  known: z
    .array(
      z.object({
        process: gone.extend({
          version: z.string(),
          beatAt: z.number().nullable(),
          beatAgeSeconds: z.number().nullable().default(null),
        }),
        work: z.array(workSchema),
        seenAt: z.number(),
        unwatched: z.boolean().default(true),
        absentUntil: z.number().nullable().default(null),
      })
    )
    .default([]),
  leader: z.string().nullable().default(null),
  hasLooked: z.boolean().default(false),
  processed: z.number().nullable().default(null),
});

/**
 * Notices what happens between two snapshots: processes that start, stop, vanish or come back, and what ran in those.
 *
 * A process that stops takes its name out of the set at once. One that was killed leaves it there, and its hash expires
 * a minute after the last heartbeat; another process may then clear the name away. So: a name without a hash has
 * vanished, and so has one that is gone a minute or more after its last heartbeat, where it had been seen to miss some: in a
 * pause of the readings it may have stopped cleanly. Ages of heartbeats are those of the hash, by the clock of Redis. A
 * snapshot in which not all processes are known tells of none that is gone, nor does a database that was emptied: live
 * processes are back by their next heartbeat. An identity has a random part, so one that beats again is the same process.
 *
 * Holds the live processes with their jobs, 200 vanished ones beside those that are not counted yet, 2,000 events and the losses of 1,000 hosts.
 */
export class ProcessLog implements Observer<ProcessLogView> {
  private known = new Map<string, Known>();
  private current = EMPTY;
  private leader: string | null = null;
  private hasLooked = false;
  /** stat:processed as it was last read: where it begins anew, Redis was emptied. */
  private processed: number | null = null;

  observe(snapshot: Snapshot): void {
    const { processes, work: running, at } = snapshot;
    if (this.current.since === null) {
      this.change({ since: at });
    }
    this.putBack(at);
    this.noticeEmptied(snapshot);
    if (processes.whole) {
      this.missGone(snapshot);
    }
    this.recover(snapshot);
    const workByProcess = groupBy(running.items, ({ process }) => process);
    for (const process of processes.items) {
      const { identity, host, version, beatAt, beatAgeSeconds } = process;
      this.meet(process, at);
      const before = this.known.get(identity);
      this.known.set(identity, {
        process: { identity, host, version, beatAt, beatAgeSeconds },
        work: running.whole ? (workByProcess.get(identity) ?? []) : (before?.work ?? []),
        seenAt: at,
        unwatched: false,
        absentUntil: null,
      });
    }
    this.confirm(at);
    this.watchLeader(snapshot);
    this.hasLooked ||= processes.whole;
  }

  view(): ProcessLogView {
    return this.current;
  }

  save(): unknown {
    const { vanishedByHost, ...rest } = this.current;
    const saved: z.input<typeof savedSchema> = {
      ...rest,
      vanished: rest.vanished.map((each) => ({ ...each, jobs: [...each.jobs] })),
      events: [...rest.events],
      vanishedByHost: [...vanishedByHost],
      known: [...this.known.values()].map((each) => ({ ...each, work: [...each.work] })),
      leader: this.leader,
      hasLooked: this.hasLooked,
      processed: this.processed,
    };
    return saved;
  }

  restore(saved: unknown): void {
    const { vanishedByHost, known, leader, hasLooked, processed, ...view } = savedSchema.parse(saved);
    this.current = { ...view, vanishedByHost: new Map(vanishedByHost) };
    this.known = new Map(known.map((each) => [each.process.identity, each]));
    this.leader = leader;
    this.hasLooked = hasLooked;
    this.processed = processed;
  }

  /** Nobody has watched for a while: what is gone since may have stopped cleanly. */
  pause(): void {
    this.known = new Map([...this.known].map(([identity, each]) => [identity, { ...each, unwatched: true }]));
    this.leader = null;
    this.hasLooked = false;
  }

  /** Where Redis was emptied, the names of live processes are gone with all else; some may be back already. */
  private noticeEmptied({ totals: { processed }, hasSidekiq, at }: Snapshot): void {
    const isAnew = processed !== null && this.processed !== null && hasBegunAnew(processed, this.processed);
    if (isAnew || hasSidekiq === false) {
      this.known.forEach((known) => (known.absentUntil = at + EMPTIED_SECONDS));
    }
    this.processed = processed ?? this.processed;
  }

  /** Nothing lies in the future: a clock that was ahead was put back. Starts are by the clocks of hosts. */
  private putBack(now: number): void {
    const { since, vanished, events } = this.current;
    const latest = now + CLOCKS_SECONDS;
    this.known.forEach((known) => {
      if (known.seenAt > latest) {
        known.seenAt = now;
        known.absentUntil = known.absentUntil && Math.min(known.absentUntil, now + EMPTIED_SECONDS);
      }
    });
    const isAhead =
      since! > latest ||
      vanished.some(({ noticedAt, returnedAt }) => Math.max(noticedAt, returnedAt ?? 0) > latest) ||
      events.some(({ at, endsAt }) => Math.max(at, endsAt ?? 0) > latest);
    if (!isAhead) {
      return;
    }
    const past = (instant: number) => Math.min(instant, now);
    this.change({
      since: past(since!),
      vanished: vanished.map((each) => ({
        ...each,
        lastBeatAt: past(each.lastBeatAt),
        noticedAt: past(each.noticedAt),
        returnedAt: each.returnedAt && past(each.returnedAt),
      })),
      events: events.map((event) => ({
        ...event,
        at: past(event.at),
        ...(event.endsAt !== undefined && { endsAt: past(event.endsAt) }),
      })),
    });
  }

  private missGone({ processes, ghosts, minutes, at }: Snapshot): void {
    let usual: ReadonlyMap<string, number> | undefined;
    const alive = new Set(processes.items.map(({ identity }) => identity));
    const ghostNames = new Set(ghosts.items);
    for (const [identity, known] of this.known) {
      if (alive.has(identity) || (known.absentUntil !== null && at < known.absentUntil)) {
        continue;
      }
      this.known.delete(identity);
      const { host, beatAt, beatAgeSeconds } = known.process;
      const lastBeatAt = beatAgeSeconds === null ? (beatAt ?? known.seenAt) : known.seenAt - beatAgeSeconds;
      const isOverdue = at - lastBeatAt >= HEARTBEAT_TTL_SECONDS;
      const hadMissed = known.seenAt - lastBeatAt >= MISSED_BEATS_SECONDS;
      if (ghostNames.has(identity) || (!known.unwatched && isOverdue && hadMissed)) {
        usual ??= meanSeconds(minutes);
        this.addVanished(known, lastBeatAt, at, usual);
      } else if (known.unwatched || isOverdue || known.absentUntil !== null) {
        const title = `${identity} stopped while nobody watched`;
        this.add({ kind: 'stop', at: known.seenAt, endsAt: at, title, host, process: identity });
      } else {
        this.add({ kind: 'stop', at, title: `${identity} stopped`, host, process: identity });
      }
    }
  }

  /** Marks lost jobs that run again, wait where jobs are taken from a queue, or lie in a set. */
  private recover({ work: running, queues, nextJobs }: Snapshot): void {
    const { vanished } = this.current;
    if (!vanished.some(({ jobs }) => jobs.some(({ recovered }) => !recovered))) {
      return;
    }
    const seen = new Set([
      ...running.items.map(({ jid }) => jid),
      ...queues.items.flatMap(({ next }) => next?.jid ?? []),
      ...nextJobs,
    ]);
    this.change({
      vanished: vanished.map((each) =>
        each.jobs.some(({ jid, recovered }) => !recovered && seen.has(jid))
          ? { ...each, jobs: each.jobs.map((job) => ({ ...job, recovered: job.recovered || seen.has(job.jid) })) }
          : each
      ),
    });
  }

  private meet(process: Process, seenAt: number): void {
    const { identity, version, host, startedAt } = process;
    if (this.known.has(identity)) {
      return;
    }
    if (this.current.vanished.some((each) => each.process.identity === identity && each.returnedAt === null)) {
      this.takeBack(process, seenAt);
      return;
    }
    const at = startedAt ?? seenAt;
    if (this.current.events.some((event) => event.kind === 'start' && event.process === identity)) {
      return;
    }
    const title = `${identity} started (Sidekiq ${version || 'before 7.0.2'})`;
    this.add({ kind: 'start', at, title, host, process: identity });
    const before = [...new Set([...this.known.values()].map((each) => each.process.version))];
    if (this.hasLooked && before.length > 0 && !before.includes(version)) {
      const beside = before.map((each) => each || 'before 7.0.2').join(', ');
      this.add({ kind: 'version', at, title: `Sidekiq ${version || 'before 7.0.2'} appeared beside ${beside}`, host });
    }
  }

  /** A process that beats again has not vanished: neither it nor its jobs were lost. */
  private takeBack({ identity, beatAt }: Process, returnedAt: number): void {
    const { vanished, events } = this.current;
    const back = vanished.find(({ process, returnedAt: before }) => process.identity === identity && before === null)!;
    this.change({
      vanished: vanished.map((each) => (each === back ? { ...each, returnedAt } : each)),
      events: events.filter(({ kind, process }) => kind !== 'vanished' || process !== identity),
    });
    // Where the clock of Redis is put on, all hashes expire at once: the host knows better for how long it was silent.
    const byHost = beatAt !== null && back.beatAt !== null ? Math.max(0, beatAt - back.beatAt) : Infinity;
    const silent = Math.min(returnedAt - back.lastBeatAt, byHost);
    this.add({
      kind: 'returned',
      at: returnedAt - silent,
      endsAt: returnedAt,
      title: `${identity} sent no heartbeat for ${Math.round(silent)} s and is back`,
      host: back.process.host,
      process: identity,
    });
  }

  /** Counts what has been gone for long enough. */
  private confirm(now: number): void {
    const due = this.current.vanished.filter(
      ({ confirmed, returnedAt, noticedAt }) =>
        !confirmed && returnedAt === null && now - noticedAt >= CONFIRMED_SECONDS
    );
    if (due.length === 0) {
      return;
    }
    const byHost = new Map(this.current.vanishedByHost);
    for (const { process } of due) {
      const before = byHost.get(process.host) ?? 0;
      byHost.delete(process.host);
      byHost.set(process.host, before + 1);
    }
    const lost = due.flatMap(({ jobs }) => jobs.filter(({ recovered }) => !recovered));
    const counted = new Set(due);
    this.change({
      vanished: bounded(this.current.vanished.map((each) => (counted.has(each) ? { ...each, confirmed: true } : each))),
      vanishedByHost: new Map([...byHost].slice(-HOSTS_KEPT)),
      lostJobsTotal: this.current.lostJobsTotal + lost.length,
    });
  }

  private watchLeader({ leader, at }: Snapshot): void {
    if (leader === null) {
      return;
    }
    if (this.leader !== null && leader !== this.leader && leader !== '') {
      const host = leader.split(':').slice(0, -2).join(':');
      this.add({ kind: 'leader', at, title: `${leader} became the leader`, host });
    }
    this.leader = leader;
  }

  private addVanished(
    { process, work: running }: Known,
    lastBeatAt: number,
    noticedAt: number,
    usual: ReadonlyMap<string, number>
  ): void {
    const { identity, host, beatAt } = process;
    const jobs = running.map((job): LostJob => ({
      ...job,
      recovered: false,
      usualSeconds: usual.get(job.metricsClass) ?? null,
    }));
    // One that came back and is gone again is told once.
    const others = this.current.vanished.filter((each) => each.process.identity !== identity);
    this.change({
      vanished: bounded([
        { process: { identity, host }, lastBeatAt, beatAt, noticedAt, returnedAt: null, confirmed: false, jobs },
        ...others,
      ]),
    });
    this.add({
      kind: 'vanished',
      at: lastBeatAt,
      endsAt: noticedAt,
      title: `${identity} vanished; ${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'} ran in it at its last heartbeat`,
      host,
      process: identity,
    });
  }

  private add(event: WatchedEvent): void {
    this.change({ events: [...this.current.events, event].slice(-EVENTS_KEPT) });
  }

  private change(part: Partial<ProcessLogView>): void {
    this.current = { ...this.current, ...part };
  }
}

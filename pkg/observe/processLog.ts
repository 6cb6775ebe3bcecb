import type { z } from 'zod';
import { groupBy } from '../sidekiq/groupBy';
import { HEARTBEAT_TTL_SECONDS } from '../sidekiq/parts/process';
import { hasBegunAnew } from '../sidekiq/counters';
import type { Process } from '../sidekiq/model';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';
import { savedSchema, type KnownProcess, type ProcessLogView, type WatchedEvent } from './processLogModel';
import {
  boundedVanished,
  CLOCKS_SECONDS,
  CONFIRMED_SECONDS,
  meanSeconds,
  type GoneProcess,
  type LostJob,
} from './vanished';

/** Of a process that was seen to have missed two heartbeats it is known that it did not stop cleanly after that. */
const MISSED_BEATS_SECONDS = 25;
/** Processes write their names again by their next heartbeat after the database was emptied. */
const EMPTIED_SECONDS = 60;
/** Between two readings that far apart somebody has watched: what is watched is saved every ten seconds. */
const PAUSE_SECONDS = 15;
const EVENTS_KEPT = 2000;
const HOSTS_KEPT = 1000;
const EMPTY: ProcessLogView = {
  since: null,
  vanished: [],
  events: [],
  vanishedByHost: new Map(),
  lostJobsTotal: 0,
};

/**
 * Notices what happens between two snapshots: processes that start, stop, vanish or come back, and what ran in those.
 *
 * A process that stops takes its name out of the set at once. One that was killed leaves it there, and its hash expires
 * a minute after the last heartbeat; another process may then clear the name away. So: a name without a hash has
 * vanished, and so has one that is gone a minute or more after its last heartbeat, where it had been seen to miss some: in a
 * pause of the readings it may have stopped cleanly. Ages of heartbeats are those of the hash, by the clock of Redis. A
 * snapshot in which not all processes are known tells of none that is gone, nor does a database that was emptied: live
 * processes are back by their next heartbeat. An identity has a random part, so one that beats again is the same process,
 * and has not stopped.
 *
 * Holds the live processes with their jobs, 200 vanished ones beside those that are not counted yet, 2,000 events and the
 * losses of 1,000 hosts.
 */
export class ProcessLog implements Observer<ProcessLogView> {
  private known = new Map<string, KnownProcess>();
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
      const unwatched = known.unwatched && at - known.seenAt > PAUSE_SECONDS;
      if (ghostNames.has(identity) || (!unwatched && isOverdue && hadMissed)) {
        usual ??= meanSeconds(minutes);
        this.addVanished(known, lastBeatAt, at, usual);
      } else if (unwatched || isOverdue || known.absentUntil !== null) {
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
    const stops = this.current.events.filter((event) => event.kind === 'stop' && event.process === identity);
    if (stops.length > 0) {
      this.change({ events: this.current.events.filter((event) => !stops.includes(event)) });
      this.addReturned(process, Math.min(stops.at(-1)!.at, seenAt), seenAt);
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
    this.addReturned(back.process, returnedAt - silent, returnedAt);
  }

  private addReturned({ identity, host }: GoneProcess, at: number, endsAt: number): void {
    const title = `${identity} sent no heartbeat for ${Math.round(endsAt - at)} s and is back`;
    this.add({ kind: 'returned', at, endsAt, title, host, process: identity });
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
      vanished: boundedVanished(
        this.current.vanished.map((each) => (counted.has(each) ? { ...each, confirmed: true } : each))
      ),
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
    { process, work: running }: KnownProcess,
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
      vanished: boundedVanished([
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

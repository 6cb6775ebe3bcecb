import type { Process } from '../sidekiq/process';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Work } from '../sidekiq/work';

/** A process that ended without a word, with what ran in it. Instants are epoch seconds. */
export interface VanishedProcess {
  process: Process;
  lastBeatAt: number;
  noticedAt: number;
  jobs: Work[];
}

/** Something that happened, for annotations. `endsAt` where it lasted. */
export interface WatchedEvent {
  kind: 'start' | 'stop' | 'vanished' | 'version' | 'leader';
  at: number;
  endsAt?: number;
  title: string;
  host: string;
}

/** Sidekiq's processes write a heartbeat that Redis keeps for so long. */
const HEARTBEAT_TTL_SECONDS = 60;
const EVENTS_KEPT = 2000;
const VANISHED_KEPT = 200;

interface Known {
  process: Process;
  work: Work[];
  seenAt: number;
}

/**
 * Notices what happens between two looks: processes that start, stop, or vanish, and what ran in those.
 *
 * A process that stops takes its name out of the set at once. One that was killed leaves it there, and its
 * hash expires a minute after the last heartbeat; another process may then clear the name away. So: a name
 * without a hash has vanished, and so has one that is gone a minute or more after its last heartbeat.
 */
export class LossWatch {
  private readonly known = new Map<string, Known>();
  private readonly vanishedByIdentity = new Map<string, VanishedProcess>();
  private readonly log: WatchedEvent[] = [];
  private readonly recoveredJids = new Set<string>();
  private leader: string | undefined;
  private hasLooked = false;
  /** Vanished processes since the watch began, by host. */
  readonly vanishedTotal = new Map<string, number>();
  lostJobsTotal = 0;

  observe(snapshot: Snapshot): void {
    const alive = new Map(snapshot.processes.map((process) => [process.identity, process]));
    const ghosts = new Set(snapshot.ghosts);
    for (const [identity, known] of this.known) {
      if (!alive.has(identity)) {
        this.known.delete(identity);
        const lastBeatAt = known.process.beatAt ?? known.seenAt;
        if (ghosts.has(identity) || snapshot.at - lastBeatAt >= HEARTBEAT_TTL_SECONDS) {
          this.addVanished(known, lastBeatAt, snapshot.at);
        } else {
          this.add({ kind: 'stop', at: snapshot.at, title: `${identity} stopped`, host: known.process.host });
        }
      }
    }
    const workByProcess = new Map<string, Work[]>();
    for (const work of snapshot.work) {
      workByProcess.set(work.process, [...(workByProcess.get(work.process) ?? []), work]);
      if (this.vanishedByIdentity.size > 0) {
        this.recoveredJids.add(work.jid);
      }
    }
    for (const { next } of snapshot.queues) {
      if (next && this.vanishedByIdentity.size > 0) {
        this.recoveredJids.add(next.jid);
      }
    }
    for (const process of snapshot.processes) {
      this.meet(process);
      this.known.set(process.identity, {
        process,
        work: workByProcess.get(process.identity) ?? [],
        seenAt: snapshot.at,
      });
    }
    this.watchLeader(snapshot);
    this.hasLooked = true;
  }

  /** Processes that vanished, newest first. */
  get vanished(): VanishedProcess[] {
    return [...this.vanishedByIdentity.values()].reverse();
  }

  /** A lost job that was seen again: super_fetch, or somebody, put it back. */
  isRecovered(jid: string): boolean {
    return this.recoveredJids.has(jid);
  }

  get events(): readonly WatchedEvent[] {
    return this.log;
  }

  private meet(process: Process): void {
    if (this.known.has(process.identity)) {
      return;
    }
    const at = process.startedAt ?? 0;
    this.add({
      kind: 'start',
      at,
      title: `${process.identity} started (Sidekiq ${process.version || 'before 7.0.2'})`,
      host: process.host,
    });
    const before = [...this.known.values()].map(({ process: each }) => each.version);
    if (this.hasLooked && before.length > 0 && !before.includes(process.version)) {
      this.add({
        kind: 'version',
        at,
        title: `Sidekiq ${process.version} appeared beside ${[...new Set(before)].join(', ')}`,
        host: process.host,
      });
    }
  }

  private watchLeader({ leader, at }: Snapshot): void {
    if (this.leader !== undefined && leader !== this.leader && leader !== '') {
      this.add({ kind: 'leader', at, title: `${leader} leads now`, host: leader.split(':').slice(0, -2).join(':') });
    }
    this.leader = leader;
  }

  private addVanished({ process, work }: Known, lastBeatAt: number, noticedAt: number): void {
    this.vanishedByIdentity.set(process.identity, { process, lastBeatAt, noticedAt, jobs: work });
    this.vanishedTotal.set(process.host, (this.vanishedTotal.get(process.host) ?? 0) + 1);
    this.lostJobsTotal += work.length;
    work.forEach(({ jid }) => this.recoveredJids.delete(jid));
    this.add({
      kind: 'vanished',
      at: lastBeatAt,
      endsAt: noticedAt,
      title: `${process.identity} vanished with ${work.length} running jobs`,
      host: process.host,
    });
    for (const identity of this.vanishedByIdentity.keys()) {
      if (this.vanishedByIdentity.size <= VANISHED_KEPT) {
        break;
      }
      this.vanishedByIdentity.delete(identity);
    }
  }

  private add(event: WatchedEvent): void {
    this.log.push(event);
    if (this.log.length > EVENTS_KEPT) {
      this.log.shift();
    }
  }
}

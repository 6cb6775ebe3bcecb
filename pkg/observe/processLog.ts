import { groupBy } from '../sidekiq/groupBy';
import { HEARTBEAT_TTL_SECONDS } from '../sidekiq/parts/process';
import type { Process, Work } from '../sidekiq/model';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Observer } from './observer';

/** A job that ran in a process when that vanished. */
export interface LostJob extends Work {
  /** It was seen again: super_fetch, or somebody, put it back. */
  readonly recovered: boolean;
}

/** A process that ended without a clean stop, with what ran in it. Instants are epoch seconds. */
export interface VanishedProcess {
  readonly process: Process;
  readonly lastBeatAt: number;
  readonly noticedAt: number;
  readonly jobs: readonly LostJob[];
}

/** Something that happened, for annotations. `endsAt` where it lasted. */
export interface WatchedEvent {
  readonly kind: 'start' | 'stop' | 'vanished' | 'version' | 'leader';
  readonly at: number;
  readonly endsAt?: number;
  readonly title: string;
  readonly host: string;
}

export interface ProcessLogView {
  /** When the watch began; `null` before the first snapshot. */
  readonly since: number | null;
  /** Newest first. */
  readonly vanished: readonly VanishedProcess[];
  /** In the order in which they were noticed. */
  readonly events: readonly WatchedEvent[];
  /** Vanished processes since the watch began, by host; hosts without a loss are not in it. */
  readonly vanishedByHost: ReadonlyMap<string, number>;
  readonly lostJobsTotal: number;
}

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

interface Known {
  process: Process;
  work: readonly Work[];
  seenAt: number;
}

/**
 * Notices what happens between two snapshots: processes that start, stop, or vanish, and what ran in those.
 *
 * A process that stops takes its name out of the set at once. One that was killed leaves it there, and its hash expires
 * a minute after the last heartbeat; another process may then clear the name away. So: a name without a hash has
 * vanished, and so has one that is gone a minute or more after its last heartbeat. A snapshot in which not all processes
 * are known tells of none that is gone.
 *
 * Holds the live processes with their jobs, 200 vanished ones, 2,000 events and the losses of 1,000 hosts.
 */
export class ProcessLog implements Observer<ProcessLogView> {
  private known = new Map<string, Known>();
  private current = EMPTY;
  private leader: string | null = null;
  private hasLooked = false;

  observe(snapshot: Snapshot): void {
    const { processes, work, at } = snapshot;
    if (this.current.since === null) {
      this.change({ since: at });
    }
    if (processes.whole) {
      this.missGone(snapshot);
    }
    this.recover(snapshot);
    const workByProcess = groupBy(work.items, ({ process }) => process);
    for (const process of processes.items) {
      this.meet(process, at);
      const before = this.known.get(process.identity);
      this.known.set(process.identity, {
        process,
        work: work.whole ? (workByProcess.get(process.identity) ?? []) : (before?.work ?? []),
        seenAt: at,
      });
    }
    this.watchLeader(snapshot);
    this.hasLooked ||= processes.whole;
  }

  view(): ProcessLogView {
    return this.current;
  }

  /** What was noticed, as text for {@link restore}; not the live processes, which may stop while nobody watches. */
  save(): string {
    const { vanished, vanishedByHost } = this.current;
    return JSON.stringify({
      ...this.current,
      // Capsules hold maps, and nobody asks for those of a process that is gone.
      vanished: vanished.map((each) => ({ ...each, process: { ...each.process, capsules: [] } })),
      vanishedByHost: [...vanishedByHost],
    });
  }

  /** Goes on where another left off. @throws Error where the text is none of {@link save} */
  restore(saved: string): void {
    const { vanishedByHost, ...rest } = JSON.parse(saved) as Omit<ProcessLogView, 'vanishedByHost'> & {
      vanishedByHost: Array<[string, number]>;
    };
    const view = { ...rest, vanishedByHost: new Map(vanishedByHost) };
    if (!Array.isArray(view.vanished) || !Array.isArray(view.events)) {
      throw new Error('The saved log of processes has another form.');
    }
    this.current = view;
  }

  private missGone({ processes, ghosts, at }: Snapshot): void {
    const alive = new Set(processes.items.map(({ identity }) => identity));
    const ghostNames = new Set(ghosts.items);
    for (const [identity, known] of this.known) {
      if (alive.has(identity)) {
        continue;
      }
      this.known.delete(identity);
      const lastBeatAt = known.process.beatAt ?? known.seenAt;
      if (ghostNames.has(identity) || at - lastBeatAt >= HEARTBEAT_TTL_SECONDS) {
        this.addVanished(known, lastBeatAt, at);
      } else {
        this.add({ kind: 'stop', at, title: `${identity} stopped`, host: known.process.host });
      }
    }
  }

  /** Marks lost jobs that run again or are next in a queue. */
  private recover({ work, queues }: Snapshot): void {
    const { vanished } = this.current;
    if (!vanished.some(({ jobs }) => jobs.some(({ recovered }) => !recovered))) {
      return;
    }
    const seen = new Set([...work.items.map(({ jid }) => jid), ...queues.items.flatMap(({ next }) => next?.jid ?? [])]);
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
    const at = startedAt ?? seenAt;
    this.add({ kind: 'start', at, title: `${identity} started (Sidekiq ${version || 'before 7.0.2'})`, host });
    const before = [...new Set([...this.known.values()].map((each) => each.process.version))];
    if (this.hasLooked && before.length > 0 && !before.includes(version)) {
      const beside = before.map((each) => each || 'before 7.0.2').join(', ');
      this.add({ kind: 'version', at, title: `Sidekiq ${version || 'before 7.0.2'} appeared beside ${beside}`, host });
    }
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

  private addVanished({ process, work }: Known, lastBeatAt: number, noticedAt: number): void {
    const { vanished, vanishedByHost, lostJobsTotal } = this.current;
    const jobs = work.map((job): LostJob => ({ ...job, recovered: false }));
    const byHost = new Map(vanishedByHost);
    const before = byHost.get(process.host) ?? 0;
    byHost.delete(process.host);
    byHost.set(process.host, before + 1);
    this.change({
      vanished: [{ process, lastBeatAt, noticedAt, jobs }, ...vanished].slice(0, VANISHED_KEPT),
      vanishedByHost: new Map([...byHost].slice(-HOSTS_KEPT)),
      lostJobsTotal: lostJobsTotal + jobs.length,
    });
    this.add({
      kind: 'vanished',
      at: lastBeatAt,
      endsAt: noticedAt,
      title: `${process.identity} vanished with ${jobs.length} running ${jobs.length === 1 ? 'job' : 'jobs'}`,
      host: process.host,
    });
  }

  private add(event: WatchedEvent): void {
    this.change({ events: [...this.current.events, event].slice(-EVENTS_KEPT) });
  }

  private change(part: Partial<ProcessLogView>): void {
    this.current = { ...this.current, ...part };
  }
}

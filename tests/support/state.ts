import type { Lock } from '../../pkg/sidekiq/browse/locks';
import type { RecurringEntry } from '../../pkg/sidekiq/browse/recurring';
import type { State } from '../../pkg/watch/state';
import type { QueueState } from '../../pkg/observe/queueState';
import { optionsSchema } from '../../pkg/settings/model';
import type { MinuteCounts, ClassCounts } from '../../pkg/sidekiq/jobMetrics';
import type { Capsule, Process, Queue, Totals, Work } from '../../pkg/sidekiq/model';
import type { Job } from '../../pkg/sidekiq/payload';
import type { Snapshot } from '../../pkg/sidekiq/snapshot';
import type { InstallationTotals } from '../../pkg/sidekiq/totals';
import { StatsdIntake } from '../../pkg/statsd/intake';

/** The instant of literal states: 2026-11-25 12:00:30 UTC. */
export const NOW = Date.UTC(2026, 10, 25, 12, 0, 30) / 1000;
/** The minute in which that lies. */
export const MINUTE = NOW - 30;

export const listed = <T>(...items: T[]) => ({ items, whole: true });
export const partial = <T>(...items: T[]) => ({ items, whole: false });

export function aJob(part: Partial<Job> = {}): Job {
  return {
    jid: 'j',
    class: 'AJob',
    metricsClass: 'AJob',
    queue: 'default',
    enqueuedAt: null,
    createdAt: null,
    ...part,
  };
}

export function aQueue(name: string, part: Partial<Queue> = {}): Queue {
  return { name, size: 0, latencySeconds: 0, paused: false, known: true, next: null, ...part };
}

export function aQueueState(name: string, part: Partial<QueueState> = {}): QueueState {
  return {
    ...aQueue(name),
    threads: 0,
    readyThreads: 0,
    processes: 0,
    busy: 0,
    readyBusy: part.busy === undefined ? 0 : part.busy,
    readyIdle: null,
    longestRunSeconds: null,
    unserved: false,
    starved: false,
    inRate: null,
    outRate: null,
    flowSeconds: 120,
    drainSeconds: null,
    waitSeconds: part.latencySeconds === null ? null : Math.max(0, part.latencySeconds ?? 0),
    workerType: '',
    objectiveSeconds: 300,
    ...part,
  };
}

export function aProcess(identity: string, part: Partial<Process> = {}): Process {
  return {
    identity,
    host: identity.split(':')[0]!,
    pid: 1,
    tag: 'shop',
    labels: [],
    version: '8.1.7',
    startedAt: NOW - 3600,
    quiet: false,
    embedded: false,
    beatAt: NOW - 2,
    beatAgeSeconds: 2,
    busy: 0,
    concurrency: 5,
    rssBytes: null,
    rttSeconds: null,
    queues: ['default'],
    capsules: [aCapsule(5, { default: 0 })],
    ...part,
  };
}

export function aCapsule(
  concurrency: number | null,
  weights: Record<string, number>,
  mode: Capsule['mode'] = 'strict'
): Capsule {
  return { name: 'default', concurrency, mode, weights: new Map(Object.entries(weights)) };
}

export function someWork(part: Partial<Work> = {}): Work {
  return {
    process: 'a:1:x',
    thread: 't1',
    queue: 'default',
    class: 'AJob',
    metricsClass: 'AJob',
    jid: 'j1',
    runAt: NOW - 10,
    enqueuedAt: null,
    ...part,
  };
}

/** A minute of executions: `[processed, failed, milliseconds]` by class. */
export function aMinute(startsAt: number, classes: Record<string, [number, number, number]> = {}): MinuteCounts {
  return {
    startsAt,
    classes: new Map(
      Object.entries(classes).map(([name, [processed, failed, milliseconds]]): [string, ClassCounts] => [
        name,
        { processed, failed, milliseconds },
      ])
    ),
    shapes: new Map(Object.keys(classes).map((name) => [name, ['new']])),
  };
}

export function someTotals(part: Partial<Totals> = {}): Totals {
  return {
    processed: 0,
    failed: 0,
    processedToday: 0,
    failedToday: 0,
    scheduled: 0,
    retry: 0,
    dead: 0,
    processNames: 0,
    overdueScheduled: 0,
    overdueRetry: 0,
    lateScheduled: 0,
    lateRetry: 0,
    activeJobRetries: 0,
    deadLastHour: 0,
    ...part,
  };
}

export function aSnapshot(part: Partial<Omit<Snapshot, 'totals'>> & { totals?: Partial<Totals> } = {}): Snapshot {
  return {
    at: NOW,
    queues: listed(),
    processes: listed(),
    ghosts: listed(),
    nextJobs: [],
    work: listed(),
    leader: '',
    marks: listed(),
    recurring: listed(),
    minutes: listed(),
    durations: [],
    hasSidekiq: true,
    refused: new Map(),
    notices: [],
    cost: { roundTrips: 2, commands: 3, bytesIn: 400, milliseconds: 5 },
    ...part,
    totals: someTotals(part.totals),
  };
}

/** An entry of sidekiq-cron that runs every hour, and did so half a minute ago. */
export function anEntry(part: Partial<RecurringEntry> = {}): RecurringEntry {
  return {
    source: 'sidekiq-cron',
    name: 'bill',
    prefix: '',
    class: 'BillJob',
    queue: 'billing',
    schedule: '0 * * * *',
    enabled: true,
    lastAt: MINUTE,
    nextAt: MINUTE + 3600,
    lateFrom: MINUTE + 3600,
    unreadable: false,
    zoneKnown: true,
    ...part,
  };
}

export function installationTotals(part: Partial<InstallationTotals> = {}): InstallationTotals {
  return {
    processed: 0,
    failed: 0,
    failureRate: null,
    busy: 0,
    busyThreads: 0,
    busyReadyThreads: 0,
    threads: 0,
    readyThreads: 0,
    utilisation: 0,
    processes: 0,
    quietProcesses: 0,
    ghosts: 0,
    enqueued: 0,
    latencyMaxSeconds: 0,
    oldestHeartbeatSeconds: null,
    ratedExecutions: null,
    lastHour: new Map(),
    recent: new Map(),
    ...part,
  };
}

type StatePart = Partial<Omit<State, 'totals' | 'snapshot' | 'options'>> & {
  totals?: Partial<InstallationTotals>;
  snapshot?: Parameters<typeof aSnapshot>[0];
  options?: Record<string, unknown>;
};

/** A lock of sidekiq-unique-jobs whose job waits. */
export function aLock(part: Partial<Lock> = {}): Lock {
  return {
    gem: 'sidekiq-unique-jobs',
    digest: 'uniquejobs:1',
    kind: 'until_executed',
    class: 'Bill',
    queue: 'default',
    jid: 'b1',
    since: NOW - 600,
    expiresAt: null,
    held: 1,
    queued: 0,
    primed: 0,
    place: 'waiting',
    nowhereSince: null,
    ...part,
  };
}

/** A literal state: what a test does not name is empty. */
export function aState(part: StatePart = {}): State {
  const totals = installationTotals(part.totals);
  return {
    redisCounters: { processed: totals.processed, failed: totals.failed },
    queues: [],
    processLog: { since: NOW - 3600, vanished: [], events: [], vanishedByHost: new Map(), lostJobsTotal: 0 },
    classTotals: new Map(),
    classQueues: new Map(),
    classNames: new Map(),
    disabledEntries: new Map(),
    serviceEnds: new Map(),
    busyMeans: new Map(),
    jobWaits: [],
    classMemory: [],
    classShares: new Map(),
    classQueueTotals: new Map(),
    redisMemory: null,
    findingLog: { open: [], ended: [] },
    statsd: new StatsdIntake({ series: 100, expireSeconds: 600 }),
    locks: null,
    usual: null,
    historyFile: null,
    now: NOW,
    recorded: false,
    notices: [],
    ...part,
    snapshot: aSnapshot(part.snapshot),
    totals,
    options: optionsSchema.parse(part.options ?? {}),
  };
}

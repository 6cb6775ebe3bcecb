import type { Fault } from '../faults/fault';
import type { State } from '../installation/state';
import type { QueueState } from '../observe/queueState';
import type { Process } from '../sidekiq/model';
import { missesTotals } from '../sidekiq/refusals';
import { versionsOf } from '../sidekiq/totals';
import { countText, durationText, shareText } from './findingTexts';
import type { RecurringRow } from './recurringRows';

/** How much a finding matters; `ok` says that nothing is wrong. */
export const SEVERITIES = ['critical', 'warning', 'info', 'ok'] as const;
export type Severity = (typeof SEVERITIES)[number];

/** What a finding is about. */
export type SubjectKind = 'queue' | 'class' | 'host' | 'entry' | 'Redis' | 'Sidekiq';

/** What the rules look at. `null` where it could not be read. */
export interface Evidence {
  state: State;
  /** The lines of INFO. */
  info: ReadonlyMap<string, string> | null;
  recurring: readonly RecurringRow[] | null;
}

/** One thing that is wrong. Instants are epoch seconds. */
export interface Found {
  kind: SubjectKind;
  subject: string;
  /** A sentence. */
  text: string;
  evidence: string;
  cause: string;
  /** Since when, where that is known. */
  since: number | null;
  /** Other than the rule's. */
  severity?: Severity;
  /** Within one severity larger ones come first. */
  weight: number;
}

/** A thing that can go wrong: a row of the table from which the query, the command `check` and the docs are made. */
export interface FindingRule {
  id: string;
  severity: Severity;
  /** When it is found, for the reference page. */
  when: string;
  /** What to do. */
  remedy: string;
  find(evidence: Evidence): Found[];
}

/** Limits that the alert rules have too. */
export const LIMITS = {
  deadInAnHour: 100,
  failureShare: 0.05,
  fewestExecutions: 20,
  longRunSeconds: 3600,
  lateBeatSeconds: 30,
  slowRoundTripSeconds: 0.05,
  overdueJobs: 50,
  lateRunSeconds: 300,
  deadSetShare: 0.9,
  memoryShare: 0.9,
  vanishedSeconds: 3600,
} as const;

export const FINDING_RULES: readonly FindingRule[] = [
  {
    id: 'partsRefused',
    severity: 'warning',
    when: 'Redis refuses commands, so that figures are missing; critical where totals are missing.',
    remedy: 'Grant the Redis user what gpx_sidekiq acl prints.',
    find: ({ state: { snapshot } }) =>
      [...snapshot.refused].map(([part, count]) => ({
        kind: 'Redis',
        subject: 'Redis',
        text: `Redis refuses to give ${part}.`,
        evidence: `${countText(count, 'command')} refused in the last reading`,
        cause: 'The Redis user lacks a right, or another program uses the key.',
        since: null,
        severity: missesTotals(snapshot) ? 'critical' : 'warning',
        weight: count,
      })),
  },
  {
    id: 'nothingRuns',
    severity: 'critical',
    when: 'Jobs wait, and no thread of any process takes jobs.',
    remedy: 'Start a Sidekiq process, or resume those that are quiet.',
    find: ({ state: { totals } }) =>
      totals.readyThreads !== 0 || totals.enqueued === null || totals.enqueued === 0
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `No process takes jobs; ${countText(totals.enqueued, 'job')} wait${totals.enqueued === 1 ? 's' : ''}.`,
              evidence: `${countText(totals.processes ?? 0, 'process', 'processes')}, ${totals.quietProcesses ?? 0} quiet`,
              cause:
                totals.processes === 0 ? 'No Sidekiq process is alive.' : 'All processes are quiet: they shut down.',
              since: null,
              weight: totals.enqueued,
            },
          ],
  },
  {
    id: 'queueUnserved',
    severity: 'critical',
    when: 'Jobs wait in a queue that no ready thread serves, though other queues are served.',
    remedy: 'Start a worker for the queue, or push its jobs to a queue that is served.',
    find: ({ state }) =>
      state.totals.readyThreads === 0
        ? []
        : state.queues
            .filter(({ unserved }) => unserved === true)
            .map((queue) => ({
              ...ofQueue(queue),
              text: `No process serves ${queue.name}; ${countText(queue.size, 'job')} wait${queue.size === 1 ? 's' : ''}.`,
              cause: queue.processes === 0 ? 'No process names this queue.' : 'The processes that serve it are quiet.',
              since: waitingSince(queue, state.now),
            })),
  },
  {
    id: 'queueStarved',
    severity: 'warning',
    when: 'Strict order keeps every process that serves a queue busy with queues before it.',
    remedy: 'Give the queue a weight, a capsule or a process of its own.',
    find: ({ state }) =>
      state.queues
        .filter(({ starved }) => starved === true)
        .map((queue) => ({
          ...ofQueue(queue),
          text: `${queue.name} is starved; ${countText(queue.size, 'job')} wait${queue.size === 1 ? 's' : ''}.`,
          cause: 'Its processes work in strict order, and queues before it are never empty.',
          since: waitingSince(queue, state.now),
        })),
  },
  {
    id: 'queueLate',
    severity: 'critical',
    when: 'The oldest job of a served queue has waited longer than the objective of the settings.',
    remedy: 'Add threads for the queue, or find out why its jobs take longer than usual.',
    find: ({ state }) =>
      state.queues
        .filter(
          (queue) =>
            (queue.waitSeconds ?? 0) > queue.objectiveSeconds &&
            !queue.unserved &&
            !queue.starved &&
            queue.paused !== true
        )
        .map((queue) => ({
          ...ofQueue(queue),
          text: `${queue.name} is late: its oldest job has waited ${durationText(queue.waitSeconds!)}, the objective is ${durationText(queue.objectiveSeconds)}.`,
          cause: causeOfWait(queue),
          since: state.now - (queue.waitSeconds! - queue.objectiveSeconds),
        })),
  },
  {
    id: 'queuePaused',
    severity: 'info',
    when: 'Jobs wait in a queue that is paused.',
    remedy: 'Resume the queue when it may run again.',
    find: ({ state }) =>
      state.queues
        .filter(({ paused, size }) => paused === true && size !== 0)
        .map((queue) => ({
          ...ofQueue(queue),
          text: `${queue.name} is paused; ${countText(queue.size, 'job')} wait${queue.size === 1 ? 's' : ''}.`,
          cause: 'Somebody, or a rate limit, has paused it.',
          since: waitingSince(queue, state.now),
        })),
  },
  {
    id: 'jobsDying',
    severity: 'warning',
    when: `Jobs died within the last hour; critical above ${LIMITS.deadInAnHour}.`,
    remedy: 'Open the dashboard Errors and dead jobs; retry the jobs when the cause is mended.',
    find: ({ state: { snapshot } }) => {
      const { deadLastHour } = snapshot.totals;
      return deadLastHour === null || deadLastHour === 0
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `${countText(deadLastHour, 'job')} died within the last hour.`,
              evidence: `${snapshot.totals.dead ?? '?'} in the dead set`,
              cause: 'Their last retry failed.',
              since: null,
              severity: deadLastHour > LIMITS.deadInAnHour ? 'critical' : 'warning',
              weight: deadLastHour,
            },
          ];
    },
  },
  {
    id: 'classFailing',
    severity: 'warning',
    when: `More than ${shareText(LIMITS.failureShare)} of at least ${LIMITS.fewestExecutions} executions of a class failed within the last hour.`,
    remedy: 'Look at its errors, and at what was deployed when they began.',
    find: ({ state: { totals } }) =>
      [...(totals.lastHour ?? [])]
        .filter(
          ([, { processed, failed }]) =>
            processed >= LIMITS.fewestExecutions && failed / processed > LIMITS.failureShare
        )
        .map(([name, { processed, failed }]) => ({
          kind: 'class',
          subject: name,
          text: `${shareText(failed / processed)} of the executions of ${name} failed within the last hour.`,
          evidence: `${failed.toLocaleString('en')} of ${processed.toLocaleString('en')} executions`,
          cause: 'The job raises an error.',
          since: null,
          weight: failed,
        })),
  },
  {
    id: 'jobStuck',
    severity: 'warning',
    when: `A job has run for more than ${durationText(LIMITS.longRunSeconds)}.`,
    remedy: 'Look at what the job waits for (TTIN prints backtraces); give its calls timeouts.',
    find: ({ state: { snapshot, now } }) =>
      snapshot.work.items
        .filter(({ runAt }) => runAt !== null && now - runAt > LIMITS.longRunSeconds)
        .map((work) => ({
          kind: 'class',
          subject: work.class,
          text: `A job of ${work.class} has run for ${durationText(now - work.runAt!)}.`,
          evidence: `job ${work.jid} of ${work.queue} in ${work.process}`,
          cause: 'It waits for something, or has more to do than usual.',
          since: work.runAt,
          weight: now - work.runAt!,
        })),
  },
  {
    id: 'saturated',
    severity: 'warning',
    when: 'Every ready thread is busy, and a queue has waited for more than a minute.',
    remedy: 'Add threads or processes; the dashboard Processes and capacity says how many are missing.',
    find: ({ state: { totals } }) => {
      const { busy, readyThreads, latencyMaxSeconds, enqueued } = totals;
      return busy === null || !readyThreads || busy < readyThreads || (latencyMaxSeconds ?? 0) <= 60
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `All ${countText(readyThreads, 'thread')} are busy.`,
              evidence: `${countText(enqueued, 'job')} waiting, the longest for ${durationText(latencyMaxSeconds!)}`,
              cause: 'More work arrives than the threads can do.',
              since: null,
              weight: enqueued ?? 0,
            },
          ];
    },
  },
  {
    id: 'processVanished',
    severity: 'warning',
    when: 'A process ended without a clean stop within the last hour; critical where jobs were lost in it.',
    remedy: 'Look for the OOM killer in the log of the host; enqueue lost jobs again.',
    find: ({ state: { processLog, now } }) =>
      processLog.vanished
        .filter(({ noticedAt }) => now - noticedAt <= LIMITS.vanishedSeconds)
        .map(({ process, lastBeatAt, jobs }) => {
          const lost = jobs.filter(({ recovered }) => !recovered);
          return {
            kind: 'host',
            subject: process.host,
            text:
              `A process on ${process.host} vanished` +
              (lost.length === 0 ? '.' : ` with ${countText(lost.length, 'job')}.`),
            evidence:
              lost.length === 0
                ? process.identity
                : lost
                    .map((job) => `${job.class} ${job.jid}`)
                    .slice(0, 3)
                    .join(', '),
            cause: 'It was killed, or ran out of memory.',
            since: lastBeatAt,
            severity: lost.length > 0 ? 'critical' : 'warning',
            weight: lost.length,
          };
        }),
  },
  {
    id: 'heartbeatLate',
    severity: 'warning',
    when: `A process has sent no heartbeat for more than ${LIMITS.lateBeatSeconds} seconds.`,
    remedy: 'Check whether its host is overloaded or swaps, and whether it reaches Redis.',
    find: ({ state: { snapshot, now } }) =>
      ofProcesses(
        snapshot.processes.items,
        ({ beatAgeSeconds }) => beatAgeSeconds,
        LIMITS.lateBeatSeconds,
        (host, age) => ({
          text: `No heartbeat from ${host} for ${durationText(age)}.`,
          cause: 'The process is blocked, its host is overloaded, or it does not reach Redis.',
          since: now - age,
        })
      ),
  },
  {
    id: 'redisSlow',
    severity: 'warning',
    when: 'A round trip to Redis takes a process more than 50 ms.',
    remedy: 'Look at SLOWLOG, the load of Redis, and the network between.',
    find: ({ state: { snapshot } }) =>
      ofProcesses(
        snapshot.processes.items,
        ({ rttSeconds }) => rttSeconds,
        LIMITS.slowRoundTripSeconds,
        (host, rtt) => ({
          text: `Redis is slow for ${host}: a round trip takes ${Math.round(rtt * 1000)} ms.`,
          cause: 'Redis is busy, or the network is slow.',
          since: null,
        })
      ),
  },
  {
    id: 'versionsMixed',
    severity: 'info',
    when: 'Processes of more than one version of Sidekiq run.',
    remedy: 'Finish the rollout.',
    find: ({ state: { snapshot } }) => {
      const versions = versionsOf(snapshot);
      return versions.length < 2
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `${versions.length} versions of Sidekiq run: ${versions.slice(0, 5).join(', ')}.`,
              evidence: countText(snapshot.processes.items.length, 'process', 'processes'),
              cause: 'A rollout is under way, or was not finished.',
              since: null,
              weight: versions.length,
            },
          ];
    },
  },
  {
    id: 'pollerBehind',
    severity: 'warning',
    when: `More than ${LIMITS.overdueJobs} scheduled jobs and retries are due and were not enqueued.`,
    remedy: 'Check that processes run; lower average_scheduled_poll_interval where many jobs are scheduled.',
    find: ({ state: { snapshot } }) => {
      const { overdueScheduled, overdueRetry } = snapshot.totals;
      const overdue = (overdueScheduled ?? 0) + (overdueRetry ?? 0);
      return overdue <= LIMITS.overdueJobs
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `${countText(overdue, 'job')} ${overdue === 1 ? 'is' : 'are'} due and not enqueued.`,
              evidence: `${overdueScheduled ?? '?'} scheduled, ${overdueRetry ?? '?'} retries`,
              cause: 'No process polls the schedule, or polling is too slow.',
              since: null,
              weight: overdue,
            },
          ];
    },
  },
  {
    id: 'recurringLate',
    severity: 'warning',
    when: `A recurring job is late by more than ${durationText(LIMITS.lateRunSeconds)}.`,
    remedy: 'Check that a process with the scheduler runs, and that the entry is loaded.',
    find: ({ recurring }) =>
      (recurring ?? []).flatMap(({ name, class: jobClass, schedule, nextAt, now }) => {
        const lateBy = nextAt === null ? 0 : now - nextAt;
        return lateBy <= LIMITS.lateRunSeconds
          ? []
          : [
              {
                kind: 'entry' as const,
                subject: name,
                text: `${name} has not run as scheduled: it is late by ${durationText(lateBy)}.`,
                evidence: `${schedule}${jobClass === '' || jobClass === name ? '' : `, ${jobClass}`}`,
                cause: 'The scheduler does not run, or the entry is not loaded.',
                since: nextAt,
                weight: lateBy,
              },
            ];
      }),
  },
  {
    id: 'evictionPolicy',
    severity: 'critical',
    when: 'Redis has a memory limit and a policy other than noeviction.',
    remedy: 'Set maxmemory-policy to noeviction; keep caches in a Redis of their own.',
    find: ({ info }) => {
      const policy = info?.get('maxmemory_policy');
      return policy === undefined || policy === 'noeviction' || !(Number(info?.get('maxmemory')) > 0)
        ? []
        : [
            {
              kind: 'Redis',
              subject: 'Redis',
              text: `Redis may delete jobs: its eviction policy is ${policy}.`,
              evidence: `maxmemory-policy ${policy}, maxmemory ${info?.get('maxmemory_human') ?? info?.get('maxmemory')}`,
              cause: 'Redis is set up as a cache.',
              since: null,
              weight: 0,
            },
          ];
    },
  },
  {
    id: 'memoryNearlyFull',
    severity: 'warning',
    when: `Redis uses more than ${shareText(LIMITS.memoryShare)} of its maxmemory.`,
    remedy: 'Raise maxmemory, or find out what grows; with noeviction jobs can soon not be enqueued.',
    find: ({ info }) => {
      const [used, most] = [Number(info?.get('used_memory')), Number(info?.get('maxmemory'))];
      return !(most > 0) || !(used / most > LIMITS.memoryShare)
        ? []
        : [
            {
              kind: 'Redis',
              subject: 'Redis',
              text: `Redis is nearly full: ${shareText(used / most)} of its memory is used.`,
              evidence: `${info?.get('used_memory_human') ?? used} of ${info?.get('maxmemory_human') ?? most}`,
              cause: 'Queues, the dead set or other data have grown.',
              since: null,
              weight: used / most,
            },
          ];
    },
  },
  {
    id: 'deadSetNearlyFull',
    severity: 'warning',
    when: `The dead set holds more than ${shareText(LIMITS.deadSetShare)} of what it may (deadMaxJobs of the settings).`,
    remedy: 'Retry or delete dead jobs: Sidekiq deletes the oldest when the set is full.',
    find: ({ state: { snapshot, options } }) => {
      const share = (snapshot.totals.dead ?? 0) / options.deadMaxJobs;
      return share <= LIMITS.deadSetShare
        ? []
        : [
            {
              kind: 'Sidekiq',
              subject: 'Sidekiq',
              text: `The dead set is nearly full: ${shareText(share)}.`,
              evidence: `${snapshot.totals.dead!.toLocaleString('en')} of ${options.deadMaxJobs.toLocaleString('en')} jobs`,
              cause: 'Jobs die, and nobody clears them.',
              since: null,
              weight: share,
            },
          ];
    },
  },
];

/** What is wrong by the table, the worst first: by severity, then by weight. */
export function applyRules(evidence: Evidence): Array<Found & { rule: FindingRule; severity: Severity }> {
  return FINDING_RULES.flatMap((rule) =>
    rule.find(evidence).map((found) => ({ ...found, rule, severity: found.severity ?? rule.severity }))
  ).sort((a, b) => SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity) || b.weight - a.weight);
}

/** The one finding while Redis cannot be read. */
export function unreachable(fault: Fault, now: number): Found & { rule: FindingRule; severity: Severity } {
  return {
    kind: 'Redis',
    subject: 'Redis',
    text: fault.message,
    evidence: `tried at ${new Date(now * 1000).toISOString().slice(11, 19)} UTC`,
    cause: 'Redis is down, cannot be reached, or refuses the connection.',
    since: null,
    severity: 'critical',
    weight: Infinity,
    rule: {
      id: 'unreachable',
      severity: 'critical',
      when: 'Redis cannot be read.',
      remedy: fault.remedy,
      find: () => [],
    },
  };
}

function ofQueue(queue: QueueState) {
  const parts = [
    countText(queue.size, 'job'),
    queue.busy === null || queue.readyThreads === null
      ? ''
      : `${queue.busy} of ${countText(queue.readyThreads, 'thread')} busy with it`,
    queue.drainSeconds ? `drains in ${durationText(queue.drainSeconds)}` : '',
  ];
  return {
    kind: 'queue' as const,
    subject: queue.name,
    evidence: parts.filter((part) => part !== '').join(', '),
    weight: queue.waitSeconds ?? queue.size ?? 0,
  };
}

function waitingSince({ waitSeconds }: QueueState, now: number): number | null {
  return waitSeconds === null ? null : now - waitSeconds;
}

function causeOfWait({ busy, readyThreads, inRate, outRate }: QueueState): string {
  if (busy !== null && readyThreads !== null && busy >= readyThreads) {
    return 'All threads that serve it are busy with it.';
  }
  if (inRate !== null && outRate !== null && inRate > outRate) {
    return 'More jobs arrive than are taken.';
  }
  return 'The threads that serve it are busy with other queues, or it catches up.';
}

/** One finding for each host of which a process is above a limit, with the worst of its processes. */
function ofProcesses(
  processes: readonly Process[],
  figure: (process: Process) => number | null,
  limit: number,
  tell: (host: string, worst: number) => Pick<Found, 'text' | 'cause' | 'since'>
): Found[] {
  const hosts = new Map<string, Process[]>();
  for (const process of processes) {
    if ((figure(process) ?? 0) > limit) {
      hosts.set(process.host, [...(hosts.get(process.host) ?? []), process]);
    }
  }
  return [...hosts].map(([host, members]) => {
    const worst = Math.max(...members.map((process) => figure(process)!));
    return {
      kind: 'host',
      subject: host,
      evidence: members
        .map(({ identity }) => identity)
        .slice(0, 3)
        .join(', '),
      weight: worst,
      ...tell(host, worst),
    };
  });
}

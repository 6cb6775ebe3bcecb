import { groupBy } from '../sidekiq/groupBy';
import type { Process } from '../sidekiq/model';
import { versionsOf } from '../sidekiq/totals';
import { countText, durationText } from './texts';
import { LIMITS, type FindingRule, type Found } from './rule';

/** What is wrong with processes. */
export const PROCESS_RULES: readonly FindingRule[] = [
  {
    id: 'processVanished',
    severity: 'warning',
    when: `A process has been gone without a clean stop for less than ${durationText(LIMITS.vanishedSeconds)}; critical where jobs were lost in it.`,
    remedy:
      'Look for the OOM killer in the log of the host. What ran is known as of the last heartbeat: where jobs take seconds, look in the log of the process for those that began and are not done. Enqueue them again, unless super_fetch puts them back.',
    find: ({ state: { processLog, now } }) =>
      processLog.vanished
        .filter(({ noticedAt, returnedAt }) => returnedAt === null && now - noticedAt <= LIMITS.vanishedSeconds)
        .map(({ process, lastBeatAt, confirmed, jobs }) => {
          const lost = jobs.filter(({ recovered }) => !recovered);
          const jobsText = lost.length === 0 ? '' : ` with ${countText(lost.length, 'job')}`;
          return {
            kind: 'host',
            subject: process.host,
            text: `A process on ${process.host} vanished${jobsText}.`,
            evidence:
              lost.length === 0
                ? process.identity
                : lost
                    .map((job) => `${job.class} ${job.jid}`)
                    .slice(0, 3)
                    .join(', '),
            cause: confirmed
              ? 'The process was killed, or ran out of memory.'
              : 'The process was killed, is frozen, or does not reach Redis.',
            since: lastBeatAt,
            severity: confirmed && lost.length > 0 ? 'critical' : 'warning',
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
    when: 'The round-trip time of a process to Redis is above 50 ms.',
    remedy: 'Look at SLOWLOG, the load of Redis, and the network between.',
    find: ({ state: { snapshot } }) =>
      ofProcesses(
        snapshot.processes.items,
        ({ rttSeconds }) => rttSeconds,
        LIMITS.slowRoundTripSeconds,
        (host, rtt) => ({
          text: `Redis is slow for ${host}: the round-trip time is ${Math.round(rtt * 1000)} ms.`,
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
];

/** One finding for each host of which a process is above a limit, with the worst of its processes. */
function ofProcesses(
  processes: readonly Process[],
  figure: (process: Process) => number | null,
  limit: number,
  tell: (host: string, worst: number) => Pick<Found, 'text' | 'cause' | 'since'>
): Found[] {
  const above = processes.filter((process) => (figure(process) ?? 0) > limit);
  return [...groupBy(above, ({ host }) => host)].map(([host, members]) => {
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

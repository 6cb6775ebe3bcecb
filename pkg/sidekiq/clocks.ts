import type { Notice, Process, Work } from './model';
import { warning } from './parts/part';
import type { Snapshot } from './snapshot';

/** Longer than a heartbeat takes to arrive and than the resolution of its expiry. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** What to say where the clock of this host differs: ranges that end now end by it. @param offset Redis' less its own */
function hostNotice(offset: number): Notice[] {
  return Math.abs(offset) <= CLOCK_TOLERANCE_SECONDS
    ? []
    : [
        warning(
          `The clock of this host is ${Math.round(Math.abs(offset))} s ${offset > 0 ? 'behind' : 'ahead of'} that of Redis. Ages are by the clock of Redis; ranges that end now end by that of this host. Check NTP.`
        ),
      ];
}

/** Seconds by which the clock of a process is ahead of that of Redis; 0 where it may be the time a heartbeat takes. */
function aheadOf({ beatAt, beatAgeSeconds }: Pick<Process, 'beatAt' | 'beatAgeSeconds'>, at: number): number {
  const ahead = beatAt === null || beatAgeSeconds === null ? 0 : beatAt - (at - beatAgeSeconds);
  return Math.abs(ahead) > CLOCK_TOLERANCE_SECONDS ? ahead : 0;
}

/**
 * For how long jobs have run: by the clock of Redis, where the start is written by that of a host.
 *
 * @returns seconds of a job, below 0 where a clock is ahead by less than can be told; `null` where the start is not known
 */
export function runTimesOf({
  processes,
  at,
}: Pick<Snapshot, 'processes' | 'at'>): (work: Pick<Work, 'process' | 'runAt'>) => number | null {
  const ahead = new Map<string, number>();
  for (const process of processes.items) {
    const seconds = aheadOf(process, at);
    if (seconds !== 0) {
      ahead.set(process.identity, seconds);
    }
  }
  return ({ process, runAt }) => (runAt === null ? null : at - (runAt - (ahead.get(process) ?? 0)));
}

/**
 * Hosts whose clock differs by more than a heartbeat can be late are named: waits of their jobs are wrong by as much.
 *
 * @param offset seconds by which the clock of Redis is ahead of that of this host
 */
export function clockNotices(processes: readonly Process[], at: number, offset = 0): Notice[] {
  const skewed = new Map<string, number>();
  for (const process of processes) {
    const skew = aheadOf(process, at);
    if (skew !== 0) {
      skewed.set(process.host, skew);
    }
  }
  if (skewed.size === 0) {
    return hostNotice(offset);
  }
  const hosts = [...skewed]
    .slice(0, 5)
    .map(([host, skew]) => `${host} (${skew > 0 ? '+' : '−'}${Math.round(Math.abs(skew))} s)`);
  return [
    ...hostNotice(offset),
    warning(
      `The clocks of some hosts differ from that of Redis: ${hosts.join(', ')}${skewed.size > hosts.length ? ', …' : ''}. Latencies of jobs they enqueue, and waits of jobs they run, are wrong by as much; check NTP.`
    ),
  ];
}

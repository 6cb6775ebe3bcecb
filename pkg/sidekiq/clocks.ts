import type { Notice, Process } from './model';
import { warning } from './parts/part';

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

/**
 * Hosts whose clock differs by more than a heartbeat can be late are named: waits of their jobs are wrong by as much.
 *
 * @param offset seconds by which the clock of Redis is ahead of that of this host
 */
export function clockNotices(processes: readonly Process[], at: number, offset = 0): Notice[] {
  const skewed = new Map<string, number>();
  for (const { host, beatAt, beatAgeSeconds } of processes) {
    const skew = beatAt === null || beatAgeSeconds === null ? 0 : beatAt - (at - beatAgeSeconds);
    if (Math.abs(skew) > CLOCK_TOLERANCE_SECONDS) {
      skewed.set(host, skew);
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
      `The clocks of some hosts differ from that of Redis: ${hosts.join(', ')}${skewed.size > hosts.length ? ', …' : ''}. Latencies of jobs they enqueue are wrong by as much; check NTP.`
    ),
  ];
}

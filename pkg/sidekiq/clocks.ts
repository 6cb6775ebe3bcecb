import type { Notice, Process } from './model';
import { warning } from './parts/part';

/** Longer than a heartbeat takes to arrive and than the resolution of its expiry. */
const CLOCK_TOLERANCE_SECONDS = 30;

/** Hosts whose clock differs by more than a heartbeat can be late are named: waits of their jobs are wrong by as much. */
export function clockNotices(processes: readonly Process[], at: number): Notice[] {
  const skewed = new Map<string, number>();
  for (const { host, beatAt, beatAgeSeconds } of processes) {
    const skew = beatAt === null || beatAgeSeconds === null ? 0 : beatAt - (at - beatAgeSeconds);
    if (Math.abs(skew) > CLOCK_TOLERANCE_SECONDS) {
      skewed.set(host, skew);
    }
  }
  if (skewed.size === 0) {
    return [];
  }
  const hosts = [...skewed]
    .slice(0, 5)
    .map(([host, skew]) => `${host} (${skew > 0 ? '+' : '−'}${Math.round(Math.abs(skew))} s)`);
  return [
    warning(
      `The clocks of some hosts differ from that of Redis: ${hosts.join(', ')}${skewed.size > hosts.length ? ', …' : ''}. Latencies of jobs they enqueue are wrong by as much; check NTP.`
    ),
  ];
}

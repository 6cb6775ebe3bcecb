import type { ReadOnlyRedis } from '../../redis/readOnlyRedis';
import { keys } from '../keys';
import type { DeployMark, Notice } from '../model';
import { counter } from '../parts/counters';
import { deployMarks } from '../parts/deployMarks';
import { Trip, valueOf } from '../parts/part';

const SECONDS_PER_DAY = 86_400;
/** Sidekiq keeps its daily counters for five years, and deploy marks for ninety days. */
const COUNTERS_DAYS = 5 * 365;
const MARKS_DAYS = 91;

/** Executions of one UTC day as Sidekiq counted them; a missing day is 0, a refused one `null`. */
export interface DayCounts {
  /** Epoch seconds at which the day begins. */
  startsAt: number;
  processed: number | null;
  failed: number | null;
}

/** Sidekiq's own counters of each UTC day of a range (epoch seconds), oldest first. @throws Fault */
export async function readDays(
  redis: ReadOnlyRedis,
  range: { from: number; to: number },
  now: number,
  signal?: AbortSignal
): Promise<{ days: DayCounts[]; notices: readonly Notice[] }> {
  const trip = new Trip();
  const tickets = daysOf(range, now, COUNTERS_DAYS).map((startsAt) => ({
    startsAt,
    processed: trip.ask(counter, keys.processedOn(startsAt)),
    failed: trip.ask(counter, keys.failedOn(startsAt)),
  }));
  const brought = await trip.go(redis, signal);
  return {
    days: tickets.map(({ startsAt, processed, failed }) => ({
      startsAt,
      processed: valueOf(brought.read(processed))?.count ?? null,
      failed: valueOf(brought.read(failed))?.count ?? null,
    })),
    notices: brought.notices,
  };
}

/** Deploy marks of a range, oldest first. @throws Fault */
export async function readDeployMarks(
  redis: ReadOnlyRedis,
  range: { from: number; to: number },
  now: number,
  signal?: AbortSignal
): Promise<{ marks: DeployMark[]; notices: readonly Notice[] }> {
  const trip = new Trip();
  const tickets = daysOf(range, now, MARKS_DAYS).map((day) => trip.ask(deployMarks, day));
  const brought = await trip.go(redis, signal);
  return {
    marks: tickets.flatMap((ticket) => valueOf(brought.read(ticket)) ?? []).sort((a, b) => a.at - b.at),
    notices: brought.notices,
  };
}

/** The UTC days of a range that may still be kept, none of the future. */
function daysOf({ from, to }: { from: number; to: number }, now: number, kept: number): number[] {
  const last = Math.floor(Math.min(to, now) / SECONDS_PER_DAY);
  const first = Math.max(Math.floor(from / SECONDS_PER_DAY), Math.floor(now / SECONDS_PER_DAY) - kept + 1);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * SECONDS_PER_DAY);
}

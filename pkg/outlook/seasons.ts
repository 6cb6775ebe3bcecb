import type { Zone } from '../sidekiq/schedule/zone';

/** The seasons that work repeats in. */
export type Season = 'week' | 'day';

/** Lengths of the seasons in seconds of local time. */
export const SEASON_SECONDS: Readonly<Record<Season, number>> = { week: 7 * 86_400, day: 86_400 };

/** 1970-01-01 was a Thursday; weeks begin on Monday. */
const SINCE_MONDAY_SECONDS = 3 * 86_400;

/**
 * Seconds of local time since the Monday before 1970: "nine on a Monday" stays nine when clocks are changed.
 *
 * @param at epoch seconds
 */
export function localSeconds(zone: Zone, at: number): number {
  return at + zone.offsetAt(at) + SINCE_MONDAY_SECONDS;
}

/** Whether an instant lies on a Saturday or Sunday of local time. */
export function isWeekend(zone: Zone, at: number): boolean {
  return localSeconds(zone, at) % SEASON_SECONDS.week >= 5 * SEASON_SECONDS.day;
}

import type { Usual } from './usual';
import type { Slots } from './usualModel';
import type { MissingClass } from './usualView';

/** The work of a class is missing when so many executions would have been usual since the last, whatever its rhythm. */
const LEAST_MISSED = 2;
/** A pause is out of the usual beyond the longest one by this share. */
const BEYOND = 1.1;
/** Fewer executions in a slot are none: a count is spread evenly between two samples, and those are not on its edges. */
const NONE = 0.5;
/** Executions of an hour that are more than one. */
const MORE_THAN_ONE = 1.5;
const HOUR = 3600;
/** So far back expected executions are added up. */
const LOOK_BACK_HOURS = 14 * 24;

/** How evenly a class runs: what tells a pause from an end. */
export interface Regularity {
  /** The class if its usual work has not come since it last ran. @param now epoch seconds */
  missing(name: string, lastRunAt: number, now: number): MissingClass[];
}

/**
 * Learns the pauses of a class. A pause is measured by the executions that would have been usual within it, so that nights
 * and weekends without work count for nothing, and the classes of a scheduler need two runs to be missed, and those that
 * come by chance more than ever were without.
 *
 * @param usual of hours
 * @param slots executions per second, as short as they were sampled
 */
export function regularity(usual: Usual, { startsAt, seconds, values }: Slots): Regularity {
  const pauses: number[] = [];
  let pause = 0;
  let hour = NaN;
  let perSecond = 0;
  let mostInSlot = 0;
  for (let index = 0; index < values.length; index += 1) {
    const at = startsAt + index * seconds;
    const value = values[index]!;
    const hourOfSlot = Math.floor(at / HOUR);
    if (hourOfSlot !== hour) {
      hour = hourOfSlot;
      perSecond = usual.expectedAt(at);
      mostInSlot = Math.max(mostInSlot, perSecond * seconds);
    }
    if (value * seconds < NONE) {
      pause += perSecond * seconds;
    } else if (pause > 0) {
      // A gap of the recording ends a pause that nobody saw the end of.
      pauses.push(pause);
      pause = 0;
    }
  }
  pauses.sort((a, b) => b - a);
  // The longest may have been an outage; of some days it may as well be how the class works. Up to a slot on both sides
  // belongs to a pause, too.
  const longest = (pauses[usual.basis === 'week' ? 1 : 0] ?? 0) + 2 * mostInSlot;
  const most = Math.max(LEAST_MISSED, longest * BEYOND);
  const perHourNow = (now: number) => (usual.at(now)?.usual ?? 0) * HOUR;
  return {
    missing(name, lastRunAt, now) {
      const expected = expectedSince(usual, lastRunAt, now);
      return expected < most ? [] : [{ class: name, lastRunAt, expected, perHour: perHourNow(now) }];
    },
  };
}

/** Executions that would be usual from the last one until an instant. */
function expectedSince(usual: Usual, lastRunAt: number, to: number): number {
  let expected = 0;
  for (let at = Math.max(lastRunAt, to - LOOK_BACK_HOURS * HOUR); at < to;) {
    const end = Math.min(to, (Math.floor(at / HOUR) + 1) * HOUR);
    const perSecond = usual.expectedAt(at);
    // Where an hour usually has one, that one has come.
    expected += at === lastRunAt && perSecond * HOUR < MORE_THAN_ONE ? 0 : perSecond * (end - at);
    at = end;
  }
  return expected;
}

import type { Usual } from './usual';
import type { Slots } from './slots';

/** Work is missing when so many runs would have been usual since it was last seen, whatever its rhythm. */
const LEAST_MISSED = 2;
/** A pause is out of the usual beyond the longest one by this share. */
const BEYOND = 1.1;
/** Fewer events in a slot are none: a count is spread evenly between two samples, and those are not on its edges. */
const NONE = 0.5;
/** Events of an hour that are more than one. */
const MORE_THAN_ONE = 1.5;
const HOUR = 3600;
/** What has been missing for so long, and for so many times the pause from which on it was, has been removed. */
const REMOVED_AFTER_SECONDS = 7 * 24 * HOUR;
const REMOVED_AFTER_PAUSES = 4;
/** So far back expected events are added up. */
const LOOK_BACK_HOURS = 14 * 24;

/** Usual work that did not come. */
export interface Missed {
  /** Events that would be usual since the last one. */
  readonly expected: number;
  /** Events that are usual in this hour. */
  readonly perHour: number;
}

/** How evenly events come: what tells a pause from an end. */
export interface Regularity {
  /** `null` where the pause is one as there were others, and where the work was removed. @param lastAt of the last event, epoch seconds @param now epoch seconds */
  missedSince(lastAt: number, now: number): Missed | null;
}

/**
 * Learns the pauses between events: executions of a class, sightings of jobs in a queue. A pause is measured by the events
 * that would have been usual within it, so that nights and weekends without work count for nothing, and what a scheduler
 * enqueues needs two runs to be missed, and what comes by chance more than ever were without.
 *
 * @param usual of hours
 * @param slots events per second, as short as they were sampled
 * @param ofRun events that come with one run, as a job that lasts is seen in several slots
 */
export function regularity(usual: Usual, { startsAt, seconds, values }: Slots, ofRun = 1): Regularity {
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
  const most = Math.max(LEAST_MISSED * ofRun, longest * BEYOND);
  const perHourNow = (now: number) => (usual.at(now)?.usual ?? 0) * HOUR;
  return {
    missedSince(lastAt, now) {
      const expected = expectedSince(usual, lastAt, now);
      const wasRemoved = now - lastAt > REMOVED_AFTER_SECONDS && expected > REMOVED_AFTER_PAUSES * most;
      return expected < most || wasRemoved ? null : { expected, perHour: perHourNow(now) };
    },
  };
}

/** Events that would be usual from the last one until an instant. */
function expectedSince(usual: Usual, lastAt: number, to: number): number {
  let expected = 0;
  for (let at = Math.max(lastAt, to - LOOK_BACK_HOURS * HOUR); at < to;) {
    const end = Math.min(to, (Math.floor(at / HOUR) + 1) * HOUR);
    const perSecond = usual.expectedAt(at);
    // Where an hour usually has one, that one has come.
    expected += at === lastAt && perSecond * HOUR < MORE_THAN_ONE ? 0 : perSecond * (end - at);
    at = end;
  }
  return expected;
}

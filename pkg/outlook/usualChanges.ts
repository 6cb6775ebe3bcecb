import type { Turns } from '../turns';
import { MOST_OUTAGES, OUTAGE_SHARE } from './profile';
import type { Slots } from './slots';
import { learnChanges, type Changes } from './sudden';

/** What is known of a rate; instants are epoch seconds. */
interface Known {
  /** Square roots of what is usual in a slot, and of the most that is; NaN where nothing can be said. */
  expectedAt(at: number): { usual: number; most: number };
  /** Slots that spread alike. */
  groupOf(at: number): number;
}

/**
 * How a rate changes from slot to slot beyond what is usual.
 *
 * @param until epoch seconds; slots after those that were seen count as far as what is usual of them
 */
export async function changesOf(
  slots: Slots,
  until: number,
  { expectedAt, groupOf }: Known,
  turns: Turns
): Promise<Changes> {
  const { startsAt, seconds } = slots;
  const length = Math.max(0, Math.ceil((until - startsAt) / seconds));
  const lows = new Float64Array(length);
  const highs = new Float64Array(length);
  for (let slot = 0; slot < length; slot += 1) {
    const { usual, most } = expectedAt(startsAt + slot * seconds);
    lows[slot] = usual;
    highs[slot] = most;
    await turns.give();
  }
  // What is usual a slot before or after is usual enough: a batch may begin some minutes late.
  const about = (of: Float64Array, most: (...values: number[]) => number) =>
    of.map((value, slot) => most(of[slot - 1] ?? value, value, of[slot + 1] ?? value));
  const spans = { low: about(lows, Math.min), high: about(highs, Math.max) };
  await turns.give();
  const isOut = (value: number, slot: number) => value < OUTAGE_SHARE * lows[slot]! ** 2;
  const outages = Array.prototype.filter.call(slots.values, isOut).length;
  // A rare outage is no example of how rates change.
  const values =
    outages > MOST_OUTAGES * slots.values.length
      ? slots.values
      : Float64Array.from(slots.values, (value, slot) => (isOut(value, slot) ? NaN : value));
  return learnChanges({ startsAt, seconds, values }, spans, (slot) => groupOf(startsAt + slot * seconds), turns);
}

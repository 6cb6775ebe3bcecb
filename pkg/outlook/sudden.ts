import { median, quantileSorted } from 'simple-statistics';
import type { Turns } from '../turns';

/** How much a rate usually changes from one slot to the next, over a stretch of slots. Rates are told by their square roots. */
export interface Changes {
  /** Epoch seconds of the first slot. */
  readonly startsAt: number;
  /** Length of a slot. */
  readonly seconds: number;
  /** By slot, the least and the most root that is usual about it. */
  readonly low: ArrayLike<number>;
  readonly high: ArrayLike<number>;
  /** By slot, the usual size of a change, as a share of what is usual. */
  readonly spread: ArrayLike<number>;
  /** One change in a thousand is so many times the usual size. */
  readonly rare: number;
}

/** Slots whose median a change is one from. */
const BASE_SLOTS = 3;
/** A change is news for so many slots. */
const NEWS_SLOTS = 12;
/** Slots before the present one that are looked at. */
export const SLOTS_BEFORE = NEWS_SLOTS + BASE_SLOTS;
/** A change is sudden where it is so many times a rare one. */
const SUDDEN = 2;
const RARE = 0.999;
/** A rare change of values that vary by chance alone is about so many times the usual one. */
const LEAST_RARE = 5;
const LEAST_SPREAD = 0.01;
/** The median of what lies off by chance, as a share of its standard deviation. */
const MEDIAN_OFF = 0.6745;

/**
 * Learns the changes of a rate against what is usual at its time.
 *
 * @param spans roots of rates: the least and the most that is usual in each slot, or about it
 * @param groupOf slots of one group change alike
 * @param turns the event loop serves others in between
 */
export async function learnChanges(
  { startsAt, seconds, values }: { startsAt: number; seconds: number; values: ArrayLike<number> },
  { low, high }: { low: ArrayLike<number>; high: ArrayLike<number> },
  groupOf: (slot: number) => number,
  turns: Turns
): Promise<Changes> {
  const before = { startsAt, seconds, low, high };
  const offs = Float64Array.from(values, (value, slot) => offOf(before, slot, value));
  const sizes = new Float64Array(offs.length);
  const groups = new Map<number, number[]>();
  for (let slot = 0; slot < sizes.length; slot += 1) {
    const size = Math.abs(offs[slot]! - baseOf((back) => offs[slot - back] ?? NaN, 0));
    sizes[slot] = size;
    if (!Number.isNaN(size)) {
      const group = groups.get(groupOf(slot)) ?? [];
      group.push(size);
      groups.set(groupOf(slot), group);
    }
    await turns.give();
  }
  const usual = new Map([...groups].map(([group, members]) => [group, median(members)]));
  const spread = Float64Array.from(high, (_, slot) =>
    Math.max(usual.get(groupOf(slot)) ?? 0, LEAST_SPREAD, (MEDIAN_OFF * rootOfOne(seconds)) / scaleOf(before, slot))
  );
  await turns.give();
  const relative = sizes
    .map((size, slot) => size / spread[slot]!)
    .filter((size) => !Number.isNaN(size))
    .sort();
  const rare = relative.length === 0 ? Infinity : quantileSorted([...relative], RARE);
  return { ...before, spread, rare: Math.max(LEAST_RARE, rare) };
}

/**
 * Whether a rate left the usual by a sudden change within the last hour, and is still off by half of that.
 *
 * @param valueAt the rate of a slot before the present one, which is 0; `null` where it is not known
 * @param slot of the present
 */
export function isSudden(changes: Changes, valueAt: (back: number) => number | null, slot: number): boolean {
  const known = new Map<number, number>();
  const offAt = (back: number): number => {
    const off = known.get(back) ?? offOf(changes, slot - back, valueAt(back) ?? NaN);
    known.set(back, off);
    return off;
  };
  const least = (back: number) => SUDDEN * changes.rare * changes.spread[slot - back]!;
  const sign = Math.sign(offAt(0));
  // At each turn a comparison with NaN is false.
  for (let back = 0; back < NEWS_SLOTS; back += 1) {
    const base = baseOf(offAt, back);
    const change = (offAt(back) - base) * sign;
    const isAway = offAt(back) * sign > Math.abs(base);
    if (change >= least(back) && isAway && stays(offAt, back, base * sign + change / 2, sign)) {
      return true;
    }
  }
  return false;
}

function stays(offAt: (back: number) => number, since: number, least: number, sign: number): boolean {
  for (let back = 0; back <= since; back += 1) {
    if (!(offAt(back) * sign >= least)) {
      return false;
    }
  }
  return true;
}

/** The median of the slots before one, as far as they are known. */
function baseOf(offAt: (back: number) => number, back: number): number {
  const before = Array.from({ length: BASE_SLOTS }, (_, index) => offAt(back + 1 + index)).filter(
    (off) => !Number.isNaN(off)
  );
  return before.length === 0 ? NaN : median(before);
}

/** By what a rate is off the usual, as a share of it. */
function offOf(changes: Omit<Changes, 'spread' | 'rare'>, slot: number, value: number): number {
  const root = Math.sqrt(Math.max(0, value));
  const [low, high] = [changes.low[slot] ?? NaN, changes.high[slot] ?? NaN];
  const off = root > high ? root - high : root < low ? root - low : Number.isNaN(low + root) ? NaN : 0;
  return off / scaleOf(changes, slot);
}

function scaleOf({ high, seconds }: Pick<Changes, 'high' | 'seconds'>, slot: number): number {
  return Math.max(high[slot] ?? NaN, rootOfOne(seconds));
}

/** By what the root of a rate is off where a count is off by chance. */
function rootOfOne(seconds: number): number {
  return 0.5 / Math.sqrt(seconds);
}

import { medianSorted } from 'simple-statistics';
import type { Turns } from '../turns';

/** A value below this share of the usual one is of an outage; the level is not learnt from it. */
export const OUTAGE_SHARE = 0.05;
/** A figure that is below more often has no outages: it comes and goes. */
export const MOST_OUTAGES = 0.05;

/** What is expected of the slots of a season. */
export interface Profile {
  /** Square roots; NaN where nothing was seen. */
  readonly roots: Float64Array;
  /** Slots whose median lies between none and a lot, as of work that comes every other week: no value was ever like it. */
  readonly torn: ReadonlySet<number>;
}

/**
 * Medians by slot over some seasons, values close by included.
 *
 * @param rows square roots of the values by slot, of each season
 * @param length slots of a season
 * @param smear slots on both sides whose values stand for one too
 */
export async function profileOf(
  rows: readonly Float64Array[],
  length: number,
  smear: number,
  turns: Turns
): Promise<Profile> {
  const roots = new Float64Array(length).fill(NaN);
  const torn = new Set<number>();
  const near: number[] = [];
  for (let slot = 0; slot < length; slot += 1) {
    near.length = 0;
    for (const row of rows) {
      for (let step = slot - smear; step <= slot + smear; step += 1) {
        const value = row[(step + length) % length]!;
        if (!Number.isNaN(value)) {
          near.push(value);
        }
      }
    }
    if (near.length > 0) {
      roots[slot] = medianOf(near);
      if (near[Math.floor((near.length - 1) / 2)]! ** 2 < OUTAGE_SHARE * near[Math.floor(near.length / 2)]! ** 2) {
        torn.add(slot);
      }
    }
    await turns.give();
  }
  return { roots, torn };
}

/** Sorts in place. */
export function medianOf(values: number[]): number {
  values.sort((a, b) => a - b);
  return medianSorted(values);
}

import type { Parts } from './chunk';
import type { Gap } from './grid';

/** Samples missed that make a gap: fewer are a sampler that is late. */
export const GAP_SAMPLES = 2.5;
/** Samples further apart than this are never one pace. */
export const SLOWEST_PACE_SECONDS = 300;
/** A pace is told from so many steps, or parts, that follow one another. */
const STEPS = 20;

/**
 * Gaps between samples whose pace may have changed with the settings: a time longer than `least` seconds, where it is longer
 * than some of the usual steps about it as well.
 *
 * @param at instants of all samples of the store, epoch seconds; of few of them none is usual
 */
export function gapsOf(at: readonly number[], least: number): Gap {
  const steps = at.length - 1;
  const blocks = Math.floor(steps / STEPS);
  if (blocks === 0) {
    return least;
  }
  const paces: number[] = [];
  const paceOf = (block: number) => {
    const begin = block === blocks - 1 ? steps - STEPS : block * STEPS;
    return (paces[block] ??= medianOf(
      Array.from({ length: STEPS }, (_, index) => at[begin + index + 1]! - at[begin + index]!)
    ));
  };
  return (from, to) => {
    if (to - from <= least) {
      return false;
    }
    const block = Math.min(blocks - 1, Math.floor(Math.max(0, lastBefore(at, from)) / STEPS));
    // Where the pace changes, the steps on both sides are usual.
    const around = [block - 1, block, block + 1].filter((each) => each >= 0 && each < blocks);
    return to - from > gapAt(around.map(paceOf), least);
  };
}

/** The same of parts of five minutes; a part with one sample is of the slowest pace. */
export function gapsOfParts({ count, firstAt, lastAt }: Parts, least: number): Gap {
  const paces = count.map((many, index) =>
    many === 1 ? SLOWEST_PACE_SECONDS : (lastAt[index]! - firstAt[index]!) / (many - 1)
  );
  return (from, to) => {
    if (to - from <= least) {
      return false;
    }
    const part = Math.max(0, lastBefore(firstAt, from));
    const around = paces.slice(Math.max(0, part - STEPS / 2), part + 1 + STEPS / 2);
    return to - from > gapAt([medianOf(around)], least);
  };
}

function gapAt(paces: readonly number[], least: number): number {
  return Math.max(least, GAP_SAMPLES * Math.min(SLOWEST_PACE_SECONDS, Math.max(...paces)));
}

function medianOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The index of the last of sorted instants that is not after one; −1 where there is none. */
export function lastBefore(instants: ArrayLike<number>, at: number): number {
  let [low, high] = [0, instants.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (instants[middle]! <= at) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low - 1;
}

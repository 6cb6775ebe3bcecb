import type { Parts } from './chunk';
import type { Gap } from './grid';

/** Samples missed that make a gap: fewer are a sampler that is late. */
export const GAP_SAMPLES = 2.5;
/** Samples further apart than this are never one pace. */
export const SLOWEST_PACE_SECONDS = 300;
/** A pace is told from so many steps, or parts, that follow one another. */
export const PACE_TOLD_STEPS = 20;

/**
 * Gaps between samples whose pace may have changed with the settings: a time longer than `least` seconds, where it is longer
 * than some of the usual steps about it as well.
 *
 * @param at instants of all samples of the store, epoch seconds; of few of them none is usual
 */
export function gapsOf(at: readonly number[], least: number): Gap {
  const steps = at.length - 1;
  const blocks = Math.floor(steps / PACE_TOLD_STEPS);
  if (blocks === 0) {
    return least;
  }
  const stepOf = (index: number) => at[index + 1]! - at[index]!;
  const paces: number[] = [];
  const paceOf = (block: number) => {
    const begin = block === blocks - 1 ? steps - PACE_TOLD_STEPS : block * PACE_TOLD_STEPS;
    return (paces[block] ??= medianOf(Array.from({ length: PACE_TOLD_STEPS }, (_, index) => stepOf(begin + index))));
  };
  const even = evenSteps(Array.from({ length: steps }, (_, index) => stepOf(index)));
  return (from, to) => {
    if (to - from <= least) {
      return false;
    }
    const step = Math.max(0, lastBefore(at, from));
    const block = Math.min(blocks - 1, Math.floor(step / PACE_TOLD_STEPS));
    // Where the pace changes, the steps on both sides are usual.
    const around = [block - 1, block, block + 1].filter((each) => each >= 0 && each < blocks);
    const beside = [step - 1, step, step + 1].map((index) => even[index] ?? 0);
    return to - from > gapAt([...around.map(paceOf), ...beside], least);
  };
}

/** So many steps of about one length are a pace, however short the steps about them. */
const EVEN_STEPS = 3;

/**
 * Of each step its length where it is one of several of about that length that follow one another, else 0: readings that are
 * close together for a while, as those of viewers, make no gaps of the sampler's own steps. An outage has shorter steps on both
 * sides.
 */
function evenSteps(steps: readonly number[]): number[] {
  const even = steps.map(() => 0);
  let begin = 0;
  let [shortest, longest] = [Infinity, 0];
  for (let index = 0; index <= steps.length; index += 1) {
    const step = steps[index] ?? Infinity;
    if (Math.max(longest, step) > EVEN_TIMES * Math.min(shortest, step)) {
      for (let place = begin; index - begin >= EVEN_STEPS && place < index; place += 1) {
        even[place] = steps[place]!;
      }
      begin = index;
      [shortest, longest] = [step, step];
    } else {
      shortest = Math.min(shortest, step);
      longest = Math.max(longest, step);
    }
  }
  return even;
}

/** Steps that differ by no more are of one pace: a sampler is late at times. */
const EVEN_TIMES = 1.5;

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
    const around = paces.slice(Math.max(0, part - PACE_TOLD_STEPS / 2), part + 1 + PACE_TOLD_STEPS / 2);
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

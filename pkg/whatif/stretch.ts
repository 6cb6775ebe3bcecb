import { sum } from './arrivals';
import type { ClassDemand } from './model';
import type { Placed } from './placedWork';

/** Jobs that are alike. */
interface Alike {
  /** How many run on average, not necessarily a whole number. */
  readonly jobs: number;
  /** Share of their time, alone, in which they compute. */
  readonly share: number;
}

/** Of more others each further one waits for the processor. */
const STEPS_MOST = 1000;
/** Values are settled when they change by less than this share. */
export const SETTLED = 0.002;
const ROUNDS_MOST = 100;
/** Steps that are taken at once are four times the last one at most. */
const MOST_AHEAD = 0.8;
/** Parts of a job by which the stretch is told; of many jobs by such a share of them. */
const STEPS_A_JOB = 50;

/**
 * By how many times computing takes longer beside other jobs of the same process: Ruby runs one thread of a process at a
 * time. By mean value analysis of a closed network of one processor that is shared and of time without it (Reiser and
 * Lavenberg 1980), which is exact for jobs that are alike and a processor that is shared evenly.
 *
 * @param beside jobs that run beside it
 */
export function stretchBeside(beside: readonly Alike[]): number {
  // Those that never compute leave the processor to the others.
  const computing = beside.filter(({ share }) => share > 0);
  const others = sum(computing.map(({ jobs }) => jobs));
  let waiting = 0;
  for (let jobs = 1; jobs <= Math.min(STEPS_MOST, Math.ceil(others)); jobs += 1) {
    let all = 0;
    for (const { jobs: many, share } of computing) {
      const computes = share * (1 + waiting);
      all += ((jobs * many) / others) * (computes / (1 - share + computes));
    }
    // Between two numbers of jobs in proportion.
    waiting += (all - waiting) * Math.min(1, others - (jobs - 1));
  }
  return 1 + waiting + Math.max(0, others - STEPS_MOST);
}

/**
 * The stretch of each work within one domain, slot by slot: what does not fit into a slot is left for the next one.
 *
 * @param idleOf share of the run time, as it was measured, in which a class neither computes nor waits for the processor
 * @param measured whether run times are those that were measured, however much computing is stretched
 */
export function stretchesIn(
  { domain: { threads, processes }, works }: Placed,
  slotSeconds: number,
  idleOf: (of: ClassDemand) => number,
  measured: boolean
): number[] {
  const parts = works.map(({ share, classes }) => {
    const all = sum(classes.map(({ seconds }) => seconds));
    const meanOf = (value: (of: ClassDemand) => number, otherwise: number) =>
      all === 0 ? otherwise : sum(classes.map(({ of, seconds }) => seconds * value(of))) / all;
    const idle = meanOf(idleOf, 1 - share);
    return {
      ...{ share, idle },
      alone: share === 0 ? 0 : share / (share + idle),
      // Of those that run in a slot a job that lasts longer is one itself; short ones come and go.
      itself: meanOf((of) => 1 - Math.min(1, slotSeconds / of.durations.meanSeconds), 0),
    };
  });
  if (parts.every(({ share }) => share === 0) || threads === 0) {
    return works.map(() => 1);
  }
  const known = new Map<string, number>();
  const stretchOf = (others: readonly number[]): number => {
    const all = sum(others);
    const part = all > 0 ? besideIn(all, threads, processes) / all : 0;
    const beside = others.map((jobs, index) => (parts[index]!.alone === 0 ? 0 : rounded(jobs * part)));
    const key = beside.join();
    let stretch = known.get(key);
    if (stretch === undefined) {
      stretch = stretchBeside(parts.map(({ alone: share }, index) => ({ jobs: beside[index]!, share })));
      known.set(key, stretch);
    }
    return stretch;
  };
  const stretchesBeside = (running: readonly number[]): readonly number[] => {
    let ofShort: number | undefined;
    return running.map((jobs, index) => {
      const { share, itself } = parts[index]!;
      if (jobs === 0 || share === 0) {
        return 1;
      }
      if (itself === 0) {
        ofShort ??= stretchOf(running);
        return ofShort;
      }
      return stretchOf(running.map((each, other) => (other === index ? each - itself * Math.min(1, each) : each)));
    });
  };
  // By how many times the measured work takes so long where computing is stretched.
  const timesAt = (index: number, stretch: number) =>
    measured ? 1 : parts[index]!.share * stretch + parts[index]!.idle;
  const left = works.map(() => 0);
  const lived = works.map(() => 0);
  const stretched = works.map(() => 0);
  const none = works.map(() => 1);
  // What is left runs, on all threads at most.
  const runningAt = (stretches: readonly number[]) => {
    const wanted = left.map((seconds, index) => (seconds * timesAt(index, stretches[index]!)) / slotSeconds);
    const all = sum(wanted);
    return all <= threads ? wanted : wanted.map((each) => (each * threads) / all);
  };
  const stretchesAt = (before: readonly number[]) => stretchesBeside(runningAt(before));
  for (let slot = 0; slot < works[0]!.coming.length; slot += 1) {
    works.forEach(({ coming }, index) => (left[index]! += coming[slot]!));
    const stretches = measured ? stretchesAt(none) : settled(none, stretchesAt);
    runningAt(stretches).forEach((running, index) => {
      lived[index]! += running;
      stretched[index]! += running * stretches[index]!;
      left[index] = Math.max(0, left[index]! - (running * slotSeconds) / timesAt(index, stretches[index]!));
    });
  }
  return works.map((_, index) => (lived[index] === 0 ? 1 : stretched[index]! / lived[index]!));
}

/**
 * Jobs that run in the process where a job starts, on any of the idle threads: of those that run, which are all other threads
 * at most, as many as are on the other threads of that process.
 */
function besideIn(busy: number, threads: number, processes: number): number {
  const others = busy * (1 - (busy / threads) ** 2 / threads);
  return threads > 1 ? (others * Math.max(0, threads / processes - 1)) / (threads - 1) : 0;
}

/** To a part of a job, or two significant digits. */
function rounded(jobs: number): number {
  const step = jobs <= 1 ? 1 / STEPS_A_JOB : 2 ** Math.floor(Math.log2(jobs)) / STEPS_A_JOB;
  return Math.round(jobs / step) * step;
}

/**
 * Values that a rising function gives for themselves, from below. Of steps that shrink evenly those to come are taken at once
 * (Aitken 1926).
 *
 * @param least where it begins
 */
function settled(least: readonly number[], next: (values: readonly number[]) => readonly number[]): readonly number[] {
  let [before, values] = [least, next(least)];
  for (let round = 0; round < ROUNDS_MOST; round += 1) {
    const following = next(values);
    if (following.every((value, index) => Math.abs(value - values[index]!) <= SETTLED * value)) {
      return following;
    }
    const ahead = following.map((value, index) => {
      const [step, last] = [value - values[index]!, values[index]! - before[index]!];
      const ratio = last > 0 && step > 0 ? Math.min(MOST_AHEAD, step / last) : 0;
      return value + (step * ratio) / (1 - ratio);
    });
    before = ahead;
    values = next(ahead);
  }
  return values;
}

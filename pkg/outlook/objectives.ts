import type { Parts } from '../series/chunk';
import type { HistoryScope } from '../series/figures';
import { GAP_SAMPLES, SLOWEST_PACE_SECONDS } from '../series/pace';
import type { FigureReads, Points } from '../series/store';
import type { Turns } from '../turns';

/** A share of the time within a latency. */
export interface Objective {
  /** Latency that should not be exceeded. */
  readonly seconds: number;
  /** Below 1: 0.99 for 99% of the time. */
  readonly share: number;
  readonly days: number;
}

/** Time that was watched, and how much of it was within the objective, in seconds. */
export interface Compliance {
  readonly watched: number;
  readonly good: number;
}

const LATENCY = 'latency';

/** A series, and up to which value it is good. */
interface Judged {
  readonly scope: HistoryScope;
  /** Of several the worst is judged at any instant. */
  readonly keys: readonly string[];
  readonly seconds: number;
  /** The latency where it is left out. */
  readonly figure?: string;
}

/** From so many steps in a row a pace is told that is slower than that of the settings. */
const RUN = 4;
/** What such steps take, and one more. */
const RUN_SECONDS = (RUN + 1) * SLOWEST_PACE_SECONDS;
/** Five minutes whose samples lie further apart than this share of the usual have a hole: they are read one by one. */
const WITH_HOLES = 1.05;
/** Of fewer stretches it is not known which pace is usual: each is read one by one. */
const FEW = 12;

/** A stretch of time of which it is known whether it was within the objective. */
interface Stretch {
  from: number;
  to: number;
  good: boolean;
}

/**
 * For each window the time watched and the time within the objective, as of an instant. A sample stands for the time until
 * the next one; the time of a gap is not watched, so it is neither good nor bad.
 *
 * @param windows seconds before `to`
 * @param sampleSeconds of the settings
 */
export async function complianceOf(
  reads: FigureReads,
  { scope, keys, seconds: objective, figure = LATENCY }: Judged,
  windows: readonly number[],
  { to, sampleSeconds }: { to: number; sampleSeconds: number },
  turns: Turns
): Promise<Compliance[]> {
  // The first steps of the longest window are told by those before them.
  const from = to - Math.max(...windows) - RUN_SECONDS;
  const lists: Stretch[][] = [];
  for (const key of keys) {
    const parts = await reads.parts?.(scope, figure, from, to, key);
    await turns.give();
    const samples = (begin: number, end: number) => reads.read(scope, figure, begin, end, key)[0];
    lists.push(
      parts
        ? ofParts(parts[0], objective, sampleSeconds, samples)
        : ofSamples(samples(from, to), objective, sampleSeconds)
    );
    await turns.give();
  }
  const stretches = worstOf(lists);
  return windows.map((window) => sumOf(stretches, to - window, to));
}

/** Of several series the time in which one was watched; it is good where none that was watched was bad. */
function worstOf(lists: readonly Stretch[][]): Stretch[] {
  if (lists.length === 1) {
    return lists[0]!;
  }
  const edges = lists
    .flat()
    .flatMap(({ from, to, good }) => [
      { at: from, watched: 1, bad: Number(!good) },
      { at: to, watched: -1, bad: -Number(!good) },
    ])
    .sort((a, b) => a.at - b.at);
  const worst: Stretch[] = [];
  let [watched, bad] = [0, 0];
  edges.forEach((edge, index) => {
    watched += edge.watched;
    bad += edge.bad;
    const to = edges[index + 1]?.at ?? edge.at;
    if (watched > 0 && to > edge.at) {
      worst.push({ from: edge.at, to, good: bad === 0 });
    }
  });
  return worst;
}

/** How fast the budget is spent: 1 spends all of it within the days of the objective. `null` where nothing was watched. */
export function burnRate({ watched, good }: Compliance, { share }: Pick<Objective, 'share'>): number | null {
  return watched === 0 ? null : (watched - good) / watched / (1 - share);
}

function sumOf(stretches: readonly Stretch[], from: number, to: number): Compliance {
  let watched = 0;
  let good = 0;
  for (const stretch of stretches) {
    const lasted = Math.min(stretch.to, to) - Math.max(stretch.from, from);
    if (lasted > 0) {
      watched += lasted;
      good += stretch.good ? lasted : 0;
    }
  }
  return { watched, good };
}

/**
 * Whether the time until the next sample was watched: at the pace of the settings, or at a slower one that the sampler had then,
 * or that samples in memory have once they are thinned out. A slower pace is told by {@link RUN} other steps in a row about
 * it: some gaps side by side are no pace.
 */
function isWatched(at: readonly number[], index: number, sampleSeconds: number): boolean {
  const stepAt = (place: number) => at[place + 1]! - at[place]!;
  const step = stepAt(index);
  if (step <= GAP_SAMPLES * sampleSeconds) {
    return true;
  }
  const isOfPace = (place: number) => step <= GAP_SAMPLES * Math.min(SLOWEST_PACE_SECONDS, stepAt(place));
  let first = index;
  while (first > Math.max(0, index - RUN) && isOfPace(first - 1)) {
    first -= 1;
  }
  let last = index;
  while (last < Math.min(at.length - 2, index + RUN) && isOfPace(last + 1)) {
    last += 1;
  }
  return last - first >= RUN;
}

function ofSamples(points: Points | undefined, objective: number, sampleSeconds: number): Stretch[] {
  const stretches: Stretch[] = [];
  points?.at.forEach((from, index) => {
    const to = points.at[index + 1];
    if (to !== undefined && isWatched(points.at, index, sampleSeconds)) {
      stretches.push({ from, to, good: points.values[index]! <= objective });
    }
  });
  return stretches;
}

/** The same of five minutes at once, where all of their samples are on one side; the others are read one by one. */
function ofParts(
  parts: Parts | undefined,
  objective: number,
  sampleSeconds: number,
  samples: (from: number, to: number) => Points | undefined
): Stretch[] {
  if (!parts) {
    return [];
  }
  const { firstAt, lastAt, min, max, count } = parts;
  // Of one sample alone the step is not known.
  const steps = count.map((many, index) => (many < 2 ? Infinity : (lastAt[index]! - firstAt[index]!) / (many - 1)));
  const known = steps.filter(Number.isFinite).sort((a, b) => a - b);
  // Where holes are in most of the stretches, or the pace was slower than the settings, steps on average tell of no hole.
  const usual = known.length < FEW ? 0 : Math.min(sampleSeconds, known[Math.floor(known.length / 4)]!);
  // A step alone is told by those beside it.
  const isClear = (index: number) =>
    (count[index]! > 2 || steps[index]! <= GAP_SAMPLES * sampleSeconds) &&
    steps[index]! <= WITH_HOLES * usual &&
    (max[index]! <= objective || min[index]! > objective);
  // Whether a step was watched is told by those before and after it, which come along.
  const oneByOne = (from: number, end: number) =>
    ofSamples(samples(from - RUN_SECONDS, end + RUN_SECONDS), objective, sampleSeconds).filter(
      (stretch) => stretch.from >= from && stretch.from < end
    );
  const stretches: Stretch[] = [];
  for (let index = 0; index < count.length; index += 1) {
    if (isClear(index)) {
      const next = firstAt[index + 1] ?? lastAt[index]!;
      const isNear = next - lastAt[index]! <= WITH_HOLES * usual;
      const good = max[index]! <= objective;
      stretches.push({ from: firstAt[index]!, to: isNear ? next : lastAt[index]!, good });
      if (!isNear) {
        stretches.push(...oneByOne(lastAt[index]!, next));
      }
      continue;
    }
    const begin = index;
    while (index + 1 < count.length && !isClear(index + 1)) {
      index += 1;
    }
    stretches.push(...oneByOne(firstAt[begin]!, firstAt[index + 1] ?? Infinity));
  }
  return stretches;
}

import { figureNamed } from '../series/figures';
import { lastBefore, SLOWEST_PACE_SECONDS } from '../series/pace';
import { gapSecondsOf, readOnGrid } from '../series/readOnGrid';
import type { FigureReads } from '../series/store';
import type { Range } from '../source/reads';
import type { State } from '../watch/state';
import { SLOT_SECONDS } from './arrivals';
import type { Backlog } from './model';

const MINUTE = 60;

/** A range of what was recorded, and how it was sampled. */
export interface Sampled extends Range {
  now: number;
  sampleSeconds: number;
}

/** Pushes to a queue per second, in each slot of a range; empty where there are none. */
export async function pushesOf(
  history: FigureReads,
  queue: string,
  { from, to, now, sampleSeconds }: Sampled
): Promise<ReadonlyArray<number | null>> {
  const figure = figureNamed('inRate');
  const interval = SLOT_SECONDS;
  const grid = Array.from({ length: (to - from) / interval + 1 }, (_, index) => from + index * interval);
  const sampled = { from, to: to + interval, gapSeconds: gapSecondsOf(now - from, sampleSeconds), sampleSeconds };
  const [series] = await readOnGrid(history, { figure, scope: 'queue', key: queue }, sampled, { grid, interval });
  return series?.values ?? [];
}

/** By how much a gauge of a queue grew in each minute of a range; 0 where that is not known. */
export function growthOf(history: FigureReads, figure: string, queue: string, range: Range): number[] {
  const minutes = Math.round((range.to - range.from) / MINUTE);
  const instants = Array.from({ length: minutes + 1 }, (_, index) => range.from + index * MINUTE);
  const values = valuesAt(history, figure, queue, instants);
  return values.slice(0, -1).map((value, minute) => {
    const next = values[minute + 1]!;
    return value === null || next === null ? 0 : next - value;
  });
}

/** Jobs that waited and ran at the beginning of a range, by queue. */
export function backlogAt(history: FigureReads, { queues }: Pick<State, 'queues'>, range: Range): Map<string, Backlog> {
  const backlog = new Map<string, Backlog>();
  const valueOf = (figure: string, queue: string) => valuesAt(history, figure, queue, [range.from])[0] ?? 0;
  for (const { name } of queues) {
    const jobs = Math.round(valueOf('enqueued', name));
    const running = Math.round(valueOf('busy', name));
    if (jobs > 0 || running > 0) {
      backlog.set(name, {
        jobs,
        running,
        ages: agesAt(history, name, { jobs, oldest: valueOf('latency', name) }, range),
      });
    }
  }
  return backlog;
}

/** Beyond the samples the nearest one tells as long. */
const NEAR_SECONDS = 60;

const AGES = 21;
/** Between two looks the age falls so many times faster than between those before. */
const SUDDEN_TIMES = 2;

/** The oldest job at an instant: for how long it had waited at the beginning of the range. */
interface Aged {
  at: number;
  age: number;
}

/**
 * For how long the jobs of a queue had waited at the beginning of a range. A queue is first in, first out: while they leave, the
 * oldest of those that wait tells when each was pushed. Evenly spread where that is not seen.
 *
 * @param oldest seconds for which the oldest had waited
 */
function agesAt(
  history: FigureReads,
  queue: string,
  { jobs, oldest }: { jobs: number; oldest: number },
  { from, to }: Range
): number[] {
  if (oldest <= 0) {
    return [0, 0];
  }
  const [latency] = history.read('queue', 'latency', from, to, queue);
  const seen = (latency?.at ?? []).flatMap((at, index): Aged[] => {
    const age = from - (at - latency!.values[index]!);
    return at > from ? [{ at, age }] : [];
  });
  const gone = seen.findIndex(({ age }) => age <= 0);
  if (gone < 0) {
    return [oldest, 0];
  }
  const known = [{ at: from, age: oldest }, ...seen.slice(0, gone + 1)];
  const [last, after] = [known.at(-2)!, known.at(-1)!];
  const before = known.at(-3);
  const falls = (one: Aged, next: Aged) => (one.age - next.age) / (next.at - one.at);
  // Jobs that were pushed together are gone all at once, some time before the next look.
  const isSudden = before !== undefined && falls(last, after) > SUDDEN_TIMES * falls(before, last);
  const end = isSudden ? after.at : last.at + last.age / falls(last, after);
  const looks = [...known.slice(0, -1), { at: end, age: isSudden ? last.age : 0 }];
  const shares = goneAt(
    history,
    queue,
    jobs,
    looks.map(({ at }) => at)
  );
  return Array.from({ length: AGES }, (_, index) => {
    const share = index / (AGES - 1);
    const place = Math.min(looks.length - 2, lastBefore(shares, share));
    const [one, next] = [looks[place]!, looks[place + 1]!];
    const width = shares[place + 1]! - shares[place]!;
    const age = width <= 0 ? one.age : one.age - ((share - shares[place]!) / width) * (one.age - next.age);
    return Math.max(0, Math.min(oldest, age));
  });
}

/**
 * Which share of the jobs that waited at the first of some instants has left by each, until none is left at the last: those
 * that wait, less those that came since, which are taken to come evenly.
 */
function goneAt(history: FigureReads, queue: string, jobs: number, instants: readonly number[]): number[] {
  const sizes = valuesAt(history, 'enqueued', queue, instants);
  const [first, last] = [instants[0]!, instants.at(-1)!];
  let most = 0;
  return instants.map((at, index) => {
    const passed = (at - first) / Math.max(1e-9, last - first);
    const size = sizes[index];
    const gone = size == null || jobs <= 0 ? passed : 1 - (size - passed * (sizes.at(-1) ?? 0)) / jobs;
    most = index === 0 ? 0 : index === instants.length - 1 ? 1 : Math.min(1, Math.max(most, gone));
    return most;
  });
}

/** A longer time between two samples tells nothing of what was between. */
const LONGEST_BETWEEN = 2 * SLOWEST_PACE_SECONDS;

/**
 * A gauge of a queue at some instants, in their order: between the samples about each, as a backlog changes within a minute, and
 * what came while nobody looked is there after it. `null` where the samples are further apart than ten minutes.
 */
function valuesAt(
  history: FigureReads,
  figure: string,
  queue: string,
  instants: readonly number[]
): Array<number | null> {
  const [first, last] = [instants[0]!, instants.at(-1)!];
  const [points] = history.read('queue', figure, first - LONGEST_BETWEEN, last + LONGEST_BETWEEN, queue);
  if (!points) {
    return instants.map(() => null);
  }
  const { at, values } = points;
  return instants.map((instant) => {
    const before = lastBefore(at, instant);
    const [from, to] = [at[before], at[before + 1]];
    if (from === undefined || to === undefined) {
      // Before the first sample or after the last one its value is the nearest that is known.
      const nearest = from === undefined ? 0 : before;
      return Math.abs(at[nearest]! - instant) <= NEAR_SECONDS ? values[nearest]! : null;
    }
    const share = (instant - from) / (to - from);
    return to - from > LONGEST_BETWEEN ? null : values[before]! + share * (values[before + 1]! - values[before]!);
  });
}

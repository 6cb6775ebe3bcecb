import type { Turns } from '../turns';
import { scaled } from './durations';
import type { ClassDemand, Demand, Topology } from './model';
import { place, type Placed } from './placedWork';
import { SETTLED, stretchesIn } from './stretch';

/** Of the classes that compute, by {@link classKey}: what is known of their run times. */
export type Computing = ReadonlyMap<string, Computes>;

export interface Computes {
  /** Share of the run time, as it was measured, in which the processor is used. */
  readonly share: number;
  /** By how many times computing took longer when that was measured than it would alone. */
  readonly stretch: number;
  /** By how many times run times come out longer than they were measured, on the same threads: about 1. */
  readonly excess: number;
}

const SETTLED_ROUNDS = 10;

/** By what a class is known in one queue. */
export function classKey({ queue, class: name }: Pick<ClassDemand, 'queue' | 'class'>): string {
  return `${queue}\0${name}`;
}

/**
 * What is known of the classes that compute, by the work as it was measured.
 *
 * @param shareOf share of the run time of a class in which it computes
 */
export async function measuredContention(
  topology: Topology,
  demand: Demand,
  shareOf: (of: ClassDemand) => number,
  turns: Turns
): Promise<Computing> {
  const placed = await place(topology, demand, shareOf, turns);
  let known: Computing = new Map(
    demand.classes.map((of) => [classKey(of), { share: shareOf(of), stretch: 1, excess: 1 }])
  );
  // The stretch depends on what the classes beside do without the processor, and that on the stretch.
  for (let round = 0; round < SETTLED_ROUNDS; round += 1) {
    const stretches = await stretchesOf(placed, demand, known, turns);
    const before = known;
    known = new Map(
      demand.classes.map((of) => {
        const { share } = before.get(classKey(of))!;
        // What computes all of its time was not stretched further than that.
        const stretch = share === 0 ? 1 : Math.min(1 / share, stretches.get(of) ?? 1);
        return [classKey(of), { share, stretch, excess: 1 }];
      })
    );
    if ([...known].every(([key, { stretch }]) => Math.abs(stretch / before.get(key)!.stretch - 1) <= SETTLED)) {
      break;
    }
  }
  return known;
}

/**
 * The work with the run times that it has on some threads.
 *
 * @returns with the factor of each class, by {@link classKey}, by which its run time is another one
 */
export async function underContention(
  topology: Topology,
  demand: Demand,
  computing: Computing,
  turns: Turns
): Promise<{ demand: Demand; factors: ReadonlyMap<string, number> }> {
  const shareOf = (of: ClassDemand) => computing.get(classKey(of))?.share ?? 0;
  const placed = await place(topology, demand, shareOf, turns);
  const stretches = await stretchesOf(placed, demand, computing, turns);
  const factors = new Map<string, number>();
  const classes = demand.classes.map((of) => {
    const { share, idle, excess } = partsOf(of, computing);
    const stretch = stretches.get(of);
    // What nobody runs has the run times of before.
    const factor = stretch === undefined ? 1 : (share * stretch + idle) / excess;
    factors.set(classKey(of), factor);
    return { ...of, durations: scaled(of.durations, factor) };
  });
  return { demand: { ...demand, classes }, factors };
}

/** Run times of the same threads that come out by more than this share other than they were measured are not explained. */
const EXPLAINED = 0.1;
const HALVINGS = 4;

/**
 * What is known of the classes that compute, and by which factor (`explained`) their shares must be lower so that they explain
 * the run times that were measured: executions that computed more would have taken longer beside each other. 1 where they
 * explain them.
 */
export async function explainedContention(
  topology: Topology,
  demand: Demand,
  shareOf: (of: ClassDemand) => number,
  turns: Turns
): Promise<{ computing: Computing; explained: number }> {
  const at = async (times: number) => {
    const computing = await measuredContention(topology, demand, (of) => times * shareOf(of), turns);
    const { factors } = await underContention(topology, demand, computing, turns);
    const isExplained = [...factors.values()].every((factor) => Math.abs(factor - 1) <= EXPLAINED);
    // By as much as they are off they are off on other threads too.
    const settledOn = [...computing].map(([key, of]) => [key, { ...of, excess: factors.get(key) ?? 1 }] as const);
    return { computing: new Map(settledOn), isExplained };
  };
  const { computing, isExplained } = await at(1);
  if (isExplained) {
    return { computing, explained: 1 };
  }
  let [least, most] = [0, 1];
  for (let halved = 0; halved < HALVINGS; halved += 1) {
    const middle = (least + most) / 2;
    [least, most] = (await at(middle)).isExplained ? [middle, most] : [least, middle];
  }
  return { computing, explained: least };
}

/** The work with the run times that its executions have alone in their processes. */
export function alone(demand: Demand, computing: Computing): Demand {
  const classes = demand.classes.map((of) => {
    const { share, idle, excess } = partsOf(of, computing);
    return { ...of, durations: scaled(of.durations, Math.min(1, (share + idle) / excess)) };
  });
  return { ...demand, classes };
}

/** Shares of the measured run time: what computing takes alone, and what neither uses the processor nor waits for it. */
export function partsOf(of: ClassDemand, computing: Computing): { share: number; idle: number; excess: number } {
  const { share, stretch, excess } = computing.get(classKey(of)) ?? { share: 0, stretch: 1, excess: 1 };
  return { share, idle: 1 - share * stretch, excess };
}

/** By class the stretch that its executions see on average; none of what nobody serves. */
async function stretchesOf(
  placed: readonly Placed[],
  { slotSeconds }: Demand,
  computing: Computing,
  turns: Turns
): Promise<Map<ClassDemand, number>> {
  const sums = new Map<ClassDemand, { threads: number; stretched: number }>();
  for (const each of placed) {
    const stretches = await stretchesIn(each, slotSeconds, (of) => partsOf(of, computing).idle, turns);
    each.works.forEach(({ classes }, index) => {
      for (const { of, threads } of classes) {
        const before = sums.get(of) ?? { threads: 0, stretched: 0 };
        sums.set(of, {
          threads: before.threads + threads,
          stretched: before.stretched + threads * stretches[index]!,
        });
      }
    });
  }
  return new Map([...sums].map(([of, { threads, stretched }]) => [of, stretched / threads]));
}

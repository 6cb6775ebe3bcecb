import { describe, expect, test } from 'vitest';
import { answerOf, runs, utilisation } from '../../../pkg/whatif/answer';
import { measuredContention } from '../../../pkg/whatif/contention';
import { Crowding } from '../../../pkg/whatif/crowding';
import { assumedDurations } from '../../../pkg/whatif/durations';
import { Turns } from '../../../pkg/turns';
import type { ClassDemand, Demand, ThreadGroup, Topology } from '../../../pkg/whatif/model';

const classOf = (name: string, queue: string, perSecond: number, seconds: number): ClassDemand => ({
  class: name,
  queue,
  arrivals: new Array<number>(60).fill(10 * perSecond),
  durations: assumedDurations(seconds),
  polled: 0,
  executions: 100_000,
  atBeginning: { waiting: 0, running: 0 },
});
const demandOf = (...classes: ClassDemand[]): Demand => ({ classes, slotSeconds: 10, slots: 60, backlog: new Map() });
const capsule = (queue: string, threads: number, ...names: string[]): ThreadGroup => ({
  threads,
  processes: new Map(names.map((name) => [name, threads / names.length])),
  mode: 'strict',
  weights: new Map([[queue, 0]]),
});
const of = (...groups: ThreadGroup[]): Topology => ({ groups, paused: new Set() });

/** Half of the time of all classes but those that rest computes, measured alone. */
async function computingOf(demand: Demand) {
  const alone = of(...demand.classes.map(({ queue }) => capsule(queue, 1, `alone ${queue}`)));
  const shareOf = ({ class: name }: ClassDemand) => (name === 'Rests' ? 0 : 0.5);
  return measuredContention(alone, demand, shareOf, new Turns());
}

describe('run times where many jobs run', () => {
  const [short, rests, other, long] = [
    classOf('Short', 'a', 1, 0.4),
    classOf('Rests', 'a', 1, 0.4),
    classOf('Other', 'b', 1, 0.4),
    classOf('Long', 'a', 0.001, 4000),
  ];
  const demand = demandOf(short, rests, other, long);

  /** Of a class the factors for some numbers of busy threads, each after the same start beside nobody. */
  const factorsOf = async (each: ClassDemand, ...busy: Array<[own: number, beside: number]>) => {
    const topology = of(capsule('a', 8, 'p'), capsule('b', 4, 'p'));
    const computing = await computingOf(demand);
    return busy.map(([own, beside]) => {
      const crowding = new Crowding(topology, demand, computing);
      crowding.factorOf(each, 0, () => 1);
      return crowding.factorOf(each, 0, (group) => (group === 0 ? own : beside));
    });
  };

  test('are longer the more run in the process, of other capsules too', async () => {
    const [few, many, beside] = (await factorsOf(short, [2, 0], [8, 0], [2, 4])) as [number, number, number];
    expect(many).toBeGreaterThan(1.1 * few);
    expect(beside).toBeGreaterThan(1.05 * few);
  });

  test('are the same of what never computes, and nearly of what outlives the others', async () => {
    expect(await factorsOf(rests, [8, 4])).toEqual([1]);
    const [factor] = await factorsOf(long, [8, 4]);
    expect(Math.abs(factor! - 1)).toBeLessThan(0.01);
  });

  test('have the mean of before', async () => {
    const crowding = new Crowding(of(capsule('a', 8, 'p')), demand, await computingOf(demand));
    const factors = Array.from({ length: 4000 }, (_, index) =>
      crowding.factorOf(short, 0, () => 1 + ((index * 5) % 8))
    );
    expect(factors.reduce((sum, factor) => sum + factor, 0) / factors.length).toBeCloseTo(1, 2);
  });
});

test('waits are longer where slow jobs pile up, on threads that are as busy', async () => {
  const [first, second] = [classOf('A', 'a', 1, 0.45), classOf('B', 'b', 2, 0.45)];
  const both: ThreadGroup = {
    ...capsule('a', 3, 'p'),
    weights: new Map([
      ['a', 0],
      ['b', 0],
    ]),
  };
  const demand = demandOf(first, second);
  const topology = of(both);
  const computing = await measuredContention(
    of({
      ...both,
      threads: 6,
      processes: new Map([
        ['p', 3],
        ['q', 3],
      ]),
    }),
    demand,
    () => 0.44,
    new Turns()
  );
  const options = { count: 8, seed: 1, objectiveOf: () => 5 };
  const crowded = await runs({ topology, demand, computing }, options);
  // The same mean run times, whatever runs.
  const { factors } = crowded;
  const even = demandOf(
    ...demand.classes.map((each) => ({
      ...each,
      durations: assumedDurations(0.45 * factors!.get(`${each.queue}\0${each.class}`)!),
    }))
  );
  const uncrowded = await runs({ topology, demand: even }, options);
  const busyOf = (lived: typeof crowded) => utilisation(lived, () => true)!.median;
  expect(Math.abs(busyOf(crowded) / busyOf(uncrowded) - 1)).toBeLessThan(0.03);
  const p95Of = (lived: typeof crowded) => answerOf(lived, ['b']).p95!.median;
  // An event simulation of an evenly shared processor has 1.26 s for the 0.98 s of mean run times.
  expect(p95Of(crowded)).toBeGreaterThan(1.15 * p95Of(uncrowded));
});

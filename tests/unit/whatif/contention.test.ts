import { describe, expect, test } from 'vitest';
import { Dice } from '../../../pkg/engine/dice';
import {
  alone,
  classKey,
  explainedContention,
  measuredContention,
  underContention,
} from '../../../pkg/whatif/contention';
import { comingJobs, fixedJobs } from '../../../pkg/whatif/processor';
import { assumedDurations } from '../../../pkg/whatif/durations';
import { Turns } from '../../../pkg/turns';
import type { ClassDemand, Demand, ThreadGroup, Topology } from '../../../pkg/whatif/model';
import fc, { runs } from '../../support/fastCheck';

const RUN_TIME = 0.4;
const turns = new Turns();

function group(threads: number, processes: number, queue = 'q'): ThreadGroup {
  const names = Array.from({ length: processes }, (_, index) => `${queue} ${index}`);
  return {
    threads,
    processes: new Map(names.map((name) => [name, threads / processes])),
    mode: 'strict',
    weights: new Map([[queue, 0]]),
  };
}

const of = (...groups: ThreadGroup[]): Topology => ({ groups, paused: new Set() });

function classOf(perSecond: number, name = 'A', queue = 'q'): ClassDemand {
  return {
    class: name,
    queue,
    arrivals: new Array<number>(30).fill(perSecond * 10),
    durations: assumedDurations(RUN_TIME),
    polled: 0,
    executions: 1000,
    atBeginning: { waiting: 1, running: 1 },
  };
}

function demandOf(...classes: ClassDemand[]): Demand {
  return { classes, slotSeconds: 10, slots: 30, backlog: new Map() };
}

/** By what the run time of class A changes from one topology to another. */
async function factorOf(demand: Demand, share: number, before: Topology, after: Topology): Promise<number> {
  const shareOf = (each: ClassDemand) => (each.class === 'A' ? share : 0);
  const computing = await measuredContention(before, demand, shareOf, turns);
  const { factors } = await underContention(after, demand, computing, turns);
  return factors.get(classKey(demand.classes[0]!))!;
}

/**
 * Mean run time by steps of a millisecond: jobs that come by chance compute and rest by turns, ten times each, for
 * exponential times, and those of a process that compute share its processor evenly.
 */
function livedRunTime(perSecond: number, share: number, threads: number, processes: number): number {
  const dice = new Dice(7);
  const exponential = (mean: number) => -Math.log(1 - dice.between(0, 1)) * mean;
  const step = 0.001;
  type Job = { at: number; phases: number[] };
  const running: Job[][] = Array.from({ length: processes }, () => []);
  let waiting: Job[] = [];
  let [ended, seconds] = [0, 0];
  let next = exponential(1 / perSecond);
  for (let now = 0; now < 3000; now += step) {
    while (next <= now) {
      const phases = Array.from({ length: 20 }, (_, phase) =>
        exponential(((phase % 2 === 0 ? share : 1 - share) * RUN_TIME) / 10)
      );
      waiting.push({ at: 0, phases });
      next += exponential(1 / perSecond);
    }
    const free = running.filter((jobs) => jobs.length < threads / processes);
    while (waiting.length > 0 && free.length > 0) {
      // Any of the idle threads.
      const idle = free.flatMap((jobs) => new Array<Job[]>(threads / processes - jobs.length).fill(jobs));
      const jobs = idle[Math.floor(dice.between(0, idle.length))]!;
      const [job, ...rest] = waiting;
      waiting = rest;
      jobs.push({ ...job!, at: now });
      free.splice(0, free.length, ...running.filter((each) => each.length < threads / processes));
    }
    for (const [index, jobs] of running.entries()) {
      const computing = jobs.filter(({ phases }) => phases.length % 2 === 0).length;
      for (const { phases } of jobs) {
        phases[0]! -= phases.length % 2 === 0 ? step / computing : step;
        if (phases[0]! <= 0) {
          phases.shift();
        }
      }
      const left = jobs.filter(({ phases }) => phases.length > 0);
      for (const { at } of jobs.filter(({ phases }) => phases.length === 0)) {
        ended += 1;
        seconds += now - at;
      }
      running[index] = left;
    }
  }
  return seconds / ended;
}

describe('computing beside others', () => {
  // By hand: Q(1) = 0.5; R(2) = 0.5 · 1.5, X(2) = 2 / 1.25, Q(2) = 1.2.
  test.each([
    [0, 1, 1],
    [3, 1, 4],
    [3, 0, 1],
    [1, 0.5, 1.5],
    [2, 0.5, 2.2],
    [1.5, 0.5, 1.85],
    [5000, 1, 5001],
  ])('%d others that compute %d of their time stretch it to %d', (others, share, expected) => {
    expect(fixedJobs(others + 1, { computes: share, rests: 1 - share, beside: 0 }).stretch).toBeCloseTo(expected, 6);
  });

  // A processor that is shared evenly, with as many threads as it takes: 1 / (1 − load).
  test.each([0.1, 0.5, 0.8, 0.9])('is stretched by a load of %d as in an open network', (load) => {
    const alone = { computes: 0.6, rests: 0.4, beside: 0 };
    expect(comingJobs(load / 0.6, 400, 1, alone).stretch).toBeCloseTo(1 / (1 - load), 4);
  });
});

test.each([0.5, 2, 50])('jobs that never compute leave it to the others, of %d a second too', (rate) => {
  const jobs = comingJobs(rate, 2, 2, { computes: 0, rests: 0.5, beside: 3 });
  expect(jobs).toMatchObject({ computing: 0, met: 0, stretch: 4 });
  expect(jobs.throughput).toBeCloseTo(Math.min(rate, 4), 9);
});

describe('shares that are given', () => {
  const explained = async (perSecond: number, share: number, topology: Topology) =>
    (await explainedContention(topology, demandOf(classOf(perSecond)), () => share, turns)).explained;

  test('explain run times that were measured while processors had time left', async () => {
    expect(await explained(5, 0.3, of(group(8, 2)))).toBe(1);
    expect(await explained(2, 1, of(group(8, 8)))).toBe(1);
  });

  test('are too high where the processors would not have sufficed, or jobs would have waited for them', async () => {
    // 2.4 threads that run are 1.2 processors at half their time: 0.83 of that are one.
    const most = await explained(6, 0.5, of(group(8, 1)));
    expect(most).toBeLessThan(0.83);
    expect(most).toBeGreaterThan(0.3);
    expect(await explained(6, 0.5 * most, of(group(8, 1)))).toBe(1);
  });
});

describe('run times of executions that compute', () => {
  test('stay as they were measured on the same threads', async () => {
    for (const share of [0.1, 0.3, 0.5]) {
      expect(await factorOf(demandOf(classOf(5)), share, of(group(4, 2)), of(group(4, 2)))).toBeCloseTo(1, 2);
    }
  });

  test('are those of a processor that is shared evenly: by 1 − load, with as many threads as it takes', async () => {
    // Measured one by one: 0.4 s, twice a second are a load of 0.8.
    expect(await factorOf(demandOf(classOf(2)), 1, of(group(1, 1)), of(group(400, 1)))).toBeCloseTo(1 / (1 - 0.8), 1);
  });

  test.each([
    { perSecond: 1.5, share: 1, threads: 8, processes: 1 },
    { perSecond: 4, share: 0.5, threads: 6, processes: 1 },
    { perSecond: 6, share: 0.3, threads: 8, processes: 1 },
    { perSecond: 6, share: 0.5, threads: 8, processes: 2 },
  ])('agree with %o lived through in small steps', async ({ perSecond, share, threads, processes }) => {
    const lived = livedRunTime(perSecond, share, threads, processes) / RUN_TIME;
    const demand = demandOf(classOf(perSecond));
    // Measured with a process for each thread, where nothing is shared.
    const factor = await factorOf(demand, share, of(group(100, 100)), of(group(threads, processes)));
    expect(Math.abs(factor / lived - 1), `${factor} for ${lived}`).toBeLessThan(0.08);
  });

  /** A class of an hour in slots of ten seconds. */
  const ofHour = (name: string, seconds: number, countAt: (slot: number) => number): ClassDemand => ({
    ...classOf(0, name),
    arrivals: Array.from({ length: 360 }, (_, slot) => countAt(slot)),
    durations: assumedDurations(seconds),
    atBeginning: { waiting: 0, running: 0 },
  });
  const hour = (...classes: ClassDemand[]): Demand => ({ ...demandOf(...classes), slots: 360 });

  // What is expected was lived through event by event, with evenly shared processors.
  test.each([
    ['beside none that do not compute', [ofHour('A', 0.4, () => 22)], 0.9, 200, 4.6],
    ['beside some', [ofHour('A', 0.4, () => 22), ofHour('B', 0.4, () => 150)], 0.9, 200, 4.6],
    ['beside many', [ofHour('A', 0.4, () => 22), ofHour('B', 0.4, () => 600)], 0.9, 200, 4.1],
    [
      'in the first half of the time, others in the second',
      [ofHour('A', 0.4, (slot) => (slot < 180 ? 22 : 0)), ofHour('B', 0.4, (slot) => (slot < 180 ? 0 : 150))],
      0.9,
      50,
      4.9,
    ],
    ['five at once for ten minutes', [ofHour('A', 600, (slot) => Number(slot === 6) * 5)], 0.1, 50, 1.08],
    ['four at once for two minutes', [ofHour('A', 120, (slot) => Number(slot % 90 === 6) * 4)], 0.2, 25, 1.2],
    ['one at a time for five minutes', [ofHour('A', 300, (slot) => Number(slot % 60 === 6))], 0.9, 10, 1.02],
  ])('compute %s', async (_, classes, share, threads, expected) => {
    const factor = await factorOf(hour(...classes), share, of(group(100, 100)), of(group(threads, 1)));
    expect(Math.abs(factor / expected - 1), `${factor} for ${expected}`).toBeLessThan(0.15);
  });

  // A processor that is shared evenly by threads that suffice: time is computing by 1 − load, and the rest.
  test.each([0.4, 0.6, 0.8, 0.9])('of a process with a load of %d are those of half the load in two', async (load) => {
    const runTime = (each: number) => 0.18 / (1 - each) + 0.12;
    const measured = runTime(load);
    const demand = demandOf({ ...classOf(load / 0.18), durations: assumedDurations(measured) });
    const factor = await factorOf(demand, 0.18 / measured, of(group(200, 1)), of(group(200, 2)));
    expect(Math.abs(factor / (runTime(load / 2) / measured) - 1)).toBeLessThan(0.02);
  });

  // Lived through event by event by a simulation of another hand: ten threads that rest, and a capsule of one that computes.
  test.each([
    [1, 1.312, 1.016],
    [2, 1.301, 1.03],
    [3, 1.305, 1.047],
    [4, 1.282, 1.06],
  ])('of a capsule with one thread wait for those of the others alone: %d a second', async (perSecond, one, ten) => {
    const [serial, many] = [group(1, 1), { ...group(10, 1, 'other'), processes: new Map([['q 0', 10]]) }];
    const demand = demandOf(
      { ...classOf(perSecond), durations: assumedDurations(0.2) },
      { ...classOf(10, 'B', 'other'), durations: assumedDurations(0.519) }
    );
    const shareOf = ({ class: name }: ClassDemand) => (name === 'A' ? 0.9 : 0.0482);
    const computing = await measuredContention(of(serial, group(10, 1, 'other')), demand, shareOf, turns);
    const { factors } = await underContention(of(serial, many), demand, computing, turns);
    const [ofOne, ofMany] = demand.classes.map((each) => factors.get(classKey(each))!);
    expect(Math.abs(ofOne! / one - 1), `${ofOne} for ${one}`).toBeLessThan(0.03);
    expect(Math.abs(ofMany! / ten - 1), `${ofMany} for ${ten}`).toBeLessThan(0.03);
  });

  test.each([
    ['two capsules of a process to two processes', [3, 4], 0.745, 0.358, [true, false], 0.689, 0.666],
    ['two processes to two capsules of one', [3, 4], 0.503, 0.239, [false, true], 1.448, 1.459],
  ] as const)(
    'agree with %s',
    async (_, [threads, others], measured, other, [before, after], expected, otherExpected) => {
      const topology = (together: boolean) =>
        of(group(threads, 1), { ...group(others, 1, 'other'), processes: new Map([[together ? 'q 0' : 'p', others]]) });
      const demand = demandOf(
        { ...classOf(2), durations: assumedDurations(measured) },
        { ...classOf(4, 'B', 'other'), durations: assumedDurations(other) }
      );
      const shareOf = ({ class: name }: ClassDemand) => (name === 'A' ? 0.2 / measured : 0.08 / other);
      const computing = await measuredContention(topology(before), demand, shareOf, turns);
      const { factors } = await underContention(topology(after), demand, computing, turns);
      const [one, two] = demand.classes.map((each) => factors.get(classKey(each))!);
      expect(Math.abs(one! / expected - 1), `${one} for ${expected}`).toBeLessThan(0.05);
      expect(Math.abs(two! / otherExpected - 1), `${two} for ${otherExpected}`).toBeLessThan(0.05);
    }
  );

  test('that were measured one at a time are explained by any share', async () => {
    const demand = hour(ofHour('A', 300, (slot) => Number(slot % 60 === 6)));
    expect((await explainedContention(of(group(5, 1)), demand, () => 0.9, turns)).explained).toBe(1);
  });

  test('stay exactly as they were measured where nothing is changed', async () => {
    const demand = demandOf(classOf(5), classOf(3, 'B'));
    const topology = of(group(8, 2));
    const shareOf = ({ class: name }: ClassDemand) => (name === 'A' ? 0.3 : 0.2);
    const { computing, explained } = await explainedContention(topology, demand, shareOf, turns);
    expect(explained).toBe(1);
    const { factors } = await underContention(topology, demand, computing, turns);
    factors.forEach((factor) => expect(factor).toBeCloseTo(1, 9));
    // What nobody serves takes as long as before.
    const none = await underContention(of({ ...group(8, 2), threads: 0 }), demand, computing, turns);
    none.factors.forEach((factor) => expect(factor).toBe(1));
  });

  test('use no more than the processors that there are, however many threads', async () => {
    const demand = demandOf(classOf(20));
    const before = of(group(100, 100));
    for (const [threads, processes] of [
      [10, 1],
      [40, 2],
    ] as const) {
      const factor = await factorOf(demand, 0.5, before, of(group(threads, processes)));
      // Each execution takes 0.2 s of a processor.
      expect(((threads / (RUN_TIME * factor)) * 0.2) / processes).toBeCloseTo(1, 1);
    }
  });

  test('are shorter on more processes of as many threads, and those of a process of its own are not shared', async () => {
    const demand = demandOf(classOf(6));
    const before = of(group(8, 1));
    const factors = [1, 2, 8].map((processes) => factorOf(demand, 0.2, before, of(group(8, processes))));
    const [one, two, eight] = await Promise.all(factors);
    expect(one).toBeCloseTo(1, 2);
    expect(two!).toBeLessThan(0.95);
    expect(eight!).toBeLessThan(two!);
    const computing = await measuredContention(before, demand, () => 0.2, turns);
    expect(RUN_TIME * eight!).toBeCloseTo(alone(demand, computing).classes[0]!.durations.meanSeconds, 6);
  });

  test('grow with what computes beside them in another queue, of the same processes only', async () => {
    const demand = demandOf(classOf(2), classOf(2, 'B', 'other'));
    const same = { ...group(4, 1, 'other'), processes: new Map([['q 0', 4]]) };
    const computing = await measuredContention(of(group(4, 4), group(4, 4, 'other')), demand, () => 0.9, turns);
    const factorIn = async (topology: Topology) =>
      (await underContention(topology, demand, computing, turns)).factors.get(classKey(demand.classes[0]!))!;
    const shared = await factorIn(of(group(4, 1), same));
    expect(shared).toBeGreaterThan(1.2 * (await factorIn(of(group(4, 1), group(4, 1, 'other')))));
    // Of a queue that is paused nothing runs.
    const paused = await factorIn({ ...of(group(4, 1), same), paused: new Set(['other']) });
    expect(paused).toBeLessThan(shared);
  });

  test('are finite for any capsules, shares and loads, and exactly as measured where nothing is changed', async () => {
    const groups = fc.array(
      fc.record({
        threads: fc.nat(12),
        names: fc.uniqueArray(fc.constantFrom('p', 'q', 'r'), { minLength: 1 }),
        queues: fc.uniqueArray(fc.constantFrom('a', 'b'), { minLength: 1 }),
      }),
      { minLength: 1, maxLength: 4 }
    );
    const classes = fc.array(
      fc.record({
        queue: fc.constantFrom('a', 'b'),
        arrivals: fc.array(fc.nat(60), { minLength: 8, maxLength: 8 }),
        seconds: fc.constantFrom(0.005, 0.4, 3, 40, 900),
        share: fc.constantFrom(0, 0.01, 0.3, 0.9, 1),
      }),
      { minLength: 1, maxLength: 4 }
    );
    await fc.assert(
      fc.asyncProperty(groups, groups, classes, fc.nat(500), async (before, after, some, jobs) => {
        const [now, then] = [before, after].map((all) =>
          of(
            ...all.map(({ threads, names, queues }): ThreadGroup => ({
              threads,
              processes: new Map(names.map((name) => [name, threads / names.length])),
              mode: 'strict',
              weights: new Map(queues.map((queue) => [queue, 0])),
            }))
          )
        ) as [Topology, Topology];
        const demand: Demand = {
          classes: some.map(({ queue, arrivals, seconds }, index) => ({
            ...classOf(0, `C${index}`, queue),
            arrivals,
            durations: assumedDurations(seconds),
          })),
          slotSeconds: 10,
          slots: 8,
          backlog: new Map([['a', { jobs, running: 0, ages: [0, 0] }]]),
        };
        const shareOf = (each: ClassDemand) => some[demand.classes.indexOf(each)]!.share;
        const { computing, explained } = await explainedContention(now, demand, shareOf, turns);
        const { factors } = await underContention(then, demand, computing, turns);
        factors.forEach((factor) => expect(factor > 0 && Number.isFinite(factor)).toBe(true));
        if (explained === 1) {
          const same = await underContention(now, demand, computing, turns);
          same.factors.forEach((factor) => expect(factor).toBeCloseTo(1, 6));
        }
      }),
      { numRuns: runs(60) }
    );
  });
});

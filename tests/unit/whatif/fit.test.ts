import { describe, expect, test } from 'vitest';
import { MemoryStore } from '../../../pkg/series/memoryStore';
import { noCounts, type Durations, type MinuteCounts } from '../../../pkg/sidekiq/jobMetrics';
import type { Reads } from '../../../pkg/source/reads';
import { Dice } from '../../../pkg/engine/dice';
import { smoothed } from '../../../pkg/whatif/arrivals';
import { fitRange, fitUsual } from '../../../pkg/whatif/fit';
import { aMinute, aQueueState, aState, listed, NOW, someWork } from '../../support/state';

const MINUTE = 60;
const END = Math.floor((NOW - MINUTE) / MINUTE) * MINUTE;

/** Reads of a literal past. */
function reads(
  minutes: MinuteCounts[],
  {
    durations = [],
    history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 }),
  }: { durations?: Durations[]; history?: MemoryStore } = {}
): Reads {
  return {
    minutesKeptSeconds: 8 * 3600,
    buckets: async ({ from, to }: { from: number; to: number }) => ({
      buckets: minutes.filter(({ startsAt }) => startsAt >= from && startsAt <= to),
      notices: [],
    }),
    durations: async () => ({ durations, notices: [] }),
    history: async () => history,
  } as unknown as Reads;
}

const minutesOf = (counts: ReadonlyArray<Record<string, [number, number, number]>>) =>
  counts.map((classes, index) => aMinute(END - (counts.length - index) * MINUTE, classes));
const state = aState({
  queues: [aQueueState('a'), aQueueState('b')],
  classQueues: new Map([
    ['A', 'a'],
    ['Other', 'a'],
    ['B', 'b'],
  ]),
});
const sum = (values: readonly number[]) => values.reduce((total, each) => total + each, 0);

describe('work fitted from a past range', () => {
  test.each([
    ['to come', { from: END + 3600, to: END + 7200 }],
    ['of no length', { from: END - 60, to: END - 60 }],
    ['turned around', { from: END, to: END - 600 }],
  ])('of a range that is %s there is none', async (_, range) => {
    expect(await fitRange(aState(), range, reads([]))).toBeNull();
  });

  test('has the executions of each class and minute, evenly within it', async () => {
    const minutes = minutesOf([{ A: [60, 6, 54_000] }, { A: [30, 0, 60_000], B: [6, 0, 600] }]);
    const fitted = await fitRange(state, { from: END - 120, to: END }, reads(minutes));
    const [a, b] = fitted!.demand.classes;
    expect(a).toMatchObject({ class: 'A', queue: 'a' });
    expect(sum(a!.arrivals)).toBeCloseTo(90, 6);
    a!.arrivals.forEach((count, slot) => expect(Math.abs(count - (slot < 6 ? 10 : 5))).toBeLessThan(0.5));
    expect(sum(b!.arrivals)).toBeCloseTo(6, 6);
    expect(sum(b!.arrivals.slice(6))).toBeGreaterThan(4.5);
    // 114 s of 84 executions that succeeded.
    expect(a!.durations.meanSeconds).toBeCloseTo(114 / 84, 9);
    // As many are retries as failed: 6 of 90.
    expect([a!.polled, b!.polled]).toEqual([6 / 90, 0]);
    expect(fitted!.range).toEqual({ from: END - 120, to: END });
  });

  test('shares the work of a class among the queues that it runs from, and none of it is lost', async () => {
    const minutes = minutesOf([{ A: [60, 0, 60_000] }, { A: [20, 0, 20_000], B: [6, 0, 600] }]);
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    for (let at = END - 120; at <= END + 10; at += 10) {
      // Ten more wait in b at the end of each minute.
      history.append(at, [
        { scope: 'queue', key: 'b', figure: 'enqueued', value: 10 * Math.floor((at - END + 120) / 60) },
      ]);
    }
    const shared = { ...state, classShares: new Map([['A', [['a', 0.25] as const, ['b', 0.75] as const]]]) };
    const fitted = await fitRange(shared, { from: END - 120, to: END }, reads(minutes, { history }));
    const found = fitted!.demand.classes.map(({ class: name, queue, arrivals }) => [name, queue, sum(arrivals)]);
    expect(found.sort()).toEqual([
      ['A', 'a', expect.closeTo(20, 6)],
      ['A', 'b', expect.closeTo(60 + 20 * (60 / 66), 6)],
      ['B', 'b', expect.closeTo(6 + 20 * (6 / 66), 6)],
    ]);
  });

  test('adds what a backlog grew by, and takes away what it shrank by: jobs that came run or wait', async () => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    // 0, then 60 more within the first minute, 30 fewer within the second.
    for (let at = END - 180; at <= END + 60; at += 10) {
      const value = at < END - 60 ? (at < END - 120 ? 0 : 60) : 30;
      history.append(at, [{ scope: 'queue', key: 'a', figure: 'enqueued', value }]);
    }
    const minutes = minutesOf([{ A: [30, 0, 30_000] }, { A: [30, 0, 30_000] }, { A: [30, 0, 30_000] }]);
    const fitted = await fitRange(state, { from: END - 180, to: END }, reads(minutes, { history }));
    const { arrivals } = fitted!.demand.classes[0]!;
    const byMinute = [0, 6, 12].map((from) => Math.round(sum(arrivals.slice(from, from + 6))));
    // 90, 0 and 30 came; what is left of that after what chance explains: nearly all.
    expect(byMinute[0]).toBeGreaterThan(80);
    expect(byMinute[1]).toBeLessThan(10);
    // Executed are 90; in the end 30 more wait than at the beginning.
    expect(sum(arrivals)).toBeCloseTo(90 + 30, 6);
  });

  /** An hour in which ten jobs of forty minutes run in a stretch of it. */
  const long = async (runs: (second: number) => boolean, endedAtMinute?: number) => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    for (let at = END - 3600; at <= END + 60; at += 10) {
      history.append(at, [
        { scope: 'queue', key: 'a', figure: 'busy', value: runs(at - END + 3600) ? 10 : 0 },
        { scope: 'queue', key: 'b', figure: 'busy', value: 0 },
      ]);
    }
    const minutes = minutesOf(
      Array.from({ length: 60 }, (_, minute) => ({
        B: [6, 0, 600] as [number, number, number],
        ...(minute === endedAtMinute && { A: [10, 0, 10 * 2_400_000] as [number, number, number] }),
      }))
    );
    const fitted = await fitRange(state, { from: END - 3600, to: END }, reads(minutes, { history }));
    return fitted!.demand;
  };
  const ofA = ({ classes }: Awaited<ReturnType<typeof long>>) =>
    sum(classes.filter(({ queue }) => queue === 'a').flatMap(({ arrivals }) => [...arrivals]));

  // What has ended, and what more runs, has come.
  test('of jobs that ran at the beginning has none that come, and knows them among those that run', async () => {
    const demand = await long((second) => second < 1200, 20);
    expect(ofA(demand)).toBeCloseTo(0, 6);
    expect(demand.backlog.get('a')).toMatchObject({ running: 10 });
    expect(demand.classes.find(({ class: name }) => name === 'A')!.atBeginning.running).toBeGreaterThan(0);
  });

  test('of jobs that begin and end within it has each once', async () => {
    expect(ofA(await long((second) => second >= 600 && second < 3000, 50))).toBeCloseTo(10, 6);
  });

  test('of jobs that still run at the end has each once, though nothing of them was executed', async () => {
    const demand = await long((second) => second >= 600);
    expect(ofA(demand)).toBeCloseTo(10, 6);
  });

  test('follows the pushes that were seen every ten seconds', async () => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    for (let at = END - 60; at <= END + 10; at += 10) {
      // All of it within the second ten seconds.
      history.append(at, [{ scope: 'queue', key: 'a', figure: 'inRate', value: at === END - 50 ? 3 : 0 }]);
    }
    const fitted = await fitRange(
      state,
      { from: END - 60, to: END },
      reads(minutesOf([{ A: [30, 0, 1000] }]), { history })
    );
    const { arrivals } = fitted!.demand.classes[0]!;
    expect(arrivals[1]).toBeGreaterThan(25);
    expect(sum(arrivals)).toBeCloseTo(30, 6);
  });

  test('begins with what waited then', async () => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    for (let at = END - 120; at <= END; at += 10) {
      history.append(at, [
        { scope: 'queue', key: 'a', figure: 'enqueued', value: 12 },
        { scope: 'queue', key: 'a', figure: 'latency', value: 34 },
        { scope: 'queue', key: 'a', figure: 'busy', value: 3 },
        { scope: 'queue', key: 'b', figure: 'enqueued', value: 0 },
      ]);
    }
    const fitted = await fitRange(
      state,
      { from: END - 60, to: END },
      reads(minutesOf([{ A: [30, 0, 1000] }]), { history })
    );
    expect([...fitted!.demand.backlog]).toEqual([['a', { jobs: 12, running: 3, ages: expect.any(Array) }]]);
    // The oldest has always waited as long, so that the ages are even.
    const { ages } = fitted!.demand.backlog.get('a')!;
    ages.forEach((age, index) => expect(age).toBeCloseTo(34 * (1 - index / (ages.length - 1)), 6));
  });

  test('begins with what waited then, and not with the mean of a minute in which it drained', async () => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    const from = END - 60;
    for (let at = from - 120; at <= END; at += 5) {
      const size = Math.max(0, 10_000 - 100 * Math.max(0, at - from));
      history.append(at, [{ scope: 'queue', key: 'a', figure: 'enqueued', value: size }]);
    }
    const minutes = minutesOf([{ A: [6000, 0, 1000] }]);
    const fitted = await fitRange(state, { from, to: END }, reads(minutes, { history }));
    // 100 a second of 10,000: within ten seconds it is between 9,000 and that.
    expect(fitted!.demand.backlog.get('a')!.jobs).toBeGreaterThan(9000);
  });

  test('knows the ages of what waited then by the oldest that is left, and by how many have left', async () => {
    const from = END - 300;
    /** @param left jobs that wait after so many seconds @param pushedAt when the oldest of them was pushed */
    const agesOf = async (left: (second: number) => number, pushedAt: (left: number) => number) => {
      const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
      for (let second = -53; second <= 310; second += 10) {
        const size = Math.max(0, left(Math.max(0, second)));
        history.append(from + second, [
          { scope: 'queue', key: 'a', figure: 'enqueued', value: size },
          { scope: 'queue', key: 'a', figure: 'latency', value: size > 0 ? second - pushedAt(size) : 0 },
        ]);
      }
      const minutes = minutesOf(Array.from({ length: 5 }, () => ({ A: [60, 0, 60_000] as [number, number, number] })));
      const { demand } = (await fitRange(state, { from, to: END }, reads(minutes, { history })))!;
      const { ages } = demand.backlog.get('a')!;
      return [0, 0.25, 0.5, 0.75, 1].map((share) => Math.round(ages[Math.round(share * (ages.length - 1))]!));
    };
    const near = (ages: number[], expected: number[], seconds: number) =>
      ages.forEach((age, index) => expect(Math.abs(age - expected[index]!)).toBeLessThanOrEqual(seconds));
    // All pushed at once, a minute before.
    near(
      await agesOf(
        (second) => 100 - second,
        () => -60
      ),
      [60, 60, 60, 60, 60],
      0
    );
    // One a second for 1,200 s: the oldest of so many that are left was pushed as many seconds before.
    const oneASecond = (left: number) => -left;
    near(await agesOf((second) => 1200 - 10 * second, oneASecond), [1200, 900, 600, 300, 0], 35);
    // Taken ten times as fast after two minutes, and not at all for a minute.
    const faster = (second: number) => 1200 - second - 9 * Math.max(0, second - 120);
    near(await agesOf(faster, oneASecond), [1200, 900, 600, 300, 0], 35);
    const paused = (second: number) => 1200 - 10 * (second - Math.max(0, Math.min(60, second - 60)));
    near(await agesOf(paused, oneASecond), [1200, 900, 600, 300, 0], 35);
    // Not gone within the range: evenly spread.
    near(
      await agesOf(
        () => 100,
        () => -60
      ),
      [60, 30, 0, 0, 0],
      60
    );
  });

  test('takes sizes between the samples, which do not keep step with minutes', async () => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    // Two more in each second, 1,000 at the beginning.
    for (let at = END - 193; at <= END + 60; at += 10) {
      const value = 1000 + 2 * (at - (END - 180));
      history.append(at, [{ scope: 'queue', key: 'a', figure: 'enqueued', value }]);
    }
    const minutes = minutesOf([{ A: [60, 0, 60_000] }, { A: [60, 0, 60_000] }, { A: [60, 0, 60_000] }]);
    const { demand } = (await fitRange(state, { from: END - 180, to: END }, reads(minutes, { history })))!;
    expect(demand.backlog.get('a')!.jobs).toBe(1000);
    // Sixty are executed in each minute, and 120 more wait.
    expect(sum(demand.classes[0]!.arrivals)).toBeCloseTo(3 * 180, 6);
  });

  test.each([
    ['of minutes: what came has come', 110, 600],
    ['of more than ten minutes: nothing is known of it', 660, 0],
  ])('where nobody looked for a time %s', async (_, away, more) => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    for (const at of [END - 60 - away - 10, END - 60 - away, END - 60, END - 50]) {
      history.append(at, [{ scope: 'queue', key: 'a', figure: 'enqueued', value: at < END - 60 ? 0 : 600 }]);
    }
    const minutes = minutesOf(Array.from({ length: 13 }, () => ({ A: [60, 0, 60_000] as [number, number, number] })));
    const { demand } = (await fitRange(state, { from: END - 780, to: END }, reads(minutes, { history })))!;
    expect(sum(demand.classes[0]!.arrivals)).toBeCloseTo(13 * 60 + more, 6);
  });

  test('takes run times from the histogram of the class, and says of how many there is none', async () => {
    const counts = noCounts();
    counts[6] = 10;
    const minutes = minutesOf([{ A: [10, 0, 2000], B: [10, 0, 5000] }]);
    const durations = [{ startsAt: END - 60, jobClass: 'A', counts }];
    const fitted = await fitRange(state, { from: END - 60, to: END }, reads(minutes, { durations }));
    // Bucket 6 is from 150 to 225 ms.
    expect(fitted!.demand.classes[0]!.durations.bounds[6]).toEqual([0.15, 0.225]);
    expect(fitted!.notices.map(({ text }) => text)).toEqual([
      'Of 1 class no histogram is known: run times are lognormal around their mean.',
    ]);
  });

  // Found live: a class of a second that always fails took no time, and one thread was enough for three of them a second.
  test('takes run times of a class that always fails from its jobs that run, else from all classes, and says so', async () => {
    const minutes = minutesOf([{ A: [60, 60, 0], B: [10, 0, 5000] }]);
    const range = { from: END - 60, to: END };
    const timeOf = async (part: Parameters<typeof aState>[0]) => {
      const fitted = await fitRange({ ...state, ...part } as typeof state, range, reads(minutes));
      const told = fitted!.notices.filter(({ severity }) => severity === 'warning').map(({ text }) => text);
      return [fitted!.demand.classes.find(({ class: name }) => name === 'A')!.durations.meanSeconds, told];
    };
    expect(await timeOf({})).toEqual([
      expect.closeTo(0.5, 6),
      ['No execution succeeded of A (those of all classes): run times are assumed.'],
    ]);
    const work = listed(
      someWork({ metricsClass: 'A', queue: 'a', runAt: NOW - 1 }),
      someWork({ metricsClass: 'A', queue: 'a', runAt: NOW - 2 }),
      someWork({ metricsClass: 'B', queue: 'a', runAt: NOW - 500 })
    );
    expect(await timeOf({ snapshot: { ...state.snapshot, work } })).toEqual([
      expect.closeTo(3, 6),
      ['No execution succeeded of A (twice those of its jobs that run): run times are assumed.'],
    ]);
  });

  test('takes no run time from a start that lies ahead of the clock of Redis', async () => {
    const minutes = minutesOf([{ A: [10, 10, 0], B: [100, 0, 50_000] }]);
    const work = listed(someWork({ metricsClass: 'A', queue: 'a', runAt: NOW + 20 }));
    const range = { from: END - 60, to: END };
    const fitted = await fitRange({ ...state, snapshot: { ...state.snapshot, work } }, range, reads(minutes));
    expect(fitted!.demand.classes.find(({ class: name }) => name === 'A')!.durations.meanSeconds).toBeCloseTo(0.5, 6);
  });

  test('says what share of the executions is left out because their queue was not seen', async () => {
    const minutes = minutesOf([{ A: [75, 0, 1000], Unknown: [25, 0, 1000] }]);
    const fitted = await fitRange(state, { from: END - 60, to: END }, reads(minutes));
    expect(fitted!.notices.map(({ text }) => text)).toContain(
      '25% of the executions are left out: the queue of their classes was not seen.'
    );
  });

  test('knows the jobs of a queue that nobody serves by its backlog alone', async () => {
    const history = new MemoryStore({ fullSeconds: 1e6, keepSeconds: 1e6 });
    for (let at = END - 180; at <= END + 60; at += 10) {
      const minute = Math.floor((at - END + 180) / 60);
      history.append(at, [{ scope: 'queue', key: 'b', figure: 'enqueued', value: 5 + 10 * minute }]);
    }
    const minutes = minutesOf([{ A: [30, 0, 30_000] }, { A: [30, 0, 30_000] }, { A: [30, 0, 30_000] }]);
    const fitted = await fitRange(state, { from: END - 180, to: END }, reads(minutes, { history }));
    const b = fitted!.demand.classes.find(({ queue }) => queue === 'b')!;
    expect(sum(b.arrivals)).toBeCloseTo(30, 6);
    // The only class that ran takes a second.
    expect(b.durations.meanSeconds).toBeCloseTo(1, 9);
    expect(fitted!.demand.backlog.get('b')!.jobs).toBe(5);
    expect(fitted!.notices.map(({ text }) => text)).toContain(
      'Nothing of b was executed: its run times are assumed to be those of all classes.'
    );
  });

  test('begins with the first minute that is known: before it there is no work that could be told', async () => {
    const minutes = minutesOf([{ A: [60, 0, 60_000] }, { A: [60, 0, 60_000] }]);
    const fitted = await fitRange(state, { from: END - 3600, to: END }, reads(minutes));
    expect(fitted!.range).toEqual({ from: END - 120, to: END });
    expect(fitted!.demand.slots).toBe(12);
  });

  test('is nothing where nothing ran', async () => {
    expect(await fitRange(state, { from: END - 600, to: END }, reads(minutesOf([{}, {}])))).toBeNull();
  });

  test('is of the last six hours of a longer range', async () => {
    const minutes = [aMinute(END - 6 * 3600), ...minutesOf([{ A: [1, 0, 1] }])];
    const fitted = await fitRange(state, { from: END - 86_400, to: END }, reads(minutes));
    expect(fitted!.range.to - fitted!.range.from).toBe(6 * 3600);
    expect(fitted!.notices[0]!.text).toContain('six hours');
  });
});

test('usual work has the pushes that are usual in each hour, by the classes that ran', async () => {
  const minutes = minutesOf([{ A: [30, 0, 1000], Other: [10, 0, 1000], B: [5, 0, 1000] }]);
  const ahead = [{ queue: 'a', inRates: [4, 8] }];
  const usual = aState({
    ...state,
    usual: { at: NOW, basis: 'week', figures: [], missing: [], missingQueues: [], ahead },
  });
  const fitted = await fitRange(usual, { from: END - 60, to: END }, reads(minutes));
  const { demand } = fitUsual(
    { ...usual, queues: [aQueueState('a', { size: 7, waitSeconds: 9, busy: 5, readyBusy: 2 })] },
    fitted!,
    1
  )!;
  const of = (name: string) => demand.classes.find((each) => each.class === name)?.arrivals;
  // The state is at half a minute after noon: the next hour begins in 59.5 minutes.
  expect(of('A')![0]).toBeCloseTo(4 * 10 * 0.75, 6);
  expect(of('Other')![0]).toBeCloseTo(4 * 10 * 0.25, 6);
  expect(of('A')!.at(-1)).toBeCloseTo(8 * 10 * 0.75, 6);
  // What is usual of its queue is not known: five a minute, as they came.
  expect(sum(of('B')!)).toBeCloseTo(5 * 60, 6);
  expect([...demand.backlog]).toEqual([['a', { jobs: 7, running: 2, ages: [9, 0] }]]);
  expect(fitUsual(state, fitted!, 1)).toBeNull();
});

describe('rates behind counts', () => {
  const poisson = (means: readonly number[], seed: number) => {
    const dice = new Dice(seed);
    return means.map((mean) => dice.count(mean));
  };
  const dispersion = (counts: readonly number[]) => {
    const mean = sum(counts) / counts.length;
    return sum(counts.map((count) => (count - mean) ** 2)) / counts.length / mean;
  };

  test('of an even rate are even, and drawn again they vary as the counts did', () => {
    const counts = poisson(new Array<number>(600).fill(40), 3);
    const rates = smoothed(counts, 11);
    expect(dispersion(rates)).toBeLessThan(0.2);
    expect(dispersion(poisson(rates, 4))).toBeGreaterThan(0.8);
    expect(dispersion(poisson(rates, 4))).toBeLessThan(1.3);
    // Counts taken for rates would vary twice as much.
    expect(dispersion(poisson(counts, 4))).toBeGreaterThan(1.7);
  });

  test('of bursts keep the bursts', () => {
    const means = Array.from({ length: 600 }, (_, index) => (index % 20 === 7 ? 400 : 20));
    const counts = poisson(means, 3);
    const drawn = poisson(smoothed(counts, 11), 4);
    expect(dispersion(drawn) / dispersion(counts)).toBeGreaterThan(0.85);
    expect(dispersion(drawn) / dispersion(counts)).toBeLessThan(1.15);
  });

  test('are of the same sum', () => {
    const counts = poisson(
      Array.from({ length: 120 }, (_, index) => 10 + index),
      5
    );
    expect(sum(smoothed(counts, 11)) / sum(counts)).toBeCloseTo(1, 9);
  });
});

import { describe, expect, test } from 'vitest';
import fc from '../../support/fastCheck';
import { changed, computingShares, orderText, type Changes } from '../../../pkg/whatif/changes';
import { assumedDurations } from '../../../pkg/whatif/durations';
import type { Scenario, ThreadGroup } from '../../../pkg/whatif/model';

const group = (threads: number, weights: Record<string, number>, processes = ['p', 'q']): ThreadGroup => ({
  threads,
  processes: new Map(processes.map((name) => [name, threads / processes.length])),
  mode: 'strict',
  weights: new Map(Object.entries(weights)),
});
const demand = (name: string, queue: string) => ({
  class: name,
  queue,
  arrivals: [10, 20],
  durations: assumedDurations(1),
  polled: 0,
  executions: 30,
  atBeginning: { waiting: 30, running: 30 },
});
const SCENARIO: Scenario = {
  topology: {
    groups: [group(10, { a: 0, b: 0 }), group(5, { a: 0 }), group(4, { c: 0 }, ['r', 's'])],
    paused: new Set(['c']),
  },
  demand: {
    classes: [demand('A', 'a'), demand('B', 'b'), demand('C', 'c')],
    slotSeconds: 10,
    slots: 2,
    backlog: new Map(),
  },
};
const NONE: Changes = { threads: [], processes: [], traffic: [], runTime: [], own: [], order: [], paused: [] };
const TYPES: Record<string, string[]> = {
  'Default Worker': ['a', 'b'],
  a: ['a'],
  b: ['b'],
  c: ['c'],
  lonely: ['lonely'],
};

function ifOnly(part: Partial<Changes>): Scenario {
  return changed(SCENARIO, { ...NONE, ...part }, (name) => TYPES[name] ?? []);
}
const threadsOf = ({ topology }: Scenario) => topology.groups.map(({ threads }) => threads);

describe('a change', () => {
  test('of threads is shared by those who serve, as they are now', () => {
    expect(threadsOf(ifOnly({ threads: ['Default Worker=30'] }))).toEqual([20, 10, 4]);
    expect(threadsOf(ifOnly({ threads: ['a=7', 'c=1'] }))).toEqual([5, 2, 1]);
    expect(threadsOf(ifOnly({ threads: ['a=0'] }))).toEqual([0, 0, 4]);
  });

  test('of processes takes their threads along', () => {
    expect(threadsOf(ifOnly({ processes: ['c=3'] }))).toEqual([10, 5, 6]);
    // As many as there are, counted once although both serve it.
    expect(threadsOf(ifOnly({ processes: ['a=2'] }))).toEqual([10, 5, 4]);
    expect(threadsOf(ifOnly({ processes: ['a=1'] }))).toEqual([5, 3, 4]);
  });

  test('of traffic and run times is of all, of a queue or of a class', () => {
    const arrivals = (scenario: Scenario) => scenario.demand.classes.map((each) => each.arrivals[0]);
    expect(arrivals(ifOnly({ traffic: ['2'] }))).toEqual([20, 20, 20]);
    expect(arrivals(ifOnly({ traffic: ['2', 'B=0.5'] }))).toEqual([20, 10, 20]);
    expect(arrivals(ifOnly({ traffic: ['Default Worker=3'] }))).toEqual([30, 30, 10]);
    const means = ifOnly({ runTime: ['c=4'] }).demand.classes.map(({ durations }) => durations.meanSeconds);
    expect(means).toEqual([1, 1, 4]);
  });

  test('of threads where nobody serves are new ones, in strict order', () => {
    const { groups } = ifOnly({ threads: ['lonely=3'] }).topology;
    expect(groups.map(({ threads }) => threads)).toEqual([10, 5, 4, 3]);
    expect(groups.at(-1)).toMatchObject({ mode: 'strict', weights: new Map([['lonely', 0]]) });
  });

  test('of processes of two worker types makes other ones for each', () => {
    const scenario = {
      ...SCENARIO,
      topology: { ...SCENARIO.topology, groups: [group(8, { a: 0 }, ['x']), group(8, { b: 0 }, ['y'])] },
    };
    const { groups } = changed(scenario, { ...NONE, processes: ['a=2', 'b=3'] }, (name) => [name]).topology;
    const names = groups.flatMap(({ processes }) => [...processes.keys()]);
    expect(groups.map(({ processes }) => processes.size)).toEqual([2, 3]);
    expect(new Set(names).size).toBe(5);
  });

  test.each([1, 2, 3, 5])('of processes with orders of their own makes %i altogether', (wanted) => {
    const two = [group(4, { a: 0, b: 0 }, ['x']), group(4, { b: 0, a: 0 }, ['y'])];
    const scenario = { ...SCENARIO, topology: { ...SCENARIO.topology, groups: two } };
    const { groups } = changed(scenario, { ...NONE, processes: [`all=${wanted}`] }, () => ['a', 'b']).topology;
    expect(new Set(groups.flatMap(({ processes }) => [...processes.keys()])).size).toBe(wanted);
    expect(groups.reduce((sum, { threads }) => sum + threads, 0)).toBe(4 * wanted);
    groups.forEach(({ processes }) => expect(processes.size).toBeGreaterThan(0));
  });

  test('of processes with two capsules makes such that have both', () => {
    const capsules = [group(4, { a: 0 }, ['x', 'y']), group(2, { b: 0 }, ['x', 'y'])];
    const scenario = { ...SCENARIO, topology: { ...SCENARIO.topology, groups: capsules } };
    const { groups } = changed(scenario, { ...NONE, processes: ['all=3'] }, () => ['a', 'b']).topology;
    expect([...groups[0]!.processes.keys()]).toEqual([...groups[1]!.processes.keys()]);
    expect(groups.map(({ threads, processes }) => [threads, processes.size])).toEqual([
      [6, 3],
      [3, 3],
    ]);
  });

  test.each([
    // Two processes with both capsules, and one that has the second alone with other threads.
    ['a=4', [8, 9], [4, 5]],
    ['a=1', [2, 6], [1, 2]],
    ['a=0', [0, 5], [0, 1]],
    ['b=6', [8, 14], [4, 6]],
  ])('of the processes of one capsule takes their other ones along: %s', (text, threads, processes) => {
    const both = [
      group(4, { a: 0 }, ['x', 'y']),
      { ...group(7, { b: 0 }), processes: new Map(Object.entries({ x: 1, y: 1, z: 5 })) },
    ];
    const scenario = { ...SCENARIO, topology: { ...SCENARIO.topology, groups: both } };
    const { groups } = changed(scenario, { ...NONE, processes: [text] }, (name) => [name]).topology;
    expect(groups.map((each) => each.threads)).toEqual(threads);
    expect(groups.map((each) => each.processes.size)).toEqual(processes);
  });

  test('of processes makes as many that have their threads', () => {
    const [before] = SCENARIO.topology.groups;
    const [after] = ifOnly({ processes: ['a=6'] }).topology.groups;
    expect(after!.processes.size / before!.processes.size).toBeCloseTo(after!.threads / before!.threads, 0);
  });

  test('of own threads takes the queue away from the others', () => {
    const { groups } = ifOnly({ own: ['a=3'] }).topology;
    expect(groups.map(({ threads, weights }) => [threads, ...weights.keys()])).toEqual([
      [10, 'b'],
      [4, 'c'],
      [3, 'a'],
    ]);
  });

  test('of the order is strict or by weights; queues that it leaves out come last', () => {
    expect(ifOnly({ order: ['Default Worker=b>a'] }).topology.groups.map(orderText)).toEqual(['b>a', 'a', 'c']);
    expect(ifOnly({ order: ['Default Worker=b:5'] }).topology.groups.map(orderText)).toEqual(['b:5>a:1', 'a:1', 'c']);
  });

  test('pauses queues beside those that are paused', () => {
    expect([...ifOnly({ paused: ['Default Worker'] }).topology.paused]).toEqual(['c', 'a', 'b']);
  });

  test('of a variable that nobody has filled in changes nothing', () => {
    const empty = { threads: ['Default Worker=', '=5', ''], order: ['=', 'a='], traffic: [''], paused: ['', ' '] };
    expect(ifOnly(empty)).toEqual(SCENARIO);
  });

  test('leaves what it changes as it was', () => {
    const before = JSON.stringify(SCENARIO.demand);
    ifOnly({ traffic: ['2'], runTime: ['2'], threads: ['a=1'], paused: ['a'] });
    expect(JSON.stringify(SCENARIO.demand)).toBe(before);
    expect(threadsOf(SCENARIO)).toEqual([10, 5, 4]);
  });
});

test.each([
  [{ threads: ['nobody=3'] }, '"threads"', 'no worker type or queue "nobody"'],
  [{ processes: ['lonely=3'] }, '"processes"', 'no process serves "lonely"'],
  [{ threads: ['a=1.5'] }, '"threads"', 'no whole number'],
  [{ threads: ['a=-1'] }, '"threads"', 'no whole number'],
  [{ threads: ['a=1e9'] }, '"threads"', 'no whole number'],
  [{ threads: ['5'] }, '"threads"', 'has no name'],
  [{ processes: ['a=x'] }, '"processes"', 'no whole number'],
  [{ traffic: ['-1'] }, '"traffic"', 'no factor'],
  [{ traffic: ['Nothing=2'] }, '"traffic"', 'no class, queue or worker type "Nothing"'],
  [{ traffic: ['NaN'] }, '"traffic"', 'no factor'],
  [{ runTime: ['0'] }, '"runTime"', 'no run time'],
  [{ own: ['nobody=1'] }, '"own"', 'no worker type or queue'],
  [{ order: ['a=b>'] }, '"order"', 'cannot be read'],
  [{ order: ['a=a:1>b'] }, '"order"', 'cannot be read'],
  [{ order: ['a=a:0>b:1'] }, '"order"', 'out of range'],
  [{ order: ['a=nosuch>a'] }, '"order"', 'serves "nosuch"'],
  [{ threads: ['a=1', 'a=2'] }, '"threads"', 'named twice'],
  [{ threads: ['Default Worker=2', 'b=8'] }, '"threads"', 'the same threads serve "Default Worker" and "b"'],
  [{ processes: ['a=2', 'b=3'] }, '"processes"', 'the same processes serve "a" and "b"'],
  [{ traffic: ['1000', '1000'] }, '"traffic"', 'named twice'],
  [{ paused: ['nobody'] }, '"paused"', 'no worker type or queue'],
])('refuses %j, naming the field', (part, field, reason) => {
  expect(() => ifOnly(part)).toThrow(field);
  expect(() => ifOnly(part)).toThrow(reason);
});

test.each([
  [
    ['0.4', 'Default Worker=0.3', 'a=0.2', 'A=0.1'],
    [0.1, 0.3, 0.4],
  ],
  [
    ['A=0.1', 'a=0.2', 'Default Worker=0.3', '0.4'],
    [0.1, 0.3, 0.4],
  ],
  [
    ['a=0.2', 'Default Worker=0.3'],
    [0.2, 0.3, undefined],
  ],
  [
    ['b=0.9', '0.4'],
    [0.4, 0.9, 0.4],
  ],
])('of shares %o the narrowest counts, in whatever order they are given', (texts, expected) => {
  const { classes } = SCENARIO.demand;
  const shares = computingShares(texts, (name) => TYPES[name] ?? [], classes);
  expect(classes.map((each) => shares.get(each))).toEqual(expected);
});

test('processes that are changed keep the threads that a process has, whatever capsules they share', () => {
  const processes = fc.array(fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { minLength: 1 }), {
    minLength: 1,
    maxLength: 8,
  });
  fc.assert(
    fc.property(processes, fc.integer({ min: 1, max: 20 }), (capsules, wanted) => {
      const groups = (['a', 'b', 'c'] as const).flatMap((queue, index) => {
        const names = capsules.flatMap((queues, name) => (queues.includes(queue) ? [`p${name}`] : []));
        return names.length === 0 ? [] : [group((index + 1) * names.length, { [queue]: 0 }, names)];
      });
      const [{ weights, processes: own }] = groups as [ThreadGroup];
      const [queue] = [...weights.keys()];
      const scenario = { ...SCENARIO, topology: { ...SCENARIO.topology, groups } };
      const after = changed(scenario, { ...NONE, processes: [`${queue}=${wanted}`] }, (name) => [name]).topology;
      expect(new Set(after.groups[0]!.processes.keys()).size).toBe(wanted);
      expect(after.groups[0]!.threads).toBeCloseTo((groups[0]!.threads * wanted) / own.size, 9);
      // Those who have none of the capsule stay as they are.
      const others = (all: readonly ThreadGroup[]) =>
        all.map(({ processes: each }) => [...each.keys()].filter((name) => name.startsWith('p') && !own.has(name)));
      expect(others(after.groups)).toEqual(others(groups));
      // No thread comes from nowhere: all together they are as many, but for what is rounded.
      const threads = after.groups.reduce((sum, each) => sum + each.threads, 0);
      const expected = groups.reduce((sum, each) => {
        const shared = [...each.processes.keys()].filter((name) => own.has(name)).length;
        return (
          sum + (each.threads / each.processes.size) * (each.processes.size - shared + (shared * wanted) / own.size)
        );
      }, 0);
      expect(Math.abs(threads - expected)).toBeLessThanOrEqual(0.5);
    })
  );
});

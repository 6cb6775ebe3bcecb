import { describe, expect, test } from 'vitest';
import { Dice } from '../../../pkg/engine/dice';
import { Engine, type CapsuleSpec, type FetchMode, type Run } from '../../../pkg/engine/engine';
import fc from '../../support/fastCheck';

interface Job {
  id: number;
  seconds: number;
  at: number;
}

function capsule(threads: number, mode: FetchMode, weights: Record<string, number>): CapsuleSpec {
  return { threads, mode, weights: new Map(Object.entries(weights)) };
}

function engineWith(specs: readonly CapsuleSpec[], seed = 1) {
  const runs: Array<Run<Job>> = [];
  const finished: Array<Run<Job>> = [];
  const engine = new Engine<Job>(
    {
      seconds: ({ seconds }) => seconds,
      started: (run) => runs.push(run),
      finished: (run) => finished.push(run),
    },
    new Dice(seed)
  );
  const capsules = specs.map((spec) => engine.addCapsule(spec));
  let id = 0;
  const push = (queue: string, seconds: number) => {
    engine.push(queue, { id, seconds, at: engine.now });
    return (id += 1);
  };
  return { engine, capsules, runs, finished, push };
}

const order = (runs: ReadonlyArray<Run<Job>>) => runs.map(({ queue, startsAt }) => `${queue}@${startsAt}`);

describe('one thread', () => {
  test('in strict order takes the oldest job of the first queue that has one', () => {
    const { engine, runs, push } = engineWith([capsule(1, 'strict', { a: 0, b: 0 })]);
    push('b', 2);
    push('b', 2);
    push('a', 3);
    engine.advance(1);
    push('a', 3);
    engine.advance(100);
    expect(order(runs)).toEqual(['b@0', 'a@2', 'a@5', 'b@8']);
    expect(runs.map(({ job: { id } }) => id)).toEqual([0, 2, 3, 1]);
  });

  test('takes nothing of a paused queue until it goes on', () => {
    const { engine, runs, push } = engineWith([capsule(1, 'strict', { a: 0, b: 0 })]);
    engine.pause('a');
    push('a', 1);
    push('b', 1);
    engine.advance(10);
    expect(order(runs)).toEqual(['b@0']);
    engine.pause('a', false);
    expect(order(runs)).toEqual(['b@0', 'a@10']);
  });

  test('takes nothing more once its capsule is quiet, and ends what runs', () => {
    const { engine, capsules, runs, finished, push } = engineWith([capsule(1, 'strict', { a: 0 })]);
    push('a', 5);
    push('a', 5);
    engine.quiet(capsules[0]!);
    engine.advance(20);
    push('a', 5);
    expect([runs.length, finished.length, engine.sizeOf('a')]).toEqual([1, 1, 2]);
  });

  test('that is taken away gives back what ran in it, which ends nowhere', () => {
    const { engine, capsules, finished, push } = engineWith([capsule(1, 'strict', { a: 0 })]);
    push('a', 5);
    push('a', 7);
    const [run] = engine.removeCapsule(capsules[0]!);
    engine.putBack('a', run!.job);
    engine.addCapsule(capsule(1, 'strict', { a: 0 }));
    engine.advance(100);
    expect(finished.map(({ job: { id } }) => id)).toEqual([0, 1]);
  });
});

test('threads that are too many end with their job, and further ones take what waits', () => {
  const { engine, capsules, runs, push } = engineWith([capsule(3, 'strict', { a: 0 })]);
  const [all] = capsules;
  for (let index = 0; index < 8; index += 1) {
    push('a', 10);
  }
  engine.resize(all!, 1);
  engine.advance(10);
  expect([all!.threads, all!.busy]).toEqual([1, 1]);
  engine.resize(all!, 2);
  expect([all!.threads, all!.busy, runs.length]).toEqual([2, 2, 5]);
  engine.resize(all!, 1);
  engine.resize(all!, 3);
  expect([all!.threads, all!.busy, runs.length]).toEqual([3, 3, 6]);
});

test('weights give each queue that has jobs its share of the fetches', () => {
  const { engine, runs, push } = engineWith([capsule(1, 'weighted', { a: 5, b: 3, c: 2 })]);
  for (let index = 0; index < 30_000; index += 1) {
    push('a', 1);
    push('b', 1);
    push('c', 1);
  }
  // Until a is used up: about 5 of 10 fetches.
  engine.advance(20_000);
  const share = (name: string) => runs.filter(({ queue }) => queue === name).length / runs.length;
  expect(share('a')).toBeCloseTo(0.5, 1);
  expect(share('b')).toBeCloseTo(0.3, 1);
  expect(share('c')).toBeCloseTo(0.2, 1);
});

test('a random order is that of equal weights, whatever they are', () => {
  const { engine, runs, push } = engineWith([capsule(1, 'random', { a: 1, b: 1 })]);
  for (let index = 0; index < 10_000; index += 1) {
    push('a', 1);
    push('b', 1);
  }
  engine.advance(10_000);
  expect(runs.filter(({ queue }) => queue === 'a').length / runs.length).toBeCloseTo(0.5, 1);
});

test('the waits of one thread, random arrivals and even run times are those of the M/D/1 formula', () => {
  // Pollaczek and Khinchine: mean wait = ρ s / (2 (1 − ρ)); ρ = 0.7, s = 1.
  const dice = new Dice(5);
  const waits: number[] = [];
  const engine = new Engine<{ at: number }>(
    { seconds: () => 1, started: ({ job, startsAt }) => waits.push(startsAt - job.at) },
    new Dice(6)
  );
  engine.addCapsule(capsule(1, 'strict', { a: 0 }));
  for (let at = 0; at < 200_000; at -= Math.log(1 - dice.between(0, 1)) / 0.7) {
    engine.advance(at);
    engine.push('a', { at });
  }
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
  expect(mean).toBeGreaterThan(1.1667 * 0.95);
  expect(mean).toBeLessThan(1.1667 * 1.05);
});

const world = fc.record({
  capsules: fc.array(
    fc.record({
      threads: fc.integer({ min: 1, max: 4 }),
      mode: fc.constantFrom<FetchMode>('strict', 'weighted', 'random'),
      queues: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd'), { minLength: 1 }),
    }),
    { minLength: 1, maxLength: 4 }
  ),
  steps: fc.array(
    fc.record({
      what: fc.constantFrom('push', 'push', 'push', 'push', 'resize', 'remove', 'pause', 'resume'),
      queue: fc.constantFrom('a', 'b', 'c', 'd'),
      wait: fc.integer({ min: 0, max: 3 }),
      seconds: fc.integer({ min: 0, max: 9 }),
      of: fc.nat(3),
    }),
    { maxLength: 80 }
  ),
  seed: fc.nat(1000),
});

describe('in any course of pushes, pauses and threads that come and go', () => {
  const live = ({ capsules: given, steps, seed }: typeof world extends fc.Arbitrary<infer T> ? T : never) => {
    const specs = given.map(({ threads, mode, queues }) =>
      capsule(threads, mode, Object.fromEntries(queues.map((queue, index) => [queue, index + 1])))
    );
    const all = engineWith(specs, seed);
    const { engine, capsules, push } = all;
    const paused = new Set<string>();
    const lost: number[] = [];
    let pushed = 0;
    for (const { what, queue, wait, seconds, of } of steps) {
      engine.advance(engine.now + wait);
      const target = capsules[of % Math.max(1, capsules.length)];
      if (what === 'push') {
        push(queue, seconds);
        pushed += 1;
      } else if (what === 'resize' && target) {
        engine.resize(target, 1 + (seconds % 4));
      } else if (what === 'remove' && capsules.length > 1) {
        lost.push(...engine.removeCapsule(capsules.pop()!).map(({ job: { id } }) => id));
      } else if (what === 'pause' || what === 'resume') {
        engine.pause(queue, what === 'pause');
        paused[what === 'pause' ? 'add' : 'delete'](queue);
      }
    }
    return { ...all, pushed, lost, paused };
  };

  test('no job is lost, none runs twice, and no thread runs two', () => {
    fc.assert(
      fc.property(world, (given) => {
        const { engine, runs, finished, pushed, lost, capsules } = live(given);
        const waiting = ['a', 'b', 'c', 'd'].reduce((sum, queue) => sum + engine.sizeOf(queue), 0);
        const running = capsules.reduce((sum, { busy }) => sum + busy, 0);
        expect(waiting + running + finished.length + lost.length).toBe(pushed);
        expect(new Set(runs.map(({ job: { id } }) => id)).size).toBe(runs.length);
        for (const one of capsules) {
          expect(one.busy).toBeLessThanOrEqual(one.threads);
          const own = runs.filter((run) => run.capsule === one && !run.gone);
          for (const [index, run] of own.entries()) {
            const next = own.slice(index + 1).find(({ thread }) => thread === run.thread);
            expect(next === undefined || next.startsAt >= run.endsAt).toBe(true);
          }
        }
      })
    );
  });

  test('jobs of one queue start in the order in which they came', () => {
    fc.assert(
      fc.property(world, (given) => {
        const { runs } = live(given);
        for (const queue of ['a', 'b', 'c', 'd']) {
          const ids = runs.filter((run) => run.queue === queue).map(({ job: { id } }) => id);
          expect(ids).toEqual([...ids].sort((one, other) => one - other));
        }
      })
    );
  });

  test('nothing waits in a queue that is not paused while a thread that serves it is idle', () => {
    fc.assert(
      fc.property(world, (given) => {
        const { engine, capsules, paused } = live(given);
        for (const one of capsules.filter(({ busy, threads }) => busy < threads)) {
          for (const queue of one.spec.weights.keys()) {
            expect(paused.has(queue) || engine.sizeOf(queue) === 0).toBe(true);
          }
        }
      })
    );
  });

  test('the same seed and calls give the same', () => {
    fc.assert(
      fc.property(world, (given) => {
        const told = () =>
          live(given).runs.map(({ queue, thread, startsAt, endsAt }) => [queue, thread, startsAt, endsAt]);
        expect(told()).toEqual(told());
      })
    );
  });
});

import { describe, expect, test } from 'vitest';
import { assumedDurations } from '../../../pkg/whatif/durations';
import type { Scenario } from '../../../pkg/whatif/model';
import { fewestThreads } from '../../../pkg/whatif/search';

/** Even work of a queue on one thread. */
function even(perSecond: number, meanSeconds: number, seconds: number): Scenario {
  const slots = seconds / 10;
  return {
    topology: {
      groups: [{ threads: 1, processes: new Map([['p', 1]]), mode: 'strict', weights: new Map([['a', 0]]) }],
      paused: new Set(),
    },
    demand: {
      classes: [
        {
          class: 'A',
          queue: 'a',
          arrivals: new Array<number>(slots).fill(10 * perSecond),
          durations: assumedDurations(meanSeconds),
          polled: 0,
          executions: 1e12,
          atBeginning: { waiting: 1, running: 1 },
        },
      ],
      slotSeconds: 10,
      slots,
      backlog: new Map(),
    },
  };
}
const aim = (queues: string[], objectiveSeconds = 300) => ({ name: 'T', queues, objectiveSeconds, share: 0.99 });
const options = { seed: 1, objectiveOf: () => 300 };

describe('the fewest threads', () => {
  // By fewer threads than arrivals times run time a backlog grows without end, however short the range.
  test.each([
    [100, 0.1, 240, 10],
    [30, 0.1, 300, 3],
    [20, 0.1, 600, 2],
    [20, 0.5, 900, 10],
  ])('for %d jobs a second of %d s over %d s are as many as they keep busy', async (rate, mean, seconds, least) => {
    const { text, runs } = await fewestThreads(even(rate, mean, seconds), [aim(['a'])], options);
    const threads = Number(/^Fewest threads that meet the objectives: T: (\d+)\.$/.exec(text)?.[1]);
    expect(threads).toBeGreaterThanOrEqual(least);
    expect(threads).toBeLessThanOrEqual(least + 2);
    expect(runs.groups[0]!.threads).toBe(threads);
  });

  test('say which queues are left out, as nobody serves them or they are paused', async () => {
    const base = even(1, 0.1, 300);
    const [first] = base.demand.classes;
    const classes = ['a', 'paused', 'unserved'].map((queue) => ({ ...first!, queue }));
    const [group] = base.topology.groups;
    const weights = new Map(['a', 'paused'].map((queue) => [queue, 0]));
    const scenario = {
      topology: { groups: [{ ...group!, weights }], paused: new Set(['paused']) },
      demand: { ...base.demand, classes },
    };
    const { text } = await fewestThreads(
      scenario,
      [aim(['a', 'paused']), { ...aim(['unserved']), name: 'U' }],
      options
    );
    expect(text).toBe(
      'Fewest threads that meet the objectives: T: 1. Left out, as nobody takes jobs of them: paused, unserved.'
    );
  });

  test('for a burst are found, though the search needs many', async () => {
    const base = even(0, 1, 600);
    const [first] = base.demand.classes;
    const burst = { ...first!, arrivals: first!.arrivals.map((_, slot) => (slot === 5 ? 4000 : 0)) };
    const { text, runs } = await fewestThreads(
      { ...base, demand: { ...base.demand, classes: [burst] } },
      [aim(['a'], 5)],
      { ...options, objectiveOf: () => 5 }
    );
    // 4,000 jobs of a second within 10 s and 5 s more.
    expect(text).toMatch(/^Fewest threads that meet the objectives: T: \d+\.$/);
    expect(runs.groups[0]!.threads).toBeGreaterThan(4000 / 16);
    expect(runs.groups[0]!.threads).toBeLessThan(4000 / 12);
  });
});

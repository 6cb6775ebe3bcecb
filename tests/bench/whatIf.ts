import { performance } from 'node:perf_hooks';
import { Dice } from '../../pkg/engine/dice';
import { answerOf, runs, runsFor, shareThatFits } from '../../pkg/whatif/answer';
import { assumedDurations } from '../../pkg/whatif/durations';
import type { Scenario } from '../../pkg/whatif/model';
import { jobsOf } from '../../pkg/whatif/simulate';
import { reach } from './reach';
import { watchStalls } from './stall';

const names = (queues: number) => Array.from({ length: queues }, (_, index) => `queue_${index}`);

/** An hour of work at a load of 0.7: queues that are served in order by groups of processes. */
function scenario(queues: number, processes: number, seconds: number): Scenario {
  const dice = new Dice(2);
  const all = names(queues);
  const groups = Array.from({ length: Math.min(8, processes) }, (_, index) => ({
    threads: Math.max(1, Math.round((processes * 10) / Math.min(8, processes))),
    processes: new Map<string, number>(),
    mode: index % 2 === 0 ? ('strict' as const) : ('weighted' as const),
    weights: new Map(all.filter((_, place) => place % 4 === index % 4).map((name) => [name, 1 + (index % 3)])),
  }));
  const threads = groups.reduce((sum, group) => sum + group.threads, 0);
  const perQueue = (0.7 * threads) / 0.5 / queues;
  return {
    topology: { groups, paused: new Set() },
    demand: {
      classes: all.map((queue) => ({
        class: `Of${queue}`,
        queue,
        arrivals: Array.from({ length: seconds / 10 }, () => perQueue * 10 * dice.between(0.5, 1.5)),
        durations: assumedDurations(0.5),
        polled: 0,
        executions: 10_000,
        atBeginning: { waiting: 1, running: 1 },
      })),
      slotSeconds: 10,
      slots: seconds / 10,
      backlog: new Map(),
    },
  };
}

/** Time and stalls of an answer, by the size of what is watched. */
export async function benchWhatIf(): Promise<string[]> {
  const lines = [
    '## What if',
    '',
    'An hour of work at a load of 0.7 (run times of half a second on average), as it is and changed. Of too much work the last part is simulated.',
    '',
    '| queues | processes | jobs a second | simulated | runs | answer | longest stall |',
    '| -- | -- | -- | -- | -- | -- | -- |',
  ];
  // Loading and compiling is no part of an answer.
  await runs(scenario(24, 16, 60), { count: 3, seed: 1, objectiveOf: () => 60 });
  for (const [queues, processes] of [
    [24, 16],
    [1000, 500],
  ] as const) {
    const hour = scenario(queues, processes, 3600);
    const share = shareThatFits([hour, hour]);
    const seconds = share === 1 ? 3600 : Math.max(60, Math.floor((3600 * share * 0.8) / 60) * 60);
    const lived = scenario(queues, processes, seconds);
    const count = runsFor([lived, lived]);
    const began = performance.now();
    const stalls = watchStalls();
    for (const each of [lived, lived]) {
      const done = await runs(each, { count, seed: 1, objectiveOf: () => 60 });
      names(queues).forEach((name) => answerOf(done, [name]));
    }
    const stall = stalls.end();
    reach(`What if of ${queues} queues: longest stall`, stall, 50, 'ms');
    const took = (performance.now() - began) / 1000;
    const perSecond = jobsOf(lived.demand) / seconds;
    lines.push(
      `| ${queues} | ${processes} | ${perSecond.toFixed(0)} | ${seconds / 60} min | ${count} | ${took.toFixed(1)} s | ${stall.toFixed(0)} ms |`
    );
  }
  return lines;
}

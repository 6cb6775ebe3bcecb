import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { FINDING_RULES } from '../../pkg/findings/table';
import { Recordings } from '../../pkg/recording/recordings';
import { optionsSchema } from '../../pkg/settings/model';
import { MemoryBlockStore } from '../../pkg/series/blockStore';
import { StatsdIntake } from '../../pkg/statsd/intake';
import { Watch } from '../../pkg/watch/watch';
import { Dice } from '../../pkg/engine/dice';
import { NOW } from '../support/state';
import { CLASSES, Life, PROCESSES, QUEUES, THREADS } from './life';
import { reach } from './reach';

const PACE = 10;
const HOURS = 24;
const LOOKS = 300;
const WITHOUT_LIMIT = { seconds: Infinity, bytes: Infinity };

/** What memory costs and how fast it answers, beside what is wanted of it. */
export async function benchMemory(): Promise<string[]> {
  const options = optionsSchema.parse({});
  const beside = { options, statsd: new StatsdIntake({ series: 1, expireSeconds: 1 }), recorded: true };
  const store = new MemoryBlockStore();
  const recordings = new Recordings({ memory: WITHOUT_LIMIT, file: WITHOUT_LIMIT }, () => store);
  const life = new Life();
  const watch = new Watch();
  const count = (HOURS * 3600) / PACE;
  let longest = 0;
  let spent = 0;
  let compressing = 0;
  for (let index = 0; index < count; index += 1) {
    const reading = life.reading(NOW + index * PACE);
    const started = performance.now();
    recordings.add({ reading, beside: null }, () => watch.save(), PACE);
    const took = performance.now() - started;
    longest = Math.max(longest, took);
    spent += took;
    // A block that has just been closed is compressed now, by other threads.
    const closing = process.cpuUsage();
    await recordings.settled();
    const closed = process.cpuUsage(closing);
    compressing += closed.user + closed.system;
    watch.next({ ...reading, info: null, locks: null, usual: null }, beside);
  }
  const cpuShare = (spent / 1000 + compressing / 1e6) / (count * PACE);
  const perReading = store.bytes / count;
  const times: number[] = [];
  const dice = new Dice(2);
  for (let look = 0; look < LOOKS; look += 1) {
    const started = performance.now();
    await recordings.at(NOW + dice.between(0, count * PACE - 60), beside);
    times.push(performance.now() - started);
  }
  times.sort((a, b) => a - b);
  const walked = performance.now();
  await recordings.each({ from: NOW, to: NOW + 3600 }, beside, () => undefined);
  const factor = 3600 / ((performance.now() - walked) / 1000);
  reach('Recording, longest on the event loop', longest, 10, 'ms');
  reach('State of any instant: 99th percentile', times[Math.floor(LOOKS * 0.99)]!, 100, 'ms');
  reach('A recorded reading', perReading / 1000, 3, 'kB');
  const mib = (bytes: number) => `${(bytes / 1024 / 1024).toFixed(1)} MiB`;
  return [
    '## Memory',
    '',
    `A synthetic installation of ${QUEUES} queues, ${PROCESSES} processes, ${PROCESSES * THREADS} running jobs (half of them new at each reading) and ${CLASSES} classes; a reading in ${PACE} seconds for ${HOURS} hours; ${FINDING_RULES.length} rules of findings are part of the fold.`,
    '',
    '| what | measured | wanted |',
    '| --- | --- | --- |',
    `| a recorded reading | ${(perReading / 1000).toFixed(1)} kB | ≤ 3 kB |`,
    `| a day | ${(store.bytes / 1e6).toFixed(0)} MB | ≤ 30 MB |`,
    `| ${HOURS} hours in memory, whole | ${mib(store.bytes)} | ≤ 32 MiB |`,
    `| CPU of recording | ${(cpuShare * 100).toFixed(2)} % of a core | < 1 % |`,
    `| on the event loop: mean, longest | ${(spent / count).toFixed(2)} ms, ${longest.toFixed(1)} ms | longest ≤ 10 ms |`,
    `| a state of any instant: median, 99th percentile | ${times[LOOKS / 2]!.toFixed(0)} ms, ${times[Math.floor(LOOKS * 0.99)]!.toFixed(0)} ms | ≤ 100 ms |`,
    `| replay through the fold | ${factor.toFixed(0)} × as fast as it was lived | ≥ 1,000 × |`,
  ];
}

/** What the figures of 30 days take in a history file, measured by Bun as the executable reads it. */
export function benchFigures(): string[] {
  const out = execFileSync('npx', ['bun', join(__dirname, 'figures.ts')], { encoding: 'utf8', timeout: 1_800_000 });
  const figures = JSON.parse(out) as Measured;
  const ms = (value: number) => `${value < 10 ? value.toFixed(1) : value.toFixed(0)} ms`;
  reach('History file: a panel of 30 days, longest', figures.panelMs.longest, 150, 'ms');
  reach('History file: keeping a reading, 99th percentile', figures.appendMs.p99, 10, 'ms');
  return [
    '## The history file',
    '',
    `The same installation for ${figures.days} days: ${(figures.samples / 1e6).toFixed(0)} million samples in ${(figures.bytes / 1e6).toFixed(0)} MB. The panel draws the latency of ${QUEUES} queues over all of it.`,
    '',
    '| what | measured | wanted |',
    '| --- | --- | --- |',
    `| bytes a sample | ${figures.perSample.toFixed(2)} | ≤ 2 |`,
    `| a panel: first, median, longest | ${ms(figures.panelMs.first)}, ${ms(figures.panelMs.median)}, ${ms(figures.panelMs.longest)} | ≤ 150 ms |`,
    `| longest on the event loop meanwhile | ${ms(figures.stallMs)} | ≤ 50 ms |`,
    `| start | ${ms(figures.openMs)} | ≤ 100 ms |`,
    `| pruning, longest step | ${ms(figures.pruneMs)} | ≤ 50 ms |`,
    `| keeping a reading: median, 99th percentile, longest | ${ms(figures.appendMs.median)}, ${ms(figures.appendMs.p99)}, ${ms(figures.appendMs.longest)} | 99th percentile ≤ 10 ms |`,
  ];
}

interface Measured {
  days: number;
  samples: number;
  bytes: number;
  perSample: number;
  appendMs: { median: number; p99: number; longest: number };
  openMs: number;
  panelMs: { first: number; median: number; longest: number };
  stallMs: number;
  pruneMs: number;
}

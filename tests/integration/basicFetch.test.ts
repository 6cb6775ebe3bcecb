import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { Dice } from '../../pkg/engine/dice';
import { Engine, type FetchMode } from '../../pkg/engine/engine';

const CASES: Array<{ mode: FetchMode; queues: Record<string, number>; waiting: string[] }> = [
  { mode: 'strict', queues: { critical: 0, default: 0, low: 0 }, waiting: ['low', 'default'] },
  { mode: 'weighted', queues: { critical: 6, default: 3, low: 1 }, waiting: ['critical', 'default', 'low'] },
  { mode: 'weighted', queues: { critical: 6, default: 3, low: 1 }, waiting: ['default', 'low'] },
  { mode: 'weighted', queues: { a: 10, b: 10, c: 1, d: 5, e: 2 }, waiting: ['c', 'd', 'e'] },
  { mode: 'random', queues: { a: 1, b: 1, c: 1 }, waiting: ['a', 'c'] },
];
/** What Sidekiq 7.3.10 took in 20,000 fetches a case, by basicFetch.rb. */
const RECORDED = join(__dirname, 'basicFetch.json');
const FETCHES = 20_000;
/** Two counts of 20,000 draws differ by more than this once in some ten thousand runs. */
const WITHIN = 0.02;

const hasSidekiq = spawnSync('ruby', ['-e', 'require "sidekiq/fetch"']).status === 0;

/** How often each queue is the first that a free thread takes from. */
function taken({ mode, queues, waiting }: (typeof CASES)[number]): Record<string, number> {
  const counts: Record<string, number> = {};
  const engine = new Engine<null>(
    { seconds: () => 1, started: ({ queue }) => (counts[queue] = (counts[queue] ?? 0) + 1) },
    new Dice(3)
  );
  waiting.forEach((queue) => {
    for (let index = 0; index < FETCHES; index += 1) {
      engine.push(queue, null);
    }
  });
  engine.addCapsule({ threads: FETCHES, mode, weights: new Map(Object.entries(queues)) });
  return counts;
}

function expectAlike(theirs: ReadonlyArray<Record<string, number>>): void {
  for (const [index, each] of CASES.entries()) {
    const ours = taken(each);
    for (const queue of each.waiting) {
      const [one, other] = [ours[queue] ?? 0, theirs[index]![queue] ?? 0];
      expect(Math.abs(one - other) / FETCHES, `${each.mode} ${queue}: ${one}, ${other}`).toBeLessThan(WITHIN);
    }
  }
}

test('the engine takes from queues as often as the BasicFetch of Sidekiq 7.3.10 did', () => {
  expectAlike(JSON.parse(readFileSync(RECORDED, 'utf8')) as Array<Record<string, number>>);
});

test.skipIf(!hasSidekiq)('the engine takes from queues as often as the BasicFetch that Ruby finds', () => {
  const { stdout } = spawnSync('ruby', [join(__dirname, 'basicFetch.rb')], { input: JSON.stringify(CASES) });
  const theirs = JSON.parse(stdout.toString()) as Array<Record<string, number>>;
  if (process.env['RECORD_BASIC_FETCH']) {
    writeFileSync(RECORDED, `${JSON.stringify(theirs, null, 2)}\n`);
  }
  expectAlike(theirs);
});

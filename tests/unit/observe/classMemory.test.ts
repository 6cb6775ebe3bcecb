import { describe, expect, test } from 'vitest';
import { Dice } from '../../../pkg/engine/dice';
import { ClassMemory } from '../../../pkg/observe/classMemory';
import { aProcess, aSnapshot, listed, someWork } from '../../support/state';

const MIB = 1024 * 1024;
const BEAT = 10;

/** A process by what ran in it from heartbeat to heartbeat, and by how much it grew meanwhile. */
interface Life {
  identity: string;
  queues?: string[];
  beats: Array<{ classes: string[]; grows: number }>;
}

function lived(...lives: Life[]): ClassMemory {
  const memory = new ClassMemory();
  const rss = new Map(lives.map(({ identity }) => [identity, 500 * MIB]));
  const most = Math.max(...lives.map(({ beats }) => beats.length));
  for (let beat = 0; beat < most; beat += 1) {
    const at = 1_795_000_000 + beat * BEAT;
    const snapshotOf = (classes: (life: Life) => string[]) =>
      aSnapshot({
        processes: listed(
          ...lives.map(({ identity, queues = ['default'] }) =>
            aProcess(identity, { beatAt: at, rssBytes: rss.get(identity)!, queues })
          )
        ),
        work: listed(
          ...lives.flatMap((life) =>
            classes(life).map((metricsClass) => someWork({ process: life.identity, metricsClass }))
          )
        ),
      });
    memory.observe(snapshotOf(() => []));
    // Between two heartbeats what runs changes, and the memory is told at the next.
    memory.observe(snapshotOf(({ beats }) => beats[beat]?.classes ?? []));
    lives.forEach(({ identity, beats }) => rss.set(identity, rss.get(identity)! + (beats[beat]?.grows ?? 0)));
  }
  return memory;
}

/** Beats in which classes run by chance; `Leaky` takes memory that it does not give back. */
function byChance(dice: Dice, count: number, leak: number): Life['beats'] {
  return Array.from({ length: count }, () => {
    const classes = ['Leaky', 'Busy', 'Rare'].filter((_, index) => dice.between(0, 1) < [0.3, 0.6, 0.1][index]!);
    const noise = (dice.between(0, 1) - 0.5) * 4 * MIB;
    return { classes, grows: noise + (classes.includes('Leaky') ? leak : 0) };
  });
}

describe('the memory of a class', () => {
  test('is what the process grew by while it ran, less what it grew by while it did not', () => {
    const dice = new Dice(7);
    const memory = lived({ identity: 'h:1:a', beats: byChance(dice, 2000, MIB) });
    const rows = new Map(memory.view().map((row) => [row.class, row]));
    const leaky = rows.get('Leaky')!;
    // A MiB in ten seconds.
    expect(Math.abs(leaky.difference - 6 * MIB)).toBeLessThan(3 * leaky.standardError);
    expect(leaky.difference).toBeGreaterThan(5 * leaky.standardError);
    for (const other of ['Busy', 'Rare']) {
      const { difference, standardError } = rows.get(other)!;
      expect(Math.abs(difference), other).toBeLessThan(3 * standardError);
    }
    const { ran, rested } = leaky;
    expect(ran + rested).toBe(1999);
  });

  test('errs as often as its standard error says', () => {
    let outside = 0;
    for (let seed = 1; seed <= 200; seed += 1) {
      const memory = lived({ identity: 'h:1:a', beats: byChance(new Dice(seed), 150, 0) });
      const { difference, standardError } = memory.view().find((row) => row.class === 'Leaky')!;
      outside += Number(Math.abs(difference) > 1.96 * standardError);
    }
    // One in twenty is ten of two hundred; more than 20 or fewer than 2 come once in a thousand.
    expect(outside).toBeGreaterThanOrEqual(2);
    expect(outside).toBeLessThanOrEqual(20);
  });

  test('is compared among processes of the same queues only', () => {
    const dice = new Dice(3);
    const steady = (classes: string[], grows: number) =>
      Array.from({ length: 200 }, (_, beat) => ({
        classes: beat % 2 === 0 ? classes : [],
        grows: grows + dice.between(0, 1),
      }));
    // Each process grows by itself, whatever runs in it.
    const memory = lived(
      { identity: 'h:1:a', queues: ['pdfs'], beats: steady(['Pdf'], 5 * MIB) },
      { identity: 'h:2:b', queues: ['default'], beats: steady(['Mail'], 0) }
    );
    for (const { class: name, difference } of memory.view()) {
      expect(Math.abs(difference), name).toBeLessThan(100);
    }
  });

  test('is not told of a class that always runs, or of a process that began anew', () => {
    const always = Array.from({ length: 100 }, () => ({ classes: ['Always'], grows: MIB }));
    expect(lived({ identity: 'h:1:a', beats: always }).view()).toEqual([]);
    // Ever new processes have no time between two heartbeats.
    const memory = new ClassMemory();
    for (let beat = 0; beat < 100; beat += 1) {
      memory.observe(
        aSnapshot({
          processes: listed(aProcess(`h:${beat}:a`, { beatAt: 1_795_000_000 + beat * BEAT, rssBytes: beat * MIB })),
          work: listed(someWork({ process: `h:${beat}:a`, metricsClass: beat % 2 === 0 ? 'A' : 'B' })),
        })
      );
    }
    expect(memory.view()).toEqual([]);
  });

  test('learns nothing while it is not known what runs, or of a memory that no process has', () => {
    const memory = new ClassMemory();
    for (let beat = 0; beat < 200; beat += 1) {
      const process = (rssBytes: number) => aProcess('h:1:a', { beatAt: 1_795_000_000 + beat * BEAT, rssBytes });
      const work = beat % 2 === 0 ? [someWork({ process: 'h:1:a', metricsClass: 'A' })] : [];
      memory.observe(aSnapshot({ processes: listed(process(beat * MIB)), work: { items: work, whole: false } }));
      memory.observe(aSnapshot({ processes: listed(process(1e200)), work: listed(...work) }));
    }
    expect(memory.view()).toEqual([]);
    const again = new ClassMemory();
    again.restore(JSON.parse(JSON.stringify(memory.save())));
    expect(again.view()).toEqual([]);
  });

  test('of ever new classes takes no more than the sums of 5,000', () => {
    const memory = new ClassMemory();
    for (let beat = 0; beat < 20_000; beat += 1) {
      memory.observe(
        aSnapshot({
          processes: listed(aProcess('h:1:a', { beatAt: 1_795_000_000 + beat * BEAT, rssBytes: beat * MIB })),
          work: listed(someWork({ process: 'h:1:a', metricsClass: `C${beat}` })),
        })
      );
    }
    const { pairs } = memory.save() as { pairs: unknown[] };
    expect(pairs).toHaveLength(5000);
  });
});

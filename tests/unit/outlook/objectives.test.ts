import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import { burnRate, complianceOf } from '../../../pkg/outlook/objectives';
import { addSample, noParts } from '../../../pkg/series/chunk';
import { Dice } from '../../../pkg/engine/dice';
import { MemoryStore } from '../../../pkg/series/memoryStore';
import { openSqliteStore } from '../../../pkg/series/sqliteStore';
import type { FigureReads, HistoryStore } from '../../../pkg/series/store';
import { Turns } from '../../../pkg/turns';
import fc, { runs } from '../../support/fastCheck';

vi.mock('node:sqlite', () => import('../../support/nodeSqlite'));

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-objectives-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;
const newFile = () => openSqliteStore(join(folder, `${(files += 1)}.db`), { retentionDays: 90 });

const START = Date.UTC(2026, 10, 2) / 1000;
const append = (store: HistoryStore, at: number, latency: number) =>
  store.append(at, [{ scope: 'queue', key: 'q', figure: 'latency', value: latency }]);
const ask = (store: FigureReads, to: number, windows: number[], objective = 60) =>
  complianceOf(
    store,
    { scope: 'queue', keys: ['q'], seconds: objective },
    windows,
    { to, sampleSeconds: 10 },
    new Turns()
  );

describe.each<[string, () => Promise<HistoryStore>]>([
  ['in memory', async () => new MemoryStore()],
  ['in a file', newFile],
])('compliance %s', (_, open) => {
  test('holds the newest sample, whatever its fraction of a second', async () => {
    for (const fraction of [0, 0.0004, 0.0006, 0.123456, 0.9996]) {
      const store = await open();
      for (let at = START; at <= START + 3600; at += 300) {
        append(store, at + fraction, 10);
      }
      const to = START + 3600 + fraction;
      const [last] = await complianceOf(
        store,
        { scope: 'queue', keys: ['q'], seconds: 60 },
        [300],
        { to, sampleSeconds: 300 },
        new Turns()
      );
      expect(last!.watched, String(fraction)).toBeCloseTo(300, 2);
    }
  });

  test('is the time within the objective over the time watched', async () => {
    const store = await open();
    // An hour, of which six minutes are late. 60 s is within the objective.
    for (let at = 0; at <= 3600; at += 10) {
      append(store, START + at, at >= 1800 && at < 2160 ? 61 : 60);
    }
    const [hour, half] = await ask(store, START + 3600, [3600, 1800]);
    expect(hour).toEqual({ watched: 3600, good: 3240 });
    expect(half).toEqual({ watched: 1800, good: 1440 });
    // 10% of the time at a target of 99% is ten times what is allowed.
    expect(burnRate(hour!, { share: 0.99 })).toBeCloseTo(10);
  });

  test('follows the pace of a sampler that was slower then', async () => {
    const store = await open();
    for (let at = 0; at < 3600; at += 300) {
      append(store, START + at, 1);
    }
    for (let at = 3600; at <= 7200; at += 10) {
      append(store, START + at, 1);
    }
    expect(await ask(store, START + 7200, [7200])).toEqual([{ watched: 7200, good: 7200 }]);
  });

  test('has no gap where a slow sampler becomes a fast one', async () => {
    const store = await open();
    let at = START;
    for (const step of [300, 300, 300, 300, 175, 5, 5, 5, 55, 5]) {
      append(store, at, 1);
      at += step;
    }
    append(store, at, 1);
    // Of the 55 s it is not known: a sampler of five seconds was away.
    expect(await ask(store, at, [at - START])).toEqual([{ watched: at - START - 55, good: at - START - 55 }]);
  });

  test('leaves gaps out: they are neither good nor bad', async () => {
    const store = await open();
    for (let at = 0; at <= 7200; at += 10) {
      if (at <= 1800 || at >= 5400) {
        append(store, START + at, at <= 900 ? 100 : 1);
      }
    }
    expect(await ask(store, START + 7200, [7200])).toEqual([{ watched: 3600, good: 2690 }]);
    expect(burnRate({ watched: 0, good: 0 }, { share: 0.99 })).toBeNull();
  });

  // Found by a review: a watcher that was away twice in a row spent the whole budget with one sample.
  test.each([
    [[40, 40]],
    [[60, 60]],
    [[120, 120]],
    [[180, 200]],
    [[250, 250]],
    [[290, 290]],
    [[120, 120, 120]],
    [[240, 180, 290, 60]],
  ])('leaves out gaps of %j seconds side by side', async (gaps) => {
    const store = await open();
    let at = START;
    const steps = [...Array<number>(180).fill(10), ...gaps, ...Array<number>(180).fill(10)];
    steps.forEach((step, index) => {
      append(store, at, index >= 180 && index < 180 + gaps.length ? 100 : 1);
      at += step;
    });
    append(store, at, 1);
    expect(await ask(store, at, [at - START])).toEqual([{ watched: 3600, good: 3600 }]);
  });

  test('leaves out a hole of two minutes at a pace of ten seconds too, and none of a pace of one minute', async () => {
    const store = await open();
    for (let at = 0; at <= 300; at += 10) {
      if (at <= 100 || at >= 240) {
        append(store, START + at, at >= 240 ? 100 : 1);
      }
    }
    expect(await ask(store, START + 300, [300])).toEqual([{ watched: 160, good: 100 }]);
    const thinned = await open();
    for (let at = 0; at <= 7200; at += 60) {
      append(thinned, START + at, 1);
    }
    expect(await ask(thinned, START + 7200, [7200])).toEqual([{ watched: 7200, good: 7200 }]);
  });
});

test('by stretches of five minutes it is what the samples say one by one, whatever the life of the file', async () => {
  const life = fc.record({
    pace: fc.constantFrom(5, 10, 15, 60),
    seed: fc.array(fc.tuple(fc.integer({ min: 1, max: 500 }), fc.constantFrom(0, 59, 60, 61, 500, -1)), {
      minLength: 1,
      maxLength: 12,
    }),
    window: fc.integer({ min: 60, max: 20_000 }),
  });
  await fc.assert(
    fc.asyncProperty(life, async ({ pace, seed, window }) => {
      let at = START;
      const samples: Array<[at: number, latency: number]> = [];
      for (const [many, latency] of seed) {
        for (let index = 0; index < many; index += 1) {
          at += pace;
          if (latency >= 0) {
            samples.push([at, latency]);
          }
        }
      }
      const parts = noParts('q');
      samples.forEach(([instant, latency]) => addSample(parts, instant, latency));
      const reads: FigureReads = {
        keys: () => ['q'],
        oldest: () => START,
        parts: async () => [parts],
        read(_scope, _figure, from, to) {
          const begin = samples.findIndex(([instant]) => instant >= from);
          const within = samples.slice(Math.max(0, begin - 1)).filter(([instant]) => instant <= to);
          return [{ key: 'q', at: within.map(([instant]) => instant), values: within.map(([, latency]) => latency) }];
        },
      };
      let watched = 0;
      let good = 0;
      samples.slice(0, -1).forEach(([from, latency], index) => {
        const [to] = samples[index + 1]!;
        const lasted = Math.min(to, at) - Math.max(from, at - window);
        // Longer than two and a half of the ten seconds of the settings, but not than as many of four others in a row.
        const isPace = (first: number) =>
          [0, 1, 2, 3, 4].every((place) => {
            const [one, other] = [samples[first + place], samples[first + place + 1]];
            return one && other && to - from <= 2.5 * Math.min(300, other[0] - one[0]);
          });
        const isWatched = to - from <= 25 || (to - from <= 750 && [-4, -3, -2, -1, 0].some((by) => isPace(index + by)));
        if (isWatched && lasted > 0) {
          watched += lasted;
          good += latency <= 60 ? lasted : 0;
        }
      });
      const [found] = await ask(reads, at, [window]);
      expect(found!.watched).toBeCloseTo(watched, 6);
      expect(found!.good).toBeCloseTo(good, 6);
    }),
    {
      numRuns: runs(300),
      examples: [
        // A hole of 30 s in the only five minutes there are.
        [
          {
            pace: 5,
            seed: [
              [1, 0],
              [5, -1],
              [2, 0],
            ],
            window: 60,
          },
        ],
      ],
    }
  );
});

// A sample every 15 or 20 s, a little late each: thinned to one a minute, the steps are of 60 to 80 s.
test.each([15, 20])(
  'compliance of samples that came every %i s and were thinned out in memory has no gaps',
  async (pace) => {
    const store = new MemoryStore();
    const dice = new Dice(pace);
    let at = START;
    while (at < START + 12 * 3600) {
      append(store, at, 10);
      at += pace + dice.between(0, 0.05);
    }
    const [all] = await complianceOf(
      store,
      { scope: 'queue', keys: ['q'], seconds: 60 },
      [12 * 3600],
      { to: at, sampleSeconds: pace },
      new Turns()
    );
    expect(all!.watched).toBeGreaterThan(12 * 3600 - 120);
  }
);

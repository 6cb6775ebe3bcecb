import { describe, expect, test } from 'vitest';
import { figureNamed, type SeriesValue } from '../../../pkg/series/figures';
import { gridOf } from '../../../pkg/series/grid';
import { MemoryStore } from '../../../pkg/series/memoryStore';
import { readOnGrid } from '../../../pkg/series/readOnGrid';
import { Recorder } from '../../../pkg/series/recorder';

const START = Date.UTC(2026, 10, 2) / 1000;
const SLOT = 300;

/** A process that counts the waits of a class since it began, and records them into a file that others use, too. */
class Counting {
  private readonly recorder: Recorder;
  private begun = 0;
  private waited = 0;

  constructor(file: MemoryStore) {
    this.recorder = new Recorder(async () => file);
  }

  async sample(at: number): Promise<void> {
    await this.recorder.ready(at);
    this.recorder.follow(at, at);
    const of = (figure: string, value: number): SeriesValue => ({ scope: 'class', key: 'A', figure, value });
    this.recorder.append(at, [
      { scope: 'total', key: '', figure: 'enqueued', value: 0 },
      of('waited', this.waited),
      of('begun', this.begun),
    ]);
  }

  see(jobs: number, seconds: number): void {
    this.begun += jobs;
    this.waited += jobs * seconds;
  }
}

/** The mean wait of each slot since an instant, as the history shows it. */
async function waits(file: MemoryStore, from: number, to: number) {
  const grid = gridOf(from, to - SLOT, SLOT);
  const asked = { from, to, gapSeconds: 900, sampleSeconds: 60 };
  const wanted = { figure: figureNamed('wait'), scope: 'class' as const, key: 'A' };
  const [series] = await readOnGrid(file, wanted, asked, { grid, interval: SLOT });
  return series!.values.map((value) => (value === null ? null : Number(value.toFixed(6))));
}

// Found by a review: a class whose jobs waited for half a minute was shown at the mean of hours, once for each sample.
describe('the mean wait of jobs', () => {
  test.each([
    ['while a second process begins to record into the same file', true],
    ['after a restart', false],
  ])('stays what it is %s', async (_, goesOn) => {
    const file = new MemoryStore();
    const first = new Counting(file);
    // An hour of jobs that waited for hours, then some that waited for a second.
    for (let slot = 0; slot < 12; slot += 1) {
      first.see(10, 9000);
      await first.sample(START + slot * SLOT);
    }
    const second = new Counting(file);
    const begins = START + 12 * SLOT;
    for (let slot = 0; slot < 24; slot += 1) {
      const at = begins + slot * SLOT;
      if (goesOn) {
        first.see(10, 1);
        await first.sample(at);
      }
      if (slot > 0) {
        second.see(10, 1);
      }
      await second.sample(at + 7);
    }
    const shown = await waits(file, begins + SLOT, begins + 24 * SLOT);
    expect(shown.filter((value) => value !== null).length).toBeGreaterThan(20);
    expect([...new Set(shown.filter((value) => value !== null))]).toEqual([1]);
  });

  test('begins at nothing in a file that has none', async () => {
    const file = new MemoryStore();
    const process = new Counting(file);
    process.see(4, 2);
    await process.sample(START);
    expect(file.read('class', 'begun', START, START, 'A')[0]!.values).toEqual([4]);
    process.see(2, 2);
    await process.sample(START + SLOT);
    expect(file.read('class', 'waited', START, START + SLOT, 'A')[0]!.values).toEqual([8, 12]);
  });
});

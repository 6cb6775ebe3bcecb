import { isKeptSlowly, type HistoryScope, type SeriesValue } from './figures';
import { sampledSeconds, type HistoryStore, type Points } from './store';

interface Sample {
  at: number;
  /** Value by series index; NaN, or beyond its end, where a series has none. */
  values: Float64Array;
}

interface Limits {
  /** Seconds for which every sample is kept. */
  fullSeconds: number;
  /** Seconds between samples that are older, and for how long those are kept. */
  thinnedEverySeconds: number;
  keepSeconds: number;
  /** Numbers kept at most, eight bytes each. */
  numbers: number;
}

const DEFAULTS: Limits = {
  fullSeconds: 6 * 3600,
  thinnedEverySeconds: 60,
  keepSeconds: 7 * 86_400,
  numbers: 3_000_000,
};

/** Series below which their numbers are not freed. */
const SMALLEST_INDEX = 1000;

/** Classes and waits come every five minutes: each of their samples is kept. */
const SLOW: Partial<Limits> = { fullSeconds: DEFAULTS.keepSeconds, numbers: 1_000_000 };

/**
 * Keeps six hours at full pace and a week at one sample a minute, in at most about 24 MB, and classes and waits for a week in 8
 * MB.
 * Series of queues that are gone are forgotten with their last sample.
 */
export class MemoryStore implements HistoryStore {
  readonly blocks = null;
  private readonly figures: MemorySamples;
  private readonly slow = new MemorySamples({ ...DEFAULTS, ...SLOW });

  constructor(limits: Partial<Limits> = {}) {
    this.figures = new MemorySamples({ ...DEFAULTS, ...limits });
  }

  append(at: number, values: readonly SeriesValue[], agedBy = at): void {
    const slow = values.filter(({ scope, figure }) => isKeptSlowly(scope, figure));
    const others = slow.length === 0 ? values : values.filter(({ scope, figure }) => !isKeptSlowly(scope, figure));
    this.figures.append(at, others, agedBy);
    if (slow.length > 0) {
      this.slow.append(at, slow, agedBy);
    }
  }

  keys(scope: HistoryScope, figure: string): string[] {
    return this.samplesOf(scope, figure).keys(scope, figure);
  }

  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[] {
    return this.samplesOf(scope, figure).read(scope, figure, from, to, only);
  }

  oldest(): number | null {
    return this.figures.oldest();
  }

  newest(): number | null {
    return this.figures.newest();
  }

  thinnedUntil(): number | null {
    return this.figures.thinnedUntil();
  }

  secondsAfter(after: number): number {
    return this.figures.secondsAfter(after);
  }

  forgetAfter(after: number): void {
    this.figures.forgetAfter(after);
    this.slow.forgetAfter(after);
  }

  /** Numbers held now; what the bound is about. */
  get size(): number {
    return this.figures.size + this.slow.size;
  }

  /** In memory nothing outlives a restart, so no state is kept. */
  loadState(): null {
    return null;
  }

  saveState(): void {}

  close(): void {
    this.forgetAfter(-Infinity);
  }

  private samplesOf(scope: HistoryScope, figure: string): MemorySamples {
    return isKeptSlowly(scope, figure) ? this.slow : this.figures;
  }
}

const NO_SERIES: ReadonlyMap<string, number> = new Map();

/** Samples in the order of time, those of one pace. */
class MemorySamples {
  private samples: Sample[] = [];
  private thinned: Sample[] = [];
  /** Places in a sample by scope and figure, then by key. */
  private readonly index = new Map<string, Map<string, number>>();
  private places = 0;
  private held = 0;
  private renumberAt = 2 * SMALLEST_INDEX;

  constructor(private readonly limits: Limits) {}

  append(at: number, values: readonly SeriesValue[], agedBy: number): void {
    const last = this.samples[this.samples.length - 1];
    if (last && at <= last.at) {
      return;
    }
    if (this.places > this.renumberAt) {
      this.renumber();
    }
    const indexed = values.map(({ scope, key, figure, value }) => [this.indexOf(scope, key, figure), value] as const);
    const sample = { at, values: new Float64Array(this.places).fill(NaN) };
    for (const [index, value] of indexed) {
      sample.values[index] = value;
    }
    this.samples.push(sample);
    this.held += sample.values.length;
    this.thin(agedBy);
  }

  keys(scope: HistoryScope, figure: string): string[] {
    return this.seriesOf(scope, figure).map(({ key }) => key);
  }

  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[] {
    const wanted = this.seriesOf(scope, figure, only);
    if (wanted.length === 0) {
      return [];
    }
    const all = [...this.thinned, ...this.samples];
    const begin = all.findIndex(({ at }) => at >= from);
    const samples = all.slice(begin < 0 ? -1 : Math.max(0, begin - 1)).filter(({ at }) => at <= to);
    return wanted.flatMap(({ key, index }) => {
      const points: Points = { key, at: [], values: [] };
      for (const { at, values } of samples) {
        const value = values[index];
        if (value !== undefined && !Number.isNaN(value)) {
          points.at.push(at);
          points.values.push(value);
        }
      }
      return points.at.length > 0 ? [points] : [];
    });
  }

  oldest(): number | null {
    return this.thinned[0]?.at ?? this.samples[0]?.at ?? null;
  }

  newest(): number | null {
    return this.samples[this.samples.length - 1]?.at ?? null;
  }

  thinnedUntil(): number | null {
    return this.thinned.at(-1)?.at ?? null;
  }

  secondsAfter(after: number): number {
    return sampledSeconds(
      [...this.thinned, ...this.samples].map(({ at }) => at),
      after
    );
  }

  forgetAfter(after: number): void {
    this.samples = this.samples.filter(({ at }) => at <= after);
    this.thinned = this.thinned.filter(({ at }) => at <= after);
    this.held = [...this.thinned, ...this.samples].reduce((sum, { values }) => sum + values.length, 0);
  }

  get size(): number {
    return this.held;
  }

  private seriesOf(scope: HistoryScope, figure: string, only?: string): Array<{ key: string; index: number }> {
    const group = this.index.get(`${scope}\0${figure}`) ?? NO_SERIES;
    if (only !== undefined) {
      const index = group.get(only);
      return index === undefined ? [] : [{ key: only, index }];
    }
    return [...group].map(([key, index]) => ({ key, index }));
  }

  private indexOf(scope: string, key: string, figure: string): number {
    const name = `${scope}\0${figure}`;
    let group = this.index.get(name);
    if (!group) {
      group = new Map();
      this.index.set(name, group);
    }
    let index = group.get(key);
    if (index === undefined) {
      index = this.places;
      group.set(key, index);
      this.places += 1;
    }
    return index;
  }

  /** Series are numbered in the order in which they came; a number whose samples are all gone is freed with all others. */
  private renumber(): void {
    const all = [...this.thinned, ...this.samples];
    const moves: number[] = [];
    for (const [name, group] of this.index) {
      for (const [key, index] of group) {
        if (all.some(({ values }) => !Number.isNaN(values[index] ?? NaN))) {
          group.set(key, moves.length);
          moves.push(index);
        } else {
          group.delete(key);
        }
      }
      if (group.size === 0) {
        this.index.delete(name);
      }
    }
    this.places = moves.length;
    this.held = 0;
    for (const sample of all) {
      sample.values = Float64Array.from(moves, (from) => sample.values[from] ?? NaN);
      this.held += sample.values.length;
    }
    this.renumberAt = 2 * Math.max(SMALLEST_INDEX, this.places);
  }

  private thin(agedBy: number): void {
    const { fullSeconds, thinnedEverySeconds, keepSeconds, numbers } = this.limits;
    while (this.samples.length > 1 && this.samples[0]!.at < agedBy - fullSeconds) {
      const sample = this.samples.shift()!;
      const before = this.thinned[this.thinned.length - 1];
      if (before && sample.at - before.at < thinnedEverySeconds) {
        this.held -= sample.values.length;
      } else {
        this.thinned.push(sample);
      }
    }
    while (this.thinned.length > 0 && (this.thinned[0]!.at < agedBy - keepSeconds || this.held > numbers)) {
      this.held -= this.thinned.shift()!.values.length;
    }
    while (this.samples.length > 1 && this.held > numbers) {
      this.held -= this.samples.shift()!.values.length;
    }
  }
}

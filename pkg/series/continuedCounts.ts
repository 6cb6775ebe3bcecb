import { HISTORY_FIGURES, countersOf, type SeriesValue } from './figures';
import type { HistoryStore } from './store';

/** What another process has written so long ago at most is of one that may run beside this one. */
const BESIDE_SECONDS = 900;

/** Names under which figures are kept that each process counts itself. */
const COUNTED_BY_EACH = new Set(
  HISTORY_FIGURES.filter(({ countedByEach }) => countedByEach === true).flatMap((figure) =>
    figure.quotient ? countersOf(figure, figure.quotient).map(({ name }) => name) : [figure.name]
  )
);

/**
 * Figures that each process counts itself, as they are written to a file: from where the file is. Two processes that
 * record into one file, or one after the other, then count close together, as one counter.
 */
export class ContinuedCounts {
  /** By series, what is added to the own count. */
  private readonly ahead = new Map<string, number>();

  constructor(private readonly file: Pick<HistoryStore, 'read'>) {}

  /** The values of a sample. @param at epoch seconds; may throw as the file does */
  continued(at: number, values: readonly SeriesValue[]): readonly SeriesValue[] {
    const own = values.filter(({ figure }) => COUNTED_BY_EACH.has(figure));
    if (own.length === 0) {
      return values;
    }
    this.begin(
      at,
      own.filter((value) => !this.ahead.has(nameOf(value)))
    );
    return values.map((value) =>
      COUNTED_BY_EACH.has(value.figure)
        ? { ...value, value: value.value + (this.ahead.get(nameOf(value)) ?? 0) }
        : value
    );
  }

  private begin(at: number, anew: readonly SeriesValue[]): void {
    const parts = new Map(anew.map((value) => [`${value.scope} ${value.figure}`, value]));
    const written = new Map<string, number>();
    for (const { scope, figure } of parts.values()) {
      for (const { key, values } of this.file.read(scope, figure, at - BESIDE_SECONDS, at)) {
        written.set(nameOf({ scope, figure, key }), values.at(-1) ?? 0);
      }
    }
    for (const value of anew) {
      const name = nameOf(value);
      this.ahead.set(name, Math.max(0, (written.get(name) ?? 0) - value.value));
    }
  }
}

function nameOf({ scope, figure, key }: Pick<SeriesValue, 'scope' | 'figure' | 'key'>): string {
  return JSON.stringify([scope, figure, key]);
}

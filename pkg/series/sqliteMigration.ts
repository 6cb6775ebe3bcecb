import { roundedAt, rounded } from './chunk';
import { allSeries, type Database } from './sqliteDatabase';
import type { SqliteSamples } from './sqliteSamples';
import type { Points } from './store';

/** Rows read or deleted at once: it comes between two readings. */
const ROWS_TOGETHER = 4000;
const GROUP_SECONDS = 3600;
const MOVED = 'samples moved until';

interface Gathering {
  until: number;
  left: number[];
  points: Map<number, Map<number, number>>;
}

/**
 * Moves the samples of a file of schema 1, a row for each, into chunks: hour by hour from the oldest, some rows at each
 * reading. An hour counts as moved from one transaction on, so that none is missing and none is told twice.
 */
export class SqliteMigration {
  private gathering: Gathering | undefined;
  /** Samples before this instant are in chunks. */
  private movedUntil = Number.MIN_SAFE_INTEGER;
  /** Series that have moved rows to be deleted. */
  private toDelete: number[] = [];
  private done = false;

  constructor(
    private readonly database: Database,
    private readonly samples: SqliteSamples
  ) {
    this.sync();
  }

  /** Forgets what was begun in a transaction that was rolled back. */
  reload(): void {
    this.gathering = undefined;
    this.toDelete = [];
    this.done = false;
  }

  /** The next step. Within a transaction. @param before older samples are not kept */
  step(before: number): void {
    if (this.sync() || this.samples.isSealing) {
      return;
    }
    if (this.toDelete.length > 0) {
      this.delete();
      return;
    }
    if (!this.gathering) {
      // As the file has them: a process that knows some of them alone would drop the others.
      const all = allSeries(this.database);
      const oldest = this.edge('min', all, Math.min);
      if (oldest === null) {
        this.database.exec('DROP TABLE samples');
        this.database.prepare('DELETE FROM states WHERE name = ?').run(MOVED);
        this.done = true;
        return;
      }
      // Hour by hour: what grows too old meanwhile is dropped with its group.
      if (oldest + GROUP_SECONDS < before) {
        this.moved(before, all);
        return;
      }
      this.gathering = { until: oldest + GROUP_SECONDS, left: all, points: new Map() };
    }
    this.gather(this.gathering);
  }

  /** Points of a series that are not moved yet, in a range with the one before it. */
  read(series: number, key: string, from: number, to: number): Points {
    const rows = this.sync()
      ? []
      : (this.database
          .prepare(
            'SELECT at, value FROM samples WHERE series = ?1 AND at <= ?3 AND at >= coalesce((SELECT max(at) FROM samples WHERE series = ?1 AND at < ?2), ?2) AND at >= ?4 ORDER BY at'
          )
          .all(series, from, to, this.movedUntil) as Sample[]);
    return { key, at: rows.map(({ at }) => at), values: rows.map(({ value }) => value) };
  }

  /** Epoch seconds of the oldest sample that is not moved, `null` for none. */
  oldest(): number | null {
    return this.sync() ? null : this.edge('min', allSeries(this.database), Math.min);
  }

  newest(): number | null {
    return this.sync() ? null : this.edge('max', allSeries(this.database), Math.max);
  }

  forgetAfter(after: number): void {
    this.gathering = undefined;
    if (!this.sync()) {
      this.database.prepare('DELETE FROM samples WHERE at > ?').run(after);
    }
  }

  /** By the index of each series: a scan of the table takes seconds. */
  private edge(which: 'min' | 'max', series: Iterable<number>, of: (...values: number[]) => number): number | null {
    const statement = this.database.prepare(`SELECT ${which}(at) AS at FROM samples WHERE series = ? AND at >= ?`);
    let found: number | null = null;
    for (const id of series) {
      const [row] = statement.all(id, this.movedUntil) as Array<{ at: number | null }>;
      if (row && row.at !== null) {
        found = found === null ? row.at : of(found, row.at);
      }
    }
    return found;
  }

  /** Takes note of what another process moved. @returns whether everything is moved */
  private sync(): boolean {
    if (!this.done) {
      const [row] = this.database
        .prepare(
          "SELECT (SELECT count(*) FROM sqlite_master WHERE name = 'samples') AS tables, (SELECT state FROM states WHERE name = ?) AS moved"
        )
        .all(MOVED) as Array<{ tables: number; moved: string | null }>;
      const movedUntil = row!.moved === null ? Number.MIN_SAFE_INTEGER : Number(row!.moved);
      if (movedUntil !== this.movedUntil) {
        this.movedUntil = movedUntil;
        this.gathering = undefined;
      }
      this.done = row!.tables === 0;
    }
    return this.done;
  }

  private gather(gathering: Gathering): void {
    const rows = this.database.prepare(
      'SELECT at, value FROM samples WHERE series = ? AND at >= ? AND at < ? ORDER BY at'
    );
    let budget = ROWS_TOGETHER;
    while (budget > 0 && gathering.left.length > 0) {
      const id = gathering.left.shift()!;
      const found = rows.all(id, this.movedUntil, gathering.until) as Sample[];
      if (found.length > 0) {
        gathering.points.set(id, new Map(found.map(({ at, value }) => [roundedAt(at), rounded(value)])));
      }
      budget -= found.length + 1;
    }
    if (gathering.left.length > 0) {
      return;
    }
    this.gathering = undefined;
    const { points, until } = gathering;
    const at = [...new Set([...points.values()].flatMap((each) => [...each.keys()]))].sort((a, b) => a - b);
    const series = [...points.keys()];
    const column = (id: number) => at.map((instant) => points.get(id)?.get(instant) ?? NaN);
    this.samples.seal({ at, series, column }, () => this.moved(until, series));
  }

  private moved(until: number, series: readonly number[]): void {
    this.movedUntil = until;
    this.toDelete = [...series];
    this.database.prepare('INSERT OR REPLACE INTO states (name, state) VALUES (?, ?)').run(MOVED, String(until));
  }

  private delete(): void {
    const rows = this.database.prepare('SELECT at FROM samples WHERE series = ? AND at < ? ORDER BY at LIMIT ?');
    let budget = ROWS_TOGETHER;
    while (budget > 0 && this.toDelete.length > 0) {
      const id = this.toDelete[0]!;
      const old = rows.all(id, this.movedUntil, budget) as Array<{ at: number }>;
      const last = old.at(-1);
      if (last) {
        this.database.prepare('DELETE FROM samples WHERE series = ? AND at <= ?').run(id, last.at);
      }
      if (old.length < budget) {
        this.toDelete.shift();
      }
      budget -= old.length + 1;
    }
  }
}

interface Sample {
  at: number;
  value: number;
}

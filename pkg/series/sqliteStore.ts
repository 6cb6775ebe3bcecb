import { closeSync, fchmodSync, openSync, statSync } from 'node:fs';
import { Fault } from '../faults/fault';
import type { HistoryScope, SeriesValue } from './figures';
import type { BlockStore } from './blockStore';
import { markOurs, withDatabase, type Database } from './sqliteDatabase';
import { SqliteBlockStore } from './sqliteBlockStore';
import type { HistoryStore, Points } from './store';

const SECONDS_PER_DAY = 86_400;
const PRUNE_EVERY_SECONDS = 3600;
/** Samples dropped at once: they come between two readings, and others wait meanwhile. */
const PRUNED_TOGETHER = 2000;

/**
 * Opens the history file.
 *
 * @throws Fault `settings` when the file cannot be opened or the runtime has no SQLite
 */
export async function openSqliteStore(
  path: string,
  { retentionDays, mode = '0600' }: { retentionDays: number; mode?: string }
): Promise<HistoryStore> {
  const make = (database: Database) => new SqliteStore(database, path, retentionDays);
  try {
    createFile(path, Number.parseInt(mode, 8));
    return await withDatabase(path, make);
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The history file "${path}" cannot be opened: ${(error as Error).message}.`,
      remedy:
        'Check that its folder exists and can be written, or leave "historyFile" empty to keep the history in memory.',
      cause: error,
    });
  }
}

/**
 * Opens the recorded readings of a history file to read them; another process may go on writing to it.
 *
 * @throws Fault `settings` when the file cannot be opened or holds none
 */
export async function openSqliteBlocks(path: string): Promise<BlockStore & { close(): void }> {
  try {
    return await withDatabase(path, (database) =>
      Object.assign(new SqliteBlockStore(database), { close: () => database.close() })
    );
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The history file "${path}" cannot be read: ${(error as Error).message}.`,
      remedy: 'Give a history file of this version of Jobwatch, or a recording.',
      cause: error,
    });
  }
}

/**
 * A file that exists keeps its permissions. A new one has exactly those of the setting, whatever the umask; SQLite gives
 * them to its -wal and -shm files too.
 */
function createFile(path: string, mode: number): void {
  const existing = statSync(path, { throwIfNoEntry: false });
  const file = openSync(path, 'a', mode);
  if (!existing) {
    fchmodSync(file, mode);
  }
  closeSync(file);
}

class SqliteStore implements HistoryStore {
  readonly blocks: SqliteBlockStore;
  private readonly ids = new Map<string, number>();
  private lastAt = 0;
  private prunedAt = 0;
  private readonly file: number;
  /** Series of which old samples are still to be dropped. */
  private toPrune: number[] = [];
  /** Epoch seconds of the oldest sample; `undefined` until it is asked for. */
  private first: number | null | undefined;
  /** A database file never shrinks by itself. */
  private size = 0;

  constructor(
    private readonly database: Database,
    private readonly path: string,
    private readonly retentionDays: number
  ) {
    this.file = statSync(path).ino;
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec(
      'CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, scope TEXT, key TEXT, figure TEXT, UNIQUE (scope, figure, key))'
    );
    database.exec(
      'CREATE TABLE IF NOT EXISTS samples (series INTEGER, at REAL, value REAL, PRIMARY KEY (series, at)) WITHOUT ROWID'
    );
    database.exec('CREATE TABLE IF NOT EXISTS states (name TEXT PRIMARY KEY, state TEXT)');
    this.blocks = new SqliteBlockStore(database);
    markOurs(database);
    // Between readings nobody waits for long.
    database.exec('PRAGMA busy_timeout = 50');
    for (const row of this.database.prepare('SELECT id, scope, key, figure FROM series').all() as SeriesRow[]) {
      this.ids.set(nameOf(row), row.id);
    }
    this.lastAt = this.ofAllSeries('max', Math.max) ?? 0;
  }

  append(at: number, values: readonly SeriesValue[]): void {
    if (at <= this.lastAt) {
      return;
    }
    this.lastAt = at;
    // What is written to a file that was removed goes nowhere, and SQLite does not notice.
    const found = statSync(this.path, { throwIfNoEntry: false });
    if (found?.ino !== this.file || found.size < this.size) {
      throw new Error(`"${this.path}" was removed, replaced or cut`);
    }
    this.size = found.size;
    const insert = this.database.prepare('INSERT OR REPLACE INTO samples (series, at, value) VALUES (?, ?, ?)');
    this.database.exec('BEGIN');
    try {
      for (const each of values) {
        insert.run(this.idOf(each), at, each.value);
      }
      this.prunedAt ||= at;
      if (at - this.prunedAt > PRUNE_EVERY_SECONDS) {
        this.prunedAt = at;
        this.toPrune = [...this.ids.values()];
      }
      this.prune(at - this.retentionDays * SECONDS_PER_DAY);
      this.database.exec('COMMIT');
      if (this.first === null) {
        this.first = at;
      }
    } catch (error) {
      this.ids.clear();
      try {
        this.database.exec('ROLLBACK');
      } catch {
        // SQLite itself has rolled back where the disk is full.
      }
      throw error;
    }
  }

  keys(scope: HistoryScope, figure: string): string[] {
    return this.seriesOf(scope, figure).map(({ key }) => key);
  }

  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[] {
    const series = this.seriesOf(scope, figure).filter(({ key }) => only === undefined || key === only);
    const points = this.database.prepare(
      'SELECT at, value FROM samples WHERE series = ?1 AND at <= ?3 AND at >= coalesce((SELECT max(at) FROM samples WHERE series = ?1 AND at < ?2), ?2) ORDER BY at'
    );
    return series.flatMap(({ id, key }) => {
      const rows = points.all(id, from, to) as Array<{ at: number; value: number }>;
      return rows.length === 0 ? [] : [{ key, at: rows.map(({ at }) => at), values: rows.map(({ value }) => value) }];
    });
  }

  oldest(): number | null {
    if (this.first === undefined) {
      this.first = this.ofAllSeries('min', Math.min);
    }
    return this.first;
  }

  newest(): number | null {
    return this.lastAt === 0 ? null : this.lastAt;
  }

  forgetAfter(at: number): void {
    this.database.prepare('DELETE FROM samples WHERE at > ?').run(at);
    this.lastAt = Math.min(this.lastAt, at);
    this.prunedAt = Math.min(this.prunedAt, at);
    this.first = undefined;
  }

  loadState(name: string): string | null {
    const [row] = this.database.prepare('SELECT state FROM states WHERE name = ?').all(name) as Array<{
      state: string;
    }>;
    return row?.state ?? null;
  }

  saveState(name: string, state: () => string): void {
    this.database.prepare('INSERT OR REPLACE INTO states (name, state) VALUES (?, ?)').run(name, state());
  }

  close(): void {
    this.database.close();
  }

  /** The first or last instant of all samples, by the index of each series: a scan of the table takes seconds. */
  private ofAllSeries(which: 'min' | 'max', of: (...values: number[]) => number): number | null {
    const statement = this.database.prepare(`SELECT ${which}(at) AS at FROM samples WHERE series = ?`);
    let found: number | null = null;
    for (const id of this.ids.values()) {
      const [row] = statement.all(id) as Array<{ at: number | null }>;
      if (row && row.at !== null) {
        found = found === null ? row.at : of(found, row.at);
      }
    }
    return found;
  }

  /** Drops samples that are older than they are kept, some at a time. */
  private prune(before: number): void {
    let left = PRUNED_TOGETHER;
    while (left > 0 && this.toPrune.length > 0) {
      const id = this.toPrune[0]!;
      const old = this.database
        .prepare('SELECT at FROM samples WHERE series = ? AND at < ? ORDER BY at LIMIT ?')
        .all(id, before, left) as Array<{ at: number }>;
      const last = old.at(-1);
      if (last) {
        this.database.prepare('DELETE FROM samples WHERE series = ? AND at <= ?').run(id, last.at);
        this.first = undefined;
      }
      if (old.length < left) {
        this.toPrune.shift();
      }
      // A series without old samples costs a look too.
      left -= old.length + 1;
    }
  }

  private seriesOf(scope: HistoryScope, figure: string): Array<{ id: number; key: string }> {
    const statement = 'SELECT id, key FROM series WHERE scope = ? AND figure = ? ORDER BY key';
    return this.database.prepare(statement).all(scope, figure) as Array<{ id: number; key: string }>;
  }

  private idOf(value: SeriesValue): number {
    const name = nameOf(value);
    const known = this.ids.get(name);
    if (known !== undefined) {
      return known;
    }
    this.database
      .prepare('INSERT OR IGNORE INTO series (scope, key, figure) VALUES (?, ?, ?)')
      .run(value.scope, value.key, value.figure);
    const rows = this.database
      .prepare('SELECT id FROM series WHERE scope = ? AND key = ? AND figure = ?')
      .all(value.scope, value.key, value.figure);
    const { id } = rows[0] as { id: number };
    this.ids.set(name, id);
    return id;
  }
}

interface SeriesRow {
  id: number;
  scope: string;
  key: string;
  figure: string;
}

function nameOf({ scope, key, figure }: Pick<SeriesRow, 'scope' | 'key' | 'figure'>): string {
  return `${scope}\0${key}\0${figure}`;
}

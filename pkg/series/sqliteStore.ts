import { crc32 } from 'node:zlib';
import { closeSync, fchmodSync, openSync, statSync } from 'node:fs';
import { Fault } from '../faults/fault';
import type { HistoryScope, SeriesValue } from './figures';
import type { BlockStore } from './blockStore';
import {
  allSeries,
  canWriteBeside,
  checksumColumn,
  isReadOnly,
  markNew,
  markOurs,
  refusalOf,
  withDatabase,
  withDatabaseRead,
  type Database,
} from './sqliteDatabase';
import { addSamples, noParts, rounded, roundedAt, type Parts } from './chunk';
import { SqliteBlockStore } from './sqliteBlockStore';
import { SqliteMigration } from './sqliteMigration';
import { SqliteSamples } from './sqliteSamples';
import { Turns } from '../turns';
import { FileGone, type HistoryStore, type Points } from './store';

const SECONDS_PER_DAY = 86_400;
const PRUNE_EVERY_SECONDS = 3600;
const FIRST_PRUNE_SECONDS = 60;

/**
 * Opens the history file. One of this version that cannot be written is opened to be read: what is appended to it fails.
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
    return await (canWriteBeside(path) ? withDatabase(path, make) : withDatabaseRead(path, make));
  } catch (error) {
    throw new Fault({
      kind: 'settings',
      message: `The history file "${path}" cannot be opened: ${(error as Error).message}.`,
      remedy: /not a database|malformed/.test((error as Error).message)
        ? 'It is damaged, or is no history file: move it away, and a new one is made.'
        : 'Check that its folder exists and can be written, or leave "historyFile" empty to keep the history in memory.',
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
    return await withDatabaseRead(path, (database) =>
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
 * A new file has exactly the permissions of the setting, whatever the umask; SQLite gives them to its -wal and -shm files
 * too. One that exists is left alone, and not only its permissions: closing any descriptor of it would drop the locks that
 * this process holds on it, and the next program to close it would take the -wal away from under us
 * (https://sqlite.org/howtocorrupt.html, 2.2).
 */
function createFile(path: string, mode: number): void {
  if (statSync(path, { throwIfNoEntry: false })) {
    return;
  }
  const file = openSync(path, 'a', mode);
  fchmodSync(file, mode);
  closeSync(file);
}

class SqliteStore implements HistoryStore {
  readonly blocks: SqliteBlockStore;
  readonly refusal?: Error;
  private readonly ids = new Map<string, number>();
  private readonly crc: ReturnType<typeof checksumColumn>;
  private readonly samples: SqliteSamples;
  private readonly migration: SqliteMigration;
  private lastAt: number;
  private prunedAt = 0;
  private readonly file: number;
  /** A database file never shrinks by itself. */
  private size = 0;

  constructor(
    private readonly database: Database,
    private readonly path: string,
    private readonly retentionDays: number
  ) {
    this.file = statSync(path).ino;
    markNew(database);
    database.exec('PRAGMA journal_mode = WAL');
    database.exec('PRAGMA synchronous = NORMAL');
    database.exec(
      'CREATE TABLE IF NOT EXISTS series (id INTEGER PRIMARY KEY, scope TEXT, key TEXT, figure TEXT, crc INTEGER, UNIQUE (scope, figure, key))'
    );
    this.crc = checksummed(database);
    database.exec('CREATE TABLE IF NOT EXISTS states (name TEXT PRIMARY KEY, state TEXT)');
    this.blocks = new SqliteBlockStore(database);
    this.samples = new SqliteSamples(database);
    this.migration = new SqliteMigration(database, this.samples);
    markOurs(database);
    const refusal = refusalOf(database);
    if (refusal) {
      this.refusal = refusal;
    }
    // Between readings nobody waits for long.
    database.exec('PRAGMA busy_timeout = 50');
    const rows = database.prepare(`SELECT id, scope, key, figure, ${this.crc} FROM series`).all() as SeriesRow[];
    rows.filter(isSound).forEach((row) => this.ids.set(nameOf(row), row.id));
    this.lastAt = this.samples.newest() ?? this.migration.newest() ?? 0;
  }

  append(at: number, values: readonly SeriesValue[], agedBy = at): void {
    if (at <= this.lastAt) {
      return;
    }
    // What is written to a file that was removed goes nowhere, and SQLite does not notice.
    const found = statSync(this.path, { throwIfNoEntry: false });
    if (found?.ino !== this.file || found.size < this.size) {
      throw new FileGone(`"${this.path}" was removed, replaced or cut`);
    }
    this.size = found.size;
    const { prunedAt } = this;
    this.inTransaction(
      () => {
        const before = agedBy - this.retentionDays * SECONDS_PER_DAY;
        // Soon after it was opened: a process may live for less than an hour.
        this.prunedAt ||= agedBy - PRUNE_EVERY_SECONDS + FIRST_PRUNE_SECONDS;
        if (agedBy - this.prunedAt > PRUNE_EVERY_SECONDS) {
          this.prunedAt = agedBy;
          this.samples.prune(before, allSeries(this.database));
        }
        this.migration.step(before);
        this.samples.append(roundedAt(at), new Map(values.map((each) => [this.idOf(each), rounded(each.value)])));
      },
      () => (this.prunedAt = prunedAt)
    );
    this.lastAt = at;
  }

  /** @throws Error where nothing of it was done */
  private inTransaction(work: () => void, undo: () => void = () => undefined): void {
    this.database.exec('BEGIN');
    try {
      work();
      this.database.exec('COMMIT');
    } catch (error) {
      try {
        this.database.exec('ROLLBACK');
      } catch {
        // SQLite itself has rolled back where the disk is full.
      }
      this.ids.clear();
      this.samples.reload();
      this.migration.reload();
      undo();
      throw error;
    }
  }

  keys(scope: HistoryScope, figure: string): string[] {
    return this.seriesOf(scope, figure).map(({ key }) => key);
  }

  read(scope: HistoryScope, figure: string, from: number, to: number, only?: string): Points[] {
    return this.seriesOf(scope, figure, only).flatMap(({ id, key }) => {
      const old = this.migration.read(id, key, from, to);
      const points = inOrder(this.samples.read(id, key, from, to), old, from);
      return points.at.length === 0 ? [] : [points];
    });
  }

  async parts(scope: HistoryScope, figure: string, from: number, to: number, only: string): Promise<Parts[]> {
    const turns = new Turns();
    const found: Parts[] = [];
    for (const { id, key } of this.seriesOf(scope, figure, only)) {
      const old = this.migration.read(id, key, from, to);
      if (old.at.length === 0) {
        found.push(await this.samples.readParts(id, key, from, to, turns));
        continue;
      }
      const parts = noParts(key);
      addSamples(parts, inOrder(this.samples.read(id, key, from, to), old, from));
      found.push(parts);
    }
    return found;
  }

  oldest(): number | null {
    const old = this.migration.oldest();
    const kept = this.samples.oldest();
    return old === null || kept === null ? (old ?? kept) : Math.min(old, kept);
  }

  newest(): number | null {
    return this.lastAt === 0 ? null : this.lastAt;
  }

  secondsAfter(at: number): number {
    const newest = this.migration.newest() ?? at;
    return Math.max(this.samples.secondsAfter(at), newest - at);
  }

  forgetAfter(at: number): void {
    this.inTransaction(() => {
      this.migration.forgetAfter(at);
      this.samples.forgetAfter(at);
    });
    this.lastAt = Math.min(this.lastAt, at);
    this.prunedAt = Math.min(this.prunedAt, at);
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

  private seriesOf(scope: HistoryScope, figure: string, only?: string): Array<{ id: number; key: string }> {
    const statement = `SELECT id, key, scope, figure, ${this.crc} FROM series WHERE scope = ? AND figure = ?`;
    const all =
      only === undefined
        ? this.database.prepare(`${statement} ORDER BY key`).all(scope, figure)
        : this.database.prepare(`${statement} AND key = ?`).all(scope, figure, only);
    return (all as SeriesRow[]).filter(isSound);
  }

  private idOf(value: SeriesValue): number {
    const name = nameOf(value);
    const known = this.ids.get(name);
    if (known !== undefined) {
      return known;
    }
    this.database
      .prepare('INSERT OR IGNORE INTO series (scope, key, figure, crc) VALUES (?, ?, ?, ?)')
      .run(value.scope, value.key, value.figure, crc32(name));
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
  /** CRC-32 of its name; `null` where an earlier version wrote it to a file that is only read. */
  crc: number | null;
}

/**
 * Whether the name is that of the row: names are read from an index, and a bit that differs there gives the samples of one
 * series to another.
 */
function isSound(row: SeriesRow): boolean {
  return row.crc === null || row.crc === crc32(nameOf(row));
}

/** Gives each series its checksum where an earlier version has left it out. @returns see {@link checksumColumn} */
function checksummed(database: Database): ReturnType<typeof checksumColumn> {
  const column = checksumColumn(database, 'series');
  if (column !== 'crc') {
    return column;
  }
  const bare = database.prepare('SELECT * FROM series WHERE crc IS NULL').all() as SeriesRow[];
  const update = database.prepare('UPDATE series SET crc = ? WHERE id = ?');
  try {
    bare.forEach((row) => update.run(crc32(nameOf(row)), row.id));
  } catch (error) {
    if (!isReadOnly(String(error))) {
      throw error;
    }
  }
  return column;
}

function nameOf({ scope, key, figure }: Pick<SeriesRow, 'scope' | 'key' | 'figure'>): string {
  return `${scope}\0${key}\0${figure}`;
}

/** Points of chunks and of rows that are not moved yet, in the order of time, with one before the range at most. */
function inOrder(points: Points, old: Points, from: number): Points {
  if (old.at.length === 0) {
    return points;
  }
  const all = [
    ...points.at.map((at, index) => [at, points.values[index]!]),
    ...old.at.map((at, index) => [at, old.values[index]!]),
  ];
  all.sort(([a], [b]) => a! - b!);
  const first = all.findIndex(([at]) => at! >= from);
  const kept = first < 0 ? all.slice(-1) : all.slice(Math.max(0, first - 1));
  return { key: points.key, at: kept.map(([at]) => at!), values: kept.map(([, value]) => value!) };
}

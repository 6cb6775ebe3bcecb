import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { pathToFileURL } from 'node:url';

/** The part that `bun:sqlite` and `node:sqlite` have in common. A statement is prepared once, however often it is asked for. */
export interface Database {
  exec(sql: string): unknown;
  prepare(sql: string): {
    run(...values: Array<string | number | Uint8Array>): unknown;
    all(...values: Array<string | number>): unknown[];
    /** Of Bun's alone. */
    finalize?(): void;
  };
  close(): void;
}

/** Of the tables; a file of a newer one is left alone. */
const SCHEMA_VERSION = 3;
/** "Jobw" in ASCII, as https://sqlite.org/pragma.html#pragma_application_id tells files apart. */
const APPLICATION_ID = 0x4a6f6277;
const FIRST_TABLES = 'samples,series,states';

/**
 * Opens a history file, by SQLite as the runtime brings it (Bun's in the executable, Node's from 22.5), and makes something
 * of it. The file is closed again where that fails.
 *
 * @param opens the connection; by default one that may write
 * @throws Error where the file cannot be opened, or is of another program or of a newer version
 */
export async function withDatabase<T>(path: string, make: (database: Database) => T, opens = openDatabase): Promise<T> {
  const database = known(path, preparingOnce(await opens(path)));
  try {
    // Another process may be making the same file.
    database.exec('PRAGMA busy_timeout = 1000');
    checkOurs(database);
    return make(database);
  } catch (error) {
    database.close();
    throw error;
  }
}

/**
 * The same to read a file. SQLite needs a file of its own beside a history file even to read it; in a folder that cannot be
 * written the file is read as it lies there.
 *
 * @throws Error as above, and where what was written last lies in a -wal file that cannot be read there
 */
export async function withDatabaseRead<T>(path: string, make: (database: Database) => T): Promise<T> {
  if (canWriteBeside(path)) {
    return withDatabase(path, make);
  }
  if ((statSync(`${path}-wal`, { throwIfNoEntry: false })?.size ?? 0) > 0) {
    throw new Error(
      'its folder cannot be written, and its newest part is in the -wal file; copy both to a folder that can be written'
    );
  }
  return withDatabase(path, make, openUnchanging);
}

/** Whether the folder of a file can be written. */
export function canWriteBeside(path: string): boolean {
  try {
    accessSync(dirname(path), constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The files that are open, with how often each is. */
const opened = new Map<string, number>();

/**
 * Whether a history file is open in this process. Such a file is opened by SQLite alone: closing any other descriptor of it
 * drops the locks of this process (https://sqlite.org/howtocorrupt.html, 2.2).
 */
export function isOpenHere(path: string): boolean {
  return opened.has(fileAt(path));
}

function known(path: string, database: Database): Database {
  const file = fileAt(path);
  opened.set(file, (opened.get(file) ?? 0) + 1);
  return {
    ...database,
    close: () => {
      database.close();
      const left = opened.get(file)! - 1;
      if (left > 0) {
        opened.set(file, left);
      } else {
        opened.delete(file);
      }
    },
  };
}

/** By which a file is the same under all its names. */
function fileAt(path: string): string {
  const found = statSync(path, { throwIfNoEntry: false });
  return found ? `${found.dev}:${found.ino}` : path;
}

/** SQLite's count of what other connections have written to the file: it differs once one has. */
export function dataVersion(database: Pick<Database, 'prepare'>): number {
  const [row] = database.prepare('PRAGMA data_version').all() as Array<{ data_version: number }>;
  return row!.data_version;
}

/** Marks a file that is empty as ours, before its tables: whoever opens it between, or after a kill, knows it then. */
export function markNew(database: Database): void {
  if (tablesOf(database).length === 0) {
    database.exec(`PRAGMA application_id = ${APPLICATION_ID}`);
  }
}

/** Marks a file as ours, once its tables are there. */
export function markOurs(database: Database): void {
  // Where it is marked nothing is written: the file may be one that can only be read.
  for (const [name, value] of Object.entries({ application_id: APPLICATION_ID, user_version: SCHEMA_VERSION })) {
    if (pragma(database, name) !== value) {
      database.exec(`PRAGMA ${name} = ${value}`);
    }
  }
}

/** Why a file that is marked as ours and can be read cannot be written. */
export function refusalOf(database: Database): Error | undefined {
  try {
    // Of a file that is read only, even BEGIN IMMEDIATE begins to read.
    database.exec(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    return undefined;
  } catch (error) {
    return isReadOnly(String(error)) ? (error as Error) : undefined;
  }
}

/**
 * The column of checksums of a table, for a statement that reads it. Earlier versions did not have it: it is added where the
 * file can be written, and all are unknown where it can only be read.
 *
 * @throws Error where the file can be written, and not now
 */
export function checksumColumn(database: Database, table: string): 'crc' | 'NULL AS crc' {
  const isThere = () =>
    database.prepare(`SELECT 1 FROM pragma_table_info('${table}') WHERE name = 'crc'`).all().length > 0;
  if (isThere()) {
    return 'crc';
  }
  try {
    database.exec(`ALTER TABLE ${table} ADD COLUMN crc INTEGER`);
    return 'crc';
  } catch (error) {
    // Another process may have been faster.
    if (isThere()) {
      return 'crc';
    }
    if (isReadOnly(String(error))) {
      return 'NULL AS crc';
    }
    throw error;
  }
}

/** The numbers of all series of a file, those of other processes too. */
export function allSeries(database: Pick<Database, 'prepare'>): number[] {
  return (database.prepare('SELECT id FROM series').all() as Array<{ id: number }>).map(({ id }) => id);
}

/** Whether a file refused to be written as it can only be read. @param reason what SQLite says */
export function isReadOnly(reason: string): boolean {
  return reason.includes('readonly');
}

/** Whether another process is writing to it. @param reason what SQLite says */
export function isBusy(reason: string): boolean {
  return /locked|busy/.test(reason);
}

function pragma(database: Database, name: string): number {
  const [row] = database.prepare(`PRAGMA ${name}`).all() as Array<Record<string, number>>;
  return row?.[name] ?? 0;
}

function preparingOnce(database: Database): Database {
  const statements = new Map<string, ReturnType<Database['prepare']>>();
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => {
      const statement = statements.get(sql) ?? database.prepare(sql);
      statements.set(sql, statement);
      return statement;
    },
    // SQLite keeps a connection with statements open, and what it remembers of the file is old when it closes later.
    close: () => {
      statements.forEach((statement) => statement.finalize?.());
      statements.clear();
      database.close();
    },
  };
}

async function openDatabase(path: string): Promise<Database> {
  if (process.versions['bun']) {
    const { Database: BunDatabase } = await import('bun:sqlite');
    return new BunDatabase(path, { create: true }) as unknown as Database;
  }
  // Named in pieces so that bundlers for older Nodes leave it alone.
  const { DatabaseSync } = (await import(['node', 'sqlite'].join(':'))) as {
    DatabaseSync: new (path: string) => Database;
  };
  return new DatabaseSync(path);
}

/** A file that nobody writes to: https://sqlite.org/uri.html#uriimmutable */
async function openUnchanging(path: string): Promise<Database> {
  const uri = `${pathToFileURL(path).href}?immutable=1`;
  if (process.versions['bun']) {
    const { Database: BunDatabase, constants: flags } = await import('bun:sqlite');
    return new BunDatabase(uri, flags.SQLITE_OPEN_READONLY | flags.SQLITE_OPEN_URI) as unknown as Database;
  }
  return openDatabase(uri);
}

function tablesOf(database: Database): string[] {
  const statement = "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name";
  return (database.prepare(statement).all() as Array<{ name: string }>).map(({ name }) => name);
}

/**
 * Reads before anything is written, so that a file of another program stays as it is.
 *
 * @throws Error when the file is of another program or of a newer version
 */
function checkOurs(database: Database): void {
  const tables = tablesOf(database);
  const application = pragma(database, 'application_id');
  // Files of the first versions carry no application id.
  const ours = application === APPLICATION_ID || (application === 0 && tables.join() === FIRST_TABLES);
  const empty = application === 0 && tables.length === 0 && pragma(database, 'user_version') === 0;
  if (!ours && !empty) {
    throw new Error('it is a database of another program');
  }
  const version = pragma(database, 'user_version');
  if (version > SCHEMA_VERSION) {
    throw new Error(`it was written by a newer version of Jobwatch (schema ${version})`);
  }
}

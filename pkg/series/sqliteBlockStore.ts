import type { Block, BlockStore, StoredBlock } from './blockStore';
import type { Database } from './sqliteDatabase';

interface Row {
  id: number;
  from: number;
  to: number;
  readings: number;
  paceSeconds: number;
  bytes: number;
}

const COLUMNS = 'from_at, to_at, readings, pace, bytes, minutes, body';
const SPAN = 'id, from_at AS "from", to_at AS "to", readings, pace AS paceSeconds, bytes';

/** Keeps blocks in the history file. Where they lie in time is held in memory, so that no question scans the table. */
export class SqliteBlockStore implements BlockStore {
  private readonly index = new Map<number, StoredBlock>();
  bytes = 0;

  /** @throws Error where the file cannot be used */
  constructor(private readonly database: Database) {
    database.exec(
      'CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, from_at REAL, to_at REAL, readings INTEGER, pace REAL, bytes INTEGER, minutes BLOB, body BLOB)'
    );
    database.exec('CREATE INDEX IF NOT EXISTS blocks_span ON blocks (id, from_at, to_at, readings, pace, bytes)');
    for (const row of database.prepare(`SELECT ${SPAN} FROM blocks ORDER BY id`).all() as Row[]) {
      this.know({ ...row });
    }
  }

  get all(): readonly StoredBlock[] {
    return [...this.index.values()];
  }

  add(block: Block): void {
    // Another process may write to the same file, so SQLite numbers the blocks.
    this.database.prepare(`INSERT INTO blocks (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`).run(...valuesOf(block));
    const [row] = this.database.prepare('SELECT last_insert_rowid() AS id').all() as Array<{ id: number }>;
    this.know(storedAs(row!.id, block));
  }

  read(id: number): Pick<Block, 'body' | 'minutes'> {
    const [row] = this.database.prepare('SELECT body, minutes FROM blocks WHERE id = ?').all(id) as Array<
      Pick<Block, 'body' | 'minutes'>
    >;
    if (!row) {
      throw new Error(`block ${id} is gone`);
    }
    return row;
  }

  replace(id: number, block: Block): void {
    this.database
      .prepare(`INSERT OR REPLACE INTO blocks (id, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(id, ...valuesOf(block));
    this.know(storedAs(id, block));
  }

  remove(id: number): void {
    this.database.prepare('DELETE FROM blocks WHERE id = ?').run(id);
    this.bytes -= this.index.get(id)?.bytes ?? 0;
    this.index.delete(id);
  }

  private know(block: StoredBlock): void {
    this.bytes += block.bytes - (this.index.get(block.id)?.bytes ?? 0);
    this.index.set(block.id, block);
  }
}

function valuesOf({ from, to, readings, paceSeconds, body, minutes }: Block) {
  return [from, to, readings, paceSeconds, body.length + minutes.length, minutes, body];
}

function storedAs(id: number, { from, to, readings, paceSeconds, body, minutes }: Block): StoredBlock {
  return { id, from, to, readings, paceSeconds, bytes: body.length + minutes.length };
}

import { checksumOf, sound, type Block, type BlockStore, type StoredBlock } from './blockStore';
import { checksumColumn, dataVersion, type Database } from './sqliteDatabase';

interface Row {
  id: number;
  from: number;
  to: number;
  readings: number;
  paceSeconds: number;
  bytes: number;
}

const COLUMNS = 'from_at, to_at, readings, pace, bytes, minutes, body, crc';
const SPAN = 'id, from_at AS "from", to_at AS "to", readings, pace AS paceSeconds, bytes';

/**
 * Keeps blocks in the history file. Where they lie in time is held in memory, so that no question scans the table; it is read
 * anew where another process has written to the file.
 */
export class SqliteBlockStore implements BlockStore {
  private readonly index = new Map<number, StoredBlock>();
  private bytesOfAll = 0;
  private version: number;
  private readonly crc: ReturnType<typeof checksumColumn>;

  /** @throws Error where the file cannot be used */
  constructor(private readonly database: Database) {
    database.exec(
      'CREATE TABLE IF NOT EXISTS blocks (id INTEGER PRIMARY KEY, from_at REAL, to_at REAL, readings INTEGER, pace REAL, bytes INTEGER, minutes BLOB, body BLOB, crc INTEGER)'
    );
    this.crc = checksumColumn(database, 'blocks');
    database.exec('CREATE INDEX IF NOT EXISTS blocks_span ON blocks (id, from_at, to_at, readings, pace, bytes)');
    this.version = dataVersion(this.database);
    this.readIndex();
  }

  get all(): readonly StoredBlock[] {
    this.refresh();
    return [...this.index.values()];
  }

  get bytes(): number {
    this.refresh();
    return this.bytesOfAll;
  }

  add(block: Block): void {
    // Another process may write to the same file, so SQLite numbers the blocks.
    this.database.prepare(`INSERT INTO blocks (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)`).run(...valuesOf(block));
    const [row] = this.database.prepare('SELECT last_insert_rowid() AS id').all() as Array<{ id: number }>;
    this.know(storedAs(row!.id, block));
  }

  read(id: number): Pick<Block, 'body' | 'minutes'> {
    const [row] = this.database
      .prepare(`SELECT ${SPAN}, body, minutes, ${this.crc} FROM blocks WHERE id = ?`)
      .all(id) as Array<Row & Block & { crc: number | null }>;
    if (!row) {
      throw new Error(`block ${id} is gone`);
    }
    // All of one statement: another process may thin the block meanwhile.
    return sound(row, row.crc);
  }

  replace(id: number, block: Block): void {
    this.database
      .prepare(`INSERT OR REPLACE INTO blocks (id, ${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(id, ...valuesOf(block));
    this.know(storedAs(id, block));
  }

  remove(id: number): void {
    this.database.prepare('DELETE FROM blocks WHERE id = ?').run(id);
    this.bytesOfAll -= this.index.get(id)?.bytes ?? 0;
    this.index.delete(id);
  }

  /** A file that cannot be read for a moment is as it was. */
  private refresh(): void {
    try {
      const version = dataVersion(this.database);
      if (version !== this.version) {
        this.readIndex();
        this.version = version;
      }
    } catch {
      // What reads a block says what is the matter.
    }
  }

  private readIndex(): void {
    const rows = this.database.prepare(`SELECT ${SPAN} FROM blocks ORDER BY id`).all() as Row[];
    this.index.clear();
    this.bytesOfAll = 0;
    for (const row of rows) {
      this.know({ ...row });
    }
  }

  private know(block: StoredBlock): void {
    this.bytesOfAll += block.bytes - (this.index.get(block.id)?.bytes ?? 0);
    this.index.set(block.id, block);
  }
}

function valuesOf(block: Block) {
  const { from, to, readings, paceSeconds, body, minutes } = block;
  return [from, to, readings, paceSeconds, body.length + minutes.length, minutes, body, checksumOf(block)];
}

function storedAs(id: number, { from, to, readings, paceSeconds, body, minutes }: Block): StoredBlock {
  return { id, from, to, readings, paceSeconds, bytes: body.length + minutes.length };
}

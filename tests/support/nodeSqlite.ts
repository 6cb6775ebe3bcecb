import { Database, type Statement } from 'node-sqlite3-wasm';

/** Stands in for `node:sqlite`, which Node has only from 22.5: SQLite itself, compiled to WebAssembly. */
export class DatabaseSync {
  private readonly database: Database;
  private readonly statements: Statement[] = [];

  constructor(path: string) {
    this.database = new Database(path);
  }

  exec(sql: string): void {
    this.database.exec(sql);
  }

  prepare(sql: string) {
    const statement = this.database.prepare(sql);
    this.statements.push(statement);
    return {
      run: (...values: Array<string | number | Uint8Array>) => statement.run(values),
      all: (...values: Array<string | number>) => statement.all(values),
    };
  }

  close(): void {
    this.statements.forEach((statement) => statement.finalize());
    this.database.close();
  }
}

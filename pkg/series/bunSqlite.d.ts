/** The part of Bun's SQLite that sqliteDatabase.ts uses. */
declare module 'bun:sqlite' {
  export class Database {
    constructor(path: string, options?: { create?: boolean });
  }
}

/** The part of Bun's SQLite that sqliteDatabase.ts uses. */
declare module 'bun:sqlite' {
  export class Database {
    constructor(path: string, options?: { create?: boolean } | number);
  }
  export const constants: { SQLITE_OPEN_READONLY: number; SQLITE_OPEN_URI: number };
}

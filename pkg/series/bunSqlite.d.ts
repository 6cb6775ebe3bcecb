/** The part of Bun's SQLite that sqliteStore.ts uses. */
declare module 'bun:sqlite' {
  export class Database {
    constructor(path: string, options?: { create?: boolean });
  }
}

/** A sorted set as `ZRANGE … WITHSCORES` gives it: entries by score, as JSON where they are objects. */
export const zset = (...entries: Array<[number | string, string | object]>): string[] =>
  entries.flatMap(([score, raw]) => [typeof raw === 'string' ? raw : JSON.stringify(raw), String(score)]);

/** Names of the columns of a query type. */
export const columnsOf = (type: { columns: ReadonlyArray<{ name: string }> }): string[] =>
  type.columns.map(({ name }) => name);

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test, vi } from 'vitest';
import type { Block, BlockStore } from '../../../pkg/series/blockStore';
import { FileBlockStore } from '../../../pkg/series/fileBlockStore';
import { openSqliteBlocks, openSqliteStore } from '../../../pkg/series/sqliteStore';
import { DatabaseSync } from '../../support/nodeSqlite';

vi.mock('node:sqlite', () => import('../../support/nodeSqlite'));

const directory = mkdtempSync(join(tmpdir(), 'jobwatch-checksums-'));
afterAll(() => rmSync(directory, { recursive: true }));
let files = 0;
const newFile = () => join(directory, `${(files += 1)}`);

const block = (from: number): Block => ({
  from,
  to: from + 190,
  readings: 20,
  paceSeconds: 10,
  body: Buffer.from(`the readings from ${from} on`),
  minutes: Buffer.from(`the minutes from ${from} on`),
});
const BLOCKS = [block(1000), block(1200), block(1400)];

const textsOf = ({ body, minutes }: Pick<Block, 'body' | 'minutes'>) =>
  [body, minutes].map((each) => Buffer.from(each).toString());
const readAll = (store: BlockStore) => store.all.map(({ id }) => textsOf(store.read(id)));
const WRITTEN = BLOCKS.map(textsOf);

/** Of a block that is refused, or not there, nothing. */
function whatIsTold(store: BlockStore, id: number): Array<string | number> | null {
  const span = store.all.find((each) => each.id === id);
  try {
    return span ? [span.from, span.to, span.readings, span.paceSeconds, ...textsOf(store.read(id))] : null;
  } catch {
    return null;
  }
}

async function historyFile(): Promise<string> {
  const path = newFile();
  const store = await openSqliteStore(path, { retentionDays: 1 });
  BLOCKS.forEach((each) => store.blocks!.add(each));
  store.close();
  return path;
}

function recording(): string {
  const path = newFile();
  const store = FileBlockStore.create(path);
  BLOCKS.forEach((each) => store.add(each));
  store.close();
  return path;
}

describe('a block of a history file', () => {
  test.each([
    ['body', `body = CAST(replace(CAST(body AS TEXT), 'readings', 'readinge') AS BLOB)`],
    ['minutes', `minutes = CAST(replace(CAST(minutes AS TEXT), 'minutes', 'minuter') AS BLOB)`],
    ['first instant', 'from_at = from_at + 1'],
    ['last instant', 'to_at = to_at - 1'],
    ['pace', 'pace = 60'],
  ])('whose %s was changed is refused, and the others are read', async (_, change) => {
    const path = await historyFile();
    const database = new DatabaseSync(path);
    database.exec(`UPDATE blocks SET ${change} WHERE id = 2`);
    database.close();
    const store = await openSqliteBlocks(path);
    expect(() => store.read(2)).toThrow('differs from its checksum');
    expect([store.read(1), store.read(3)].map(textsOf)).toEqual([WRITTEN[0], WRITTEN[2]]);
    store.close();
  });

  test('that an earlier version wrote has no checksum and is read; what is written since has one', async () => {
    const path = await historyFile();
    const database = new DatabaseSync(path);
    database.exec('ALTER TABLE blocks DROP COLUMN crc');
    database.close();
    const store = await openSqliteStore(path, { retentionDays: 1 });
    store.blocks!.add(block(1600));
    store.blocks!.replace(1, block(1000));
    expect(readAll(store.blocks!)).toEqual([...WRITTEN, textsOf(block(1600))]);
    store.close();
    const again = new DatabaseSync(path);
    expect(
      again
        .prepare('SELECT id, crc IS NULL AS bare FROM blocks ORDER BY id')
        .all()
        .map((row) => Object.values(row as Record<string, number>))
    ).toEqual([
      [1, 0],
      [2, 1],
      [3, 1],
      [4, 0],
    ]);
    again.close();
  });
});

describe('a series of a history file', () => {
  const FIGURES = ['latency', 'objective', 'size'];
  const samples = FIGURES.map(
    (figure, index) => ({ scope: 'queue', key: 'orders', figure, value: 100 * (index + 1) }) as const
  );

  async function ofSeries(): Promise<string> {
    const path = newFile();
    const store = await openSqliteStore(path, { retentionDays: 1 });
    store.append(1000, samples);
    store.append(1010, samples);
    store.close();
    return path;
  }

  // Found by a review: a bit of the index on names gave the objective of a queue as its latency.
  test('is never told as another one, whatever bit of the index of names was changed', async () => {
    const path = await ofSeries();
    const database = new DatabaseSync(path);
    const one = <T>(sql: string) => database.prepare(sql).all()[0] as T;
    const { root } = one<{ root: number }>(
      "SELECT rootpage AS root FROM sqlite_master WHERE name = 'sqlite_autoindex_series_1'"
    );
    const { size } = one<{ size: number }>('SELECT page_size AS size FROM pragma_page_size');
    database.close();
    const bytes = readFileSync(path);
    // The entries are at the end of the page.
    const first = root * size - FIGURES.length * 24;
    expect(
      bytes
        .subarray(first, root * size)
        .toString('latin1')
        .match(/orders/g)
    ).toHaveLength(FIGURES.length);
    let gone = 0;
    for (let bit = first * 8; bit < root * size * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const copy = newFile();
      writeFileSync(copy, damaged);
      const store = await openSqliteStore(copy, { retentionDays: 1 }).catch(() => null);
      samples.forEach(({ scope, figure, value }) => {
        let values: number[] | undefined;
        try {
          values = store?.read(scope, figure, 0, 2000, 'orders')[0]?.values;
        } catch {
          // An error is no figure.
        }
        gone += Number(values === undefined);
        expect([undefined, [value, value]], `bit ${bit - first * 8}`).toContainEqual(values);
      });
      try {
        store?.close();
      } catch {
        // SQLite tells of the damage once more.
      }
    }
    expect(gone).toBeGreaterThan(0);
  });

  test('that an earlier version wrote is read, and has a checksum since', async () => {
    const path = await ofSeries();
    const database = new DatabaseSync(path);
    database.exec('ALTER TABLE series DROP COLUMN crc');
    database.exec('UPDATE readings SET crc = NULL');
    database.close();
    const store = await openSqliteStore(path, { retentionDays: 1 });
    expect(store.read('queue', 'latency', 0, 2000)[0]!.values).toEqual([100, 100]);
    store.append(1020, [...samples, { ...samples[0]!, figure: 'busy' }]);
    expect(store.read('queue', 'busy', 0, 2000)[0]!.values).toEqual([100]);
    store.close();
    const again = new DatabaseSync(path);
    expect(again.prepare('SELECT id FROM series WHERE crc IS NULL').all()).toEqual([]);
    again.close();
  });

  test('has no samples of a row whose instant was changed', async () => {
    const path = await ofSeries();
    const database = new DatabaseSync(path);
    database.exec('UPDATE readings SET at = at + 50 WHERE at = 1000');
    database.close();
    const store = await openSqliteStore(path, { retentionDays: 1 });
    expect(store.read('queue', 'latency', 0, 2000)[0]!.at).toEqual([1010]);
    store.close();
  });
});

describe('a block of a recording', () => {
  test('of which any bit was changed is refused, or ends the recording', () => {
    const bytes = readFileSync(recording());
    const start = bytes.indexOf('{"from":1200');
    const end = bytes.indexOf('{"from":1400');
    for (let bit = start * 8; bit < (end - 4) * 8; bit += 1) {
      const damaged = Buffer.from(bytes);
      damaged[bit >> 3]! ^= 1 << (bit & 7);
      const path = newFile();
      writeFileSync(path, damaged);
      const store = FileBlockStore.open(path);
      const told = whatIsTold(store, 2);
      // Of a header whose name of the checksum was changed, all else is as it was written.
      expect([null, [1200, 1390, 20, 10, ...WRITTEN[1]!]], `bit ${bit - start * 8}`).toContainEqual(told);
      expect(textsOf(store.read(1))).toEqual(WRITTEN[0]);
      store.close();
    }
  });

  test('that an earlier version wrote has no checksum and is read', () => {
    const bytes = readFileSync(recording()).toString('latin1');
    const path = newFile();
    const bare = bytes.replace(
      /([^])\0\0\0(\{"from[^}]*?),"crc":\d+\}/g,
      (_, _length: string, header: string) => `${String.fromCharCode(header.length + 1)}\0\0\0${header}}`
    );
    expect(bare).not.toContain('crc');
    writeFileSync(path, bare, 'latin1');
    const store = FileBlockStore.open(path);
    expect(readAll(store)).toEqual(WRITTEN);
    store.close();
  });
});

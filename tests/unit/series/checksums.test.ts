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

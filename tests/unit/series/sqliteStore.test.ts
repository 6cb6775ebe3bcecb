import { mkdtempSync, readFileSync, renameSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { Fault } from '../../../pkg/faults/fault';
import type { SeriesValue } from '../../../pkg/series/figures';
import { openSqliteStore } from '../../../pkg/series/sqliteStore';
import { DatabaseSync } from '../../support/nodeSqlite';

vi.mock('node:sqlite', () => import('../../support/nodeSqlite'));

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-sqlite-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const newFile = () => join(folder, `${(files += 1)}.db`);
const value = (figure: string, number: number, key = ''): SeriesValue => ({
  scope: 'queue',
  key,
  figure,
  value: number,
});

async function faultOf(path: string): Promise<Fault> {
  return openSqliteStore(path, { retentionDays: 1 }).then(
    () => {
      throw new Error('It was opened.');
    },
    (error: unknown) => error as Fault
  );
}

test('keeps series by key, and nothing out of the order of time', async () => {
  const store = await openSqliteStore(newFile(), { retentionDays: 1 });
  expect(store.oldest()).toBeNull();
  store.append(10, [value('a', 1, 'y'), value('a', 7, 'x'), value('b', 3)]);
  store.append(20, [value('a', 2, 'y')]);
  store.append(20, [value('a', 99, 'y')]);
  store.append(15, [value('a', 99, 'y')]);
  expect(store.read('queue', 'a', 0, 100)).toEqual([
    { key: 'x', at: [10], values: [7] },
    { key: 'y', at: [10, 20], values: [1, 2] },
  ]);
  expect(store.read('queue', 'b', 0, 100)).toEqual([{ key: '', at: [10], values: [3] }]);
  expect(store.read('total', 'a', 0, 100)).toEqual([]);
  expect([store.keys('queue', 'a'), store.keys('queue', 'none')]).toEqual([['x', 'y'], []]);
  expect(store.read('queue', 'a', 0, 100, 'y')).toEqual([{ key: 'y', at: [10, 20], values: [1, 2] }]);
  expect(store.oldest()).toBe(10);
  store.close();
});

test('gives the range with the point before it, which a rate needs', async () => {
  const store = await openSqliteStore(newFile(), { retentionDays: 1 });
  [10, 20, 30, 40].forEach((at) => store.append(at, [value('a', at)]));
  const times = (from: number, to: number) => store.read('queue', 'a', from, to)[0]?.at;
  expect(times(25, 35)).toEqual([20, 30]);
  expect(times(20, 30)).toEqual([10, 20, 30]);
  expect(times(50, 60)).toEqual([40]);
  expect(times(0, 5)).toBeUndefined();
  store.close();
});

test('goes on where a former process stopped', async () => {
  const path = newFile();
  const first = await openSqliteStore(path, { retentionDays: 1 });
  first.append(10, [value('a', 1)]);
  first.saveState('log', () => 'one');
  first.saveState('log', () => 'two');
  first.close();
  const second = await openSqliteStore(path, { retentionDays: 1 });
  second.append(10, [value('a', 99)]);
  second.append(20, [value('a', 2)]);
  expect(second.read('queue', 'a', 0, 100)).toEqual([{ key: '', at: [10, 20], values: [1, 2] }]);
  expect([second.loadState('log'), second.loadState('other')]).toEqual(['two', null]);
  second.close();
});

test('deletes what is older than the retention, once an hour', async () => {
  const store = await openSqliteStore(newFile(), { retentionDays: 1 });
  const day = 86_400;
  store.append(day, [value('a', 1)]);
  store.append(day + 3600, [value('a', 2)]);
  // An hour after the last deletion is not yet more than an hour.
  expect(store.oldest()).toBe(day);
  store.append(2 * day + 1, [value('a', 3)]);
  expect(store.oldest()).toBe(day + 3600);
  store.close();
});

test('deletes much in steps, each small, until nothing old is left', async () => {
  const path = newFile();
  const store = await openSqliteStore(path, { retentionDays: 1 });
  for (let second = 1; second <= 3000; second += 1) {
    store.append(second, [value('a', 1), value('b', 2)]);
  }
  const left = () =>
    ['a', 'b'].flatMap((figure) => store.read('queue', figure, 0, 4000)).reduce((sum, { at }) => sum + at.length, 0);
  const later = 2 * 86_400;
  const counts = Array.from({ length: 5 }, (_, step) => {
    store.append(later + step, [value('a', 1)]);
    return left();
  });
  expect(counts[0]! - counts[1]!).toBeLessThanOrEqual(2000);
  expect(6000 - counts[0]!).toBeLessThanOrEqual(2000);
  expect(counts.at(-1)).toBe(0);
  expect(store.oldest()).toBe(later);
  store.close();
});

test('loses no sample of a later append where one fails', async () => {
  const store = await openSqliteStore(newFile(), { retentionDays: 1 });
  const broken = value('a', {} as number);
  expect(() => store.append(10, [value('a', 1), broken])).toThrow();
  store.append(20, [value('a', 2)]);
  expect(store.read('queue', 'a', 0, 100)).toEqual([{ key: '', at: [20], values: [2] }]);
  store.close();
});

test('refuses a file of a newer version, of another program and in a folder that does not exist', async () => {
  const newer = newFile();
  const database = new DatabaseSync(newer);
  database.exec('PRAGMA application_id = 0x4a6f6277; PRAGMA user_version = 2');
  database.close();
  expect((await faultOf(newer)).message).toMatch(/newer version of Jobwatch \(schema 2\)/);

  const foreign = newFile();
  const other = new DatabaseSync(foreign);
  other.exec('CREATE TABLE customers (id INTEGER)');
  other.close();
  const fault = await faultOf(foreign);
  expect(fault).toBeInstanceOf(Fault);
  expect(fault.kind).toBe('settings');
  expect(fault.message).toBe(`The history file "${foreign}" cannot be opened: it is a database of another program.`);
  expect(fault.remedy).toMatch(/^Check that its folder exists/);
  // It was not altered.
  const again = new DatabaseSync(foreign);
  expect(again.prepare('SELECT name FROM sqlite_master').all()).toEqual([{ name: 'customers' }]);
  again.close();

  expect((await faultOf(join(folder, 'missing/file.db'))).message).toMatch(/cannot be opened: .+\.$/);
});

test('leaves every byte of a file that is not its own', async () => {
  const foreign = newFile();
  const other = new DatabaseSync(foreign);
  // The same name of a table does not make it ours.
  other.exec('CREATE TABLE samples (customer TEXT)');
  other.exec("INSERT INTO samples VALUES ('x')");
  other.close();
  const text = newFile();
  writeFileSync(text, 'root:x:0:0:root:/root:/bin/bash\n'.repeat(100));
  const marked = newFile();
  const tagged = new DatabaseSync(marked);
  tagged.exec('PRAGMA user_version = 7');
  tagged.close();
  for (const path of [foreign, text, marked]) {
    const before = readFileSync(path);
    expect((await faultOf(path)).message).toMatch(/another program|not a database/);
    expect(readFileSync(path).equals(before)).toBe(true);
  }
});

test('opens files of the first versions, which carry no application id', async () => {
  const path = newFile();
  const first = await openSqliteStore(path, { retentionDays: 1 });
  first.append(10, [value('a', 1)]);
  first.close();
  const old = new DatabaseSync(path);
  old.exec('PRAGMA application_id = 0');
  old.exec('DROP TABLE blocks');
  old.close();
  const store = await openSqliteStore(path, { retentionDays: 1 });
  expect(store.oldest()).toBe(10);
  store.close();
});

test.each([
  ['0600', 0o600],
  ['0660', 0o660],
])('creates its file with the permissions %s, whatever the umask', async (mode, expected) => {
  const path = newFile();
  (await openSqliteStore(path, { retentionDays: 1, mode })).close();
  expect(statSync(path).mode & 0o777).toBe(expected);
});

test('fails at the next sample when its file was removed, replaced or cut', async () => {
  const path = newFile();
  const store = await openSqliteStore(path, { retentionDays: 1 });
  store.append(10, [value('a', 1)]);
  renameSync(path, `${path}.away`);
  expect(() => store.append(20, [value('a', 2)])).toThrow(/was removed, replaced or cut/);
  writeFileSync(path, '');
  expect(() => store.append(30, [value('a', 2)])).toThrow(/was removed, replaced or cut/);
  store.close();
});

test('notices a file that was cut while it is open', async () => {
  const path = newFile();
  const store = await openSqliteStore(path, { retentionDays: 1 });
  store.append(10, [value('a', 1)]);
  store.append(20, [value('a', 1)]);
  truncateSync(path, 100);
  expect(() => store.append(30, [value('a', 2)])).toThrow(/was removed, replaced or cut/);
});

test('a month of samples takes the space of what is kept, and no more', async () => {
  const path = newFile();
  const store = await openSqliteStore(path, { retentionDays: 2 });
  const tenMinutes = 600;
  const day = 86_400;
  const sizes: number[] = [];
  for (let at = tenMinutes; at <= 30 * day; at += tenMinutes) {
    store.append(at, [value('a', at), value('b', 1, 'q'), value('c', 2, 'r')]);
    if (at % day === 0) {
      sizes.push(statSync(path).size);
    }
  }
  // Two days and the hour between two deletions.
  const kept = store.read('queue', 'a', 0, 31 * day)[0]!.at;
  expect(kept.length).toBeLessThanOrEqual((2 * day + 3600) / tenMinutes + 1);
  expect(store.oldest()).toBeGreaterThanOrEqual(28 * day - 3600);
  // Space of deleted rows is used again: the file of the last day is as large as that of the fifth.
  expect(sizes[29]! / sizes[4]!).toBeLessThan(1.5);
  store.close();
});

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test, vi } from 'vitest';
import { Recordings } from '../../../pkg/recording/recordings';
import { openSqliteStore } from '../../../pkg/series/sqliteStore';
import { aQueue, aSnapshot, listed, NOW } from '../../support/state';

vi.mock('node:sqlite', () => import('../../support/nodeSqlite'));

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-two-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const BOUND = 6000;
const limits = { memory: { seconds: 1e9, bytes: 1e9 }, file: { seconds: 1e9, bytes: BOUND } };

async function open(path: string) {
  const blocks = (await openSqliteStore(path, { retentionDays: 7 })).blocks!;
  return { blocks, recordings: new Recordings(limits, () => blocks) };
}

async function record(recordings: Recordings, from: number, readings: number) {
  for (let index = 0; index < readings; index += 1) {
    const at = from + index * 10;
    // Names that compress no better.
    const queues = Array.from({ length: 20 }, (_, place) =>
      aQueue(`q${place}-${Math.sin(at + place)}`, { size: index })
    );
    const reading = {
      snapshot: aSnapshot({ at, queues: listed(...queues) }),
      missed: null,
      notices: [],
      historyFile: true,
    };
    recordings.add({ reading, beside: null }, () => ({}), 10);
    if (index % 25 === 0) {
      await recordings.settled();
    }
  }
  await recordings.settled();
}

test('two processes that record into one file keep it within its bytes, and each sees what the other has written', async () => {
  const path = join(folder, 'history.db');
  const one = await open(path);
  await record(one.recordings, NOW, 50);
  const other = await open(path);
  await record(other.recordings, NOW + 500, 300);
  await record(one.recordings, NOW + 3500, 600);
  // A bound of one block more: the file is brought within it when the next one begins.
  expect(one.blocks.bytes).toBeLessThan(BOUND + 4000);
  expect(one.blocks.all.map(({ id }) => id)).toEqual(other.blocks.all.map(({ id }) => id));
  expect(one.blocks.bytes).toBe(other.blocks.bytes);
  for (const { id } of one.blocks.all) {
    expect(other.blocks.read(id).body.length).toBeGreaterThan(0);
  }
});

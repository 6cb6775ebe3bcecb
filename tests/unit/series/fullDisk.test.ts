import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test, vi } from 'vitest';
import { FileBlockStore } from '../../../pkg/series/fileBlockStore';

const disk = vi.hoisted(() => ({ room: Infinity }));
vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof import('node:fs')>();
  return {
    ...fs,
    // As write(2): of what a nearly full disk has no room for, a part is taken; without any room it fails.
    writeSync(file: number, bytes: Buffer, offset = 0, length = bytes.length, position: number | null = null): number {
      if (disk.room === 0) {
        throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
      }
      const taken = Math.min(disk.room, length);
      disk.room -= taken;
      return fs.writeSync(file, bytes, offset, taken, position);
    },
  };
});

const directory = mkdtempSync(join(tmpdir(), 'jobwatch-disk-'));
afterAll(() => rmSync(directory, { recursive: true }));
beforeEach(() => {
  disk.room = Infinity;
});

const block = (from: number) => ({
  from,
  to: from + 9,
  readings: 1,
  paceSeconds: 10,
  body: Buffer.alloc(100, from),
  minutes: Buffer.alloc(50, from),
});

test('a recording for whose last block the disk has no room ends with the one before', () => {
  const path = join(directory, 'b.rec');
  const file = FileBlockStore.create(path);
  file.add(block(10));
  const { size } = statSync(path);
  disk.room = 60;
  expect(() => file.add(block(20))).toThrow('ENOSPC');
  file.close();
  expect(statSync(path).size).toBe(size);
});

test('a block for which the disk has no room is refused, and the next one lies behind the last whole one', () => {
  const path = join(directory, 'a.rec');
  const file = FileBlockStore.create(path);
  file.add(block(10));
  disk.room = 60;
  expect(() => file.add(block(20))).toThrow('ENOSPC');
  disk.room = Infinity;
  file.add(block(30));
  file.close();
  const read = FileBlockStore.open(path);
  expect(read.all.map(({ from }) => from)).toEqual([10, 30]);
  expect(Buffer.from(read.read(2).body)).toEqual(block(30).body);
  expect(read.cut).toBe(false);
  read.close();
});

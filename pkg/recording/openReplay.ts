import { closeSync, openSync, readSync } from 'node:fs';
import { basename } from 'node:path';
import { FileBlockStore } from '../series/fileBlockStore';
import { isOpenHere } from '../series/sqliteDatabase';
import { openSqliteBlocks } from '../series/sqliteStore';
import { timeOf, type BlockStore } from '../series/blockStore';
import type { Options } from '../settings/model';
import { Replay, type ReplayTime } from './replay';
import { ShiftedBlocks } from './shift';

/** How a SQLite file begins (https://sqlite.org/fileformat.html). */
const SQLITE = 'SQLite format 3\0';

/** The recorded readings of a recording or of a history file. @throws Fault `settings` where it is neither */
export async function openBlocks(path: string): Promise<BlockStore & { close(): void }> {
  return isOpenHere(path) || begins(path, SQLITE) ? openSqliteBlocks(path) : FileBlockStore.open(path);
}

/**
 * A recording or a history file as a source, with its own times or, shifted, as if it ended now.
 *
 * @throws Fault `settings` where it cannot be read or is empty
 */
export async function openReplay(
  path: string,
  options: Options,
  time: ReplayTime & { shift?: boolean }
): Promise<{ source: Replay; close(): void }> {
  const recorded = await openBlocks(path);
  const end = timeOf(recorded.all)?.to ?? 0;
  const blocks = time.shift ? new ShiftedBlocks(recorded, Date.now() / 1000 - end) : recorded;
  try {
    return { source: new Replay(basename(path), blocks, options, time), close: () => blocks.close() };
  } catch (error) {
    blocks.close();
    throw error;
  }
}

function begins(path: string, text: string): boolean {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch {
    // Whoever opens it says why it cannot be read.
    return false;
  }
  try {
    const bytes = Buffer.alloc(text.length);
    readSync(file, bytes, 0, bytes.length, 0);
    return bytes.toString('latin1') === text;
  } finally {
    closeSync(file);
  }
}

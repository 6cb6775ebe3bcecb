import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { bunExecutable } from '../../scripts/bun';

/**
 * A program that closes a history file which nobody else seems to have locked takes its -wal away; what is written to that
 * afterwards is lost, or destroys the file (https://sqlite.org/howtocorrupt.html, 2.2). The kernel says what is locked.
 */
test.skipIf(process.platform !== 'linux')(
  'a history file that is opened twice stays locked, and nothing of it stays open',
  () => {
    const directory = mkdtempSync(join(tmpdir(), 'jobwatch-lock-'));
    const script = join(__dirname, '../support/historyLock.ts');
    const out = execFileSync(bunExecutable(), [script, join(directory, 'history.db')], { encoding: 'utf8' });
    rmSync(directory, { recursive: true });
    const { held, descriptors } = JSON.parse(out) as { held: number[]; descriptors: number };
    const [first] = held;
    expect(first).toBeGreaterThan(0);
    expect(held).toEqual([first, first, first, first, first]);
    expect(descriptors).toBe(0);
  }
);

import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { Fault } from '../faults/fault';
import { log } from '../log';

const savedSchema = z.array(z.object({ installation: z.string(), receiver: z.string(), state: z.unknown() }));
type Saved = z.infer<typeof savedSchema>;

/**
 * What notifiers keep over a restart, in one JSON file by installation and receiver; in memory where no file is named.
 * Each change is written to a file beside it that takes its place, so that an end halfway leaves the former one whole.
 * What another process has saved of other receivers meanwhile is kept; two that tell the same receivers each have their own.
 */
export class NotificationStore {
  /** By installation and receiver, as JSON. */
  private readonly saved: Map<string, { json: string; state: unknown }>;
  /** Of the file beside: during a rolling restart two processes write, which may have the same number in their containers. */
  private readonly name = randomBytes(4).toString('hex');
  /** Those that this process tells. */
  private readonly own = new Set<string>();
  private failing = false;

  /** @throws Fault `settings` where the file cannot be read or written */
  constructor(private readonly file: string | undefined) {
    const saved = file === undefined ? [] : read(file);
    if (!saved) {
      throw new Fault({
        kind: 'settings',
        message: `The file of notifications ${file} holds something else.`,
        remedy: 'Name another file in "notifications.stateFile", or remove this one.',
      });
    }
    this.saved = new Map(saved.map((each) => [keyOf(each.installation, each.receiver), entryOf(each)]));
    if (file !== undefined) {
      try {
        this.write(file);
      } catch (error) {
        throw refused(file, 'written', error);
      }
    }
  }

  load(installation: string, receiver: string): unknown {
    const key = keyOf(installation, receiver);
    if (this.file !== undefined) {
      try {
        this.takeOver(this.file);
      } catch {
        // The next save says so.
      }
    }
    this.own.add(key);
    return this.saved.get(key)?.state ?? null;
  }

  /** A file that cannot be written is told once; it is tried again with the next change. */
  save(installation: string, receiver: string, state: unknown): void {
    const key = keyOf(installation, receiver);
    this.own.add(key);
    this.saved.set(key, entryOf({ installation, receiver, state }));
    if (this.file === undefined) {
      return;
    }
    try {
      this.takeOver(this.file);
      this.write(this.file);
      this.failing = false;
    } catch (error) {
      if (!this.failing) {
        log('error', 'notifications cannot be saved; a restart would forget them', {
          file: this.file,
          reason: codeOf(error),
        });
      }
      this.failing = true;
    }
  }

  /** What is not told by this process is as the file has it. One that was damaged meanwhile is written anew. */
  private takeOver(file: string): void {
    for (const each of read(file) ?? []) {
      const key = keyOf(each.installation, each.receiver);
      if (!this.own.has(key)) {
        this.saved.set(key, entryOf(each));
      }
    }
  }

  private write(file: string): void {
    const beside = `${file}.${this.name}.new`;
    try {
      writeFileSync(beside, `[${[...this.saved.values()].map(({ json }) => json).join(',\n')}]`, { mode: 0o600 });
      renameSync(beside, file);
    } catch (error) {
      rmSync(beside, { force: true });
      throw error;
    }
  }
}

/** @returns `null` where the file holds something else; @throws Fault `settings` where it cannot be read */
function read(file: string): Saved | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') {
      return [];
    }
    throw refused(file, 'read', error);
  }
  try {
    return savedSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

function refused(file: string, how: string, error: unknown): Fault {
  return new Fault({
    kind: 'settings',
    message: `The file of notifications ${file} cannot be ${how}: ${codeOf(error)}.`,
    remedy: 'Check the path in "notifications.stateFile" and its permissions.',
    cause: error,
  });
}

/** Each is written as JSON once, whoever else has something to save. */
function entryOf(each: Saved[number]): { json: string; state: unknown } {
  return { json: JSON.stringify(each), state: each.state };
}

function keyOf(installation: string, receiver: string): string {
  return `${installation}\0${receiver}`;
}

function codeOf(error: unknown): string {
  const cause = error instanceof Fault ? error.cause : error;
  return (cause as NodeJS.ErrnoException | undefined)?.code ?? 'unknown error';
}

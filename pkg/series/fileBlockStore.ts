import { closeSync, constants, fstatSync, ftruncateSync, openSync, readSync, writeSync } from 'node:fs';
import { z } from 'zod';
import { Fault } from '../faults/fault';
import { checksumOf, sound, type Block, type BlockSpan, type BlockStore, type StoredBlock } from './blockStore';

/** How a recording begins: its name in ASCII, and the version of the format. */
const MAGIC = Buffer.from('JOBWATCH RECORDING 1\n');
const NEWER = /^JOBWATCH RECORDING \d+/;
/** A header has some 100 bytes, a body some megabytes; more is damage, or meant to take memory. */
const MOST_HEADER = 4096;
const MOST_PART = 256 * 1024 * 1024;

const MOST_READINGS = 10_000;
/** Epoch seconds; a date cannot be made of much more. */
const instant = z.number().min(0).max(1e11);

const headerSchema = z.object({
  from: instant,
  to: instant,
  readings: z.number().int().positive().max(MOST_READINGS),
  paceSeconds: z.number().positive(),
  body: z.number().int().nonnegative().max(MOST_PART),
  minutes: z.number().int().nonnegative().max(MOST_PART),
  /** Of {@link checksumOf}; recordings of earlier versions have none. */
  crc: z.number().int().nullable().default(null),
});

/** @returns `null` for one that is damaged */
function headerOf(text: string): z.output<typeof headerSchema> | null {
  try {
    return headerSchema.parse(JSON.parse(text));
  } catch {
    return null;
  }
}

interface Placed extends StoredBlock {
  offset: number;
  body: number;
  minutes: number;
  crc: number | null;
}

/**
 * A recording that can be handed to others: one file to which blocks are appended. A block is the length of its header (32
 * bits, little endian), the header as JSON, its body and its minutes. A file that ends within a block, as after a kill, is
 * read up to that block.
 */
export class FileBlockStore implements BlockStore {
  private readonly index = new Map<number, Placed>();
  private end: number;
  bytes = 0;
  /** The file ends within a block, or is damaged from some block on. */
  readonly cut: boolean;

  private constructor(private readonly file: number) {
    this.end = MAGIC.length;
    this.cut = this.readIndex(fstatSync(file).size);
  }

  /** Makes a new recording. @throws Fault `settings` where the file exists or cannot be written */
  static create(path: string): FileBlockStore {
    try {
      const file = openSync(path, constants.O_RDWR | constants.O_CREAT | constants.O_EXCL, 0o600);
      writeSync(file, MAGIC);
      return new FileBlockStore(file);
    } catch (error) {
      const exists = (error as NodeJS.ErrnoException).code === 'EEXIST';
      throw new Fault({
        kind: 'settings',
        message: `The recording "${path}" cannot be made: ${exists ? 'the file exists' : (error as Error).message}.`,
        remedy: exists ? 'Name another file, or remove it.' : 'Check that its folder exists and can be written.',
        cause: error,
      });
    }
  }

  /** Opens a recording to read it. @throws Fault `settings` where it is none */
  static open(path: string): FileBlockStore {
    let file: number | undefined;
    try {
      file = openSync(path, 'r');
      const begin = Buffer.alloc(MAGIC.length);
      readSync(file, begin, 0, begin.length, 0);
      if (!begin.equals(MAGIC)) {
        const isNewer = NEWER.test(begin.toString('latin1'));
        throw new Error(
          isNewer ? 'it was made by a newer version of Jobwatch, which reads it' : 'it is no recording of Jobwatch'
        );
      }
      return new FileBlockStore(file);
    } catch (error) {
      if (file !== undefined) {
        closeSync(file);
      }
      throw new Fault({
        kind: 'settings',
        message: `The recording "${path}" cannot be read: ${(error as Error).message}.`,
        remedy: 'Give a file that "gpx_sidekiq record" has written, or a history file.',
        cause: error,
      });
    }
  }

  get all(): readonly StoredBlock[] {
    return [...this.index.values()];
  }

  add(block: Block): void {
    const { from, to, readings, paceSeconds, body, minutes } = block;
    const span = { from, to, readings, paceSeconds };
    const crc = checksumOf(block);
    const header = Buffer.from(JSON.stringify({ ...span, body: body.length, minutes: minutes.length, crc }));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(header.length);
    const whole = Buffer.concat([length, header, body, minutes]);
    try {
      this.write(whole);
    } catch (error) {
      // The next block begins where this one would have.
      ftruncateSync(this.file, this.end);
      throw error;
    }
    this.know({ ...span, body: body.length, minutes: minutes.length, crc }, this.end + 4 + header.length);
  }

  /** A disk that is nearly full takes less than it is given, and says so only by the count. */
  private write(bytes: Buffer): void {
    let done = 0;
    while (done < bytes.length) {
      const taken = writeSync(this.file, bytes, done, bytes.length - done, this.end + done);
      if (taken === 0) {
        throw new Error('the disk takes nothing more');
      }
      done += taken;
    }
  }

  read(id: number): Pick<Block, 'body' | 'minutes'> {
    const { offset, body, minutes, crc, ...span } = this.index.get(id)!;
    const bytes = { body: this.bytesAt(offset, body), minutes: this.bytesAt(offset + body, minutes) };
    return sound({ ...span, ...bytes }, crc);
  }

  /** What is handed out is not thinned. */
  replace(): void {
    throw new Error('a recording is only appended to');
  }

  remove(): void {
    throw new Error('a recording is only appended to');
  }

  close(): void {
    closeSync(this.file);
  }

  /** @returns whether the file ends within a block */
  private readIndex(size: number): boolean {
    while (this.end < size) {
      const length = size - this.end < 4 ? Infinity : this.bytesAt(this.end, 4).readUInt32LE();
      // Zeros: the file was made longer, and what was to stand there never came, as after a loss of power.
      if (length === 0 || length > Math.min(MOST_HEADER, size - this.end - 4)) {
        return true;
      }
      const header = this.bytesAt(this.end + 4, length).toString('utf8');
      if (header.includes('\0')) {
        return true;
      }
      const read = headerOf(header);
      if (!read) {
        // What lies before can be read all the same.
        if (this.index.size > 0) {
          return true;
        }
        throw new Error('the header of its first block is damaged');
      }
      if (this.end + 4 + length + read.body + read.minutes > size) {
        return true;
      }
      this.know(read, this.end + 4 + length);
    }
    return false;
  }

  private know(header: BlockSpan & Pick<Placed, 'body' | 'minutes' | 'crc'>, offset: number): void {
    const id = this.index.size + 1;
    const bytes = header.body + header.minutes;
    this.index.set(id, { ...header, id, bytes, offset });
    this.bytes += bytes;
    this.end = offset + bytes;
  }

  private bytesAt(offset: number, length: number): Buffer {
    const bytes = Buffer.alloc(length);
    readSync(this.file, bytes, 0, length, offset);
    return bytes;
  }
}

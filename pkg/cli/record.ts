import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { log } from '../log';
import { hashedNames, type HashedNames } from '../recording/hashNames';
import { openBlocks } from '../recording/openReplay';
import { FileBlockStore } from '../series/fileBlockStore';
import { timeOf, type Block, type BlockStore } from '../series/blockStore';
import type { Settings } from '../settings/settings';
import { instantText, parseTime } from '../source/instants';

/** Flags of the command, as commander reads them. */
export interface RecordFlags {
  out: string;
  for?: number;
  in?: string;
  from?: string;
  to?: string;
  hashNames?: boolean;
}

/**
 * Writes a recording: of what is read from now on, until SIGINT or SIGTERM or for some seconds, or a piece of a history
 * file.
 *
 * @throws Fault
 */
export async function record(settings: () => Settings, flags: RecordFlags): Promise<void> {
  if (flags.in === undefined) {
    if (flags.from !== undefined || flags.to !== undefined) {
      throw new Fault({
        kind: 'query',
        message: 'The flags --from and --to cut a piece out of a file.',
        remedy: 'Name the file with --in, or use --for to record from now on.',
      });
    }
    await recordNow(settings(), flags);
  } else {
    await cut({ ...flags, in: flags.in });
  }
}

async function recordNow(settings: Settings, flags: RecordFlags): Promise<void> {
  const ended = new Promise<void>((resolve) => {
    process.once('SIGTERM', resolve);
    process.once('SIGINT', resolve);
    if (flags.for !== undefined) {
      setTimeout(resolve, flags.for * 1000);
    }
  });
  const file = FileBlockStore.create(flags.out);
  const store = new WrittenBlocks(file, flags.hashNames ? hashedNames() : undefined);
  const options = { ...settings.options, recordHours: 1, samplerEnabled: true, historyFile: '' };
  const installation = new Installation({ ...settings, options }, { blocks: store });
  installation.startSampling();
  try {
    await installation.state();
    log('info', 'recording', { source: installation.address, out: flags.out });
    await ended;
  } finally {
    installation.close();
    await store.settled();
    file.close();
  }
  if (store.failure) {
    throw notWritten(flags.out, store.failure);
  }
  log('info', 'recorded', { out: flags.out, bytes: file.bytes });
}

/** Appends blocks one after the other, with their names hashed where that is asked. One that fails is tried with the next. */
class WrittenBlocks implements BlockStore {
  readonly all = [];
  readonly bytes = 0;
  /** Why the oldest block that is left could not be written. */
  failure: Error | undefined;
  private readonly left: Block[] = [];
  private work: Promise<void> = Promise.resolve();

  constructor(
    private readonly file: FileBlockStore,
    private readonly names: HashedNames | undefined
  ) {}

  add(block: Block): void {
    this.left.push(block);
    this.work = this.work.then(async () => this.write());
  }

  async settled(): Promise<void> {
    await this.work;
  }

  /** Nothing is read of a recording that is made. */
  read(): never {
    throw new Error('a recording that is made is only appended to');
  }

  replace(): void {
    this.read();
  }

  remove(): void {
    this.read();
  }

  private async write(): Promise<void> {
    try {
      for (let block = this.left[0]; block; block = this.left[0]) {
        this.file.add(this.names ? await this.names.block(block) : block);
        this.left.shift();
      }
      this.failure = undefined;
    } catch (error) {
      if (!this.failure) {
        log('error', 'the recording cannot be written', { error: String(error) });
      }
      this.failure = error as Error;
    }
  }
}

function notWritten(out: string, cause: Error): Fault {
  return new Fault({
    kind: 'settings',
    message: `The recording "${out}" could not be written to its end: ${cause.message}.`,
    remedy: 'Make room on the disk and record again. What the file holds until then can be read.',
    cause,
  });
}

async function cut(flags: RecordFlags & { in: string }): Promise<void> {
  const source = await openBlocks(flags.in);
  try {
    const { all } = source;
    // Blocks of several processes, and of a clock that was set, lie in the order in which they were written.
    const time = timeOf(all);
    if (!time) {
      throw new Fault({
        kind: 'settings',
        message: `"${flags.in}" holds no recorded reading.`,
        remedy: 'Give a history file of a data source that records ("recordDays").',
      });
    }
    const to = flags.to === undefined ? time.to : parseTime('--to', flags.to, time.to);
    const from = flags.from === undefined ? time.from : parseTime('--from', flags.from, to);
    const wanted = all.filter((block) => block.to >= from && block.from <= to);
    const piece = timeOf(wanted);
    if (!piece) {
      throw new Fault({
        kind: 'query',
        message: `Nothing was recorded between ${instantText(from)} and ${instantText(to)}.`,
        remedy: `The file holds readings from ${instantText(time.from)} to ${instantText(time.to)}.`,
      });
    }
    const file = FileBlockStore.create(flags.out);
    const names = flags.hashNames ? hashedNames() : undefined;
    try {
      for (const { id, bytes: _, ...span } of wanted) {
        const block = { ...span, ...source.read(id) };
        file.add(names ? await names.block(block) : block);
      }
    } catch (error) {
      throw notWritten(flags.out, error as Error);
    } finally {
      file.close();
    }
    process.stdout.write(
      `${flags.out}: ${wanted.reduce((sum, { readings }) => sum + readings, 0)} readings from ${instantText(piece.from)} to ${instantText(piece.to)}, ${file.bytes} bytes\n`
    );
  } finally {
    source.close();
  }
}

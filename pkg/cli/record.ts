import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { log } from '../log';
import { hashedNames } from '../recording/hashNames';
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
  const names = flags.hashNames ? hashedNames() : undefined;
  const blocks: Block[] = [];
  const store: BlockStore = names ? collecting(blocks) : file;
  const options = { ...settings.options, recordHours: 1, samplerEnabled: true, historyFile: '' };
  const installation = new Installation({ ...settings, options }, { blocks: store });
  installation.startSampling();
  try {
    await installation.state();
    log('info', 'recording', { source: installation.address, out: flags.out });
    await ended;
  } finally {
    installation.close();
    for (const block of names ? blocks : []) {
      file.add(await names!.block(block));
    }
    file.close();
  }
  log('info', 'recorded', { out: flags.out, bytes: file.bytes });
}

/** Holds blocks until their names are hashed: a name is known only when it was seen. */
function collecting(blocks: Block[]): BlockStore {
  return {
    all: [],
    bytes: 0,
    add: (block) => blocks.push(block),
    read: (id) => blocks[id]!,
    replace: () => undefined,
    remove: () => undefined,
  };
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

import { promisify } from 'node:util';
import { brotliCompress, brotliCompressSync, brotliDecompress, constants } from 'node:zlib';
import { z } from 'zod';
import { log } from '../log';
import { isTooDeep } from '../sidekiq/json';
import {
  durationsCodec,
  knownOf,
  minutesByStart,
  minutesCodec,
  NOTHING_KNOWN,
  type Known,
} from '../sidekiq/snapshotCodec';
import type { Durations, MinuteCounts } from '../sidekiq/jobMetrics';
import type { Block } from '../series/blockStore';
import { Turns } from '../turns';
import { Watch, type Beside } from '../watch/watch';
import type { State } from '../watch/state';
import { besideCodec, readBesideOf, type BesideReads } from './besideReads';
import { decodeReading, encodeReading, type Recorded } from './recordedReading';

/** What the fold remembered before the first reading of a block. */
export interface Keyframe {
  /** Of {@link Watch.save}. */
  readonly watch: unknown;
  readonly minutes: readonly MinuteCounts[];
  readonly beside: BesideReads | null;
}

/** A minute of executions that does not change any more. */
export interface FinalMinute {
  readonly minute: MinuteCounts;
  /** Of its classes, where they were read. */
  readonly durations: readonly Durations[];
}

/** A state of the past with what was read beside it. */
export interface Past {
  readonly state: State;
  readonly beside: BesideReads | null;
}

/** Of the lines of a block; one of a newer version is refused. */
export const BLOCK_VERSION = 1;
/** Readings of a block end at 8 MiB of text, beside its keyframe; a file of somebody else may claim more. */
export const MOST_BYTES = 64 * 1024 * 1024;
/** A block has 20 readings, and one of an earlier version no more than some hundred. */
const MOST_LINES = 1000;
const quality = (value: number) => ({ params: { [constants.BROTLI_PARAM_QUALITY]: value } });
/** A tenth smaller than at 5, for a thousandth of a core. */
const FAST = quality(9);
/** Another seventh smaller, for eight times as long: half a second of another thread for 1.5 MB of text. */
const SMALL = quality(10);
/** Longer texts would take seconds. */
const MOST_SMALL = 2 * 1024 * 1024;

const compress = promisify(brotliCompress);
const decompress = promisify(brotliDecompress);

const keyframeSchema = z.object({
  version: z.number().max(BLOCK_VERSION, 'the recording was made by a newer version of Jobwatch'),
  watch: z.unknown(),
  minutes: z.unknown(),
  beside: z.unknown(),
});

export function encodeKeyframe({ watch, minutes, beside }: Keyframe): string {
  return JSON.stringify({
    version: BLOCK_VERSION,
    watch,
    minutes: minutesCodec.encode(minutes),
    beside: beside && besideCodec.encode(beside),
  });
}

function decodeKeyframe(line: string): Keyframe {
  const { watch, minutes, beside } = keyframeSchema.parse(JSON.parse(line));
  return {
    watch,
    minutes: minutesCodec.decode(minutes),
    beside: beside == null ? null : besideCodec.decode(beside),
  };
}

/** A block can be read alone: what its first reading may leave out stands in its keyframe. */
export function knownBefore({ minutes }: Pick<Keyframe, 'minutes'>): Known {
  return { ...NOTHING_KNOWN, minutes: minutesByStart(minutes) };
}

/** Compresses beside the event loop. */
export async function compressed(text: string): Promise<Uint8Array> {
  return compress(text, text.length > MOST_SMALL ? FAST : SMALL);
}

/** Compresses at once, for the end of the process. */
export function compressedNow(text: string): Uint8Array {
  return brotliCompressSync(text, FAST);
}

async function textOf(bytes: Uint8Array): Promise<string> {
  const text = (await decompress(bytes, { maxOutputLength: MOST_BYTES })).toString('utf8');
  checkShape(text);
  return text;
}

/** The lines of a block: its keyframe and its readings. @throws Error where it is damaged */
export async function linesOf({ body }: Pick<Block, 'body'>): Promise<string[]> {
  return (await textOf(body)).split('\n');
}

/** @throws Error where the text has more lines, or JSON that is deeper, than what is written */
function checkShape(text: string): void {
  const lines = text.split('\n', MOST_LINES + 1);
  if (lines.length > MOST_LINES || lines.some(isTooDeep)) {
    throw new Error('a block has a shape that is never written');
  }
}

/** A block that cannot be read answers nothing; the others do. */
export async function orBroken<T>(read: () => Promise<T>): Promise<T | null> {
  try {
    return await read();
  } catch (error) {
    tellBroken(error);
    return null;
  }
}

/** Logs that a block is damaged. */
export function tellBroken(error: unknown): void {
  log('warn', 'a block of a recording cannot be read', { error: String(error) });
}

/**
 * Folds the readings of a block up to an instant, and gives the state after each.
 *
 * @param lines of {@link linesOf}
 * @throws Error where the block is damaged
 */
export async function* replay(lines: readonly string[], until: number, beside: Beside): AsyncGenerator<Past, void> {
  const keyframe = decodeKeyframe(lines[0] ?? '');
  const watch = new Watch();
  watch.restore(keyframe.watch);
  const turns = new Turns();
  let known = knownBefore(keyframe);
  let read = keyframe.beside;
  for (const line of lines.slice(1)) {
    const recorded = decodeReading(line, known);
    if (recorded.reading.snapshot.at > until) {
      return;
    }
    known = knownOf(recorded.reading.snapshot);
    read = recorded.beside ?? read;
    yield { state: watch.next({ ...recorded.reading, ...readBesideOf(read) }, beside), beside: read };
    await turns.give();
  }
}

/** The readings of a block at least so many seconds apart, as the lines of a block. */
export async function thinned(lines: readonly string[], paceSeconds: number): Promise<{ lines: string[]; to: number }> {
  const keyframe = decodeKeyframe(lines[0] ?? '');
  const turns = new Turns();
  let before = knownBefore(keyframe);
  let written = before;
  let lastAt = -Infinity;
  const kept = [lines[0]!];
  let beside: BesideReads | null = null;
  for (const line of lines.slice(1)) {
    const recorded: Recorded = decodeReading(line, before);
    const { at } = recorded.reading.snapshot;
    before = knownOf(recorded.reading.snapshot);
    beside = recorded.beside ?? beside;
    // What a longer pause has missed is in no other reading.
    if (at - lastAt >= paceSeconds || recorded.reading.missed) {
      kept.push(encodeReading({ ...recorded, beside }, written));
      written = before;
      beside = null;
      lastAt = at;
    }
    await turns.give();
  }
  return { lines: kept, to: lastAt };
}

const finalSchema = z.object({ minutes: z.unknown(), durations: z.unknown() });

export function encodeFinal(all: readonly FinalMinute[]): string {
  return JSON.stringify({
    minutes: minutesCodec.encode(all.map(({ minute }) => minute)),
    durations: durationsCodec.encode(all.flatMap(({ durations }) => durations)),
  });
}

/** The minutes of a block as JSON. */
export async function finalTextOf({ minutes }: Pick<Block, 'minutes'>): Promise<string> {
  return textOf(minutes);
}

/** @throws Error where the block is damaged */
export async function finalMinutesOf(block: Pick<Block, 'minutes'>): Promise<{
  minutes: readonly MinuteCounts[];
  durations: readonly Durations[];
}> {
  const { minutes, durations } = finalSchema.parse(JSON.parse(await finalTextOf(block)));
  return { minutes: minutesCodec.decode(minutes), durations: durationsCodec.decode(durations) };
}

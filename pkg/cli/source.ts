import { Fault } from '../faults/fault';
import { Installation } from '../installation/installation';
import { openReplay } from '../recording/openReplay';
import type { Settings } from '../settings/settings';
import { parseTime } from '../source/instants';
import type { Source } from '../source/source';

/** Flags of the commands that can answer from a recording, as commander reads them. */
export interface ReplayFlags {
  replay?: string;
  at?: string;
  speed?: number;
  shift?: boolean;
}

/** A source of the command line. */
export interface OpenSource {
  source: Source;
  /** Epoch seconds that are now to the source. */
  now(): number;
  close(): void;
}

/** The recording to answer from, by the flag or the settings. */
export function replayOf({ options }: Settings, { replay }: ReplayFlags): string | undefined {
  return replay ?? (options.replayFile === '' ? undefined : options.replayFile);
}

/** The installation of the settings, or a recording in its place. @throws Fault `settings` */
export async function openSource(settings: Settings, flags: ReplayFlags): Promise<OpenSource> {
  const { at, speed = 0, shift = false } = flags;
  const replay = replayOf(settings, flags);
  if (replay === undefined) {
    if (speed !== 0 || shift) {
      throw new Fault({
        kind: 'query',
        message: 'The flags --speed and --shift belong to --replay.',
        remedy: 'Name a recording with --replay, or leave them out.',
      });
    }
    const installation = new Installation(settings);
    const now = () => (at === undefined ? installation.now() : parseTime('--at', at, installation.now()));
    return { source: installation, now, close: () => installation.close() };
  }
  const { source, close } = await openReplay(replay, settings.options, {
    speed,
    shift,
    ...(at !== undefined && { at: (end: number) => parseTime('--at', at, end) }),
  });
  return { source, now: () => source.now(), close };
}

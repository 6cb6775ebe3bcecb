import { z } from 'zod';
import {
  decodeSnapshot,
  durationsCodec,
  encodeSnapshot,
  minutesCodec,
  noticesCodec,
  type Known,
} from '../sidekiq/snapshotCodec';
import type { Reading } from '../watch/reading';
import { besideCodec, type BesideReads, type OfBeside } from './besideReads';

/** A reading as it is recorded, with what was read beside it, where that was its turn. */
export interface Recorded {
  /** The rest is among what was read beside. */
  readonly reading: Omit<Reading, keyof OfBeside>;
  readonly beside: BesideReads | null;
}

const schema = z.object({
  snapshot: z.unknown(),
  missed: z.object({ minutes: z.unknown(), durations: z.unknown() }).nullable(),
  notices: z.unknown(),
  historyFile: z.boolean().nullable(),
  beside: z.unknown(),
});

/** A reading as one line of JSON. @param known what the reading before has in common with it */
export function encodeReading({ reading, beside }: Recorded, known: Known): string {
  const { snapshot, missed, notices, historyFile } = reading;
  return JSON.stringify({
    snapshot: encodeSnapshot(snapshot, known),
    missed: missed && {
      minutes: minutesCodec.encode(missed.minutes),
      durations: durationsCodec.encode(missed.durations),
    },
    notices: noticesCodec.encode(notices),
    historyFile,
    beside: beside && besideCodec.encode(beside),
  });
}

/** @throws Error for a line that {@link encodeReading} did not give, or that does not follow the reading before */
export function decodeReading(line: string, known: Known): Recorded {
  const { snapshot, missed, notices, historyFile, beside } = schema.parse(JSON.parse(line));
  return {
    reading: {
      snapshot: decodeSnapshot(snapshot, known),
      missed: missed && {
        minutes: minutesCodec.decode(missed.minutes),
        durations: durationsCodec.decode(missed.durations),
      },
      notices: noticesCodec.decode(notices),
      historyFile,
    },
    beside: beside == null ? null : besideCodec.decode(beside),
  };
}

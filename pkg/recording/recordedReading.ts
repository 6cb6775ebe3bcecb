import { z } from 'zod';
import type { MinuteCounts } from '../sidekiq/jobMetrics';
import { durationsCodec, minutesCodec, noticesCodec, snapshotCodec } from '../sidekiq/snapshotCodec';
import type { Reading } from '../watch/reading';
import { besideCodec, type BesideReads } from './besideReads';

/** A reading as it is recorded, with what was read beside it, where that was its turn. */
export interface Recorded {
  /** INFO is among what was read beside. */
  readonly reading: Omit<Reading, 'info'>;
  readonly beside: BesideReads | null;
}

/** The minutes of the reading before, by their beginning: what has not changed is not written again. */
export type KnownMinutes = ReadonlyMap<number, MinuteCounts>;

const schema = z.object({
  snapshot: z.unknown(),
  minutes: z.object({ starts: z.array(z.number()), changed: z.unknown(), whole: z.boolean() }),
  missed: z.object({ minutes: z.unknown(), durations: z.unknown() }).nullable(),
  notices: z.unknown(),
  historyFile: z.boolean().nullable(),
  beside: z.unknown(),
});

/** Minutes by their beginning. */
export function byStart(minutes: readonly MinuteCounts[]): KnownMinutes {
  return new Map(minutes.map((minute) => [minute.startsAt, minute]));
}

/** A reading as one line of JSON. @param before minutes of the reading before */
export function encodeReading({ reading, beside }: Recorded, before: KnownMinutes): string {
  const { snapshot, missed, notices, historyFile } = reading;
  const { items, whole } = snapshot.minutes;
  return JSON.stringify({
    snapshot: snapshotCodec.encode(snapshot),
    minutes: {
      starts: items.map(({ startsAt }) => startsAt),
      // Minutes that are final are the same object from reading to reading.
      changed: minutesCodec.encode(items.filter((minute) => before.get(minute.startsAt) !== minute)),
      whole,
    },
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
export function decodeReading(line: string, before: KnownMinutes): Recorded {
  const { snapshot, minutes, missed, notices, historyFile, beside } = schema.parse(JSON.parse(line));
  const changed = byStart(minutesCodec.decode(minutes.changed));
  const items = minutes.starts.map((startsAt) => {
    const minute = changed.get(startsAt) ?? before.get(startsAt);
    if (!minute) {
      throw new Error(`the minute ${startsAt} is missing`);
    }
    return minute;
  });
  return {
    reading: {
      snapshot: { ...snapshotCodec.decode(snapshot), minutes: { items, whole: minutes.whole } },
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

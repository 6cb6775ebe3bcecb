import { command } from '../redis/readOnlyRedis';
import { noCounts, readHistogram, sumDurations, type ClassCounts } from './jobMetrics';
import { metricKeys } from './keys';
import type { Answer, Reading } from './reading';
import type { Durations } from './snapshot';

/** Histograms read in one snapshot at most: a class has one a minute. */
export const DURATIONS_CAP = 2000;
/** Sidekiq writes counters and histograms of one heartbeat apart, so a changed one is looked at again for so long. */
const SETTLES_SECONDS = 20;

/** A minute that may still change, with what each of the two shapes of its key holds. */
export interface ChangingMinute {
  startsAt: number;
  /** Counts by class of the new shape, then of the old one (see metricKeys). */
  shapes: ReadonlyArray<ReadonlyMap<string, ClassCounts>>;
}

interface Known extends Durations {
  processed: number;
  changedAt: number;
}

/**
 * Reads the durations of the minutes that may still change, class by class, but only where a class ran since it was
 * last read, so that a quiet installation costs nothing.
 */
export class DurationReads {
  private known = new Map<string, Known>();

  /** Adds the commands that are due. @returns what gives the durations once the round trip is done */
  ask(reading: Reading, minutes: readonly ChangingMinute[], now: number): () => Durations[] {
    const next = new Map<string, Known>();
    const asked: Array<{ entry: Known; answers: Array<Answer<number[]>> }> = [];
    let left = DURATIONS_CAP;
    for (const { startsAt, shapes } of minutes) {
      for (const jobClass of new Set(shapes.flatMap((shape) => [...shape.keys()]))) {
        const key = `${startsAt}\0${jobClass}`;
        const processed = shapes.reduce((sum, shape) => sum + (shape.get(jobClass)?.processed ?? 0), 0);
        const before = this.known.get(key);
        const changed = before?.processed !== processed;
        const entry: Known = {
          startsAt,
          jobClass,
          processed,
          changedAt: changed ? now : (before?.changedAt ?? now),
          counts: before?.counts ?? noCounts(),
        };
        next.set(key, entry);
        if (!changed && now - entry.changedAt > SETTLES_SECONDS) {
          continue;
        }
        if (left <= 0) {
          entry.processed = before?.processed ?? 0;
          reading.note('warning', `More than ${DURATIONS_CAP} job durations changed at once; the rest follows later.`);
          continue;
        }
        const keys = [metricKeys.histogram(jobClass, startsAt), metricKeys.oldHistogram(jobClass, startsAt)];
        const answers = keys
          .filter((_, shape) => shapes[shape]?.has(jobClass))
          .map((name) => reading.ask('job durations', { ...command('get', name), binary: true }, readHistogram));
        left -= answers.length;
        asked.push({ entry, answers });
      }
    }
    this.known = next;
    return () => {
      for (const { entry, answers } of asked) {
        const counts = answers.flatMap((answer) => (answer.failed() ? [] : [answer() ?? []]));
        if (counts.length === answers.length) {
          entry.counts = sumDurations(counts);
        }
      }
      return [...next.values()].map(({ startsAt, jobClass, counts }) => ({ startsAt, jobClass, counts }));
    };
  }
}

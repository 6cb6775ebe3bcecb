import type { Durations } from '../sidekiq/jobMetrics';
import { CHANGING_SECONDS } from '../sidekiq/minutes';
import type { Snapshot } from '../sidekiq/snapshot';
import type { Reading } from '../watch/reading';
import type { FinalMinute } from './block';

/** A minute is final when it ended so long ago, and a reading has seen its durations since. */
export const FINAL_SECONDS = CHANGING_SECONDS + 60;

type Missed = Reading['missed'];

/** Tells of each snapshot which minutes of executions have ended for good since the one before. */
export class EndedMinutes {
  /** Durations of the minutes that may still change, as they were last read. */
  private durations = new Map<number, Map<string, Durations>>();
  private finalUntil = -Infinity;

  /**
   * Those minutes, with the durations that were last seen.
   *
   * @param missed what was read beside the snapshot of a pause that was longer than it tells of
   */
  next({ at, minutes, durations }: Pick<Snapshot, 'at' | 'minutes' | 'durations'>, missed: Missed): FinalMinute[] {
    for (const each of [...(missed?.durations ?? []), ...durations]) {
      const ofMinute = this.durations.get(each.startsAt) ?? new Map<string, Durations>();
      this.durations.set(each.startsAt, ofMinute.set(each.jobClass, each));
    }
    const until = at - FINAL_SECONDS;
    if (this.finalUntil > at) {
      // The clock was put back.
      this.finalUntil = -Infinity;
    }
    const found = [...(missed?.minutes ?? []), ...minutes.items]
      .filter(({ startsAt }) => startsAt <= until && startsAt > this.finalUntil)
      .map((minute) => ({ minute, durations: [...(this.durations.get(minute.startsAt)?.values() ?? [])] }));
    this.finalUntil = Math.max(this.finalUntil, ...found.map(({ minute }) => minute.startsAt));
    this.durations = new Map([...this.durations].filter(([startsAt]) => startsAt > until));
    return found;
  }
}

import type { Durations } from '../sidekiq/jobMetrics';
import { CHANGING_SECONDS } from '../sidekiq/minutes';
import type { Snapshot } from '../sidekiq/snapshot';
import type { FinalMinute } from './block';

/** A minute is final when it ended so long ago, and a reading has seen its durations since. */
export const FINAL_SECONDS = CHANGING_SECONDS + 60;

/** Tells of each snapshot which minutes of executions have ended for good since the one before. */
export class EndedMinutes {
  /** Durations of the minutes that may still change, as they were last read. */
  private durations = new Map<number, Map<string, Durations>>();
  private finalUntil = -Infinity;

  /** Those minutes, with the durations that were last seen. */
  next({ at, minutes, durations }: Pick<Snapshot, 'at' | 'minutes' | 'durations'>): FinalMinute[] {
    for (const each of durations) {
      const ofMinute = this.durations.get(each.startsAt) ?? new Map<string, Durations>();
      this.durations.set(each.startsAt, ofMinute.set(each.jobClass, each));
    }
    const until = at - FINAL_SECONDS;
    if (this.finalUntil > at) {
      // The clock was put back.
      this.finalUntil = -Infinity;
    }
    const found = minutes.items
      .filter(({ startsAt }) => startsAt <= until && startsAt > this.finalUntil)
      .map((minute) => ({ minute, durations: [...(this.durations.get(minute.startsAt)?.values() ?? [])] }));
    this.finalUntil = Math.max(this.finalUntil, ...found.map(({ minute }) => minute.startsAt));
    this.durations = new Map([...this.durations].filter(([startsAt]) => startsAt > until));
    return found;
  }
}

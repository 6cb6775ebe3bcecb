import { z } from 'zod';
import { severityRank } from '../findings/rule';
import { findingKey, findingSchema, type FindingLogView, type LoggedFinding } from '../watch/findingLog';
import { isMuted } from './mute';
import type { NotifiedAddress } from './settings';

/** What happened to a finding. `worsened`: its severity has risen since it was told. */
export type Change = 'began' | 'worsened' | 'ended';

/** One thing that is told. Instants are epoch seconds. */
export interface Announcement {
  readonly change: Change;
  /** When it was noticed. */
  readonly at: number;
  readonly finding: LoggedFinding;
}

const announcementSchema = z.object({
  change: z.enum(['began', 'worsened', 'ended']),
  at: z.number(),
  finding: findingSchema,
});
export const announcementsSchema = z.object({
  told: z.array(findingSchema),
  waiting: z.array(announcementSchema),
  dropped: z.number().int().min(0),
});

/** Announcements that wait for their delivery at most. */
const WAITING_KEPT = 5000;
/** After a start some findings need several readings until they are found again. */
const START_SECONDS = 120;
/** While Redis cannot be read, see findings/table.ts. */
const UNREACHABLE = 'unreachable';
/** A finding that comes back within this is the same, see FindingLog. */
const SETTLED_SECONDS = 60;

/**
 * What one receiver was told and what it is to be told: a finding once when it begins, again when its severity rises, and
 * once when it has ended. What is muted is not told; what still goes on when the mute ends is told then, and the end of
 * what was told is told in any case.
 *
 * What waits is bounded: beyond 5,000 the oldest that are not under way are dropped and counted. Instants are of the clock
 * of Redis, as those of findings are.
 */
export class Announcements {
  private told = new Map<string, LoggedFinding>();
  private waiting: Announcement[] = [];
  private droppedCount = 0;
  /** Of what waits, those at the beginning that were handed out for a delivery. */
  private underWay = 0;
  /** When the first state was looked at. */
  private startedAt: number | null = null;
  /** What was told and was not found since the start, with the first reading without it. */
  private readonly missedAt = new Map<string, number>();

  constructor(private readonly address: Pick<NotifiedAddress, 'severity' | 'afterSeconds' | 'mute'>) {}

  /**
   * Takes what is found at an instant.
   *
   * @param isRead false while nothing could be read: `open` is then what is known all the same, and nothing has ended
   * @returns whether there is anything new to tell
   */
  next({ open, ended }: FindingLogView, now: number, isRead = true): boolean {
    const before = this.waiting.length + this.droppedCount;
    const going = new Map(open.map((finding) => [findingKey(finding), finding]));
    if (isRead) {
      this.end(going, ended, now);
    }
    for (const [key, finding] of going) {
      const told = this.told.get(key);
      const worse = told !== undefined && severityRank(finding.severity) < severityRank(told.severity);
      if ((told && !worse) || !this.isTold(finding, now)) {
        continue;
      }
      this.told.set(key, finding);
      this.add({ change: worse ? 'worsened' : 'began', at: now, finding });
    }
    return this.waiting.length + this.droppedCount > before;
  }

  /** What is to be delivered next, oldest first, and how many older ones were dropped. */
  pending(most: number): { announcements: readonly Announcement[]; left: number; dropped: number } {
    const announcements = this.waiting.slice(0, most);
    this.underWay = announcements.length;
    return { announcements, left: this.waiting.length - announcements.length, dropped: this.droppedCount };
  }

  /** The first of what waits have been delivered, and with them the number of those that were dropped. */
  delivered(count: number, dropped: number): void {
    this.waiting.splice(0, count);
    this.underWay = 0;
    this.droppedCount -= dropped;
  }

  save(): z.input<typeof announcementsSchema> {
    return { told: [...this.told.values()], waiting: [...this.waiting], dropped: this.droppedCount };
  }

  /** @throws ZodError for what was not saved by this */
  restore(saved: unknown): void {
    const { told, waiting, dropped } = announcementsSchema.parse(saved);
    this.told = new Map(told.map((finding) => [findingKey(finding), finding]));
    this.waiting = waiting;
    this.droppedCount = dropped;
  }

  /** Tells of what was told and is over. */
  private end(going: ReadonlyMap<string, LoggedFinding>, ended: readonly LoggedFinding[], now: number): void {
    this.startedAt ??= now;
    const starting = Math.abs(now - this.startedAt) < START_SECONDS;
    const gone = [...this.told].filter(([key]) => !going.has(key));
    this.missedAt.forEach((_, key) => going.has(key) && this.missedAt.delete(key));
    const lasts = gone.length === 0 ? new Map<string, LoggedFinding>() : lastByKey(ended);
    for (const [key, told] of gone) {
      const found = lasts.get(key);
      const last = found && (found.endedAt ?? now) >= told.beganAt ? found : undefined;
      const endedAt = last?.endedAt ?? null;
      const missedAt = Math.min(now, this.missedAt.get(key) ?? now);
      this.missedAt.set(key, missedAt);
      // The end of an outage is known at once; it stands in no log. What else is missing may not be found again yet.
      const unsure = starting && told.rule !== UNREACHABLE;
      // What the log calls ended may have ended with the last reading before a gap.
      const isSettled = endedAt === null || (now - endedAt >= SETTLED_SECONDS && now - missedAt >= SETTLED_SECONDS);
      if (unsure || !isSettled) {
        continue;
      }
      this.told.delete(key);
      this.missedAt.delete(key);
      this.add({ change: 'ended', at: now, finding: { ...told, ...last, endedAt: endedAt ?? missedAt } });
    }
  }

  private isTold(finding: LoggedFinding, now: number): boolean {
    const { severity, afterSeconds, mute } = this.address;
    return (
      severityRank(finding.severity) <= severityRank(severity) &&
      now - finding.beganAt >= afterSeconds &&
      !isMuted(mute, finding, now)
    );
  }

  private add(announcement: Announcement): void {
    this.waiting.push(announcement);
    if (this.waiting.length > WAITING_KEPT) {
      const dropped = this.waiting.splice(this.underWay, this.waiting.length - WAITING_KEPT);
      this.droppedCount += dropped.length;
    }
  }
}

/** The last of each rule and subject. */
function lastByKey(ended: readonly LoggedFinding[]): Map<string, LoggedFinding> {
  return new Map(ended.map((finding) => [findingKey(finding), finding]));
}

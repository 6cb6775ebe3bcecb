import { z } from 'zod';
import { SEVERITIES, severityRank, SUBJECT_KINDS, type Severity, type SubjectKind } from '../findings/rule';

/** A finding over time. Instants are epoch seconds. */
export interface LoggedFinding {
  readonly rule: string;
  readonly kind: SubjectKind;
  readonly subject: string;
  /** Once it has ended, that at its worst. */
  readonly severity: Severity;
  /** Its sentence when it was last found; once it has ended, that at its worst. */
  readonly text: string;
  readonly beganAt: number;
  /** Of the first reading without it, or of the last one with it where nobody watched between; `null` while it goes on. */
  readonly endedAt: number | null;
}

/** Findings that go on, and the last that have ended, in the order in which they began or ended. */
export interface FindingLogView {
  readonly open: readonly LoggedFinding[];
  readonly ended: readonly LoggedFinding[];
  /** Of findings that ended before this some are forgotten, those of low severity first; absent where all are known. */
  readonly cutUntil?: number;
}

/** What is found in one state. */
export type FoundNow = Pick<LoggedFinding, 'rule' | 'kind' | 'subject' | 'severity' | 'text'> & {
  readonly since: number | null;
  /** Compares it with itself at other instants, the worse the larger. */
  readonly weight: number;
};

/** A finding that is missing for less is the same when it comes back. */
const ENDS_AFTER_SECONDS = 60;
/** After so long without readings, and so many times the step before, it is not known when a finding ended. */
const UNWATCHED_SECONDS = 120;
const STEPS_WATCHED = 3;
const ENDED_KEPT = 500;
/** What ended within this is kept beyond those, so that whoever looks now and then hears of each end. */
const ENDED_SECONDS = 300;
/** What ended a week ago is forgotten first, whatever its severity. */
const STALE_SECONDS = 7 * 86_400;
const OPEN_KEPT = 2000;
const ENDED_MOST = 2 * OPEN_KEPT;
const TEXT_KEPT = 200;

const worstSchema = z.object({ severity: z.enum(SEVERITIES), text: z.string(), weight: z.number() });
type Worst = Readonly<z.output<typeof worstSchema>>;

/** A {@link LoggedFinding} as it is saved. */
export const findingSchema = z.object({
  rule: z.string(),
  kind: z.enum(SUBJECT_KINDS),
  subject: z.string(),
  severity: z.enum(SEVERITIES),
  text: z.string(),
  beganAt: z.number(),
  endedAt: z.number().nullable(),
});
const logSchema = z.object({
  open: z.array(
    findingSchema.extend({
      missedAt: z.number().nullable().default(null),
      // Earlier versions did not keep it.
      worst: worstSchema.nullable().default(null),
    })
  ),
  ended: z.array(findingSchema),
  cutUntil: z.number().exactOptional(),
  last: z.object({ at: z.number(), stepSeconds: z.number() }).nullable().default(null),
});

/**
 * @property missedAt of the first reading without it; `null` where the last one had it
 * @property worst what was said of it when it was worst
 */
type OpenFinding = z.output<typeof logSchema>['open'][number];

/**
 * Notices which findings begin and end from state to state. A finding is known by its rule and its subject. Holds 2,000
 * that go on, of more the first that were found; and 500 that have ended, or all of five minutes, 4,000 at most: what
 * ended a week ago is forgotten first, then those of low severity, and of these the first that ended.
 */
export class FindingLog {
  /** Those that go on or are missing for a moment, by rule and subject. */
  private open = new Map<string, OpenFinding>();
  private ended: LoggedFinding[] = [];
  private cutUntil: number | undefined;
  /** The last reading, and how long after the one before it came. */
  private last: z.output<typeof logSchema>['last'] = null;

  /** Takes what is found at an instant, and gives what is known then. */
  next(found: readonly FoundNow[], now: number): FindingLogView {
    this.putBack(now);
    const watchedUntil = this.step(now);
    const missing = new Map(this.open);
    const keyed = [...worstByKey(found)];
    const known = keyed.filter(([key]) => this.open.has(key));
    const others = keyed.filter(([key]) => !this.open.has(key)).slice(0, Math.max(0, OPEN_KEPT - this.open.size));
    // What is known goes on, however many others there are.
    for (const [key, { rule, kind, subject, severity, since, text, weight }] of [...known, ...others]) {
      const before = missing.get(key);
      missing.delete(key);
      // What began before it was noticed has begun then; a later instant tells of what goes on anew within it. Nothing begins
      // in the future: a rule may name an instant of another clock.
      const beganAt = Math.min(before?.beganAt ?? since ?? now, now);
      const told = text.slice(0, TEXT_KEPT);
      const worst = worseOf(before?.worst ?? null, {
        severity,
        text: told,
        weight: Number.isFinite(weight) ? weight : Number.MAX_VALUE,
      });
      this.open.set(key, { rule, kind, subject, severity, text: told, beganAt, endedAt: null, missedAt: null, worst });
    }
    for (const [key, finding] of missing) {
      const over = { ...finding, endedAt: finding.endedAt ?? watchedUntil, missedAt: finding.missedAt ?? now };
      if (now - over.missedAt >= ENDS_AFTER_SECONDS) {
        this.open.delete(key);
        this.ended.push(loggedOf(over));
      } else {
        this.open.set(key, over);
      }
    }
    this.forget(now);
    return this.view();
  }

  /** Takes a reading. @returns until when it was watched what goes on: the last reading before a gap, or this one */
  private step(now: number): number {
    const { at, stepSeconds } = this.last ?? { at: now, stepSeconds: 0 };
    const step = Math.max(0, now - at);
    const isGap = step > Math.max(UNWATCHED_SECONDS, STEPS_WATCHED * stepSeconds);
    // Of readings that go on at a slower pace the second one is none.
    this.last = { at: now, stepSeconds: isGap ? Math.max(stepSeconds, step / STEPS_WATCHED) : step };
    return isGap ? at : now;
  }

  private forget(now: number): void {
    const late = this.ended.findIndex(({ endedAt }) => now - endedAt! < ENDED_SECONDS);
    const lately = late < 0 ? 0 : this.ended.length - late;
    const excess = this.ended.length - Math.min(ENDED_MOST, Math.max(ENDED_KEPT, lately));
    if (excess <= 0) {
      return;
    }
    // What ended lately is told to whoever looks now and then.
    const old = this.ended.slice(0, this.ended.length - Math.min(lately, ENDED_MOST));
    const weightOf = ({ severity, endedAt }: LoggedFinding) =>
      now - endedAt! > STALE_SECONDS ? SEVERITIES.length : severityRank(severity);
    const dropped = new Set(old.sort((one, other) => weightOf(other) - weightOf(one)).slice(0, excess));
    this.ended = this.ended.filter((each) => !dropped.has(each));
    dropped.forEach(({ endedAt }) => (this.cutUntil = Math.max(this.cutUntil ?? endedAt!, endedAt!)));
  }

  /** One that is missing for a moment has ended, as far as is known. */
  view(): FindingLogView {
    const all = [...this.open.values()].map(loggedOf);
    return {
      open: all.filter(({ endedAt }) => endedAt === null),
      ended: [...this.ended, ...all.filter(({ endedAt }) => endedAt !== null)],
      ...(this.cutUntil !== undefined && { cutUntil: this.cutUntil }),
    };
  }

  /** Nothing begins or ends in the future: a clock that was ahead was put back. */
  private putBack(now: number): void {
    // No instant that is known lies after the last reading.
    if (this.last && this.last.at <= now) {
      return;
    }
    const past = <T extends LoggedFinding>(finding: T): T => ({
      ...finding,
      beganAt: Math.min(finding.beganAt, now),
      endedAt: finding.endedAt && Math.min(finding.endedAt, now),
    });
    this.open.forEach((each, key) =>
      this.open.set(key, { ...past(each), missedAt: each.missedAt && Math.min(each.missedAt, now) })
    );
    this.ended = this.ended.map(past);
    this.cutUntil &&= Math.min(this.cutUntil, now);
  }

  /** Nothing was found yet. */
  get isEmpty(): boolean {
    return this.open.size === 0 && this.ended.length === 0;
  }

  save(): unknown {
    return {
      open: [...this.open.values()],
      ended: this.ended,
      last: this.last,
      ...(this.cutUntil !== undefined && { cutUntil: this.cutUntil }),
    };
  }

  restore(saved: unknown): void {
    const { open, ended, cutUntil, last } = logSchema.parse(saved);
    this.open = new Map(open.map((each) => [findingKey(each), each]));
    this.ended = ended;
    this.cutUntil = cutUntil;
    this.last = last;
  }
}

/** A rule may find something several times of one subject, such as two jobs of a class: the worst of them is told. */
function worstByKey(found: readonly FoundNow[]): Map<string, FoundNow> {
  const byKey = new Map<string, FoundNow>();
  for (const each of found) {
    const key = findingKey(each);
    const before = byKey.get(key);
    byKey.set(key, before === undefined || worseOf(before, each) === each ? each : before);
  }
  return byKey;
}

function loggedOf({ missedAt: _, worst, ...finding }: OpenFinding): LoggedFinding {
  return finding.endedAt === null || worst === null
    ? finding
    : { ...finding, severity: worst.severity, text: worst.text };
}

/** The first of two that are as bad. */
function worseOf<W extends Worst>(before: W | null, now: W): W {
  return before !== null &&
    (severityRank(before.severity) - severityRank(now.severity) || now.weight - before.weight) <= 0
    ? before
    : now;
}

/** What tells findings apart. */
export function findingKey({ rule, kind, subject }: Record<'rule' | 'kind' | 'subject', string>): string {
  return `${rule}\0${kind}\0${subject}`;
}

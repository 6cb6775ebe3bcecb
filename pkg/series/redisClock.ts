/** By so much a clock may run apart from another between two readings. */
const STEP_SECONDS = 30;
/** A clock that was put on or back is believed when it has gone on evenly for so long. */
const BELIEVED_SECONDS = 60;
/** By so much the instant by which recordings are dropped runs ahead of time that passes, after a clock was put on. */
const CATCHING_UP = 2;

/** What is recorded so far, by instants of the clock of Redis (epoch seconds). */
export interface Dated {
  newest(): number | null;
  /** Seconds of recorded time after an instant. */
  secondsAfter(at: number): number;
}

/** A step of the clock. Instants are epoch seconds by that clock, after the step. */
export interface ClockStep {
  /** Forward where positive. */
  readonly seconds: number;
  readonly at: number;
  /** Seconds for which it must go on evenly. */
  readonly believedAfter: number;
}

/** What a reading says of the clock. */
export type Followed =
  /** It goes on evenly; `settled` where a step before it was taken back. */
  | { readonly believed: true; readonly settled: boolean; readonly step?: undefined }
  /** A step that is believed as of this reading. */
  | { readonly believed: true; readonly settled: false; readonly step: ClockStep }
  /** A step that is not believed yet; `isNew` with its first reading. */
  | { readonly believed: false; readonly isNew: boolean };

/** An instant by the clock of Redis, and by one that only goes forward (seconds). */
interface Instant {
  at: number;
  elapsed: number;
}

/**
 * Tells whether samples may be dated by the clock of Redis. An instant that does not follow from the last by the time that
 * has passed is of a clock that was set, or of another Redis: until it has gone on evenly nothing is dated by it, and nothing
 * is dropped for its age. A clock that is put right again meanwhile goes on where it was. One that was put back makes
 * samples those of the future, so it is believed once it has gone on for as long as they tell of: no more is lost than won.
 */
export class RedisClock {
  private last: Instant | undefined;
  private doubted: (ClockStep & { sinceElapsed: number }) | undefined;
  private believed = true;
  private aged: Instant | undefined;
  /** The same before a clock was put back: one that is put right again goes on there at once. */
  private before: Instant | undefined;

  constructor(private readonly recorded: Dated) {}

  /** The step that is not believed yet. */
  get step(): ClockStep | undefined {
    return this.doubted;
  }

  /** Whether the last reading may be dated by it. */
  get isBelieved(): boolean {
    return this.believed;
  }

  /**
   * The instant by which recordings are too old, as of the last reading that was believed; `undefined` before the first one.
   * A clock that was put on moves it only with the time that passes, since one that is wrong may be put right in hours.
   */
  get agedBy(): number | undefined {
    return this.aged?.at;
  }

  /** The next reading is held against what is recorded, which may be later than what this process has read. */
  begin(): void {
    this.last = undefined;
    this.doubted = undefined;
  }

  /**
   * Takes note of a reading.
   *
   * @param at epoch seconds by the clock of Redis
   * @param elapsed seconds on a clock that only goes forward
   */
  follow(at: number, elapsed: number): Followed {
    const followed = this.hold({ at, elapsed });
    this.believed = followed.believed;
    if (this.believed) {
      this.age({ at, elapsed });
    }
    return followed;
  }

  private hold({ at, elapsed }: Instant): Followed {
    // What is recorded is asked only where no reading came before.
    const expected = this.last
      ? this.last.at + elapsed - this.last.elapsed
      : Math.max(this.recorded.newest() ?? at, at);
    const seconds = at - expected;
    if (Math.abs(seconds) <= STEP_SECONDS) {
      this.last = { at, elapsed };
      const settled = this.doubted !== undefined;
      this.doubted = undefined;
      return { believed: true, settled };
    }
    const isNew = !this.doubted || Math.abs(seconds - this.doubted.seconds) > STEP_SECONDS;
    const step = isNew ? this.doubt({ at, elapsed }, seconds) : this.doubted!;
    this.last ??= { at: expected, elapsed };
    if (elapsed - step.sinceElapsed < step.believedAfter) {
      return { believed: false, isNew };
    }
    this.last = { at, elapsed };
    this.doubted = undefined;
    return { believed: true, settled: false, step: { ...step, seconds } };
  }

  private doubt({ at, elapsed }: Instant, seconds: number): ClockStep & { sinceElapsed: number } {
    const believedAfter = Math.max(BELIEVED_SECONDS, this.recorded.secondsAfter(at));
    this.doubted = { seconds, at, sinceElapsed: elapsed, believedAfter };
    return this.doubted;
  }

  private age({ at, elapsed }: Instant): void {
    const { aged, before } = this;
    const most = aged ? aged.at + CATCHING_UP * (elapsed - aged.elapsed) : at;
    const again = before ? before.at + elapsed - before.elapsed : -Infinity;
    const isBack = aged !== undefined && at < aged.at - STEP_SECONDS;
    this.before = isBack && aged.at > again ? aged : at < again ? before : undefined;
    this.aged = { at: Math.min(at, Math.max(most, again)), elapsed };
  }
}

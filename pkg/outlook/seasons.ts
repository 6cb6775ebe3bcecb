/** The seasons that work repeats in. */
export type Season = 'week' | 'day';

/** Lengths of the seasons in seconds of local time. */
export const SEASON_SECONDS: Readonly<Record<Season, number>> = { week: 7 * 86_400, day: 86_400 };

/** 1970-01-01 was a Thursday; weeks begin on Monday. */
const SINCE_MONDAY_SECONDS = 3 * 86_400;
const ZONES_KEPT = 20;
const OFFSETS_KEPT = 20_000;
/** Offsets change on the quarter of an hour. */
const QUARTER_SECONDS = 900;

/** The wall clock of a time zone: "nine on a Monday" stays nine when the clocks are put on. */
export class Wall {
  private static readonly known = new Map<string, Wall>();
  private readonly offsets = new Map<number, number>();
  private readonly format: Intl.DateTimeFormat;

  private constructor(timeZone: string) {
    this.format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset', year: 'numeric' });
  }

  /** @param timeZone a name of the IANA database; UTC where it is empty */
  static of(timeZone: string): Wall {
    const known = Wall.known.get(timeZone);
    if (known) {
      return known;
    }
    if (Wall.known.size >= ZONES_KEPT) {
      Wall.known.clear();
    }
    const wall = new Wall(timeZone === '' ? 'UTC' : timeZone);
    Wall.known.set(timeZone, wall);
    return wall;
  }

  /** Seconds of local time since the Monday before 1970. @param at epoch seconds */
  secondsOf(at: number): number {
    return at + this.offsetAt(at) + SINCE_MONDAY_SECONDS;
  }

  private offsetAt(at: number): number {
    const quarter = Math.floor(at / QUARTER_SECONDS);
    const known = this.offsets.get(quarter);
    if (known !== undefined) {
      return known;
    }
    if (this.offsets.size >= OFFSETS_KEPT) {
      this.offsets.clear();
    }
    const offset = parsedOffset(this.format.format(quarter * QUARTER_SECONDS * 1000));
    this.offsets.set(quarter, offset);
    return offset;
  }
}

/** Seconds of `GMT+05:30`, as Intl writes offsets. */
function parsedOffset(text: string): number {
  const [, sign, hours, minutes, seconds] = /GMT(?:([+-])(\d\d):(\d\d)(?::(\d\d))?)?/.exec(text) ?? [];
  const size = Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
  return sign === '-' ? -size : size;
}

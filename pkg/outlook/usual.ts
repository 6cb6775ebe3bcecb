import type { Zone } from '../sidekiq/schedule/zone';
import { Turns } from '../turns';
import { isWeekend, type Season } from './seasons';
import type { Changes } from './sudden';
import type { Slots } from './slots';
import { UsualModel, type Band } from './usualModel';

/** By what the usual is told; `null` while there is less than two days. */
export type Basis = Season | null;

const DAY_SECONDS = 86_400;
/** After so long the hour of the week is told, before that the hour of the day, and before that nothing. */
const WEEKS_SECONDS = 21 * DAY_SECONDS;
const DAYS_SECONDS = 2 * DAY_SECONDS;
/** Less than this share of the time was seen: too little for that season. */
const LEAST_SEEN = 0.5;
/** What is usual for a figure, learnt from its past by {@link UsualModel}, as far as there is enough of it. */
export class Usual {
  /** @param mayRest whether it is not known that work comes at an instant, though it comes at that hour of other days */
  private constructor(
    readonly basis: Basis,
    private readonly model: UsualModel | null,
    private readonly mayRest: (at: number) => boolean = () => false
  ) {}

  /**
   * @param slots of some days or weeks
   * @param zone by whose hours work repeats
   * @param isRate values are events per second, whose spread is known from below
   */
  static async of(slots: Slots, zone: Zone, isRate: boolean, turns = new Turns()): Promise<Usual> {
    for (const season of ['week', 'day'] as const) {
      if (suffices(slots, season)) {
        const model = await UsualModel.of(slots, season, zone, isRate, turns);
        const rests = season === 'day' && !worksOnWeekends(slots, zone);
        return new Usual(season, model, rests ? (at) => isWeekend(zone, at) : undefined);
      }
    }
    return new Usual(null, null);
  }

  /**
   * By how many times the width of the band a value lies above (or, negative, below) it; 0 within. What is usual a slot
   * before or after is usual enough: a batch may begin some minutes late.
   *
   * @param at epoch seconds, within the slot whose mean the value is
   * @param least width of the band at least, so that the first job of a quiet queue is nothing unusual
   */
  deviation(value: number, at: number, least: number): number | null {
    if (!this.model) {
      return null;
    }
    const { seconds } = this.model.slots;
    const near = [at - seconds, at, at + seconds].flatMap((each) => this.at(each) ?? []);
    return deviationOf(near, value, least);
  }

  /** The band of the slot that holds an instant (epoch seconds); `null` where nothing can be said. */
  at(instant: number): Band | null {
    const band = this.model?.at(instant) ?? null;
    return band && this.mayRest(instant) ? { ...band, lower: 0 } : band;
  }

  /** How much a rate changes from slot to slot, until an instant; `null` where that is not told. */
  async changes(until: number, turns = new Turns()): Promise<Changes | null> {
    return (await this.model?.changes(until, turns)) ?? null;
  }

  /** What is sure to come at an instant: 0 on weekends that are not known to be like other days. */
  expectedAt(instant: number): number {
    return this.mayRest(instant) ? 0 : (this.model?.at(instant)?.usual ?? 0);
  }
}

/** Weekends with this share of the work of other days are like them. */
const LIKE_OTHER_DAYS = 0.5;

/** Whether weekends have been seen for a day at least, with about the work of other days. */
function worksOnWeekends({ startsAt, seconds, values }: Slots, zone: Zone): boolean {
  const seen = [0, 0];
  const sums = [0, 0];
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index]!;
    if (!Number.isNaN(value)) {
      const kind = Number(isWeekend(zone, startsAt + index * seconds));
      seen[kind]! += 1;
      sums[kind]! += value;
    }
  }
  const [others, weekends] = sums.map((sum, kind) => sum / Math.max(1, seen[kind]!));
  return seen[1]! * seconds >= DAY_SECONDS && weekends! >= LIKE_OTHER_DAYS * others!;
}

/** The width of a narrow band, as a share of what is usual. */
const LEAST_WIDTH = 0.1;
const ROUNDING = 1e-9;

/** The deviation from the band that is nearest; `null` where there is none. @param least width of a band */
export function deviationOf(bands: readonly Band[], value: number, least: number): number | null {
  const off = bands.map((band) => deviationFrom(band, value, least));
  return off.length === 0 ? null : off.reduce((one, other) => (Math.abs(other) < Math.abs(one) ? other : one));
}

function deviationFrom({ usual, lower, upper }: Band, value: number, least: number): number {
  const width = Math.max(upper - lower, LEAST_WIDTH * usual, least);
  const off = value > upper ? (value - upper) / width : value < lower ? (value - lower) / width : 0;
  // A value on the bound is a hair off by its square root.
  return Math.abs(off) < ROUNDING ? 0 : off;
}

function suffices({ seconds, values }: Slots, season: Season): boolean {
  let first = -1;
  let last = -1;
  let seen = 0;
  for (let index = 0; index < values.length; index += 1) {
    if (!Number.isNaN(values[index]!)) {
      first = first < 0 ? index : first;
      last = index;
      seen += 1;
    }
  }
  const lasted = first < 0 ? 0 : (last - first + 1) * seconds;
  const least = season === 'week' ? WEEKS_SECONDS : DAYS_SECONDS;
  return lasted >= least && seen * seconds >= LEAST_SEEN * lasted;
}

import { quantileSorted } from 'simple-statistics';
import type { Zone } from '../sidekiq/schedule/zone';
import type { Turns } from '../turns';
import { medianOf, MOST_OUTAGES, OUTAGE_SHARE, profileOf, type Profile } from './profile';
import { isWeekend, localSeconds, SEASON_SECONDS, type Season } from './seasons';
import type { Slots } from './slots';
import type { Changes } from './sudden';
import { changesOf } from './usualChanges';

/** What is usual at an instant: 95% of the values lie from `lower` to `upper`. */
export interface Band {
  readonly usual: number;
  readonly lower: number;
  readonly upper: number;
}

/** Share of the values that lie within the band. */
export const BAND_SHARE = 0.95;

const DAY_SECONDS = 86_400;
/** Seconds on both sides of an instant whose values stand for it too: work does not come to the second. */
const SMEAR_SECONDS = 600;
/** Values that lie so many times the usual spread off are no example of what is usual. */
const ANOMALOUS = 8;
/** A burst is usual up to so many times the root of what other seasons had close by. */
const BURST_MARGIN = 1.1;
/** Of a mean that hardly changes: shares and counts are never more exact than this. */
const LEAST_SPREAD = 0.01;
/** So many times what days are usually off is a step. */
const STEP = 4;
const FEWEST_DEVIATIONS = 50;

/** A day of which less was seen tells no level. */
const LEAST_DAY_SHARE = 0.25;

/** By what a day was off, as a logarithm; `undefined` where it was not seen. */
type Level = number | undefined;

/** Where a slot lies: in which season of the past, and where within it. */
interface Place {
  period: number;
  slot: number;
}

/**
 * A profile of a figure by the slots of a season, and the band around it.
 *
 * Values are taken by their square roots, which makes the spread of counts even. Of each slot of the season the median over
 * the other weeks (or days) is the profile, with the trend from one week to the next taken out and the level of the last
 * 24 hours put in. The band holds the middle 95% of what the values of the past were off such a profile that did not know
 * them, by hour of the day, working days and weekends apart. Outages and other anomalies are no part of it. A burst that
 * is over before the median knows it, as a cron makes it, widens the band where the other seasons had one too.
 *
 * A value of the past is compared with the other weeks alone, so that an incident does not explain itself.
 */
export class UsualModel {
  /** By season of the past, square roots of the values by slot, less the trend. */
  private readonly rows = new Map<number, Float64Array>();
  /** By the season that is left out, the medians of the others. */
  private readonly profiles = new Map<number, Profile>();
  private readonly slotsOfSeason: number;
  private readonly endsAt: number;
  private lastPeriod = -Infinity;
  /** Of the roots from one season to the next, as a logarithm. */
  private growth = 0;
  /** By what the days before the end were off, the last first, as logarithms; by kind of day. */
  private levels: [Level[], Level[]] = [[], []];
  /** Spread by hour of the day, of working days and of weekends. */
  private readonly spreads = new Map<number, number>();
  private off: readonly [low: number, high: number] = [0, 0];

  private constructor(
    readonly slots: Slots,
    private readonly season: Season,
    private readonly zone: Zone,
    private readonly isRate: boolean
  ) {
    this.slotsOfSeason = SEASON_SECONDS[season] / slots.seconds;
    this.endsAt = slots.startsAt + slots.values.length * slots.seconds;
  }

  static async of(slots: Slots, season: Season, zone: Zone, isRate: boolean, turns: Turns): Promise<UsualModel> {
    const model = new UsualModel(slots, season, zone, isRate);
    model.fillRows();
    model.takeTrend();
    await turns.give();
    model.profiles.set(Infinity, await model.profileWithout(Infinity, turns));
    const left = model.leaveOutages();
    for (const period of [...(left > 0 ? [Infinity] : []), ...model.rows.keys()]) {
      model.profiles.set(period, await model.profileWithout(period, turns));
    }
    await model.learn(turns);
    return model;
  }

  at(instant: number): Band | null {
    const at = Math.floor(instant / this.slots.seconds) * this.slots.seconds;
    const level = this.levelAt(at);
    const expected = this.profileAt(at) * level;
    if (Number.isNaN(expected)) {
      return null;
    }
    const spread = this.spreadOf(at, expected);
    const root = (value: number) => Math.max(0, value) ** 2;
    const [low, high] = this.off;
    const upper = root(expected + high * spread);
    const peak = this.peakAt(at) * level;
    return {
      usual: root(expected),
      lower: root(expected + low * spread),
      // A peak within the band is chance.
      upper: root(peak) > upper ? root(BURST_MARGIN * peak) : upper,
    };
  }

  /**
   * How the rate changes from slot to slot: over all that was learnt from, and some slots more; `null` of other figures, and of
   * slots in which a sudden change is not told from a slow one.
   *
   * @param until epoch seconds
   */
  async changes(until: number, turns: Turns): Promise<Changes | null> {
    if (!this.isRate || this.slots.seconds > SMEAR_SECONDS) {
      return null;
    }
    const expectedAt = (at: number) => {
      const level = this.levelAt(at);
      const usual = this.profileAt(at) * level;
      // NaN is no peak.
      return { usual, most: Math.max(usual, (this.peakAt(at) || 0) * level) };
    };
    return changesOf(this.slots, until, { expectedAt, groupOf: (at) => this.groupOf(at) }, turns);
  }

  /** The largest root close to a slot that half of the other seasons reached; NaN of fewer than two, and where the median is of one slot. */
  private peakAt(at: number): number {
    const near = Math.floor(SMEAR_SECONDS / this.slots.seconds);
    if (near === 0) {
      return NaN;
    }
    const { period, slot } = this.placeOf(at);
    const peaks: number[] = [];
    for (const [other, row] of this.rows) {
      let peak = -1;
      for (let step = slot - near; step <= slot + near; step += 1) {
        const value = row[(step + this.slotsOfSeason) % this.slotsOfSeason]!;
        // Comparisons with NaN are false.
        peak = value > peak ? value : peak;
      }
      if (other !== period && peak >= 0) {
        peaks.push(peak);
      }
    }
    peaks.sort((a, b) => a - b);
    return peaks.length < 2 ? NaN : peaks[Math.floor((peaks.length - 1) / 2)]! / this.grownSince(period);
  }

  private placeOf(at: number): Place {
    const local = localSeconds(this.zone, at);
    const period = Math.floor(local / SEASON_SECONDS[this.season]);
    return { period, slot: Math.floor((local - period * SEASON_SECONDS[this.season]) / this.slots.seconds) };
  }

  private fillRows(): void {
    const { startsAt, seconds, values } = this.slots;
    for (let index = 0; index < values.length; index += 1) {
      const value = values[index]!;
      if (!Number.isNaN(value)) {
        const { period, slot } = this.placeOf(startsAt + index * seconds);
        const row = this.rows.get(period) ?? new Float64Array(this.slotsOfSeason).fill(NaN);
        row[slot] = Math.sqrt(Math.max(0, value));
        this.rows.set(period, row);
        this.lastPeriod = Math.max(this.lastPeriod, period);
      }
    }
  }

  /** The median growth from one season to the next is put on what came before, so that all is of the last season. */
  private takeTrend(): void {
    const growths: number[] = [];
    for (const [period, row] of this.rows) {
      const next = this.rows.get(period + 1);
      row.forEach((value, slot) => {
        const growth = Math.log((next?.[slot] ?? NaN) / value);
        if (Number.isFinite(growth)) {
          growths.push(growth);
        }
      });
    }
    this.growth = growths.length === 0 ? 0 : medianOf(growths);
    for (const [period, row] of this.rows) {
      const grown = this.grownSince(period);
      this.rows.set(
        period,
        row.map((value) => value * grown)
      );
    }
  }

  /** What lies far below the median of its slot is of an outage, where that is rare. @returns slots that were left out */
  private leaveOutages(): number {
    const profile = this.profiles.get(Infinity)!.roots;
    const isOut = (value: number, slot: number) => value ** 2 < OUTAGE_SHARE * profile[slot]! ** 2;
    const rows = [...this.rows.values()];
    const out = rows.reduce((sum, row) => sum + row.filter(isOut).length, 0);
    if (out > MOST_OUTAGES * this.slots.values.length) {
      return 0;
    }
    rows.forEach((row) =>
      row.forEach((value, slot) => {
        if (isOut(value, slot)) {
          row[slot] = NaN;
        }
      })
    );
    return out;
  }

  /** What all seasons but one tell. */
  private async profileWithout(without: number, turns: Turns): Promise<Profile> {
    const rows = [...this.rows].filter(([period]) => period !== without).map(([, row]) => row);
    return profileOf(rows, this.slotsOfSeason, Math.floor(SMEAR_SECONDS / this.slots.seconds), turns);
  }

  /** Learns levels, spreads and how far off values usually are. */
  private async learn(turns: Turns): Promise<void> {
    const { startsAt, seconds, values } = this.slots;
    const profile = Float64Array.from(values, (_, index) => this.profileAt(startsAt + index * seconds));
    const byDay: [number[][], number[][]] = [[], []];
    for (let index = 0; index < values.length; index += 1) {
      const ratio = values[index]! / profile[index]! ** 2;
      const at = startsAt + index * seconds;
      if (ratio >= OUTAGE_SHARE && Number.isFinite(ratio) && !this.isTorn(at)) {
        (byDay[this.kindOf(at)][this.dayOf(at)] ??= []).push(Math.log(ratio) / 2);
      }
    }
    const least = this.season === 'week' ? 1 : (LEAST_DAY_SHARE * DAY_SECONDS) / seconds;
    const levelOf = (day: number[] | undefined) => (day && day.length >= least ? medianOf(day) : undefined);
    const [all, weekends] = byDay;
    this.levels = [believed(Array.from(all, levelOf)), believed(Array.from(weekends, levelOf))];
    await turns.give();
    const off = Float64Array.from(
      values,
      (value, index) => Math.sqrt(Math.max(0, value)) - profile[index]! * this.levelAt(startsAt + index * seconds)
    );
    const groups = new Map<number, number[]>();
    for (let index = 0; index < values.length; index += 1) {
      const at = startsAt + index * seconds;
      if (!Number.isNaN(off[index]!)) {
        const group = this.groupOf(at);
        const members = groups.get(group) ?? [];
        members.push(Math.abs(off[index]!));
        groups.set(group, members);
      }
    }
    groups.forEach((members, group) => this.spreads.set(group, medianOf(members)));
    await turns.give();
    const relative: number[] = [];
    for (let index = 0; index < values.length; index += 1) {
      if (!Number.isNaN(off[index]!)) {
        const at = startsAt + index * seconds;
        const by = off[index]! / this.spreadOf(at, profile[index]! * this.levelAt(at));
        if (Math.abs(by) <= ANOMALOUS) {
          relative.push(by);
        }
      }
    }
    if (relative.length >= FEWEST_DEVIATIONS) {
      relative.sort((a, b) => a - b);
      const outside = (1 - BAND_SHARE) / 2;
      this.off = [Math.min(0, quantileSorted(relative, outside)), Math.max(0, quantileSorted(relative, 1 - outside))];
    }
  }

  /** The root that is expected of a slot by the seasons other than its own, before its level. */
  private profileAt(at: number): number {
    const { period, slot } = this.placeOf(at);
    return (this.profileOf(period).roots[slot] ?? NaN) / this.grownSince(period);
  }

  private isTorn(at: number): boolean {
    const { period, slot } = this.placeOf(at);
    return this.profileOf(period).torn.has(slot);
  }

  /** That of the seasons other than one; of all where it holds nothing. */
  private profileOf(period: number): Profile {
    return this.profiles.get(period) ?? this.profiles.get(Infinity)!;
  }

  /** By what roots have grown from a season to the last one. */
  private grownSince(period: number): number {
    return Math.exp(this.growth * (this.lastPeriod - period));
  }

  /** Days before the end; the last is 0. */
  private dayOf(at: number): number {
    return Math.floor((this.endsAt - 1 - at) / DAY_SECONDS);
  }

  /**
   * By what the day before was off. Where all days have one profile, by the last day of its kind: a weekend that is quieter
   * tells nothing of Monday.
   */
  private levelAt(at: number): number {
    const before = Math.max(0, this.dayOf(at) + 1);
    const levels = this.levels[this.kindOf(at)];
    const level =
      this.season === 'week' ? levels[before] : levels.find((each, day) => day >= before && each !== undefined);
    return Math.exp(level ?? 0);
  }

  /** Days of one profile are of two kinds, those of weekends the second. */
  private kindOf(at: number): 0 | 1 {
    return this.season === 'day' && isWeekend(this.zone, at) ? 1 : 0;
  }

  private groupOf(at: number): number {
    const hour = Math.floor(localSeconds(this.zone, at) / 3600) % 24;
    return this.season === 'week' && isWeekend(this.zone, at) ? 24 + hour : hour;
  }

  private spreadOf(at: number, expected: number): number {
    // Half the root of a count is the spread of the root of a Poisson count; of the same median as the others.
    const ofCounts = this.isRate ? 0.5 / Math.sqrt(this.slots.seconds) : 0;
    return Math.max(this.spreads.get(this.groupOf(at)) ?? 0, 0.6745 * ofCounts, LEAST_SPREAD * expected, 1e-6);
  }
}

/**
 * By how much of it the level of a day goes on the next day: by that share which has gone on so far, or all of it where it
 * is far beyond what days are usually off, as after a step.
 */
function believed(levels: readonly Level[]): Level[] {
  const known = levels.filter((level) => level !== undefined);
  const usual = known.length === 0 ? 0 : medianOf(known.map(Math.abs));
  const most = STEP * usual;
  const bounded = known.map((level) => Math.min(most, Math.max(-most, level)));
  const pairs = bounded.slice(1).reduce((sum, level, index) => sum + level * bounded[index]!, 0);
  const squares = bounded.slice(1).reduce((sum, level) => sum + level * level, 0);
  const share = squares === 0 ? 0 : Math.min(1, Math.max(0, pairs / squares));
  return levels.map((level) => level && (Math.abs(level) > most ? level : level * share));
}

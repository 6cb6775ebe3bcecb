import { Dice } from '../../pkg/engine/dice';

/** Properties of a simulated series. */
export interface SeriesKind {
  name: string;
  /** Events a second on a working day at its height. */
  peak: number;
  /** Share of the peak that is left at night. */
  night: number;
  /** Share of the peak that is left at weekends. */
  weekend: number;
  /** Growth from one week to the next. */
  trend: number;
  /** Spread of the level around what is usual, beside that of counting. */
  noise: number;
  /** A batch at a minute of each day, as so many times the peak for half an hour. */
  batch: number;
}

export const KINDS: readonly SeriesKind[] = [
  { name: 'office hours', peak: 20, night: 0.1, weekend: 0.2, trend: 0.02, noise: 0.1, batch: 0 },
  { name: 'round the clock', peak: 50, night: 0.7, weekend: 0.9, trend: 0, noise: 0.05, batch: 0 },
  { name: 'nightly batch', peak: 5, night: 0.3, weekend: 0.5, trend: 0.05, noise: 0.15, batch: 3 },
  { name: 'small', peak: 0.3, night: 0.3, weekend: 0.4, trend: 0, noise: 0.2, batch: 0 },
  { name: 'noisy', peak: 10, night: 0.4, weekend: 0.6, trend: -0.03, noise: 0.35, batch: 0 },
];

/** Something out of the usual, at epoch seconds. */
export interface Incident {
  from: number;
  to: number;
  /** What the rate is multiplied by. */
  times: number;
}

export interface MadeSeries {
  kind: SeriesKind;
  startsAt: number;
  seconds: number;
  /** Rate by slot; NaN where nothing was recorded. */
  values: Float64Array;
  /** Whether a slot is of a holiday, an outage or an incident. */
  odd: Uint8Array;
}

const DAY = 86_400;

/**
 * Simulates a series over some weeks: seasons, a trend, a level that varies over hours, counts of a Poisson process, a
 * holiday, two outages, a gap of the recorder, and the given incidents.
 */
export function madeSeries(
  kind: SeriesKind,
  { startsAt, seconds, weeks, seed }: { startsAt: number; seconds: number; weeks: number; seed: number },
  incidents: readonly Incident[] = []
): MadeSeries {
  const dice = new Dice(seed);
  const length = (weeks * 7 * DAY) / seconds;
  const values = new Float64Array(length);
  const odd = new Uint8Array(length);
  const days = weeks * 7;
  const holiday = 2 + Math.floor(dice.between(0, 10));
  const outages = [0, 1].map(() => dice.between(0, days * DAY * 0.7));
  const gap = dice.between(0, days * DAY * 0.7);
  const phase = dice.between(-2, 2);
  // A level that forgets itself within three hours.
  const kept = Math.exp(-seconds / 10_800);
  let level = 0;
  for (let index = 0; index < length; index += 1) {
    const since = index * seconds;
    const at = startsAt + since;
    const hour = (at / 3600) % 24;
    const weekday = (Math.floor(at / DAY) + 3) % 7;
    const daily =
      kind.night + (1 - kind.night) * Math.max(0, Math.cos(((hour - 13 - phase) / 24) * 2 * Math.PI)) ** 0.7;
    const batch = hour >= 3 && hour < 3.5 ? kind.batch : 0;
    const isHoliday = Math.floor(since / DAY) === holiday;
    const weekly = weekday >= 5 || isHoliday ? kind.weekend : 1;
    level = kept * level + Math.sqrt(1 - kept * kept) * dice.normal();
    const noise = Math.exp(kind.noise * level - kind.noise ** 2 / 2);
    const isOut = outages.some((from) => since >= from && since < from + 2400);
    const incident = incidents.find(({ from, to }) => at < to && at + seconds > from);
    const share = incident ? (Math.min(at + seconds, incident.to) - Math.max(at, incident.from)) / seconds : 0;
    const rate =
      kind.peak *
      (daily * weekly + batch) *
      (1 + kind.trend) ** (since / (7 * DAY)) *
      noise *
      (isOut ? 0 : 1) *
      (incident ? 1 + (incident.times - 1) * share : 1);
    values[index] = since >= gap && since < gap + 7200 ? NaN : poisson(rate * seconds, dice) / seconds;
    // What follows an outage is as usual again.
    odd[index] = Number(isHoliday || isOut || incident !== undefined);
  }
  return { kind, startsAt, seconds, values, odd };
}

/** The same in longer slots. */
export function coarser({ values, odd, ...made }: MadeSeries, seconds: number): MadeSeries {
  const each = seconds / made.seconds;
  const length = Math.floor(values.length / each);
  const means = Float64Array.from({ length }, (_, index) => {
    const members = [...values.slice(index * each, (index + 1) * each)].filter((value) => !Number.isNaN(value));
    return members.length === 0 ? NaN : members.reduce((sum, value) => sum + value, 0) / members.length;
  });
  const odds = Uint8Array.from({ length }, (_, index) => Math.max(...odd.slice(index * each, (index + 1) * each)));
  return { ...made, seconds, values: means, odd: odds };
}

/** Large counts by the normal approximation: there are many of them. */
function poisson(mean: number, dice: Dice): number {
  return mean > 60 ? Math.max(0, Math.round(mean + Math.sqrt(mean) * dice.normal())) : dice.count(mean);
}

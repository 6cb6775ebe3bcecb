import { isUnusual } from '../../pkg/findings/usual';
import { isSudden } from '../../pkg/outlook/sudden';
import { Usual } from '../../pkg/outlook/usual';
import { UTC } from '../../pkg/sidekiq/schedule/zone';

const DAY = 86_400;
const MOST_DAYS = 42;

/** A series of which days are held out. */
export interface HeldOutSeries {
  /** Epoch seconds of the first slot. */
  readonly startsAt: number;
  /** Of a slot. */
  readonly seconds: number;
  /** Events per second in each slot; NaN where nothing was counted. */
  readonly values: Float64Array;
  /** 1 for slots that are known to be unusual. */
  readonly odd: Uint8Array;
  /** What errors are compared with, so that those of several series add up. */
  readonly scale: number;
}

/** What the usual band said of days that were held out, without the odd slots. */
export interface Outcome {
  seriesDays: number;
  slots: number;
  inside: number;
  alarms: number;
  errors: number;
  errorsOfLastWeek: number;
}

export function noOutcome(): Outcome {
  return { seriesDays: 0, slots: 0, inside: 0, alarms: 0, errors: 0, errorsOfLastWeek: 0 };
}

/**
 * Learns from what came before a day, and adds to a sum what the band says of that day.
 *
 * @param alarmed told of each odd slot that raises an alarm: its index
 */
export async function holdOut(
  series: HeldOutSeries,
  day: number,
  sum: Outcome,
  alarmed?: (index: number) => void
): Promise<void> {
  const { startsAt, seconds, values, odd, scale } = series;
  const perDay = DAY / seconds;
  const end = day * perDay;
  const usual = await learnt(series, end);
  const alarms = await alarmsOf(series, usual, end + perDay);
  sum.seriesDays += 1;
  for (let index = end; index < end + perDay; index += 1) {
    const at = startsAt + index * seconds;
    const value = values[index]!;
    const before = index - 7 * perDay;
    const band = usual.at(at);
    if (Number.isNaN(value) || !band) {
      continue;
    }
    const isAlarm = alarms(index);
    if (odd[index] === 1) {
      if (isAlarm) {
        alarmed?.(index);
      }
      continue;
    }
    sum.slots += 1;
    sum.inside += Number(value >= band.lower && value <= band.upper);
    sum.alarms += Number(isAlarm);
    if (!Number.isNaN(values[before]!) && odd[before] === 0) {
      sum.errors += Math.abs(value - band.usual) / scale;
      sum.errorsOfLastWeek += Math.abs(value - values[before]!) / scale;
    }
  }
}

/** Whether a slot raises an alarm, as the finding _unusual_ does. @param until no slot from this one on is asked for */
export async function alarmsOf(
  { startsAt, seconds, values }: Pick<HeldOutSeries, 'startsAt' | 'seconds' | 'values'>,
  usual: Usual,
  until: number
): Promise<(index: number) => boolean> {
  const changes = await usual.changes(startsAt + (until + 1) * seconds);
  return (index) => {
    const at = startsAt + index * seconds;
    const deviation = usual.deviation(values[index]!, at, 1 / seconds)!;
    const valueAt = (back: number) => {
      const value = values[index - back] ?? NaN;
      return Number.isNaN(value) ? null : value;
    };
    const slot = changes && Math.round((at - changes.startsAt) / seconds);
    return isUnusual(deviation, changes && isSudden(changes, valueAt, slot!));
  };
}

/** By the six weeks before a slot at most. */
export function learnt(
  { startsAt, seconds, values }: Pick<HeldOutSeries, 'startsAt' | 'seconds' | 'values'>,
  end: number
): Promise<Usual> {
  const begin = Math.max(0, end - (MOST_DAYS * DAY) / seconds);
  return Usual.of({ startsAt: startsAt + begin * seconds, seconds, values: values.slice(begin, end) }, UTC, true);
}

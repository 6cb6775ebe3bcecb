import { Fault } from '../faults/fault';
import { gridOf } from '../series/grid';
import type { Notice } from '../sidekiq/model';
import { instantText, parseTime } from '../source/instants';
import type { Zone } from '../sidekiq/schedule/zone';
import type { Range, Reads } from '../source/reads';

const DAY = 86_400;

/** With what a time range is compared, as a query asks it. */
interface Asked {
  with: 'deploy' | 'instant' | 'day' | 'week';
  at: string;
}

/** Said where the hours of two days are not the same ones throughout. */
export const CLOCKS_CHANGE: Notice = {
  severity: 'info',
  text: 'Clocks change between these times: a part of the hours is set beside those of the clock before or after them.',
};

/** Seconds back to the same time of the day, or of the week, before by the clock of a zone. @param at epoch seconds */
export function secondsBack(at: number, distance: 'day' | 'week', zone: Zone): number {
  const seconds = distance === 'day' ? DAY : 7 * DAY;
  return seconds - (zone.offsetAt(at) - zone.offsetAt(at - seconds));
}

/** Length of the slots that are compared. */
export const SLOT_SECONDS = 300;

/** Where slots begin that lie within a range as a whole. @param seconds length of each */
export function wholeSlots({ from, to }: Range, seconds: number): number[] {
  return gridOf(from, to, seconds).filter((at) => at >= from && at + seconds <= to);
}

/** Two times of equal length; `paired` where they are the same times of other days. */
export interface Stretches {
  before: Range;
  after: Range;
  paired: boolean;
  /** What lies between them, or which day the one before is. */
  compared: string;
  notices: readonly Notice[];
}

/**
 * The two times. `null` without a deploy.
 *
 * @param known `oldest` sample, the seconds on both sides (`leastSeconds`) that a deploy needs to be chosen unasked, and the
 *   time zone by which hours of two days are the same
 * @throws Fault `query` for an instant that is none
 */
export async function stretches(
  query: Asked,
  asked: Range,
  { now, oldest, leastSeconds, zone }: { now: number; oldest: number; leastSeconds: number; zone: Zone },
  reads: Reads
): Promise<Stretches | null> {
  // What is to come is no time after.
  const range = { from: Math.min(asked.from, now), to: Math.min(asked.to, now) };
  if (query.with === 'day' || query.with === 'week') {
    const { with: distance } = query;
    const backFrom = (at: number) => secondsBack(at, distance, zone);
    const back = backFrom(range.to);
    // Before the history there is nothing that would have to be told in longer stretches.
    const from = Math.min(range.to, Math.max(range.from, oldest));
    const stretches = told(
      { from: from - back, to: range.to - back },
      { from, to: range.to },
      true,
      `the ${distance} before`
    );
    return backFrom(from) === back ? stretches : { ...stretches, notices: [...stretches.notices, CLOCKS_CHANGE] };
  }
  const deploy =
    query.with === 'instant'
      ? { at: instantOf(query.at, range), name: '' }
      : await deployOf(query.at.trim(), range, { now, leastSeconds }, reads);
  if (deploy === null) {
    return null;
  }
  const { at, text, name } = deploy;
  const length = Math.min(at - range.from, range.to - at);
  return told({ from: at - length, to: at }, { from: at, to: at + length }, false, `${name}${instantText(at)}`, text);
}

function told(before: Range, after: Range, paired: boolean, compared: string, text?: string): Stretches {
  const rangeOf = ({ from, to }: Range) => `${instantText(from)} to ${instantText(to)}`;
  const times = `Before: ${rangeOf(before)}. After: ${rangeOf(after)}.`;
  const notice: Notice = { severity: 'info', text: text === undefined ? times : `${text} ${times}` };
  return { before, after, paired, compared, notices: [notice] };
}

function instantOf(text: string, { from, to }: Range): number {
  const at = parseTime('"at"', text, NaN);
  if (!(at > from && at < to)) {
    throw new Fault({
      kind: 'query',
      message: `The instant "${text}" does not lie within the time range.`,
      remedy: 'Set "at" to an instant within it, for example 2026-11-27T03:00:00Z.',
    });
  }
  return at;
}

interface Deploy {
  at: number;
  /** Stands before its instant. */
  name: string;
  /** Which one it is. */
  text?: string;
}

/** The last deploy that can be compared, or the one that is named by its label or its instant. */
async function deployOf(
  named: string,
  range: Range,
  { now, leastSeconds }: { now: number; leastSeconds: number },
  reads: Reads
): Promise<Deploy | null> {
  if (named !== '') {
    try {
      return { at: instantOf(named, range), name: '' };
    } catch {
      // It is a label then.
    }
  }
  const { marks } = await reads.deployMarks(range, now);
  const within = marks.filter(({ at }) => at > range.from && at < range.to);
  const meant = within.filter(({ label }) => named === '' || label === named);
  const last = meant.at(-1);
  const comparable = meant.filter(({ at }) => Math.min(at - range.from, range.to - at) >= leastSeconds).at(-1);
  const found = named === '' ? (comparable ?? last) : last;
  if (!found && named !== '') {
    const labels = [...new Set(within.map(({ label }) => `"${label}"`))];
    throw new Fault({
      kind: 'query',
      message: `There is no deploy "${named}" in this time range, and it is no instant within it.`,
      remedy: labels.length === 0 ? 'Choose a range around a deploy.' : `Use one of: ${labels.join(', ')}.`,
    });
  }
  if (!found) {
    return null;
  }
  const { at, label } = found;
  const later = at === last?.at ? '' : ` The one at ${instantText(last!.at)} is too close to an end of the time range.`;
  const name = label === '' ? '' : `"${label}" `;
  return { at, name: `Deploy ${name}`, text: `Deploy ${name}at ${instantText(at)}.${later}` };
}

/** There is nothing to compare with. */
export function noDeploy(): Fault {
  return new Fault({
    kind: 'query',
    message: 'There is no deploy mark in this time range.',
    remedy:
      'Choose a time range around a deploy; Sidekiq::Deploy.mark! writes its mark. A comparison with a day, a week or an instant needs none.',
  });
}

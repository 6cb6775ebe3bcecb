import { localSeconds } from '../outlook/seasons';
import { anyZone, UTC } from '../sidekiq/schedule/zone';
import type { LoggedFinding } from '../watch/findingLog';
import type { Mute } from './settings';

const DAY = 86_400;
const DAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;

/** Whether a finding is not told at an instant (epoch seconds). */
export function isMuted(
  mutes: readonly Mute[],
  finding: Pick<LoggedFinding, 'rule' | 'subject'>,
  now: number
): boolean {
  return mutes.some((mute) => concerns(mute, finding) && holds(mute, now));
}

function concerns({ rules, subjects }: Mute, { rule, subject }: Pick<LoggedFinding, 'rule' | 'subject'>): boolean {
  return (
    (rules.length === 0 || rules.includes(rule)) &&
    (subjects.length === 0 || subjects.some((pattern) => matches(pattern, subject)))
  );
}

/** `*` stands for any characters; the parts are looked for one after the other, so that no pattern takes long. */
function matches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0]!;
  if (parts.length === 1) {
    return pattern === text;
  }
  const last = parts.at(-1)!;
  if (!text.startsWith(first) || !text.endsWith(last) || text.length < first.length + last.length) {
    return false;
  }
  let at = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, at);
    if (found < 0) {
      return false;
    }
    at = found + part.length;
  }
  return at <= text.length - last.length;
}

function holds({ after = -Infinity, until = Infinity, from, to, days, timeZone }: Mute, now: number): boolean {
  if (now < after || now >= until) {
    return false;
  }
  const local = localSeconds(anyZone(timeZone) ?? UTC, now);
  const time = ((local % DAY) + DAY) % DAY;
  if (from === undefined || to === undefined) {
    return isDay(days, local);
  }
  // What goes past midnight belongs to the day on which it began.
  return from <= to
    ? time >= from && time < to && isDay(days, local)
    : (time >= from && isDay(days, local)) || (time < to && isDay(days, local - DAY));
}

function isDay(days: readonly string[], local: number): boolean {
  return days.length === 0 || days.includes(DAYS[((Math.floor(local / DAY) % 7) + 7) % 7]!);
}

import { Cron } from 'croner';

/** A schedule as sidekiq-scheduler names it; sidekiq-cron knows cron lines only. */
export interface Schedule {
  kind: 'cron' | 'every' | 'interval' | 'at' | 'in';
  schedule: string;
}

const UNIT_SECONDS: ReadonlyMap<string, number> = new Map([
  ['s', 1],
  ['m', 60],
  ['h', 3600],
  ['d', 86_400],
  ['w', 7 * 86_400],
]);

/**
 * The first run after an instant (epoch seconds). Cron lines are read as fugit reads them: in UTC, or in the time zone
 * that ends the line.
 *
 * @returns `null` for what is run once (`at`, `in`) and for the natural language that fugit also takes
 */
export function nextRun({ kind, schedule }: Schedule, after: number): number | null {
  switch (kind) {
    case 'cron':
      return nextOfCron(schedule, after);
    case 'every':
    case 'interval': {
      const seconds = durationOf(schedule);
      return seconds === null ? null : after + seconds;
    }
    case 'at':
    case 'in':
      return null;
  }
}

function nextOfCron(line: string, after: number): number | null {
  const fields = line.trim().split(/\s+/);
  const last = fields[fields.length - 1] ?? '';
  const hasZone = fields.length > 5 && /^[A-Z][A-Za-z]+(?:[/_][A-Za-z_]+)*$/.test(last);
  const pattern = hasZone ? fields.slice(0, -1) : fields;
  if (pattern.length > 6) {
    return null;
  }
  try {
    return nextInZone(pattern.join(' '), hasZone ? last : 'UTC', after);
  } catch {
    return null;
  }
}

/** Changes of offset that are stepped over at most: those of ten years. */
const OFFSET_CHANGES = 20;

/**
 * As fugit does it: a time that the clocks leave out in spring does not come, and one that they repeat in autumn comes
 * twice. croner's own time zones name another time there, so it is asked with the offset that holds.
 */
function nextInZone(pattern: string, timeZone: string, after: number): number | null {
  const offsetAt = zoneOffset(timeZone);
  let from = after;
  let offset = offsetAt(from);
  for (let change = 0; change < OFFSET_CHANGES; change += 1) {
    const found = new Cron(pattern, { utcOffset: offset }).nextRun(new Date(from * 1000));
    if (found === null) {
      return null;
    }
    const next = found.getTime() / 1000;
    if (offsetAt(next) === offset) {
      return next;
    }
    const changed = changeOfOffset(offsetAt, from, next);
    from = changed - 1;
    offset = offsetAt(changed);
  }
  return null;
}

/** The first second with another offset than at `from`. @param to an instant that has another one */
function changeOfOffset(offsetAt: (at: number) => number, from: number, to: number): number {
  const offset = offsetAt(from);
  let same = Math.floor(from);
  let other = same;
  while (other < to && offsetAt(other) === offset) {
    same = other;
    other = Math.min(other + STEP_SECONDS, Math.ceil(to));
  }
  while (other - same > 1) {
    const middle = Math.floor((same + other) / 2);
    [same, other] = offsetAt(middle) === offset ? [middle, other] : [same, middle];
  }
  return other;
}

/** Shorter than any stretch of daylight saving time. */
const STEP_SECONDS = 14 * 86_400;

/** Tells the minutes by which a time zone is ahead of UTC at an instant. @throws RangeError for an unknown zone */
function zoneOffset(timeZone: string): (at: number) => number {
  if (timeZone === 'UTC') {
    return () => 0;
  }
  const format = new Intl.DateTimeFormat('en-US', { timeZone, timeZoneName: 'longOffset' });
  return (at) => {
    const name = format.formatToParts(at * 1000).find(({ type }) => type === 'timeZoneName')?.value ?? '';
    const [, sign, hours = '0', minutes = '0'] = /GMT([+-])(\d+):(\d+)/.exec(name) ?? [];
    return (sign === '-' ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  };
}

/** Seconds of a duration as rufus writes it: `5m`, `1h30m`, `2d`. */
function durationOf(text: string): number | null {
  if (!/^(?:\d+[smhdw])+$/.test(text)) {
    return null;
  }
  const parts = [...text.matchAll(/(\d+)([smhdw])/g)];
  const seconds = parts.reduce((sum, [, amount, unit]) => sum + Number(amount) * UNIT_SECONDS.get(unit!)!, 0);
  return seconds > 0 ? seconds : null;
}

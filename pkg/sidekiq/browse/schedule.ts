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
    const cron = new Cron(pattern.join(' '), { timezone: hasZone ? last : 'UTC' });
    const next = cron.nextRun(new Date(after * 1000));
    // In the hour that daylight saving time leaves out, croner names another time, and fugit none.
    return next === null || !cron.match(next) ? null : next.getTime() / 1000;
  } catch {
    return null;
  }
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

import { secondsOf } from '../plausible';
import { parseCronLine, type CronLine } from './cronLine';
import { nextRun, nextRuns, runsAt } from './cronTimes';
import { secondsOfDuration } from './duration';
import { cronLinesOf } from './natural';
import { everyZone, type Zone } from './zone';

/** How a scheduler names a schedule, in the order in which one is looked for; sidekiq-cron knows cron lines and words only. */
export const SCHEDULE_KINDS = ['cron', 'every', 'at', 'in', 'interval'] as const;
export type ScheduleKind = (typeof SCHEDULE_KINDS)[number];

/** A schedule that was read. */
export type Schedule =
  | { readonly kind: 'cron'; readonly line: CronLine }
  | { readonly kind: 'every'; readonly seconds: number }
  /** Run once, or at times that are drawn by chance. */
  | { readonly kind: 'unknown' };

/**
 * Reads a schedule.
 *
 * @param words whether schedules in words are taken, as sidekiq-cron does
 * @returns `null` where the scheduler itself refuses it
 */
export function readSchedule(kind: ScheduleKind, text: string, words: boolean): Schedule | null {
  switch (kind) {
    case 'cron':
      return cronSchedule(text, words);
    case 'every':
    case 'interval': {
      const seconds = secondsOfDuration(text);
      return seconds !== null && seconds > 0 ? { kind: 'every', seconds } : null;
    }
    case 'at':
    case 'in':
      return { kind: 'unknown' };
  }
}

function cronSchedule(text: string, words: boolean): Schedule | null {
  // Of a phrase that stands for several lines sidekiq-cron takes the first.
  const line = parseCronLine(text) ?? (words ? parseCronLine(cronLinesOf(text)?.[0] ?? '') : null);
  return line && (line.random ? { kind: 'unknown' } : { kind: 'cron', line });
}

/** When a schedule runs next. Instants are epoch seconds. */
export interface NextRun {
  /** The first run after the last one. Where the zone is not known, by the most likely one. */
  readonly nextAt: number;
  /** The first instant at which the run is late whatever the zone. */
  readonly lateFrom: number;
  /** Whether the zone is known, or makes no difference. */
  readonly certain: boolean;
  /** Until then the answer is the same for each later instant: in no zone a run comes before. */
  readonly sameUntil: number;
}

/**
 * The zones in which an application may run: the one that is known, or all that its record leaves.
 *
 * @see zonesOf
 */
export interface Zones {
  /** In which times are told. */
  readonly assumed: Zone;
  /** All that are possible. */
  readonly possible: readonly Zone[];
  /** One run alone may be that of a line that was changed since. */
  readonly isSure: boolean;
}

const HOUR = 3600;
/** So many runs that not every zone has say the same of the zone. */
const SURE_RUNS = 2;

/** @returns `null` for what runs once, and where none comes for years */
export function nextRunOf(schedule: Schedule, after: number, { assumed, possible, isSure }: Zones): NextRun | null {
  switch (schedule.kind) {
    case 'unknown':
      return null;
    case 'every': {
      // Beyond what is a plausible instant no date is told.
      const nextAt = secondsOf(after + schedule.seconds);
      return nextAt === null ? null : { nextAt, lateFrom: nextAt, certain: true, sameUntil: after };
    }
    case 'cron': {
      const { line } = schedule;
      const nextAt = nextRun(line, after, assumed);
      if (nextAt === null) {
        return null;
      }
      const all = line.zone ? [nextAt] : nextRuns(line, after, possible).map((next) => next ?? Infinity);
      const others = line.zone || isSure ? all : nextRuns(line, after, hoursAway(possible, after));
      // Which zones show the same minute is another matter once clocks are changed.
      const changes = others === all ? [] : possible.map((zone) => zone.changesAfter(after));
      return {
        nextAt,
        lateFrom: Math.max(nextAt, ...all),
        certain: others.every((each) => each === nextAt),
        sameUntil: Math.min(nextAt, ...all, ...others.map((next) => next ?? Infinity), ...changes),
      };
    }
  }
}

/** Zones whose clocks show the same minute as those of some zones. */
function hoursAway(zones: readonly Zone[], at: number): readonly Zone[] {
  const minuteOf = (zone: Zone) => ((zone.offsetAt(at) % HOUR) + HOUR) % HOUR;
  const minutes = new Set(zones.map(minuteOf));
  return everyZone().filter((zone) => minutes.has(minuteOf(zone)));
}

/** Whether a schedule runs at an instant, in any zone that is possible. */
export function isRunOf(schedule: Schedule, at: number, { possible }: Zones): boolean {
  if (schedule.kind !== 'cron') {
    return true;
  }
  const { line } = schedule;
  return (line.zone ? [line.zone] : possible).some((zone) => runsAt(line, at, zone));
}

/** A run that a scheduler planned, by a line that names no zone. */
export interface PlannedRun {
  readonly line: CronLine;
  /** Epoch seconds: the instant that the line names, not that of the enqueue. */
  readonly at: number;
}

/** The zone of a setting holds for all; without one, those in which most of the planned runs of the application are runs. */
export function zonesOf(planned: readonly PlannedRun[], setting: Zone | null): Zones {
  if (setting) {
    return { assumed: setting, possible: [setting], isSure: true };
  }
  const { possible, telling } = zonesThatFit(planned);
  return { assumed: possible[0]!, possible, isSure: telling >= SURE_RUNS };
}

/** The zones, and how many runs leave out some of all. */
function zonesThatFit(planned: readonly PlannedRun[]): { possible: readonly Zone[]; telling: number } {
  const all = everyZone();
  let possible = all;
  let telling = 0;
  for (const { line, at } of planned) {
    const left = possible.filter((zone) => runsAt(line, at, zone));
    if (left.length === 0) {
      // A line that was changed since, or an instant that was written by another program, contradicts the others.
      return { possible: mostFitting(planned, all), telling: SURE_RUNS };
    }
    telling += Number(left.length < possible.length || (telling > 0 && !all.every((zone) => runsAt(line, at, zone))));
    possible = left;
  }
  return { possible, telling };
}

function mostFitting(planned: readonly PlannedRun[], zones: readonly Zone[]): readonly Zone[] {
  const fits = zones.map((zone) => planned.reduce((sum, { line, at }) => sum + Number(runsAt(line, at, zone)), 0));
  const most = Math.max(...fits);
  return zones.filter((_, place) => fits[place] === most);
}

import { keyOf } from './name';
import { utcDate } from './plausible';

/** The names of Sidekiq's keys in Redis (see the Sidekiq sources: api, launcher, metrics/tracking). */
export const keys = {
  processed: 'stat:processed',
  failed: 'stat:failed',
  processedOn: (epochSeconds: number) => `stat:processed:${utcDate(epochSeconds)}`,
  failedOn: (epochSeconds: number) => `stat:failed:${utcDate(epochSeconds)}`,
  queues: 'queues',
  queue: (name: string) => keyOf('queue:', name),
  schedule: 'schedule',
  retry: 'retry',
  dead: 'dead',
  processes: 'processes',
  process: (identity: string) => keyOf('', identity),
  work: (identity: string) => keyOf('', identity, ':work'),
  /** The name of the work hash up to Sidekiq 6.4.1. */
  oldWork: (identity: string) => keyOf('', identity, ':workers'),
  /** Sets of paused queues: Sidekiq Pro's, sidekiq-pauzer's, and that of sidekiq-throttled ≤ 0.18. */
  pausedSets: ['paused', 'sidekiq-pauzer', 'throttled:X:paused_queues'],
  /** Exist while sidekiq-limit_fetch or sidekiq-queue-pause has the queue paused. */
  pauseMarks: (name: string) => [keyOf('limit_fetch:pause:', name), keyOf('queue_pause:', name)],
  leader: 'dear-leader',
  /** Keys of profiles by when they expire (8.0 and later). */
  profiles: 'profiles',
  /** State of an IterableJob (7.3 and later). */
  iteration: (jid: string) => keyOf('it-', jid),
  marks: (epochSeconds: number) => `${utcDate(epochSeconds).replaceAll('-', '')}-marks`,
} as const;

interface UtcParts {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}

function utcParts(epochSeconds: number): UtcParts {
  const date = new Date(epochSeconds * 1000);
  return {
    year: date.getUTCFullYear(),
    month: date.getUTCMonth() + 1,
    day: date.getUTCDate(),
    hour: date.getUTCHours(),
    minute: date.getUTCMinutes(),
  };
}

const two = (value: number) => String(value).padStart(2, '0');

/** Keys of the job metrics, whose shape changed with Sidekiq 8: both may be in use at once. */
export const metricKeys = {
  /** Counters of one minute, Sidekiq ≥ 8.0: `j|250314|9:05`. */
  minute(epochSeconds: number): string {
    const { year, month, day, hour, minute } = utcParts(epochSeconds);
    return `j|${two(year % 100)}${two(month)}${two(day)}|${hour}:${two(minute)}`;
  },
  /** Counters of one minute, Sidekiq 6.5 to 7.3: `j|20250314|9:5`. */
  oldMinute(epochSeconds: number): string {
    const { year, month, day, hour, minute } = utcParts(epochSeconds);
    return `j|${year}${two(month)}${two(day)}|${hour}:${minute}`;
  },
  /** Counters of ten minutes, Sidekiq ≥ 8.0: the minute's key without its last digit. */
  tenMinutes(epochSeconds: number): string {
    return metricKeys.minute(epochSeconds).slice(0, -1);
  },
  /** Durations of one minute, Sidekiq ≥ 8.0: `h|ReportJob-14-9:5`. */
  histogram(jobClass: string, epochSeconds: number): string | Buffer {
    const { day, hour, minute } = utcParts(epochSeconds);
    return keyOf('h|', jobClass, `-${day}-${hour}:${minute}`);
  },
  /** Durations of one minute, Sidekiq 6.5 to 7.3: `ReportJob-14-09:5`. */
  oldHistogram(jobClass: string, epochSeconds: number): string | Buffer {
    const { day, hour, minute } = utcParts(epochSeconds);
    return keyOf('', jobClass, `-${two(day)}-${two(hour)}:${minute}`);
  },
} as const;

/** The name of the queue in which super_fetch (Sidekiq Pro) keeps what a process has taken from another one. */
export function privateQueue(identity: string, queue: string): string {
  return `sq|${identity}|${queue}`;
}

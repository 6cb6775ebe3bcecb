/** Instants outside of these years are written by mistake: milliseconds for seconds, a clock that was never set. */
const EARLIEST_SECONDS = Date.UTC(2000, 0, 1) / 1000;
const LATEST_SECONDS = Date.UTC(2100, 0, 1) / 1000;
/** 1e11 read as milliseconds is 1973, read as seconds is the year 5138: nothing real lies between. */
const SMALLEST_MILLISECONDS = 1e11;
const NUMBER = /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/;
const ZONE = '(?<zone>Z|UTC|GMT|[+-]\\d{2}:?\\d{2})?';
const TIME = '(?<hour>\\d{2}):?(?<minute>\\d{2})(?::?(?<second>\\d{2}(?:\\.\\d+)?))?';
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
/**
 * What Ruby's `DateTime.parse` takes and schedulers write: ISO 8601, Ruby's own `2025-03-14 09:26:51 +0000` or `… UTC`, that of
 * mail and HTTP, and that of ctime. Without a zone it is UTC.
 */
const DATES = [
  new RegExp(`^(?<year>\\d{4})([-/])(?<month>\\d{2})\\2(?<day>\\d{2})(?:[T ]${TIME} ?${ZONE})?$`),
  new RegExp(`^(?<year>\\d{4})(?<month>\\d{2})(?<day>\\d{2})T${TIME}${ZONE}$`),
  new RegExp(`^(?:[a-z]{3}, )?(?<day>\\d{1,2}) (?<month>[a-z]{3}) (?<year>\\d{4}) ${TIME} ?${ZONE}$`, 'i'),
  new RegExp(`^[a-z]{3} (?<month>[a-z]{3}) {1,2}(?<day>\\d{1,2}) ${TIME} ?${ZONE} (?<year>\\d{4})$`, 'i'),
];

/**
 * An instant of a job payload or a scheduler, in epoch seconds; `null` when it is none or lies outside 2000 to 2100.
 *
 * Sidekiq ≤ 7.3 writes float seconds, ≥ 8.0 integer milliseconds, other producers write texts. JavaScript cannot tell
 * Ruby's floats from its integers, so the magnitude decides.
 */
export function instantOf(value: unknown): number | null {
  const number = numberOf(value);
  if (number === null) {
    return typeof value === 'string' ? dateOf(value) : null;
  }
  return within(number >= SMALLEST_MILLISECONDS ? number / 1000 : number);
}

/** An instant that every version writes in seconds: scores, `run_at`, `beat`, `started_at`. */
export function secondsOf(value: unknown): number | null {
  const number = numberOf(value);
  return number === null ? null : within(number);
}

function within(seconds: number): number | null {
  return seconds >= EARLIEST_SECONDS && seconds < LATEST_SECONDS ? seconds : null;
}

function dateOf(text: string): number | null {
  const trimmed = text.trim();
  for (const form of DATES) {
    const found = form.exec(trimmed)?.groups;
    if (found) {
      const { year, month = '', day = '', hour = '00', minute = '00', second = '00', zone = 'Z' } = found;
      const number = /\d/.test(month) ? month : String(MONTHS.indexOf(month.toLowerCase()) + 1);
      const date = [year, number.padStart(2, '0'), day.padStart(2, '0')].join('-');
      const at = Date.parse(`${date}T${hour}:${minute}:${second}${/^[+-]/.test(zone) ? zone : 'Z'}`);
      return Number.isNaN(at) ? null : within(at / 1000);
    }
  }
  return null;
}

/** A count: a whole number, not below 0, as a number or as digits. Anything else is `null`. */
export function countOf(value: unknown): number | null {
  const number = numberOf(value);
  return number !== null &&
    number >= 0 &&
    Number.isSafeInteger(number) &&
    !(typeof value === 'string' && /[.eE]/.test(value))
    ? number
    : null;
}

/** A finite number, as a number or as decimal text. Anything else is `null`. */
export function numberOf(value: unknown): number | null {
  const isNumber = typeof value === 'number' || typeof value === 'bigint';
  const number = isNumber || (typeof value === 'string' && NUMBER.test(value)) ? Number(value) : NaN;
  return Number.isFinite(number) ? number : null;
}

/** The UTC date of an instant as Sidekiq writes it in `stat:processed:YYYY-MM-DD`. */
export function utcDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10);
}

/** 1e11 read as milliseconds is 1973, read as seconds is the year 5138: nothing real lies between. */
const SMALLEST_MILLISECONDS = 1e11;

/**
 * An instant from a job payload in epoch seconds, or `null` when it is not one.
 *
 * Sidekiq ≤ 7.3 writes float seconds, ≥ 8.0 integer milliseconds, and some producers write strings or
 * ISO 8601. JavaScript cannot tell Ruby's floats from its integers, so the magnitude decides.
 */
export function toEpochSeconds(value: unknown): number | null {
  const number = typeof value === 'string' ? numberFromText(value) : value;
  if (typeof number !== 'number' || !Number.isFinite(number) || number <= 0) {
    return null;
  }
  return number >= SMALLEST_MILLISECONDS ? number / 1000 : number;
}

function numberFromText(text: string): number {
  const number = Number(text);
  return Number.isNaN(number) ? Date.parse(text) : number;
}

/** The UTC date of an instant as Sidekiq writes it in `stat:processed:YYYY-MM-DD`. */
export function utcDate(epochSeconds: number): string {
  return new Date(epochSeconds * 1000).toISOString().slice(0, 10);
}

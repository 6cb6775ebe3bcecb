/** What helps where a database holds no Sidekiq. */
export const WHERE_SIDEKIQ_IS = 'The applications name their database in REDIS_URL.';

/** Numbers in sentences. */

/** Making one takes longer than all that is written with it. */
const digits = new Intl.NumberFormat('en');

/** `3 jobs`; a question mark where the number is not known. */
export function countText(count: number | null, noun: string, plural = `${noun}s`): string {
  return count === null ? `? ${plural}` : `${digits.format(count)} ${count === 1 ? noun : plural}`;
}

/** `3 jobs wait`, `1 job waits`. */
export function waitText(jobs: number | null): string {
  return `${countText(jobs, 'job')} wait${jobs === 1 ? 's' : ''}`;
}

const UNITS = [
  { seconds: 86_400, name: 'd' },
  { seconds: 3600, name: 'h' },
  { seconds: 60, name: 'min' },
  { seconds: 1, name: 's' },
] as const;

/** Seconds in the largest unit that fits, with the next one below: `2 h 5 min`. */
export function durationText(seconds: number): string {
  const whole = Math.round(seconds);
  for (const [index, { seconds: size, name }] of UNITS.entries()) {
    if (whole >= size) {
      const below = UNITS[index + 1];
      const rest = below ? Math.floor((whole % size) / below.seconds) : 0;
      return `${Math.floor(whole / size)} ${name}${rest > 0 ? ` ${rest} ${below!.name}` : ''}`;
    }
  }
  return `${whole} s`;
}

/** The mean of short durations (seconds), with its fractions: `2.5 s`, `150 ms`. */
export function meanText(seconds: number): string {
  const short = (value: number, unit: string) => `${Number(value.toPrecision(2))} ${unit}`;
  return seconds >= 10 ? durationText(seconds) : seconds >= 1 ? short(seconds, 's') : short(seconds * 1000, 'ms');
}

/** Two durations (seconds) as a range: `12 min to 20 min`. */
export function rangeText(from: number, to: number): string {
  const [first, last] = [durationText(from), durationText(to)];
  return first === last ? first : `${first} to ${last}`;
}

/** A share of 1 as a percentage. */
export function shareText(share: number): string {
  return `${Number((share * 100).toPrecision(2))}%`;
}

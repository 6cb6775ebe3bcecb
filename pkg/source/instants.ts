import { z } from 'zod';
import { Fault } from '../faults/fault';

/** An instant (epoch seconds) as it is told to people: `2026-11-27 03:59:58 UTC`. */
export function instantText(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** Smaller numbers are no epoch seconds that anybody means: 60 is a minute ago without its sign. */
const LEAST_EPOCH_SECONDS = 1e8;

/** An error repeats so many characters of what it was given. */
const TOLD = 100;

/** Seconds of Grafana's units of time: https://grafana.com/docs/grafana/latest/dashboards/use-dashboards/#time-units-and-relative-ranges */
const UNIT_SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800 } as const;
const RELATIVE = /^now(?:\s*-\s*(\d+)\s*([smhdw]))?$/;

/**
 * An instant as a person gives it: seconds before now as `-3600`, relative as Grafana has it (`now-1h`; a day has 86,400
 * seconds), epoch seconds, or ISO 8601.
 *
 * @throws Fault `query` naming the field
 */
export function parseTime(field: string, text: string, now: number): number {
  const given = text.trim();
  const [relative, count = '0', unit = 's'] = RELATIVE.exec(given) ?? [];
  const at =
    relative !== undefined
      ? now - Number(count) * UNIT_SECONDS[unit as keyof typeof UNIT_SECONDS]
      : absolute(given, now);
  if (!(at >= LEAST_EPOCH_SECONDS)) {
    throw new Fault({
      kind: 'query',
      message: `The time ${field} "${text.length > TOLD ? `${text.slice(0, TOLD)}…` : text}" cannot be read.`,
      remedy: 'Give seconds ago as -3600, now-1h, or ISO 8601.',
    });
  }
  return at;
}

function absolute(given: string, now: number): number {
  return /^(?:-\d+(?:\.\d+)?|0)$/.test(given)
    ? now + Number(given)
    : /^\d{9,11}(?:\.\d+)?$/.test(given)
      ? Number(given)
      : /^\d{4}(?:-|$)/.test(given)
        ? instantOf(given)
        : NaN;
}

/** Epoch seconds; NaN for what is none, and for a day that its month does not have, of which JavaScript makes one of the next. */
function instantOf(iso: string): number {
  const [date] = /^\d{4}-\d\d-\d\d/.exec(iso) ?? [];
  if (date !== undefined && !z.iso.date().safeParse(date).success) {
    return NaN;
  }
  // Instants are told in UTC, so one without a zone is meant in UTC too.
  return Date.parse(/[T ]\d\d:\d\d[\d:.]*$/.test(iso) ? `${iso}Z` : iso) / 1000;
}

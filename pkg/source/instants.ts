import { Fault } from '../faults/fault';

/** An instant (epoch seconds) as it is told to people: `2026-11-27 03:59:58 UTC`. */
export function instantText(at: number): string {
  return `${new Date(at * 1000).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/**
 * An instant as a person gives it: seconds before now as `-3600`, epoch seconds, or ISO 8601.
 *
 * @throws Fault `query` naming the field
 */
export function parseTime(field: string, text: string, now: number): number {
  const seconds = Number(text);
  if (!Number.isNaN(seconds)) {
    return seconds <= 0 ? now + seconds : seconds;
  }
  const at = Date.parse(text);
  if (Number.isNaN(at)) {
    throw new Fault({
      kind: 'query',
      message: `The time ${field} "${text}" cannot be read.`,
      remedy: 'Give seconds ago as -3600, or ISO 8601.',
    });
  }
  return at / 1000;
}

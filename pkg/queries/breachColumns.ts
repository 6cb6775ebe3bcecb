import { LIMITS } from '../findings/rule';
import { durationText, rangeText } from '../findings/texts';
import type { Breach } from '../outlook/breach';
import { flag, seconds, text } from './columns';
import type { Column } from './table';

/** No time is left. */
export const BREACHED = [{ type: 'value', options: { 0: { text: 'now', index: 0 } } }];

/** When the objective is breached, as a range: figures and a text. */
export function breachColumns<Row>({
  breach,
  latency,
}: {
  breach: (row: Row) => Breach | null;
  /** `null` where it is not known, so that nothing is known of what comes. */
  latency: (row: Row) => number | null;
}): Array<Column<Row>> {
  return [
    text(
      'breach',
      'Breach',
      'When the latency reaches the objective, if the flow goes on as it is or as is usual for the hours ahead. Empty where that is not expected within a day, or where it cannot be told.',
      (row) => breachText(breach(row)),
      { beside: 'breachIn' }
    ),
    seconds(
      'breachIn',
      'Breach in',
      'Least time until the latency reaches the objective; 0 where it has.',
      (row) => breach(row)?.earliest ?? null,
      { config: { mappings: BREACHED } }
    ),
    seconds(
      'breachInMost',
      'Breach in at most',
      'Most time until the latency reaches the objective; no value where it may not reach it within a day.',
      (row) => breach(row)?.latest ?? null
    ),
    flag(
      'breachesSoon',
      'Breaches soon',
      `Whether the latency reaches the objective within ${durationText(LIMITS.breachWithinSeconds)} by each of the estimates.`,
      (row) => (latency(row) === null ? null : (breach(row)?.latest ?? Infinity) < LIMITS.breachWithinSeconds)
    ),
  ];
}

/** `in 12 min to 20 min`; `''` for none. */
export function breachText(breach: Breach | null): string {
  if (breach === null) {
    return '';
  }
  const { earliest, latest } = breach;
  if (latest === 0) {
    return 'now';
  }
  return latest === null ? `in ${durationText(earliest)} or later` : `in ${rangeText(earliest, latest)}`;
}

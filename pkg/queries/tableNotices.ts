import type { Notice } from '../sidekiq/model';
import type { Filter } from './filterModel';
import { namesText } from '../sidekiq/namesText';

/** Says that a table has more rows than are shown. */
export function cutNotice(shown: number, all: number): Notice {
  return {
    severity: 'info',
    text: `${shown} of ${all} rows are shown. Raise "Limit" or add a filter to see the others.`,
  };
}

/** The numbers of {@link cutNotice}, as "20 of 500"; `undefined` where it is another notice. */
export function cutOf({ text }: Notice): string | undefined {
  return /^(\d+ of \d+) rows are shown\./.exec(text)?.[1];
}

const VALUES_TOLD = 3;
const VALUE_LENGTH = 80;

/** What a variable of a dashboard without a value makes of a regular expression around it. */
const NOTHING = '^$';

/** What a table says whose filters keep no row: which they are. */
export function noMatchText(filters: readonly Filter[]): string {
  const unset = filters.filter(
    ({ operator, values }) => operator === '=~' && values.every((value) => value === NOTHING)
  );
  if (unset.length > 0) {
    return `No ${unset.map(({ field }) => field).join(' and no ')} is chosen.`;
  }
  const told = filters.map(({ field, operator, values }) => {
    const short = values.map((value) => (value.length > VALUE_LENGTH ? `${value.slice(0, VALUE_LENGTH)}…` : value));
    return `${field} ${operator} ${namesText(short, VALUES_TOLD)}`;
  });
  return `No row matches the filters: ${told.join('; ')}.`;
}

/** What a table without rows says where a part of what it is made of was refused. */
export function emptyText(refused: Notice): string {
  return `Nothing was found, but not everything is known. ${refused.text}`;
}

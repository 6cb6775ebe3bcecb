import type { Notice } from '../sidekiq/model';

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

/** What a table without rows says where a part of what it is made of was refused. */
export function emptyText(refused: Notice): string {
  return `Nothing was found, but not everything is known. ${refused.text}`;
}

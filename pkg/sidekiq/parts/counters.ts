import { command, type Command } from '../../redis/readOnlyRedis';
import { countOf } from '../plausible';
import { textOf, warning, type Part } from './part';

/** A counter of `stat:…`. `null` where the key holds no count; `missing` where there is no key, which counts as 0. */
export interface Counter {
  count: number | null;
  missing: boolean;
}

/** Sidekiq's own counters of executions, by key. */
export const counter: Part<string, Counter> = {
  what: 'totals',
  commands: (key) => [command('get', key)],
  parse([value], key) {
    if (value === null || value === undefined) {
      return { value: { count: 0, missing: true } };
    }
    const count = countOf(textOf(value));
    return {
      value: { count, missing: false },
      ...(count === null && { notices: [warning(`${key} holds no count and was left out.`)] }),
    };
  },
};

/** A command that answers with a number of members. */
function size<Input>(what: string, ask: (input: Input) => Command): Part<Input, number> {
  return { what, commands: (input) => [ask(input)], parse: ([value]) => ({ value: countOf(value) ?? 0 }) };
}

/** Members of a sorted set, by key. */
export const setSize = size<string>('set sizes', (key) => command('zcard', key));
/** Members of a set, by key. */
export const memberCount = size<string>('process names', (key) => command('scard', key));
/** Members of a sorted set with a score between two bounds. */
export const scoredBetween = size<{ key: string; from: number | string; to: number | string }>(
  'due and recent jobs',
  ({ key, from, to }) => command('zcount', key, from, to)
);

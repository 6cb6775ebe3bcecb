import { Fault } from '../faults/fault';
import { pattern } from '../settings/pattern';
import type { Filter } from './filterModel';

/** Tests a row, given what it holds in a field: one text or several. */
export type RowTest = (valueOf: (field: string) => string | readonly string[]) => boolean;

/**
 * Compiles filters into one test of a row.
 *
 * @param fields the names that may be filtered by
 * @param elsewhere those of them whose filters are applied elsewhere: they are checked, and test nothing here
 * @throws Fault `query` naming the field or the expression that cannot be used
 */
export function compileFilters(
  filters: readonly Filter[],
  fields: readonly string[],
  elsewhere: readonly string[] = []
): RowTest {
  const tests = filters.flatMap((filter) => {
    if (filter.values.length === 0) {
      return [];
    }
    if (!fields.includes(filter.field)) {
      if (filter.adhoc) {
        return [];
      }
      throw new Fault({
        kind: 'query',
        message: `There is no field "${filter.field}" to filter by.`,
        remedy: fields.length > 0 ? `Filter by one of: ${fields.join(', ')}.` : 'This query type takes no filters.',
      });
    }
    const wanted = filter.operator === '=' || filter.operator === '=~';
    const test = { field: filter.field, matches: matcher(filter), wanted };
    return elsewhere.includes(filter.field) ? [] : [test];
  });
  return (valueOf) =>
    tests.every(({ field, matches, wanted }) => {
      const value = valueOf(field);
      const found = typeof value === 'string' ? matches(value) : value.some(matches);
      return found === wanted;
    });
}

/**
 * Compiles those filters alone that are on some fields: what a query type applies to jobs, before rows are made of them.
 *
 * @throws Fault as {@link compileFilters}
 */
export function compileOwnFilters(filters: readonly Filter[], fields: readonly string[]): RowTest {
  return compileFilters(
    filters.filter(({ field }) => fields.includes(field)),
    fields
  );
}

/** The time of a test grows with them. */
const LONGEST_EXPRESSIONS = 20_000;

function matcher({ field, operator, values }: Filter): (value: string) => boolean {
  if (operator === '=' || operator === '!=') {
    const wanted = new Set(values);
    return (value) => wanted.has(value);
  }
  const length = values.reduce((sum, source) => sum + source.length, 0);
  if (length > LONGEST_EXPRESSIONS) {
    throw new Fault({
      kind: 'query',
      message: `The expressions of the filter on "${field}" are ${length.toLocaleString('en')} characters long.`,
      remedy: `Use shorter ones (${LONGEST_EXPRESSIONS.toLocaleString('en')} characters together), or compare with =.`,
    });
  }
  const expressions = values.map((source) => wholeValue(field, source));
  return (value) => expressions.some((matches) => matches(value));
}

function wholeValue(field: string, source: string): (value: string) => boolean {
  try {
    return pattern.matchesWhole(source);
  } catch (error) {
    throw new Fault({
      kind: 'query',
      message: `The filter on "${field}" is not a regular expression: "${source}".`,
      // The library's own flag is not the reader's.
      remedy: `Correct the expression (${(error as Error).message.replace('(?s)', '')}), or compare with = instead of =~.`,
      cause: error,
    });
  }
}

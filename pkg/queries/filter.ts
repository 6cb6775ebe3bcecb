import { Fault } from '../faults/fault';

/** How a filter compares: is one of, is none of, matches one of, matches none of. */
export const FILTER_OPERATORS = ['=', '!=', '=~', '!~'] as const;
export type FilterOperator = (typeof FILTER_OPERATORS)[number];

/** Keeps rows by one of their text fields. Regular expressions must match the whole value, as in Prometheus. */
export interface Filter {
  field: string;
  operator: FilterOperator;
  /** Without values the filter keeps everything. */
  values: string[];
  /** Comes from a dashboard's ad-hoc filters: skipped, not refused, where the query has no such field. */
  adhoc?: boolean;
}

/**
 * Compiles filters into one test of a row.
 *
 * @param fields the names that may be filtered by
 * @throws Fault `query` naming the field or the expression that cannot be used
 */
export function compileFilters(
  filters: readonly Filter[],
  fields: readonly string[]
): (valueOf: (field: string) => string | readonly string[]) => boolean {
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
    const matches = matcher(filter);
    const wanted = filter.operator === '=' || filter.operator === '=~';
    return [{ field: filter.field, matches, wanted }];
  });
  return (valueOf) =>
    tests.every(({ field, matches, wanted }) => {
      const value = valueOf(field);
      const found = typeof value === 'string' ? matches(value) : value.some(matches);
      return found === wanted;
    });
}

function matcher({ field, operator, values }: Filter): (value: string) => boolean {
  if (operator === '=' || operator === '!=') {
    const wanted = new Set(values);
    return (value) => wanted.has(value);
  }
  const expressions = values.map((pattern) => wholeValue(field, pattern));
  return (value) => expressions.some((expression) => expression.test(value));
}

function wholeValue(field: string, pattern: string): RegExp {
  try {
    return new RegExp(`^(?:${pattern})$`);
  } catch (error) {
    throw new Fault({
      kind: 'query',
      message: `The filter on "${field}" is not a regular expression: ${pattern}`,
      remedy: `Correct it (${(error as Error).message}), or compare with = instead of =~.`,
      cause: error,
    });
  }
}

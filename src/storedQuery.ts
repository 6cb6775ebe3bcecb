import { FILTER_OPERATORS, type Filter } from '../pkg/queries/filterModel';
import type { SidekiqQuery } from './types';

/** Options that are lists, of all query types. */
export const LIST_OPTIONS = [
  'computing',
  'groupBy',
  'kinds',
  'measures',
  'order',
  'own',
  'paused',
  'processes',
  'runTime',
  'threads',
  'traffic',
] as const;

/**
 * A query as its editor can show it. One that was written by hand may have filters without values, or one figure where a list
 * belongs: such parts are left out, or become a list of one, and the rest can be corrected. The backend is asked what is stored, and says what is wrong.
 */
export function readable<Q extends Pick<SidekiqQuery, 'filters' | 'figures'>>(query: Q): Q {
  const { filters, figures } = query as { filters?: unknown; figures?: unknown };
  const stored = query as Record<string, unknown>;
  const lists = LIST_OPTIONS.filter((name) => stored[name] !== undefined);
  return {
    ...query,
    ...Object.fromEntries(lists.map((name) => [name, textsOf(stored[name])])),
    ...(filters !== undefined && { filters: listOf(filters).flatMap(filterOf) }),
    ...(figures !== undefined && { figures: textsOf(listOf(figures)) }),
  };
}

function textsOf(value: unknown): string[] {
  return (typeof value === 'string' ? [value] : listOf(value)).filter((each) => typeof each === 'string');
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function filterOf(stored: unknown): Filter[] {
  const { field, operator, values, ...rest } = (stored ?? {}) as Partial<Record<keyof Filter, unknown>>;
  return typeof field !== 'string'
    ? []
    : [
        {
          ...(rest.adhoc === true && { adhoc: true }),
          field,
          operator: FILTER_OPERATORS.find((each) => each === operator) ?? '=',
          values: textsOf(listOf(values)),
        },
      ];
}

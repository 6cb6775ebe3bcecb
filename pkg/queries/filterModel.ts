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
  adhoc?: boolean | undefined;
}

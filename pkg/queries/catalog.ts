import type { OptionForm, QueryType } from './queryType';
import { QUERY_TYPES } from './registry';

/** What the editors need to know of a query type, as plain data. */
export interface CatalogEntry extends Pick<
  QueryType,
  'id' | 'group' | 'title' | 'description' | 'columns' | 'filterFields' | 'live' | 'cost' | 'limit' | 'unchosen'
> {
  options: Record<string, OptionForm>;
}

/** Every query type, in the order of the menu. */
export function catalog(): CatalogEntry[] {
  return QUERY_TYPES.map(
    ({ id, group, title, description, columns, filterFields, live, cost, limit, unchosen, options }) => ({
      id,
      group,
      title,
      description,
      columns,
      filterFields,
      live,
      cost,
      limit,
      unchosen,
      options: Object.fromEntries(options),
    })
  );
}

import type { SidekiqApi, SidekiqQuery } from '../../types';

/** What the form of a query type gets; `change` saves a part of the query and runs it. */
export interface FormProps<Q> {
  query: SidekiqQuery & Q;
  datasource: Pick<SidekiqApi, 'values' | 'catalog'>;
  change: (part: Partial<Q>) => void;
}

import type { SidekiqDataSource } from '../../datasource';
import type { SidekiqQuery } from '../../types';

/** What the form of a query type gets; `change` saves a part of the query and runs it. */
export interface FormProps<Q> {
  query: SidekiqQuery & Q;
  datasource: SidekiqDataSource;
  change: (part: Partial<Q>) => void;
}

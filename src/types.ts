import type { DataSourceApi, DataSourceJsonData } from '@grafana/data';
import type { DataQuery } from '@grafana/schema';
import type { StoredQuery } from '../pkg/queries/model';
import type { CatalogEntry } from '../pkg/queries/catalog';
import type { SecretName, StoredOptions } from '../pkg/settings/model';

/** A query as Grafana saves it: the backend's model and Grafana's own fields. */
export interface SidekiqQuery extends DataQuery, Omit<StoredQuery, 'queryType'> {
  queryType: string;
  /** The version of this model, see QUERY_VERSION. */
  version?: number;
  /** Set when a panel or Explore asks, and never saved: a table without rows then says so in a sentence. */
  reader?: boolean;
  /** Push new figures as they come instead of asking once. */
  live?: boolean;
  /** Seconds between two pushes; the interval of the panel by default. */
  liveEverySeconds?: number | undefined;
  /** Points that a live panel keeps; as many as it can show by default. */
  livePoints?: number | undefined;
}

/** What a dashboard variable asks: the distinct values of one text field. */
export interface SidekiqVariableQuery extends DataQuery {
  queryType: string;
  field: string;
  filters?: SidekiqQuery['filters'];
}

export type SidekiqOptions = DataSourceJsonData & StoredOptions;
export type SidekiqSecrets = Partial<Record<SecretName, string>>;

/** A query type as the backend's resource `catalog` describes it. */
export type { CatalogEntry };

/** What editors and variables need of the data source. */
export interface SidekiqApi extends DataSourceApi<SidekiqQuery, SidekiqOptions> {
  /** The query types. */
  catalog(): Promise<CatalogEntry[]>;
  /** The distinct values of a text field of a query type, narrowed by filters. */
  values(asked: Pick<SidekiqVariableQuery, 'queryType' | 'field' | 'filters'>): Promise<string[]>;
}

/** The messages of Grafana's plugin protocol as grpc-js hands them over, see protocol.ts. */

export interface DataSourceInstanceSettings {
  id: number;
  uid: string;
  name: string;
  url: string;
  user: string;
  database: string;
  jsonData: Buffer;
  decryptedSecureJsonData: Record<string, string>;
  lastUpdatedMS: number;
}

export interface PluginContext {
  orgId: number;
  pluginId: string;
  dataSourceInstanceSettings: DataSourceInstanceSettings | null;
}

export interface WithContext {
  pluginContext: PluginContext | null;
}

export interface DataQuery {
  refId: string;
  intervalMS: number;
  timeRange: { fromEpochMS: number; toEpochMS: number } | null;
  json: Buffer;
  queryType: string;
}

export interface QueryDataRequest extends WithContext {
  headers: Record<string, string>;
  queries: DataQuery[];
  format: number;
}

export interface DataResponse {
  frames?: Uint8Array[];
  error?: string;
  status: number;
  errorSource?: 'plugin' | 'downstream';
  format?: number;
}

export interface CallResourceRequest extends WithContext {
  path: string;
  method: string;
  url: string;
  headers: Record<string, { values: string[] }>;
  body: Buffer;
}

export interface CallResourceResponse {
  code: number;
  headers: Record<string, { values: string[] }>;
  body: Buffer;
}

export interface StreamRequest extends WithContext {
  path: string;
  data: Buffer;
}

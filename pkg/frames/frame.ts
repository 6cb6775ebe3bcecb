import type { Notice } from '../sidekiq/model';

/** Types a field may have. `time` values are epoch milliseconds, as Grafana counts. */
export type FieldKind = 'string' | 'number' | 'boolean' | 'time';

export type Value = string | number | boolean | null;

/** A link shown on a value; `url` may hold Grafana's `${__data.fields…}` and variable syntax. */
export interface DataLink {
  title: string;
  url?: string;
  /** Opens another query of the same data source, for example the jobs of a queue in Explore. */
  internal?: { query: object; datasourceUid: string; datasourceName: string };
}

/** The part of Grafana's field configuration that Jobwatch uses (`FieldConfig` in @grafana/data). */
export interface FieldConfig {
  displayName?: string;
  displayNameFromDS?: string;
  description?: string;
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  noValue?: string;
  interval?: number;
  links?: DataLink[];
  mappings?: object[];
  color?: { mode: string; fixedColor: string };
  custom?: Record<string, unknown>;
}

/** One column of a frame. */
export interface Field {
  name: string;
  kind: FieldKind;
  values: Value[];
  labels?: Record<string, string>;
  config?: FieldConfig;
}

/** The part of Grafana's frame metadata that Jobwatch uses (`QueryResultMeta` in @grafana/data). */
export interface FrameMeta {
  /** The shape promised to Grafana's expressions: https://grafana.com/developers/dataplane/ */
  type?: 'log-lines' | 'numeric-long' | 'timeseries-multi' | 'timeseries-wide' | 'heatmap-rows';
  typeVersion?: [number, number];
  notices?: Notice[];
  preferredVisualisationType?: 'graph' | 'logs' | 'table';
  /** The panel that Explore draws the frame with. */
  preferredVisualisationPluginId?: 'heatmap';
  custom?: Record<string, unknown>;
}

/** A table of columns of equal length, as Grafana's panels, alerts and expressions take it. */
export interface Frame {
  name: string;
  refId?: string;
  fields: Field[];
  meta?: FrameMeta;
}

/** The rows of a frame as objects keyed by field name, for the command line and for tests. */
export function rowsOf(frame: Frame): Array<Record<string, Value>> {
  const length = frame.fields[0]?.values.length ?? 0;
  return Array.from({ length }, (_, row) =>
    Object.fromEntries(frame.fields.map((field) => [field.name, field.values[row] ?? null]))
  );
}

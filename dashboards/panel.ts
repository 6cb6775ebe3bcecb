import type { SidekiqQuery } from '../src/types';

/** Which data source a dashboard asks: the plugin itself, or a Prometheus that scrapes the endpoint. */
export type Flavour = 'direct' | 'prometheus';

export type DirectQuery = Omit<SidekiqQuery, 'refId' | 'datasource'>;

export interface PrometheusQuery {
  expr: string;
  legend?: string;
  instant?: boolean;
  format?: 'table' | 'time_series';
}

/** A colour from a value upwards; the first step begins at minus infinity. */
export interface Step {
  from: number | null;
  color: string;
}

/** One panel, told once for both flavours, so that they look the same. */
export interface Panel {
  title: string;
  description: string;
  kind: 'stat' | 'timeseries' | 'table';
  /** Grid units: 24 to a row. */
  width: number;
  height: number;
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  stacked?: boolean;
  noValue?: string;
  steps?: Step[];
  /** Colour by value rather than by series. */
  colored?: boolean;
  /** Several values in one stat panel, named by their field or series. */
  named?: boolean;
  direct?: DirectQuery[];
  prometheus?: PrometheusQuery[];
  /** Columns of a table in their order, by field name. */
  columns?: string[];
  hidden?: string[];
  sortBy?: string;
  /** Widths of columns in pixels, by title. */
  widths?: Record<string, number>;
  /** Cells drawn as a bar, with their largest value. */
  gauges?: Record<string, number>;
  /** Cells coloured from a value upwards. */
  warnings?: Record<string, Step[]>;
}

/** A titled group of panels. */
export interface Row {
  title: string;
  panels: Panel[];
}

/** A variable of a dashboard: the values of a field, or of a label. */
export interface Variable {
  name: string;
  label: string;
  direct: { queryType: string; field: string; filters?: SidekiqQuery['filters'] };
  /** Left out where Prometheus has no such label. */
  prometheus?: string;
  multi: boolean;
}

/** A dashboard for both flavours. */
export interface DashboardSpec {
  id: string;
  title: string;
  description: string;
  variables: Variable[];
  rows: Row[];
}

export const NEUTRAL: Step[] = [{ from: null, color: 'text' }];

/** Green, then orange and red from the given values: red only for bad. */
export function warnFrom(orange: number, red: number): Step[] {
  return [
    { from: null, color: 'green' },
    { from: orange, color: 'orange' },
    { from: red, color: 'red' },
  ];
}

import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/dashboard';
import type { CapacityQuery } from '../pkg/queries/capacity';
import type { CompareQuery } from '../pkg/queries/compare';
import type { ErrorsQuery } from '../pkg/queries/errors';
import type { EventsQuery } from '../pkg/queries/events';
import type { FindingsQuery } from '../pkg/queries/findings';
import type { HistoryQuery } from '../pkg/queries/history';
import type { JobMetricsQuery } from '../pkg/queries/jobMetrics';
import type { JobQuery } from '../pkg/queries/job';
import type { JobsQuery } from '../pkg/queries/jobs';
import type { StoredQuery } from '../pkg/queries/model';
import type { WhatIfQuery } from '../pkg/queries/whatIf';

/** Which data source a dashboard asks: the plugin itself, or a Prometheus that scrapes the endpoint. */
export type Flavour = 'direct' | 'prometheus';

/** A query as any of the types saves it. */
export type DirectQuery =
  | StoredQuery
  | CapacityQuery
  | CompareQuery
  | ErrorsQuery
  | EventsQuery
  | FindingsQuery
  | HistoryQuery
  | JobMetricsQuery
  | JobQuery
  | JobsQuery
  | WhatIfQuery;

export interface PrometheusQuery {
  expr: string;
  legend?: string;
  instant?: boolean;
  /** In a table: the title of the column that its value becomes. */
  column?: string;
}

/** Another dashboard to go to with a value: the queue, class or host that was clicked. */
export interface DashboardTarget {
  dashboard: string;
  variable: string;
  /** What else the address sets. */
  more?: string;
}

/** Where a click on a figure leads. */
export interface FigureLink {
  dashboard: string;
  /** The variable that is set, with the field (direct) and the label (Prometheus) that hold its value. */
  variable?: { name: string; field: string; label: string };
}

/** A colour from a value upwards; the first step begins at minus infinity. */
export interface Step {
  from: number | null;
  color: string;
}

/** One panel, told once for both flavours, so that they look the same. */
export interface Panel {
  title: string;
  /** Where it tells something else there. */
  prometheusTitle?: string;
  description: string;
  kind: 'stat' | 'timeseries' | 'table' | 'heatmap';
  /** Grid units: 24 to a row. */
  width: number;
  height: number;
  unit?: string;
  decimals?: number;
  min?: number;
  max?: number;
  stacked?: boolean;
  /** Durations and the like of very different size: one slow class does not flatten the others. */
  logScale?: boolean;
  /**
   * What a panel without data says, and in the Prometheus flavour where that differs. Of a table it is for that flavour alone: the
   * data source answers with a row of words.
   */
  noValue?: string;
  prometheusNoValue?: string;
  steps?: Step[];
  /** Steps of single fields, by their title, where one panel shows several. */
  fieldSteps?: Record<string, Step[]>;
  /** The dashboard that a click on a single value opens, by its title; with a value, as the one that the figure is of. */
  fieldLinks?: Record<string, FigureLink>;
  direct?: DirectQuery[];
  prometheus?: PrometheusQuery[];
  /** Once for each chosen data source (direct), side by side. */
  repeated?: boolean;
  /** A table of the rows of every chosen data source (direct); the query names its data source in each row. */
  together?: boolean;
  /** Columns of a table in their order, by field name. */
  columns?: string[];
  hidden?: string[];
  /** The column to sort by, descending, by title. */
  sortBy?: string | Partial<Record<Flavour, string>>;
  /** Widths of columns in pixels, by title. */
  widths?: Record<string, number | Record<Flavour, number>>;
  /** Of Prometheus: units by the title of a column or figure, and titles of labels; the data source brings its own. */
  units?: Record<string, string>;
  labels?: Record<string, string>;
  /** Where a click on a cell (by column title), or on a series (by the label that names it), leads. */
  links?: Record<string, DashboardTarget>;
  /** Cells drawn as a bar, with their largest value, to which it is bad to come. */
  gauges?: Record<string, number>;
  /** Columns of a share of 1, by title, drawn as a bar of which any length is good. */
  shares?: string[];
  /** What the legend of a graph is sorted by. A series that ended has a last value too, which says nothing of the end of the range. */
  legendBy?: 'Last *' | 'Max';
  /** Columns of yes or no, by title, of which yes is bad. */
  alarms?: string[];
  /** Columns of states, by title, drawn on their colour, or in it. */
  badges?: string[];
  states?: string[];
  /** Columns of long texts, by title, that go over several lines. */
  wrapped?: string[];
  /** Least widths of columns that share what is left, in pixels, by title. */
  minWidths?: Record<string, number>;
  /** In a table of several series or data sources: the column by which rows come worst first, which is not shown. */
  rank?: string;
  /** A count of the rows below the table. */
  counted?: boolean;
  /** Columns that only links need, by title. */
  invisible?: string[];
  /** Where a click on a cell leads: by column title, the title of the column that holds the path. */
  pathLinks?: Record<string, string>;
  /** The same by Prometheus: columns whose labels are the parts of an address, in turns as it stands and a value to encode. */
  labelLinks?: Record<string, string[]>;
  /** Columns of instants, by title, told as date and time and not as time ago. */
  dated?: string[];
  /** As {@link pathLinks}, where the path is whole: a cell without one is no link. */
  wholeLinks?: Record<string, string>;
  /** As {@link pathLinks}, where the path has a time range of its own. */
  timedLinks?: Record<string, string>;
  /** Cells coloured from a value upwards. */
  warnings?: Record<string, Step[]>;
}

/** A titled group of panels. */
export interface Row {
  title: string;
  panels: Panel[];
  /** Its panels ask nothing until it is opened. */
  closed?: boolean;
}

/** A variable of a dashboard: the values of a field, or of a label. */
export interface Variable {
  name: string;
  label: string;
  /** Left out where it means nothing to the data source. */
  direct?: { queryType: string; field: string; filters?: StoredQuery['filters'] };
  /** Left out where Prometheus has no such label. */
  prometheus?: string;
  /** The part of each value to take; the value as it is by default. */
  regex?: string;
  multi: boolean;
  /** All means all that the variable itself offers, since others narrow it. */
  narrowed?: boolean;
  /** A choice of fixed values, as `text : value`, the first chosen. */
  choice?: string[];
  /** A text that is typed. */
  typed?: boolean;
  /** What is typed, where the label does not say it. */
  description?: string;
}

/** A dashboard's way of choosing data sources: one, or several with a panel each. */
export type DataSourceChoice = 'one' | 'several';

/** A dashboard for both flavours. */
export interface DashboardSpec {
  id: string;
  title: string;
  description: string;
  variables: Variable[];
  rows: Row[];
  /** By default one. */
  dataSources?: DataSourceChoice;
  /** Findings are drawn as regions from the first look on. */
  findingsDrawn?: boolean;
  /** The time range of the first look; the last hour where it is left out. */
  from?: string;
  /** How often it asks again; every ten seconds where it is left out, never where it is empty. */
  refresh?: '' | '1m';
  /** What Prometheus has nothing of is a dashboard of the data source alone. */
  directOnly?: boolean;
  /** Of one queue, class or job, as the links to it say: it takes no variable that may be "All". */
  detail?: string;
}

/** The uid of a dashboard of ours in a flavour. */
export function uidOf(dashboard: string, flavour: Flavour): string {
  return flavour === 'direct' ? dashboard : `${dashboard}-prom`;
}

/** The data source of a query: the one that is chosen. */
export const SOURCES: Record<Flavour, DataSourceRef> = {
  direct: { type: 'jobwatch-sidekiq-datasource', uid: '${datasource}' },
  prometheus: { type: 'prometheus', uid: '${datasource}' },
};

/** Names of a panel's or a rule's queries, in their order. */
export const REF_IDS = 'ABCDEFGHIJ';

export const NEUTRAL: Step[] = [{ from: null, color: 'text' }];

/** Nothing at all is bad, anything else is a number. */
export const RED_AT_ZERO: Step[] = [
  { from: null, color: 'red' },
  { from: 1, color: 'text' },
];

/** Green, then orange and red from the given values: red only for bad. */
export function warnFrom(orange: number, red: number): Step[] {
  return [
    { from: null, color: 'green' },
    { from: orange, color: 'orange' },
    { from: red, color: 'red' },
  ];
}

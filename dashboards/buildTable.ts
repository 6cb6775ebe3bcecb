import * as common from '@grafana/grafana-foundation-sdk/common';
import type * as table from '@grafana/grafana-foundation-sdk/table';
import { queryType } from '../pkg/queries/registry';
import {
  REF_IDS,
  uidOf,
  warnFrom,
  type DashboardTarget,
  type FigureLink,
  type Flavour,
  type Panel,
  type PrometheusQuery,
} from './panel';
import { TARGET_KEPT } from './scrapeTarget';
import { thresholds } from './thresholds';

/** Keeps in an address of which data source, and by Prometheus of which scrape targets, a dashboard tells. */
export const SOURCE_KEPT: Readonly<Record<Flavour, string>> = {
  direct: 'var-datasource=${datasource}',
  prometheus: `var-datasource=\${datasource}&${TARGET_KEPT}`,
};

/** A table of fewer columns is seen whole on a phone, or nearly so. */
const FEWEST_TO_SCROLL = 4;
/** Half of the width of a phone: a wider name would leave no room for what it names. */
const WIDEST_FROZEN = 170;

/** The name of a row stays where a table is scrolled sideways, as on a phone. The SDK does not know the option yet. */
function freezeFirst(builder: table.PanelBuilder): void {
  const build = builder.build.bind(builder);
  builder.build = () => {
    const built = build();
    return { ...built, options: { ...(built.options as object), frozenColumns: { left: 1 } } };
  };
}

/** What the first column is at least, in pixels. */
function widthOfFirst(panel: Panel, flavour: Flavour): number {
  const { columns = [], hidden = [], labels = {}, widths = {}, minWidths = {} } = panel;
  const [name = ''] = columns.filter((column) => !hidden.includes(column));
  const title = flavour === 'direct' ? titleOf(panel, name) : (Object.values(labels)[0] ?? '');
  const width = widths[title] ?? minWidths[title] ?? 0;
  return typeof width === 'number' ? width : width[flavour];
}

/** Columns in order, units, colours, bars and links of a table. */
export function dressTable(builder: table.PanelBuilder, panel: Panel, flavour: Flavour): void {
  if (flavour === 'direct') {
    if (panel.together) {
      builder.withTransformation({ id: 'merge', options: {} });
      if (panel.rank) {
        builder.withTransformation(worstFirst(panel.rank));
      }
    }
    builder.withTransformation(organizeFrame(panel));
  } else {
    // By their name no two series would merge into one row.
    builder.withTransformation({ id: 'organize', options: { excludeByName: { __name__: true } } });
    builder.withTransformation({ id: 'merge', options: {} });
    const { prometheus = [], rank } = panel;
    if (rank) {
      const field = mergedName(
        prometheus,
        prometheus.findIndex(({ column }) => column === rank)
      );
      builder.withTransformation(worstFirst(field));
    }
    builder.withTransformation(organizeSeries(panel));
  }
  if ((panel.columns?.length ?? Infinity) >= FEWEST_TO_SCROLL && widthOfFirst(panel, flavour) <= WIDEST_FROZEN) {
    freezeFirst(builder);
  }
  const shown = flavour === 'direct' ? null : new Set(Object.values(panel.labels ?? {}));
  for (const [name, target] of Object.entries(panel.links ?? {}).filter(([title]) => shown?.has(title) ?? true)) {
    builder.withOverride(linked(name, linkTo(target, '${__value.raw:percentencode}', flavour)));
  }
  if (panel.sortBy) {
    const title = typeof panel.sortBy === 'string' ? panel.sortBy : panel.sortBy[flavour];
    if (title) {
      builder.sortBy([new common.TableSortByFieldStateBuilder().displayName(title).desc(true)]);
    }
  }
  for (const name of panel.shares ?? []) {
    builder.withOverride({ matcher: byName(name), properties: barTo(1) });
  }
  for (const [name, max] of Object.entries(panel.gauges ?? {})) {
    builder.withOverride({
      matcher: byName(name),
      properties: [
        ...barTo(max),
        // A bar that is full says nothing of how far beyond it is.
        { id: 'thresholds', value: thresholds(warnFrom(0.8 * max, max)).build() },
        { id: 'color', value: { mode: 'thresholds' } },
      ],
    });
  }
  if (panel.counted) {
    const [first] =
      flavour === 'direct'
        ? (panel.columns ?? []).map((name) => titleOf(panel, name))
        : Object.values(panel.labels ?? {});
    builder.withOverride({
      matcher: byName(first!),
      properties: [{ id: 'custom.footer.reducers', value: ['countAll'] }],
    });
  }
  for (const [name, steps] of Object.entries(panel.warnings ?? {})) {
    builder.withOverride({
      matcher: byName(name),
      properties: [
        { id: 'custom.cellOptions', value: { type: 'color-text' } },
        { id: 'thresholds', value: thresholds(steps).build() },
        { id: 'mappings', value: UNKNOWN },
      ],
    });
  }
  for (const name of panel.alarms ?? []) {
    builder.withOverride({
      matcher: byName(name),
      properties: [
        { id: 'custom.cellOptions', value: { type: 'color-text' } },
        { id: 'mappings', value: [{ type: 'value', options: YES_IS_BAD }] },
      ],
    });
  }
  for (const name of panel.badges ?? []) {
    builder.withOverride({
      matcher: byName(name),
      properties: [
        { id: 'custom.cellOptions', value: { type: 'color-background', mode: 'basic' } },
        // The frames of the data source bring their colours.
        ...(flavour === 'prometheus' ? [{ id: 'mappings', value: SEVERITY_COLOURS }] : []),
      ],
    });
  }
  if (flavour === 'prometheus') {
    for (const [name, parts] of Object.entries(panel.labelLinks ?? {})) {
      // Nothing else stands in it: an address that is empty is no link.
      const url = parts.map((part, index) => `\${__data.fields["${part}"]:${index % 2 ? 'percentencode' : 'raw'}}`);
      builder.withOverride(linked(name, { title: 'Details', url: url.join('') }));
      parts.forEach((hidden) => builder.withOverride({ matcher: byName(hidden), properties: HIDDEN_PATH }));
    }
  }
  if (flavour === 'direct') {
    for (const name of panel.states ?? []) {
      builder.withOverride({
        matcher: byName(name),
        properties: [{ id: 'custom.cellOptions', value: { type: 'color-text' } }],
      });
    }
    for (const name of panel.wrapped ?? []) {
      builder.withOverride({ matcher: byName(name), properties: [{ id: 'custom.wrapText', value: true }] });
    }
    for (const name of panel.invisible ?? []) {
      builder.withOverride({ matcher: byName(name), properties: [{ id: 'custom.hideFrom.viz', value: true }] });
    }
    for (const [name, path] of Object.entries(panel.pathLinks ?? {})) {
      builder.withOverride(linked(name, pathLink(path, panel.together)));
    }
    for (const name of panel.dated ?? []) {
      const unit = 'dateTimeAsIsoNoDateIfToday';
      builder.withOverride({ matcher: byName(name), properties: [{ id: 'unit', value: unit }] });
    }
    for (const [name, path] of Object.entries(panel.wholeLinks ?? {})) {
      const link = { title: 'At that time', url: `\${__data.fields["${path}"]:raw}` };
      builder.withOverride(linked(name, link));
      builder.withOverride({ matcher: byName(path), properties: HIDDEN_PATH });
    }
    for (const [name, path] of Object.entries(panel.timedLinks ?? {})) {
      builder.withOverride(linked(name, timedLink(path)));
    }
  }
  for (const [name, width] of Object.entries(panel.minWidths ?? {})) {
    builder.withOverride({ matcher: byName(name), properties: [{ id: 'custom.minWidth', value: width }] });
  }
  for (const [name, width] of Object.entries(panel.widths ?? {})) {
    builder.withOverride({
      matcher: byName(name),
      properties: [{ id: 'custom.width', value: typeof width === 'number' ? width : width[flavour] }],
    });
  }
}

function worstFirst(field: string) {
  return { id: 'sortBy', options: { sort: [{ field, desc: true }] } };
}

/** Where a click on the cells of a column leads. */
function linked(column: string, link: { title: string; url: string }) {
  return { matcher: byName(column), properties: [{ id: 'links', value: [link] }] };
}

/** A column that is the address of a link: what stands for no value would be one. */
const HIDDEN_PATH = [
  { id: 'custom.hideFrom.viz', value: true },
  { id: 'noValue', value: '' },
];

/** A link whose path stands in another column of the row. */
function pathLink(column: string, together = false) {
  // In a table of several data sources the path names that of the row.
  const source = together ? '' : '&var-datasource=${datasource}';
  return {
    title: 'Details',
    // The path is encoded already.
    url: `\${__data.fields["${column}"]:raw}${source}&\${__url_time_range}`,
  };
}

/** A link whose path and time stand in another column of the row. */
function timedLink(column: string) {
  return {
    title: 'At that time',
    url: `\${__data.fields["${column}"]:raw}&var-datasource=\${datasource}&timezone=\${__timezone}`,
  };
}

function barTo(max: number) {
  return [
    { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
    { id: 'min', value: 0 },
    { id: 'max', value: max },
  ];
}

/** Grafana gives what is not known the colour of the lowest value. */
export const unknownAs = (result: { text?: string; color: string }) => [
  { type: 'special', options: { match: 'null+nan', result } },
];
const UNKNOWN = unknownAs({ text: '–', color: 'text' });

const YES = { text: 'yes', color: 'red', index: 0 };
const NO = { text: 'no', color: 'text', index: 1 };
const YES_IS_BAD = { true: YES, 1: YES, false: NO, 0: NO };

export function byName(name: string) {
  return { id: 'byName', options: name };
}

/** Puts the columns of a frame of ours in order. */
function organizeFrame(panel: Panel) {
  const { columns = [], hidden = [], together } = panel;
  // Merging drops the titles of columns.
  const known = (name: string) => (together ? name : titleOf(panel, name));
  return {
    id: 'organize',
    options: {
      indexByName: Object.fromEntries(columns.map((name, index) => [known(name), index])),
      excludeByName: Object.fromEntries(hidden.map((name) => [known(name), true])),
      renameByName: together ? Object.fromEntries(columns.map((name) => [name, titleOf(panel, name)])) : {},
    },
  };
}

/** Makes a table of instant queries that were merged by their labels: a label is a column, and so is each value. */
function organizeSeries({ prometheus = [], labels = {}, rank }: Panel) {
  const values = prometheus.map(({ column = 'Value' }, index): [string, string] => [
    mergedName(prometheus, index),
    column,
  ]);
  const order = [...Object.keys(labels), ...values.map(([name]) => name)];
  return {
    id: 'organize',
    options: {
      indexByName: Object.fromEntries(order.map((name, index) => [name, index])),
      excludeByName: Object.fromEntries(
        [
          ...['Time', '__name__', 'job', 'instance', 'process'].filter((name) => !(name in labels)),
          ...values.filter(([, column]) => column === rank).map(([name]) => name),
        ].map((name) => [name, true])
      ),
      renameByName: { ...labels, ...Object.fromEntries(values) },
    },
  };
}

/** What a click opens, by the id of a dashboard. */
const OPENED: Readonly<Record<string, string>> = {
  'sidekiq-overview': 'Open the overview',
  'sidekiq-queue': 'Open the queue',
  'sidekiq-job-class': 'Open the job class',
  'sidekiq-job': 'Open the job',
  'sidekiq-processes': 'Open its processes',
  'sidekiq-errors': 'Open the error',
};

function opened(dashboard: string): string {
  return OPENED[dashboard] ?? 'Open the dashboard';
}

/**
 * A link to another dashboard of the same flavour that keeps data source and time. Grafana encodes no value by itself: an
 * `&` in a name would end it.
 */
export function linkTo({ dashboard, variable, more = '' }: DashboardTarget, value: string, flavour: Flavour) {
  const source =
    variable === 'datasource' ? '' : variable === 'instance' ? `${SOURCE_KEPT.direct}&` : `${SOURCE_KEPT[flavour]}&`;
  return {
    title: opened(dashboard),
    url: `/d/${uidOf(dashboard, flavour)}?${source}var-${variable}=${value}${more}&\${__url_time_range}`,
  };
}

/** A link from a figure to another dashboard of the same flavour, with what the figure is of. */
export function figureLink({ dashboard, variable }: FigureLink, flavour: Flavour) {
  const value =
    flavour === 'direct'
      ? `\${__data.fields["${variable?.field}"]:percentencode}`
      : `\${__field.labels.${variable?.label}:percentencode}`;
  const chosen = variable ? `var-${variable.name}=${value}&` : '';
  return {
    title: opened(dashboard),
    url: `/d/${uidOf(dashboard, flavour)}?${chosen}${SOURCE_KEPT[flavour]}&\${__url_time_range}`,
  };
}

const SEVERITY_COLOURS = [
  {
    type: 'value',
    options: {
      critical: { color: 'red', index: 0 },
      warning: { color: 'orange', index: 1 },
      info: { color: 'blue', index: 2 },
    },
  },
];

/** The name that the value of a query has after merging. */
function mergedName(queries: readonly PrometheusQuery[], index: number): string {
  return queries.length > 1 ? `Value #${REF_IDS[index]}` : 'Value';
}

/** Grafana's transformations know a column by its title. */
function titleOf({ direct = [] }: Panel, name: string): string {
  const columns = direct.flatMap(({ queryType: id }) => queryType(id).columns);
  return columns.find((column) => column.name === name)?.title ?? name;
}

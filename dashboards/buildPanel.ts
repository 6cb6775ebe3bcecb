import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import type { DataSourceRef } from '@grafana/grafana-foundation-sdk/dashboard';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { byName, dressTable, figureLink, linkTo, unknownAs } from './buildTable';
import { REF_IDS, SOURCES, type Flavour, type Panel } from './panel';
import { thresholds } from './thresholds';

/** Grafana's own data source that asks each data source that the variable of a query chooses. */
const EACH_OF_SEVERAL: DataSourceRef = { type: 'datasource', uid: '-- Mixed --' };
const NO_DATA: Record<Flavour, string> = {
  direct: 'No data in this time range. Where the query failed, the icon beside the title says why.',
  prometheus: 'No data in this time range. Check that Prometheus scrapes gpx_sidekiq.',
};
const NO_ANSWER = 'No answer: see the icon beside the title.';
/** Grafana fills a panel of figures with its text, of which a dash would be a bar. */
const NO_FIGURE = 'No data';
/** What a cell or a value of a legend says where there is none. */
const NO_CELL = '–';

/** The data source answers a table with a row of words where it has no rows, so that only a failed query leaves it empty. */
function noValueOf({ kind, noValue, prometheusNoValue }: Panel, flavour: Flavour): string {
  if (kind === 'table' && flavour === 'direct') {
    return NO_ANSWER;
  }
  const own = flavour === 'prometheus' ? (prometheusNoValue ?? noValue) : noValue;
  return own ?? { table: NO_CELL, stat: NO_FIGURE, timeseries: NO_DATA[flavour], heatmap: NO_DATA[flavour] }[kind];
}

/** Older samples are a minute apart, which is no gap. */
const BRIDGED_MS = 90_000;

type AnyPanel = stat.PanelBuilder | timeseries.PanelBuilder | table.PanelBuilder | heatmap.PanelBuilder;

/** A panel as Grafana stores it. @param id of the panel in its dashboard */
export function panelOf(panel: Panel, flavour: Flavour, id: number): AnyPanel {
  const builder = KINDS[panel.kind](panel);
  builder
    .id(id)
    .title(titleOf(panel, flavour))
    .description(panel.description)
    .span(panel.width)
    .height(panel.height)
    .datasource(panel.together && flavour === 'direct' ? EACH_OF_SEVERAL : SOURCES[flavour])
    .noValue(noValueOf(panel, flavour))
    .thresholds(thresholds(panel.steps));
  // What a panel says in place of all data is nothing for a cell or a legend.
  if (panel.kind !== 'heatmap') {
    builder.withOverride({
      matcher: { id: 'byRegexp', options: '/.*/' },
      properties: [{ id: 'noValue', value: NO_CELL }],
    });
  }
  if (panel.kind === 'stat') {
    builder.mappings(unknownAs({ color: 'text' }) as unknown as Parameters<AnyPanel['mappings']>[0]);
  }
  // A heatmap's unit is that of its axis; its cells are counts.
  if (panel.unit && panel.kind !== 'heatmap') {
    builder.unit(panel.unit);
  }
  if (panel.logScale) {
    builder.withOverride({
      matcher: { id: 'byType', options: 'number' },
      properties: [{ id: 'custom.scaleDistribution', value: { type: 'log', log: 10 } }],
    });
  }
  if (panel.decimals !== undefined) {
    builder.decimals(panel.decimals);
  }
  // An abbreviated count without decimals would be rounded to thousands.
  if (panel.decimals === 0 && panel.unit === 'short') {
    builder.withOverride({
      matcher: { id: 'byType', options: 'number' },
      properties: [{ id: 'unit', value: 'locale' }],
    });
  }
  if (panel.min !== undefined) {
    builder.min(panel.min);
  }
  if (panel.max !== undefined) {
    builder.max(panel.max);
  }
  for (const [name, steps] of Object.entries(panel.fieldSteps ?? {})) {
    builder.withOverride({
      matcher: byName(name),
      properties: [{ id: 'thresholds', value: thresholds(steps).build() }],
    });
  }
  for (const [name, link] of Object.entries(panel.fieldLinks ?? {})) {
    builder.withOverride({ matcher: byName(name), properties: [{ id: 'links', value: [figureLink(link, flavour)] }] });
  }
  // The frames of the data source bring units of their own.
  if (flavour === 'prometheus') {
    for (const [name, unit] of Object.entries(panel.units ?? {})) {
      builder.withOverride({ matcher: byName(name), properties: [{ id: 'unit', value: unit }] });
    }
  }
  builder.targets(targetsOf(panel, flavour));
  if (panel.repeated && flavour === 'direct') {
    builder
      .repeat('datasource')
      .repeatDirection('h')
      .maxPerRow(panel.kind === 'table' ? 2 : 4);
  }
  if (panel.kind === 'table') {
    dressTable(builder as table.PanelBuilder, panel, flavour);
  } else {
    builder.dataLinks(
      Object.entries(panel.links ?? {}).map(([label, target]) => {
        const name = flavour === 'prometheus' ? (panel.labels?.[label] ?? label) : label;
        return { build: () => linkTo(target, `\${__field.labels.${name}:percentencode}`, flavour) as never };
      })
    );
  }
  return builder;
}

const KINDS: Record<Panel['kind'], (panel: Panel) => AnyPanel> = {
  stat: () =>
    new stat.PanelBuilder()
      .colorMode(common.BigValueColorMode.Value)
      .graphMode(common.BigValueGraphMode.None)
      .textMode(common.BigValueTextMode.ValueAndName)
      .text(new common.VizTextDisplayOptionsBuilder().titleSize(13))
      .wideLayout(false)
      // A link to what a figure is of needs the row that it stands in.
      .reduceOptions(new common.ReduceDataOptionsBuilder().values(true).limit(25)),
  timeseries: ({ stacked, width, legendBy = 'Last *' }) => {
    const builder = new timeseries.PanelBuilder()
      .lineWidth(stacked ? 1 : 2)
      .fillOpacity(stacked ? 30 : 8)
      .showPoints(stacked ? common.VisibilityMode.Never : common.VisibilityMode.Auto)
      .spanNulls(BRIDGED_MS)
      .legend(
        new common.VizLegendOptionsBuilder()
          .displayMode(common.LegendDisplayMode.Table)
          .placement(width > 12 ? common.LegendPlacement.Right : common.LegendPlacement.Bottom)
          // A narrow panel has room for one figure beside the names.
          .calcs(legendBy === 'Max' ? ['max'] : width <= 12 ? ['lastNotNull'] : ['lastNotNull', 'max'])
          .sortBy(legendBy)
          .sortDesc(true)
          .showLegend(true)
      )
      .tooltip(
        new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending)
      );
    return stacked ? builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal)) : builder;
  },
  heatmap: ({ unit }) =>
    new heatmap.PanelBuilder()
      .calculate(false)
      .color(new heatmap.HeatmapColorOptionsBuilder().mode(heatmap.HeatmapColorMode.Scheme).scheme('Blues').steps(64))
      .cellGap(1)
      .yAxis(new heatmap.YAxisConfigBuilder().unit(unit ?? 's').axisPlacement(common.AxisPlacement.Left)),
  table: () => new table.PanelBuilder().showHeader(true).cellHeight(common.TableCellHeight.Sm).minWidth(100),
};

const FORMATS: Partial<Record<Panel['kind'], string>> = { table: 'table', heatmap: 'heatmap' };

function targetsOf(panel: Panel, flavour: Flavour): Array<Builder<Dataquery>> {
  const queries =
    flavour === 'direct'
      ? (panel.direct ?? []).map((query) => ({ ...query }))
      : (panel.prometheus ?? []).map(({ expr, legend, instant }) => ({
          expr,
          legendFormat: legend ?? '__auto',
          range: !(instant || panel.kind === 'table'),
          instant: instant ?? panel.kind === 'table',
          format: FORMATS[panel.kind] ?? 'time_series',
          editorMode: 'code',
        }));
  return queries.map((query, index) => ({
    build: () => ({ ...query, refId: REF_IDS[index]!, datasource: SOURCES[flavour] }) as unknown as Dataquery,
  }));
}

/** Panels that are repeated side by side say of which installation they are. */
function titleOf({ title: shared, prometheusTitle, repeated }: Panel, flavour: Flavour): string {
  const title = flavour === 'prometheus' ? (prometheusTitle ?? shared) : shared;
  return repeated && flavour === 'direct' && !title.includes('$datasource') ? `${title} of $datasource` : title;
}

import {
  AnnotationQueryBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  ThresholdsConfigBuilder,
  ThresholdsMode,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type DataSourceRef,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import { queryType } from '../pkg/queries/registry';
import type { DashboardSpec, Flavour, Panel, Step, Variable } from './panel';

const SOURCES: Record<Flavour, DataSourceRef> = {
  direct: { type: 'jobwatch-sidekiq-datasource', uid: '${datasource}' },
  prometheus: { type: 'prometheus', uid: '${datasource}' },
};
const NO_DATA: Record<Flavour, string> = {
  direct: 'Nothing yet. Check the data source with "Save & test".',
  prometheus: 'Nothing yet. Check that Prometheus scrapes gpx_sidekiq.',
};

const ANNOTATIONS = [
  { name: 'Deploys', color: 'blue', kinds: ['deploy', 'version'] },
  { name: 'Vanished processes', color: 'red', kinds: ['vanished'] },
];

/** Turns a specification into the JSON that Grafana provisions. */
export function buildDashboard(spec: DashboardSpec, flavour: Flavour): Dashboard {
  const direct = flavour === 'direct';
  const builder = new DashboardBuilder(direct ? spec.title : `${spec.title} (Prometheus)`)
    .uid(`${spec.id}${direct ? '' : '-prom'}`)
    .description(spec.description)
    .tags(['sidekiq', flavour])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh('10s')
    .time({ from: 'now-1h', to: 'now' })
    .timezone('browser')
    .link(
      new DashboardLinkBuilder('Sidekiq')
        .type('dashboards' as never)
        .tags(['sidekiq', flavour])
        .asDropdown(true)
        .keepTime(true)
        .includeVars(true)
    )
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .label('Data source')
        .type(direct ? 'jobwatch-sidekiq-datasource' : 'prometheus')
    );
  for (const variable of spec.variables.filter(({ prometheus }) => direct || prometheus !== undefined)) {
    builder.withVariable(variableOf(variable, flavour));
  }
  if (direct) {
    ANNOTATIONS.forEach(({ name, color, kinds }) =>
      builder.annotation(
        new AnnotationQueryBuilder()
          .name(name)
          .datasource(SOURCES.direct)
          .enable(true)
          .iconColor(color)
          .target({ build: () => ({ refId: 'annotation', queryType: 'events', kinds }) as never })
      )
    );
  }
  for (const row of spec.rows) {
    const panels = row.panels.filter((panel) => (panel[flavour]?.length ?? 0) > 0);
    if (panels.length > 0) {
      builder.withRow(new RowBuilder(row.title));
      panels.forEach((panel) => builder.withPanel(panelOf(panel, flavour)));
    }
  }
  return builder.build();
}

function variableOf({ name, label, direct, prometheus, multi }: Variable, flavour: Flavour): QueryVariableBuilder {
  const query =
    flavour === 'direct' ? { refId: 'variable', ...direct } : { refId: 'variable', query: prometheus ?? '' };
  return new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCES[flavour])
    .query(query as never)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalAsc)
    .multi(multi)
    .includeAll(multi)
    .allValue('.*')
    .current(multi ? { selected: true, text: 'All' as never, value: '$__all' as never } : ({} as never));
}

type AnyPanel = stat.PanelBuilder | timeseries.PanelBuilder | table.PanelBuilder;

function panelOf(panel: Panel, flavour: Flavour): AnyPanel {
  const builder = KINDS[panel.kind](panel);
  builder
    .title(panel.title)
    .description(panel.description)
    .span(panel.width)
    .height(panel.height)
    .datasource(SOURCES[flavour])
    .noValue(panel.noValue ?? (panel.kind === 'table' ? '–' : NO_DATA[flavour]))
    .thresholds(thresholds(panel.steps));
  if (panel.unit) {
    builder.unit(panel.unit);
  }
  if (panel.decimals !== undefined) {
    builder.decimals(panel.decimals);
  }
  if (panel.min !== undefined) {
    builder.min(panel.min);
  }
  if (panel.max !== undefined) {
    builder.max(panel.max);
  }
  builder.targets(targetsOf(panel, flavour));
  if (panel.kind === 'table') {
    dressTable(builder as table.PanelBuilder, panel, flavour);
  }
  return builder;
}

const KINDS: Record<Panel['kind'], (panel: Panel) => AnyPanel> = {
  stat: ({ named, colored }) =>
    new stat.PanelBuilder()
      .colorMode(colored ? common.BigValueColorMode.Value : common.BigValueColorMode.None)
      .graphMode(common.BigValueGraphMode.Area)
      .textMode(named ? common.BigValueTextMode.ValueAndName : common.BigValueTextMode.Value)
      .wideLayout(false)
      .reduceOptions(new common.ReduceDataOptionsBuilder().calcs(['lastNotNull']).values(false)),
  timeseries: ({ stacked, width }) => {
    const builder = new timeseries.PanelBuilder()
      .lineWidth(stacked ? 1 : 2)
      .fillOpacity(stacked ? 30 : 8)
      .showPoints(stacked ? common.VisibilityMode.Never : common.VisibilityMode.Auto)
      .legend(
        new common.VizLegendOptionsBuilder()
          .displayMode(common.LegendDisplayMode.Table)
          .placement(width > 12 ? common.LegendPlacement.Right : common.LegendPlacement.Bottom)
          .calcs(['lastNotNull', 'max'])
          .sortBy('Last *')
          .sortDesc(true)
          .showLegend(true)
      )
      .tooltip(
        new common.VizTooltipOptionsBuilder().mode(common.TooltipDisplayMode.Multi).sort(common.SortOrder.Descending)
      );
    return stacked ? builder.stacking(new common.StackingConfigBuilder().mode(common.StackingMode.Normal)) : builder;
  },
  table: () => new table.PanelBuilder().showHeader(true).cellHeight(common.TableCellHeight.Sm).minWidth(80),
};

function dressTable(builder: table.PanelBuilder, panel: Panel, flavour: Flavour): void {
  const { columns = [], hidden = [] } = panel;
  const title = (name: string) => (flavour === 'direct' ? titleOf(panel, name) : name);
  const indexByName = Object.fromEntries(columns.map((name, index) => [title(name), index]));
  const excludeByName = Object.fromEntries(
    [...hidden.map(title), ...(flavour === 'prometheus' ? ['Time', '__name__', 'job', 'instance'] : [])].map((name) => [
      name,
      true,
    ])
  );
  if (flavour === 'prometheus' && (panel.prometheus?.length ?? 0) > 1) {
    builder.withTransformation({ id: 'merge', options: {} });
  }
  builder.withTransformation({
    id: 'organize',
    options: { indexByName, excludeByName, renameByName: {} },
  });
  if (panel.sortBy) {
    builder.sortBy([new common.TableSortByFieldStateBuilder().displayName(panel.sortBy).desc(true)]);
  }
  const titles = (name: string) => [{ id: 'byName', options: name }];
  for (const [name, max] of Object.entries(panel.gauges ?? {})) {
    for (const matcher of titles(name)) {
      builder.withOverride({
        matcher,
        properties: [
          { id: 'custom.cellOptions', value: { type: 'gauge', mode: 'basic', valueDisplayMode: 'text' } },
          { id: 'min', value: 0 },
          { id: 'max', value: max },
        ],
      });
    }
  }
  for (const [name, steps] of Object.entries(panel.warnings ?? {})) {
    builder.withOverride({
      matcher: { id: 'byName', options: name },
      properties: [
        { id: 'custom.cellOptions', value: { type: 'color-text' } },
        { id: 'thresholds', value: thresholds(steps).build() },
      ],
    });
  }
  for (const [name, width] of Object.entries(panel.widths ?? {})) {
    builder.withOverride({
      matcher: { id: 'byName', options: name },
      properties: [{ id: 'custom.width', value: width }],
    });
  }
}

/** Grafana's transformations know a column by its title. */
function titleOf({ direct = [] }: Panel, name: string): string {
  const columns = direct.flatMap(({ queryType: id }) => queryType(id).columns);
  return columns.find((column) => column.name === name)?.title ?? name;
}

function thresholds(steps: Step[] = [{ from: null, color: 'green' }]): ThresholdsConfigBuilder {
  return new ThresholdsConfigBuilder()
    .mode(ThresholdsMode.Absolute)
    .steps(steps.map(({ from, color }) => ({ value: from as never, color })));
}

function targetsOf(panel: Panel, flavour: Flavour): Array<Builder<Dataquery>> {
  const refIds = 'ABCDEFGH';
  const queries =
    flavour === 'direct'
      ? (panel.direct ?? []).map((query) => ({ ...query }))
      : (panel.prometheus ?? []).map(({ expr, legend, instant, format }) => ({
          expr,
          legendFormat: legend ?? '__auto',
          range: !instant,
          instant: instant ?? false,
          format: format ?? (panel.kind === 'table' ? 'table' : 'time_series'),
          editorMode: 'code',
        }));
  return queries.map((query, index) => ({
    build: () => ({ ...query, refId: refIds[index]!, datasource: SOURCES[flavour] }) as unknown as Dataquery,
  }));
}

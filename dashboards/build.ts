import {
  AnnotationQueryBuilder,
  CustomVariableBuilder,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  RowBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
  type Dashboard,
  type DashboardLink,
  type DataSourceRef,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder, Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import * as common from '@grafana/grafana-foundation-sdk/common';
import * as heatmap from '@grafana/grafana-foundation-sdk/heatmap';
import * as stat from '@grafana/grafana-foundation-sdk/stat';
import * as table from '@grafana/grafana-foundation-sdk/table';
import * as timeseries from '@grafana/grafana-foundation-sdk/timeseries';
import type { EventsQuery } from '../pkg/queries/events';
import type { Severity } from './alert';
import { byName, dressTable, figureLink, linkTo, SOURCE_KEPT, unknownAs } from './buildTable';
import { ofScrapeTarget, SCRAPE_TARGET } from './scrapeTarget';
import { REF_IDS, uidOf, type DashboardSpec, type Flavour, type Panel, type Variable } from './panel';
import { thresholds } from './thresholds';

const SOURCES: Record<Flavour, DataSourceRef> = {
  direct: { type: 'jobwatch-sidekiq-datasource', uid: '${datasource}' },
  prometheus: { type: 'prometheus', uid: '${datasource}' },
};
/** Grafana's own data source that asks each data source that the variable of a query chooses. */
const EACH_OF_SEVERAL: DataSourceRef = { type: 'datasource', uid: '-- Mixed --' };
const NO_DATA: Record<Flavour, string> = {
  direct: 'No data in this time range. Where the query failed, the icon beside the title says why.',
  prometheus: 'No data in this time range. Check that Prometheus scrapes gpx_sidekiq.',
};
const NO_ANSWER = 'No answer: see the icon beside the title.';
/** What a cell or a value of a legend says where there is none. */
const NO_CELL = '–';

/** Marks on the graphs of every dashboard. */
interface Annotation {
  name: string;
  color: string;
  kinds: NonNullable<EventsQuery['kinds']>;
  /** Of findings only these. */
  severity?: Severity;
  expr: string;
  /** Text of a mark by Prometheus. */
  title: string;
  /** Whether it is on where nobody chose; by default it is. */
  drawn?: (spec: DashboardSpec) => boolean;
}

const ANNOTATIONS: readonly Annotation[] = [
  {
    name: 'Deploys',
    color: 'blue',
    kinds: ['deploy', 'version'],
    expr: 'changes(sidekiq_last_deploy_timestamp_seconds[$__interval]) > 0',
    title: 'Deploy',
  },
  {
    name: 'Vanished processes',
    color: 'red',
    kinds: ['vanished'],
    expr: 'increase(sidekiq_vanished_processes_total[$__interval]) > 0',
    title: 'A process on {{host}} vanished',
  },
  {
    name: 'Critical findings',
    color: 'orange',
    kinds: ['finding'],
    severity: 'critical',
    // By Prometheus the alerts of Sidekiq are what a finding is.
    expr: 'ALERTS{alertname=~"Sidekiq.*",alertstate="firing",severity="critical"}',
    title: '{{alertname}} {{name}}{{class}}{{host}}',
    drawn: (spec) => spec.findingsDrawn === true,
  },
  {
    name: 'Warnings',
    color: 'yellow',
    kinds: ['finding'],
    severity: 'warning',
    expr: 'ALERTS{alertname=~"Sidekiq.*",alertstate="firing",severity="warning"}',
    title: '{{alertname}} {{name}}{{class}}{{host}}',
    // A day of them covers the lines of a graph.
    drawn: () => false,
  },
];

/** Turns a specification into the JSON that Grafana provisions. */
export function buildDashboard(spec: DashboardSpec, flavour: Flavour, all: readonly DashboardSpec[]): Dashboard {
  const direct = flavour === 'direct';
  const several = direct && spec.dataSources === 'several';
  const builder = new DashboardBuilder(direct ? spec.title : `${spec.title} (Prometheus)`)
    .uid(uidOf(spec.id, flavour))
    .description(spec.description)
    .tags(tagsOf(spec, flavour))
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .refresh(spec.refresh ?? '10s')
    .time({ from: spec.from ?? 'now-1h', to: 'now' })
    .timezone('browser')
    .links([otherDashboards(flavour, several), ...(several ? [] : linksOf(spec, flavour, all))])
    .withVariable(
      new DatasourceVariableBuilder('datasource')
        .label('Data source')
        .type(direct ? 'jobwatch-sidekiq-datasource' : 'prometheus')
        .multi(several)
        .includeAll(several)
        .current(
          // Grafana takes the first of the type where its default data source is of another.
          several
            ? { selected: true, text: 'All', value: '$__all' }
            : { selected: true, text: 'default', value: 'default' }
        )
    );
  const isFleet = spec.dataSources === 'several';
  const ofTarget = isFleet ? (expr: string) => expr : ofScrapeTarget;
  const own = spec.variables.map((variable) =>
    variable.prometheus === undefined ? variable : { ...variable, prometheus: ofTarget(variable.prometheus) }
  );
  const variables = isFleet ? own : [...SCRAPE_TARGET, ...own];
  for (const variable of variables) {
    if (variable.choice) {
      builder.withVariable(choiceOf(variable));
    } else if (variable.typed) {
      const typed = new TextBoxVariableBuilder(variable.name).label(variable.label).defaultValue('');
      builder.withVariable(variable.description === undefined ? typed : typed.description(variable.description));
    } else if (variable[flavour] !== undefined) {
      builder.withVariable(variableOf(variable, flavour));
    }
  }
  ANNOTATIONS.forEach(({ name, color, kinds, severity, expr, title, drawn = () => true }) => {
    const filters = severity && { filters: [{ field: 'severity', operator: '=', values: [severity] }] };
    const query = direct
      ? { refId: 'annotation', queryType: 'events', kinds, ...filters }
      : { refId: 'annotation', expr: ofTarget(expr), interval: '60s' };
    const annotation = new AnnotationQueryBuilder()
      .name(name)
      .datasource(SOURCES[flavour])
      .enable(drawn(spec))
      .iconColor(color)
      .target({ build: () => query as never })
      .build();
    // The text of a mark is an option of Prometheus' own, which the builder does not know.
    builder.annotation({ build: () => (direct ? annotation : { ...annotation, titleFormat: title }) });
  });
  for (const [index, row] of spec.rows.entries()) {
    const panels = filled(row.panels.filter((panel) => (panel[flavour]?.length ?? 0) > 0));
    if (panels.length > 0) {
      const line = new RowBuilder(row.title).id(ROW_IDS + index);
      const drawn = panels.map(({ prometheus = [], ...panel }) => {
        const selected = prometheus.map((query) => ({ ...query, expr: ofTarget(query.expr) }));
        return panelOf({ ...panel, prometheus: selected }, flavour, panelId(spec, panel.title));
      });
      if (row.closed) {
        drawn.forEach((panel) => line.withPanel(panel));
        builder.withRow(line.collapsed(true));
      } else {
        builder.withRow(line);
        drawn.forEach((panel) => builder.withPanel(panel));
      }
    }
  }
  return builder.build();
}

/** Ids of rows come after those of panels. */
const ROW_IDS = 1000;

/** By the last one the menu of dashboards finds those that take its variables. */
function tagsOf({ dataSources, detail }: DashboardSpec, flavour: Flavour): string[] {
  return ['sidekiq', flavour, dataSources === 'several' ? 'fleet' : detail === undefined ? OF_INSTALLATION : 'detail'];
}

const OF_INSTALLATION = 'installation';

/** A link that is shown: Grafana 12.3 drops some in its controls menu, the builder's default. */
function linkOf(builder: DashboardLinkBuilder): { build(): DashboardLink } {
  const { placement: _, ...link } = builder.build();
  return { build: () => link };
}

/**
 * The list of the dashboards of an installation. They take "All" of a variable, which a dashboard of one queue would take for
 * the name of one.
 *
 * @param several whether several data sources are chosen, of which the others take one
 */
function otherDashboards(flavour: Flavour, several: boolean) {
  return linkOf(
    new DashboardLinkBuilder('Sidekiq dashboards')
      .type('dashboards' as never)
      .tags(['sidekiq', flavour, OF_INSTALLATION])
      .asDropdown(true)
      .keepTime(true)
      .includeVars(!several)
  );
}

/** Links to the dashboards of one queue, class or job, which begin with the first, and to the one of all data sources. */
function linksOf(spec: DashboardSpec, flavour: Flavour, all: readonly DashboardSpec[]) {
  return all.flatMap(({ id, detail, dataSources, directOnly = false }) => {
    const isFleet = dataSources === 'several';
    if (id === spec.id || (detail === undefined && !isFleet) || (directOnly && flavour !== 'direct')) {
      return [];
    }
    const source = !isFleet ? `?${SOURCE_KEPT[flavour]}` : flavour === 'direct' ? '' : `?${SOURCE_KEPT.direct}`;
    return [
      linkOf(
        new DashboardLinkBuilder(detail ?? 'Fleet')
          .type('link' as never)
          .icon('dashboard')
          .url(`/d/${uidOf(id, flavour)}${source}`)
          .keepTime(true)
      ),
    ];
  });
}

function choiceOf({ name, label, choice = [] }: Variable): CustomVariableBuilder {
  const [first = ''] = choice;
  const [text = '', value = text] = first.split(' : ');
  return new CustomVariableBuilder(name).label(label).values(choice.join(',')).current({ selected: true, text, value });
}

const COLUMNS = 24;

/** The id of a panel, the same in both flavours: alerts name it. */
export function panelId({ rows }: DashboardSpec, title: string): number {
  return rows.flatMap(({ panels }) => panels).findIndex((panel) => panel.title === title) + 1;
}

/** Widens the last panel of each line to its end: a flavour may lack a panel of the other. */
function filled(panels: readonly Panel[]): Panel[] {
  const lines: Panel[][] = [];
  let width = COLUMNS;
  for (const panel of panels) {
    if (width + panel.width > COLUMNS) {
      lines.push([]);
      width = 0;
    }
    lines[lines.length - 1]!.push(panel);
    width += panel.width;
  }
  return lines.flatMap((line) => {
    const used = line.slice(0, -1).reduce((sum, panel) => sum + panel.width, 0);
    return line.map((panel, index) => (index === line.length - 1 ? { ...panel, width: COLUMNS - used } : panel));
  });
}

/**
 * Values are read as the dashboard is loaded: whenever they are read again, Grafana replaces a chosen value that is not among
 * them, such as a class that has not run lately. The values of a narrowed variable are all that its panels ask for.
 */
function variableOf(variable: Variable, flavour: Flavour): QueryVariableBuilder {
  const { name, label, direct, prometheus, multi, narrowed, regex = '' } = variable;
  const query =
    flavour === 'direct' ? { refId: 'variable', ...direct } : { refId: 'variable', query: prometheus ?? '' };
  const builder = new QueryVariableBuilder(name)
    .label(label)
    .datasource(SOURCES[flavour])
    .query(query as never)
    .refresh(narrowed ? VariableRefresh.OnTimeRangeChanged : VariableRefresh.OnDashboardLoad)
    .sort(VariableSort.AlphabeticalAsc)
    .regex(regex)
    .multi(multi)
    .includeAll(multi)
    .current(multi ? { selected: true, text: 'All', value: '$__all' } : ({} as never));
  return narrowed ? builder : builder.allValue('.*');
}

/** The data source answers a table with a row of words where it has no rows, so that only a failed query leaves it empty. */
function noValueOf({ kind, noValue, prometheusNoValue }: Panel, flavour: Flavour): string {
  if (kind === 'table' && flavour === 'direct') {
    return NO_ANSWER;
  }
  const own = flavour === 'prometheus' ? (prometheusNoValue ?? noValue) : noValue;
  // Grafana fills a panel of figures with its text.
  return own ?? (kind === 'table' || kind === 'stat' ? NO_CELL : NO_DATA[flavour]);
}

/** Older samples are a minute apart, which is no gap. */
const BRIDGED_MS = 90_000;

type AnyPanel = stat.PanelBuilder | timeseries.PanelBuilder | table.PanelBuilder | heatmap.PanelBuilder;

function panelOf(panel: Panel, flavour: Flavour, id: number): AnyPanel {
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

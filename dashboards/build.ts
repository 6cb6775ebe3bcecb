import {
  DashboardBuilder,
  DashboardCursorSync,
  DatasourceVariableBuilder,
  RowBuilder,
  type Dashboard,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { annotationsOf } from './annotations';
import { panelOf } from './buildPanel';
import { linksOf, otherDashboards, tagsOf } from './menu';
import { uidOf, type DashboardSpec, type Flavour, type Panel } from './panel';
import { ofScrapeTarget, SCRAPE_TARGET } from './scrapeTarget';
import { variableOf } from './variables';

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
  variables.flatMap((variable) => variableOf(variable, flavour) ?? []).forEach((each) => builder.withVariable(each));
  annotationsOf(spec, flavour, ofTarget).forEach((each) => builder.annotation(each));
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

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ALERTS } from '../../../dashboards/alerts';
import { panelId } from '../../../dashboards/build';
import { DASHBOARDS } from '../../../dashboards/dashboards';
import type { Panel } from '../../../dashboards/panel';
import { TITLE_OF_SCORE } from '../../../pkg/queries/jobs';
import { queryType } from '../../../pkg/queries/registry';
import { HISTORY_FIGURES } from '../../../pkg/series/figures';

/** Grafana ignores a column that does not exist, so a wrong name is only seen here. */

const panels = DASHBOARDS.flatMap(({ id, rows }) =>
  rows.flatMap((row) => row.panels.map((panel) => [`${id}: ${panel.title}`, panel] as const))
);
const tables = panels.filter(([, { kind }]) => kind === 'table');

function columnsOf({ direct = [] }: Panel) {
  return (direct as Array<{ queryType: string; source?: keyof typeof TITLE_OF_SCORE }>).flatMap(
    ({ queryType: id, source }) =>
      queryType(id).columns.map(({ name, title }) => ({
        name,
        // Of a set of jobs the title says what the time of an entry is.
        title: id === 'jobs' && name === 'at' ? TITLE_OF_SCORE[source ?? 'queue'] : title,
      }))
  );
}

function titlesOf(panel: Panel): { direct: string[]; prometheus: string[] } {
  return {
    direct: columnsOf(panel).map(({ title }) => title),
    prometheus: [
      ...Object.values(panel.labels ?? {}),
      ...(panel.prometheus ?? []).map(({ column = 'Value' }) => column),
    ],
  };
}

describe.each(tables)('the table %s', (_, panel) => {
  test('orders and hides columns that its query type has', () => {
    const names = columnsOf(panel).map(({ name }) => name);
    for (const name of [...(panel.columns ?? []), ...(panel.hidden ?? [])]) {
      expect(names).toContain(name);
    }
  });

  test('dresses columns by titles that one of its flavours has', () => {
    const { direct, prometheus } = titlesOf(panel);
    for (const title of [
      ...Object.keys(panel.widths ?? {}),
      ...Object.keys(panel.links ?? {}),
      ...Object.keys(panel.gauges ?? {}),
      ...Object.keys(panel.warnings ?? {}),
      ...(panel.alarms ?? []),
    ]) {
      expect([...direct, ...prometheus]).toContain(title);
    }
  });

  test('sorts by a column that each of its flavours has', () => {
    const titles = titlesOf(panel);
    for (const flavour of ['direct', 'prometheus'] as const) {
      if (panel.sortBy !== undefined && panel[flavour] !== undefined) {
        const title = typeof panel.sortBy === 'string' ? panel.sortBy : panel.sortBy[flavour];
        // Rows of the plugin that come in their own order need none.
        expect([...titles[flavour], undefined]).toContain(title);
      }
    }
  });
});

test.each(panels)('the queries of %s name figures and filters that their query types have', (_, { direct = [] }) => {
  for (const query of direct as Array<{ queryType: string; figures?: string[]; filters?: Array<{ field: string }> }>) {
    const type = queryType(query.queryType);
    const figures = [...type.columns.map(({ name }) => name), ...HISTORY_FIGURES.map(({ name }) => name)];
    // A variable's values are those of its choice.
    const choicesOf = (figure: string) =>
      DASHBOARDS.flatMap(({ variables }) =>
        variables.filter(({ name }) => figure.includes(name)).flatMap(({ choice = [] }) => choice)
      ).map((choice) => choice.split(' : ')[0]!);
    (query.figures ?? [])
      .flatMap((figure) => (figure.startsWith('$') ? choicesOf(figure) : [figure]))
      .forEach((figure) => expect(figures).toContain(figure));
    (query.filters ?? []).forEach(({ field }) => expect(type.filterFields).toContain(field));
  }
});

test.each(DASHBOARDS.map((dashboard) => [dashboard.id, dashboard] as const))(
  'the variables of %s list fields that their query types have',
  (_, { variables }) => {
    for (const { direct } of variables) {
      if (direct) {
        expect(queryType(direct.queryType).filterFields).toContain(direct.field);
      }
    }
  }
);

test.each(['direct', 'prometheus'])(
  'durations have one unit on axes, in tables and in figures, in the flavour %s',
  (flavour) => {
    const folder = join(__dirname, `../../../provisioning/dashboards/${flavour}`);
    const units = readdirSync(folder).flatMap((file) =>
      [
        ...readFileSync(join(folder, file), 'utf8').matchAll(/"unit": "([^"]+)"|"id": "unit",\s+"value": "([^"]+)"/g),
      ].map(([, own, overriding]) => own ?? overriding)
    );
    expect([...new Set(units)].sort()).toEqual(
      // Of what happened the date is told, and not how long ago.
      [
        'bool_yes_no',
        'bytes',
        'dateTimeAsIsoNoDateIfToday',
        'locale',
        'percentunit',
        's',
        'short',
        'suffix:jobs/s',
      ].filter((unit) => units.includes(unit))
    );
  }
);

test.each(ALERTS.map((alert) => [alert.name, alert] as const))(
  '%s names a panel in which its states are drawn',
  (_, alert) => {
    // Of one queue or class others' states would be wrong.
    const shown = /^sidekiq-(?:queue|job-class)$/.test(alert.dashboard) ? 'sidekiq-overview' : alert.dashboard;
    const spec = DASHBOARDS.find(({ id }) => id === shown)!;
    expect(panelId(spec, alert.panel)).toBeGreaterThan(0);
    const rules = readFileSync(join(__dirname, '../../../provisioning/alerting/sidekiq.yaml'), 'utf8');
    const rule = rules.split(/^ {6}- /m).find((each) => each.includes(`title: ${alert.name}\n`));
    expect(rule === undefined).toBe(alert.direct === undefined);
    expect(rule ?? '').toMatch(rule === undefined ? /^$/ : new RegExp(`__dashboardUid__: ${shown}\n`));
  }
);

test.each(DASHBOARDS.map((dashboard) => [dashboard.id, dashboard] as const))(
  'the panels of %s have titles of their own, by which alerts find them',
  (_, { rows }) => {
    const titles = rows.flatMap(({ panels: each }) => each.map(({ title }) => title));
    expect(new Set(titles).size).toBe(titles.length);
  }
);

const FOLDER = join(__dirname, '../../../provisioning/dashboards');
interface Shipped {
  type: string;
  title: string;
  panels?: Shipped[];
  fieldConfig?: { defaults: { mappings?: object[]; custom?: { spanNulls?: number } } };
}
const shipped = ['direct', 'prometheus'].flatMap((flavour) =>
  readdirSync(join(FOLDER, flavour)).flatMap((file) => {
    const { panels: all } = JSON.parse(readFileSync(join(FOLDER, flavour, file), 'utf8')) as { panels: Shipped[] };
    return all.flatMap((panel) => [panel, ...(panel.panels ?? [])]);
  })
);

test('a figure that is not known has no colour of a threshold', () => {
  const figures = shipped.filter(({ type }) => type === 'stat');
  expect(figures.length).toBeGreaterThan(5);
  for (const { title, fieldConfig } of figures) {
    expect(fieldConfig!.defaults.mappings, title).toContainEqual({
      type: 'special',
      options: { match: 'null+nan', result: { color: 'text' } },
    });
  }
});

test('samples a minute apart are drawn as a line, an outage of two minutes is a gap', () => {
  const series = shipped.filter(({ type }) => type === 'timeseries');
  expect(series.length).toBeGreaterThan(30);
  for (const { title, fieldConfig } of series) {
    const bridged = fieldConfig!.defaults.custom!.spanNulls!;
    expect(bridged > 60_000 && bridged < 120_000, title).toBe(true);
  }
});

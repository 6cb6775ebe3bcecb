import { createHash } from 'node:crypto';
import { stringify } from 'yaml';
import { LOOK_BACK_MINUTES, type Alert, type Condition, type DirectAlert, type Severity } from './alert';
import { ALERTS, RECORDING_RULES } from './alerts';
import { panelId } from './build';
import { subjectOf } from './subjects';
import { DASHBOARDS } from './dashboards';
import { REF_IDS, uidOf, type Flavour } from './panel';

const SEVERITIES: readonly Severity[] = ['critical', 'warning', 'info'];
const RUNBOOKS = 'https://github.com/jobwatch/jobwatch-sidekiq-datasource/blob/main/docs/alerts.md';
const DATA_SOURCE_UID = 'sidekiq';
const HEADER = '# Generated from dashboards/alerts.ts by npm run generate. docs/alerts.md explains each.\n';

/** The namespace in the rules that are shipped and in the reference of metrics, as Lago's workers send it. */
export const SHIPPED_NAMESPACE = 'lago_api';

/** The rule file for Prometheus. @param statsd namespace of those who send by DogStatsD */
export function prometheusRules(statsd = SHIPPED_NAMESPACE): string {
  const groups = SEVERITIES.map((severity) => ({
    name: `sidekiq-${severity}`,
    rules: ALERTS.filter((alert) => alert.severity === severity).flatMap((alert) => {
      const { prometheus } = alert;
      return prometheus
        ? [
            {
              alert: alert.name,
              expr: prometheus.expr.replaceAll('${statsd}', statsd),
              ...(alert.pendingMinutes > 0 && { for: `${alert.pendingMinutes}m` }),
              labels: { severity },
              annotations: annotations(alert, (text) => renameLabels(text, prometheus.labels), 'prometheus'),
            },
          ]
        : [];
    }),
  }));
  return HEADER + yaml({ groups: [{ name: 'sidekiq-recording', rules: RECORDING_RULES }, ...groups] });
}

/** The rules that Grafana evaluates by itself, on this data source alone. Contact points are the operator's. */
export function grafanaRules(): string {
  const groups = SEVERITIES.map((severity) => ({
    orgId: 1,
    name: `sidekiq-${severity}`,
    folder: 'Sidekiq',
    interval: '1m',
    rules: ALERTS.filter((alert) => alert.severity === severity).flatMap((alert) =>
      alert.direct ? [grafanaRule(alert, alert.direct)] : []
    ),
  }));
  return HEADER + yaml({ apiVersion: 1, groups });
}

function grafanaRule(alert: Alert, direct: DirectAlert) {
  const seconds = (direct.minutes ?? LOOK_BACK_MINUTES) * 60;
  const relativeTimeRange = { from: seconds, to: 0 };
  const queries = direct.queries.map((query, index) => ({
    refId: REF_IDS[index]!,
    relativeTimeRange,
    datasourceUid: DATA_SOURCE_UID,
    model: { ...query, refId: REF_IDS[index]! },
  }));
  return {
    uid: `jobwatch-${createHash('sha256').update(alert.name).digest('hex').slice(0, 12)}`,
    title: alert.name,
    condition: 'FIRES',
    for: `${alert.pendingMinutes}m`,
    noDataState: direct.noData ?? 'OK',
    execErrState: direct.error ?? 'KeepLast',
    labels: { severity: alert.severity },
    annotations: { ...annotations(alert, valueOfA, 'direct'), ...panelOf(alert) },
    data: [
      ...queries,
      {
        refId: 'FIRES',
        relativeTimeRange,
        datasourceUid: '__expr__',
        model: { refId: 'FIRES', ...expression(direct.when) },
      },
    ],
  };
}

function expression(when: Condition): object {
  if ('math' in when) {
    return { type: 'math', expression: when.math };
  }
  const evaluator = 'above' in when ? { type: 'gt', params: [when.above] } : { type: 'lt', params: [when.below] };
  return { type: 'threshold', expression: 'A', conditions: [{ evaluator }] };
}

function annotations(alert: Alert, text: (text: string) => string, flavour: Flavour) {
  return {
    summary: text(alert.summary),
    description: text(alert.description),
    runbook_url: `${RUNBOOKS}#${alert.name.toLowerCase()}`,
    dashboard: text(`/d/${uidOf(alert.dashboard, flavour)}${chosenBy(alert)}`),
  };
}

/** By these Grafana links an alert of its own to the panel, and draws its states there. */
function panelOf({ dashboard, panel }: Alert) {
  const shown = OF_ONE.has(dashboard) ? 'sidekiq-overview' : dashboard;
  const spec = DASHBOARDS.find(({ id }) => id === shown)!;
  return { __dashboardUid__: shown, __panelId__: String(panelId(spec, panel)) };
}

/** Dashboards of one queue or class. */
const OF_ONE = new Set(['sidekiq-queue', 'sidekiq-job-class']);

/** The queue, class or host of an alert as part of an address. */
function chosenBy(alert: Alert): string {
  const subject = subjectOf(alert);
  return subject ? `?var-${subject.variable}={{ $labels.${subject.label} | urlquery }}` : '';
}

/** Grafana's `$value` is a text of all results; a rule that has no data has no `A`. */
function valueOfA(text: string): string {
  return text.replace(/\{\{ \$value(.*?) \}\}/g, '{{ with $values.A }}{{ .Value$1 }}{{ end }}');
}

function renameLabels(text: string, labels: Record<string, string> = {}): string {
  return Object.entries(labels).reduce(
    (renamed, [from, to]) => renamed.replaceAll(`$labels.${from}`, `$labels.${to}`),
    text
  );
}

function yaml(value: unknown): string {
  return stringify(value, { lineWidth: 0, singleQuote: true, aliasDuplicateObjects: false });
}

import { ALERTS } from '../alerts';
import { warnFrom, type Panel, type Row } from '../panel';
import { BUSIEST_TYPE, DIED_LAST_HOUR, FAILURE_RATE, figures, RETRIES, TO_CLASS, TO_HOST, TO_QUEUE } from '../queries';

/** Alerts by how urgent they are; those that do not fire yet come last. */
const rank = (severity: string, level: number) =>
  `${level} * ALERTS{alertname=~"Sidekiq.*",severity="${severity}",alertstate="firing"} or ${level - 0.5} * ALERTS{alertname=~"Sidekiq.*",severity="${severity}",alertstate="pending"}`;

/** Alerts that no queue, class or host is the subject of, by the dashboard that shows them. */
const alertsOf = (dashboard: string) => ALERTS.flatMap((alert) => (alert.dashboard === dashboard ? [alert.name] : []));

/**
 * The paths that cells lead to, as labels: an address that is written with a column leads somewhere from an empty cell, too.
 * The name is put behind it.
 */
const PATHS: ReadonlyArray<{
  label: string;
  title: string;
  dashboard: string;
  variable?: string;
  of: string;
  is: string;
}> = [
  ...[
    { label: 'to_queue', title: 'Queue path', target: TO_QUEUE, of: 'name' },
    { label: 'to_class', title: 'Class path', target: TO_CLASS, of: 'class' },
    { label: 'to_host', title: 'Host path', target: TO_HOST, of: 'host' },
  ].map(({ target, ...path }) => ({ ...path, ...target, is: '.+' })),
  ...['sidekiq-errors', 'sidekiq-processes', 'sidekiq-overview'].map((dashboard) => ({
    ...{ label: 'to_alert', title: 'Alert path', dashboard, of: 'alertname' },
    is: alertsOf(dashboard).join('|'),
  })),
];

const withPaths = (expr: string) =>
  PATHS.reduce((all, { label, dashboard, variable, of, is }) => {
    const path = `/d/${dashboard}-prom?var-datasource=\${datasource}&\${__url_time_range}${variable ? `&var-${variable}=` : ''}`;
    return `label_replace(${all}, "${label}", "${path}", "${of}", "${is}")`;
  }, expr);

/** The verdict: what is wrong, the worst first. By Prometheus that is what its rules say. */
const whatIsWrong: Panel = {
  title: 'What is wrong',
  description:
    'Findings of the last reading, the worst first, with the next step. A click on a finding opens its dashboard, one on its beginning what happened then.',
  kind: 'table',
  width: 24,
  height: 11,
  direct: [{ queryType: 'findings' }],
  columns: ['severity', 'finding', 'since', 'action', 'path', 'pathSince'],
  hidden: ['kind', 'subject', 'rule', 'level', 'cause', 'evidence'],
  invisible: ['Path'],
  wrapped: ['Finding', 'What to do'],
  widths: { Severity: 95, Since: 160, State: 90, Alert: 250 },
  minWidths: { Finding: 260, 'What to do': 260, Class: 200 },
  badges: ['Severity'],
  counted: true,
  pathLinks: { Finding: 'Path' },
  wholeLinks: { Since: 'Path since' },
  prometheus: [
    {
      expr: withPaths(
        `max by (severity, alertname, alertstate, name, class, host) (${[rank('critical', 3), rank('warning', 2), rank('info', 1)].join(' or ')})`
      ),
      column: 'Level',
    },
  ],
  rank: 'Level',
  prometheusNoValue: 'No alert of Sidekiq is pending or firing, as far as Prometheus has recorded this time.',
  labels: {
    severity: 'Severity',
    alertname: 'Alert',
    alertstate: 'State',
    name: 'Queue',
    class: 'Class',
    host: 'Host',
    ...Object.fromEntries(PATHS.map(({ label, title }) => [label, title])),
  },
  labelLinks: {
    Alert: { path: 'Alert path', named: false },
    Queue: { path: 'Queue path', named: true },
    Class: { path: 'Class path', named: true },
    Host: { path: 'Host path', named: true },
  },
};

/** The row of what concerns everything, whatever the variables choose. */
export const overview: Row = {
  title: 'Whole installation, not filtered',
  panels: [
    whatIsWrong,
    figures('All queues and processes', { queryType: 'overview' }, [
      {
        name: 'latencyMax',
        expr: 'topk(1, sidekiq_queue_latency_seconds)',
        unit: 's',
        steps: warnFrom(60, 300),
        link: { dashboard: 'sidekiq-queue', variable: { name: 'queue', field: 'Longest wait in', label: 'name' } },
      },
      { name: 'enqueued', expr: 'sidekiq_enqueued_jobs', unit: 'short' },
      {
        name: 'breachIn',
        expr: 'bottomk(1, sidekiq_queue_breach_seconds{bound="earliest"})',
        unit: 's',
        // No value is good: nothing is expected to be late. It has the colour of the first step.
        steps: [
          { from: null, color: 'text' },
          { from: 0, color: 'red' },
          { from: 1800, color: 'orange' },
          { from: 7200, color: 'text' },
        ],
        link: { dashboard: 'sidekiq-queue', variable: { name: 'queue', field: 'Next breach of', label: 'name' } },
      },
      BUSIEST_TYPE,
      FAILURE_RATE,
      RETRIES,
      DIED_LAST_HOUR,
    ]),
  ],
};

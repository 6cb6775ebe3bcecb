import { warnFrom, type Panel, type Row } from '../panel';
import { BUSIEST_TYPE, DIED_LAST_HOUR, FAILURE_RATE, figures, RETRIES } from '../queries';
import { ALERT_LABELS, SENTENCE_LABELS, withSentences } from './alertSentences';

/** Alerts by how urgent they are; those that do not fire yet come last. */
const rank = (severity: string, level: number) =>
  `${level} * ALERTS{alertname=~"Sidekiq.*",severity="${severity}",alertstate="firing"} or ${level - 0.5} * ALERTS{alertname=~"Sidekiq.*",severity="${severity}",alertstate="pending"}`;

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
  minWidths: { Finding: 260, 'What to do': 260 },
  badges: ['Severity'],
  counted: true,
  pathLinks: { Finding: 'Path' },
  wholeLinks: { Since: 'Path since' },
  prometheus: [
    {
      expr: `max by (severity, alertname, alertstate, job, instance, ${SENTENCE_LABELS.join(', ')}) (${withSentences(
        `max by (severity, alertname, alertstate, job, instance, ${ALERT_LABELS.join(', ')}) (${[rank('critical', 3), rank('warning', 2), rank('info', 1)].join(' or ')})`
      )})`,
      column: 'Level',
    },
  ],
  rank: 'Level',
  prometheusNoValue: 'No alert of Sidekiq is pending or firing, as far as Prometheus has recorded this time.',
  labels: {
    severity: 'Severity',
    finding: 'Finding',
    alertstate: 'State',
    alertname: 'Alert',
    path: 'Alert path',
    instance: 'Instance',
    of_job: 'Alert scrape job',
    then: 'Alert parameter',
    of: 'Alert instance',
    ending: 'Alert variable',
    linked: 'Alert subject',
  },
  labelLinks: {
    Finding: [
      ...['Alert path', 'Alert scrape job', 'Alert parameter', 'Alert instance'],
      ...['Alert variable', 'Alert subject'],
    ],
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

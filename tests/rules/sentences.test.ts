import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { ALERTS } from '../../dashboards/alerts';
import { ALERT_LABELS, SENTENCE_LABELS, withSentences } from '../../dashboards/overview/alertSentences';
import cases from './sidekiq.cases.json';

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-sentences-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

// The summaries and labels are those that promtool made of the rules.
test('an alert of Prometheus is told by its summary, and leads to its subject', () => {
  const expr = `max by (${SENTENCE_LABELS.join(', ')}) (${withSentences(
    `max by (alertname, job, instance, ${ALERT_LABELS.join(', ')}) (ALERTS)`
  )})`;
  // As Grafana fills it in.
  const filledIn = (text: string) =>
    text.replaceAll('${datasource}', 'uid').replaceAll('${__url_time_range}', 'from=1&to=2');
  const fired = [...new Map(cases.map((each) => [each.alert, each])).values()].map((each, index) => ({
    ...each,
    // Rules of the user's own may leave it out.
    labels: {
      ...each.labels,
      ...(index % 3 > 0 && { instance: 'EU & US:9394' }),
      ...(index % 2 > 0 && { job: 'a & b' }),
    },
  }));
  const pathOf = (alert: string) => ALERTS.find(({ name }) => name === alert)!.dashboard;
  const expected = fired.map(({ alert, labels, summary }) => {
    const { job, instance, name, class: jobClass, worker, host } = labels as Record<string, string>;
    const dashboard = pathOf(alert);
    const [variable, linked] =
      dashboard === 'sidekiq-queue'
        ? ['queue', name]
        : dashboard === 'sidekiq-job-class'
          ? ['class', jobClass ?? worker]
          : dashboard === 'sidekiq-processes' &&
              /SidekiqQuiet|SidekiqProcess|SidekiqHeartbeat|SidekiqRedisSlow/.test(alert)
            ? ['host', host]
            : [];
    const ending = variable === undefined ? '' : `&var-${variable}=`;
    const path = `/d/${dashboard}-prom?var-datasource=uid&from=1&to=2${job ? '&var-job=' : ''}`;
    const pairs = {
      ...{ finding: summary, path },
      ...(job && { of_job: job }),
      ...(instance && { then: '&var-instance=', of: instance }),
      ...(ending && { ending }),
      ...(linked && { linked }),
    };
    return {
      labels: `{${Object.entries(pairs)
        .map(([key, text]) => `${key}=${JSON.stringify(text)}`)
        .join(',')}}`,
      value: 1,
    };
  });
  const series = fired.map(({ alert, labels }) => ({
    series: `ALERTS{${Object.entries({ ...labels, alertname: alert })
      .map(([key, text]) => `${key}=${JSON.stringify(text)}`)
      .join(',')}}`,
    values: '1',
  }));
  const file = join(folder, 'sentences.yml');
  const promqlTest = { expr: filledIn(expr), eval_time: '0m', exp_samples: expected };
  writeFileSync(
    file,
    stringify({
      evaluation_interval: '1m',
      tests: [{ interval: '1m', input_series: series, promql_expr_test: [promqlTest] }],
    })
  );
  const { status, stdout, stderr } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  expect(status === 0 ? '' : stdout + stderr).toBe('');
  expect(fired.length).toBeGreaterThan(20);
});

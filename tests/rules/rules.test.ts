import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';

const RULES = join(__dirname, '../../provisioning/prometheus');
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-rules-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Case {
  alert: string;
  /** Series in promtool's notation, a value a minute. */
  firing: Record<string, string>;
  silent: Record<string, string>;
  at: string;
  /** What a firing alert says, written out. */
  labels: Record<string, string>;
  summary: string;
  description: string;
}
interface Rule {
  alert?: string;
  annotations?: Record<string, string>;
}

const casesOf = (name: string) => JSON.parse(readFileSync(join(__dirname, `${name}.cases.json`), 'utf8')) as Case[];
const rulesOf = (name: string) =>
  (
    parse(readFileSync(join(RULES, `${name}.rules.yml`), 'utf8')) as { groups: Array<{ rules: Rule[] }> }
  ).groups.flatMap(({ rules }) => rules);

type Fired = Pick<Case, 'labels' | 'summary' | 'description'>;

/**
 * What promtool says against this expectation; nothing where it holds. Both a firing and a silent alert are expected, so
 * that a file that promtool cannot read fails either.
 */
function promtoolSays(
  file: string,
  { alert, series, at }: { alert: string; series: Record<string, string>; at: string },
  fired: Fired | null
): string {
  // The links hold no template; the rule file says which there are.
  const { runbook_url: runbook, dashboard } = rulesOf(file).find((rule) => rule.alert === alert)?.annotations ?? {};
  const links = {
    ...(runbook !== undefined && { runbook_url: runbook }),
    ...(dashboard !== undefined && { dashboard }),
  };
  const check = {
    rule_files: [join(RULES, `${file}.rules.yml`)],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        alert_rule_test: [
          {
            eval_time: at,
            alertname: alert,
            exp_alerts:
              fired === null
                ? []
                : [
                    {
                      exp_labels: fired.labels,
                      exp_annotations: { summary: fired.summary, description: fired.description, ...links },
                    },
                  ],
          },
        ],
      },
    ],
  };
  const path = join(folder, `${alert}-${Math.random()}.yml`);
  writeFileSync(path, stringify(check));
  const { status, error, stdout, stderr } = spawnSync('promtool', ['test', 'rules', path], { encoding: 'utf8' });
  expect(error).toBeUndefined();
  return status === 0 ? '' : stdout + stderr;
}

const caseOf = (file: string, alert: string): Case => casesOf(file).find((each) => each.alert === alert)!;

describe.each(['sidekiq', 'seed'])('%s.rules.yml', (file) => {
  test('is read by promtool', () => {
    const { status, stderr } = spawnSync('promtool', ['check', 'rules', join(RULES, `${file}.rules.yml`)], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test.each(casesOf(file))(
    '$alert fires with its labels and texts, and is silent where it should be',
    ({ alert, firing, silent, at, ...fired }) => {
      expect(promtoolSays(file, { alert, series: firing, at }, fired)).toBe('');
      expect(promtoolSays(file, { alert, series: silent, at }, null)).toBe('');
    }
  );
});

test('every alert of ours has a test', () => {
  const alerts = rulesOf('sidekiq').flatMap(({ alert }) => alert ?? []);
  expect([...new Set(casesOf('sidekiq').map(({ alert }) => alert))].sort()).toEqual(alerts.sort());
});

test('an alert that promtool cannot read is neither firing nor silent', () => {
  const wrong = { alert: 'SidekiqUnreachable', series: { 'not a series{': '1' }, at: '5m' };
  expect(promtoolSays('sidekiq', wrong, null)).not.toBe('');
});

test('every alert of ours links to its runbook and a dashboard', () => {
  for (const { alert, annotations } of rulesOf('sidekiq').filter((rule) => rule.alert)) {
    expect(annotations?.['runbook_url'], alert).toMatch(new RegExp(`/docs/alerts\\.md#${alert!.toLowerCase()}$`));
    expect(annotations?.['dashboard'], alert).toMatch(/^\/d\/sidekiq-[\w-]+$/);
  }
});

test('Lago’s page has eight rules', () => {
  expect(rulesOf('seed')).toHaveLength(8);
});

// Failures carry a label that executions have not, so the division matches nothing: half of all jobs fail, no alert.
test('Lago’s failure rate can never fire on Sidekiq Pro’s metrics, ours does', () => {
  const series = {
    'lago_api_jobs_count{queue="q",worker="W"}': '0+60x30',
    'lago_api_jobs_failure{queue="q",worker="W",error_type="E"}': '0+30x30',
  };
  expect(promtoolSays('seed', { alert: 'SidekiqHighFailureRate', series, at: '15m' }, null)).toBe('');
  const alert = 'SidekiqJobFailureRateHigh';
  expect(promtoolSays('sidekiq', { alert, series, at: '15m' }, caseOf('sidekiq', alert))).toBe('');
});

// An operator deletes 1000 of 5000 dead jobs: increase() takes the fall of a gauge for a counter's reset.
test('Lago’s alert on dead jobs fires when somebody cleans up, ours does not', () => {
  const series = { sidekiq_dead_jobs: '5000x10 4000x60', sidekiq_dead_jobs_last_hour: '0x70' };
  const lago = { alert: 'SidekiqDeadJobsIncreasing', series, at: '40m' };
  expect(promtoolSays('seed', lago, null)).toMatch(/got:\[\s*0:/);
  expect(promtoolSays('sidekiq', { alert: 'SidekiqJobsDying', series, at: '40m' }, null)).toBe('');
});

test('Lago’s rules are silent when the exporter is gone, ours are not', () => {
  expect(promtoolSays('seed', { alert: 'SidekiqNoWorkers', series: {}, at: '10m' }, null)).toBe('');
  const alert = 'SidekiqNoReadyThreads';
  expect(promtoolSays('sidekiq', { alert, series: {}, at: '10m' }, caseOf('sidekiq', alert))).toBe('');
});

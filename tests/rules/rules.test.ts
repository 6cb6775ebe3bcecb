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
  labels: Record<string, string>;
}
interface RuleFile {
  groups: Array<{ rules: Array<{ alert?: string; labels?: Record<string, string> }> }>;
}

const casesOf = (name: string) => JSON.parse(readFileSync(join(__dirname, `${name}.cases.json`), 'utf8')) as Case[];
const rulesOf = (name: string) =>
  (parse(readFileSync(join(RULES, `${name}.rules.yml`), 'utf8')) as RuleFile).groups.flatMap(({ rules }) => rules);

/** What promtool says of a rule on series: whether it fires with just these labels (and whatever annotations). */
function fires(file: string, alert: string, series: Record<string, string>, at: string): boolean {
  const check = {
    rule_files: [join(RULES, `${file}.rules.yml`)],
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(series).map(([name, values]) => ({ series: name, values })),
        promql_expr_test: [
          {
            expr: `count(ALERTS{alertname="${alert}",alertstate="firing"})`,
            eval_time: at,
            exp_samples: [{ labels: '{}', value: 1 }],
          },
        ],
      },
    ],
  };
  const path = join(folder, `${alert}-${Math.random()}.yml`);
  writeFileSync(path, stringify(check));
  const { status, error } = spawnSync('promtool', ['test', 'rules', path], { encoding: 'utf8' });
  expect(error).toBeUndefined();
  return status === 0;
}

describe.each(['sidekiq', 'seed'])('%s.rules.yml', (file) => {
  test('is read by promtool', () => {
    const { status, stderr } = spawnSync('promtool', ['check', 'rules', join(RULES, `${file}.rules.yml`)], {
      encoding: 'utf8',
    });
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  test.each(casesOf(file))('$alert fires, and only when it should', ({ alert, firing, silent, at }) => {
    expect(fires(file, alert, firing, at)).toBe(true);
    expect(fires(file, alert, silent, at)).toBe(false);
  });
});

test('every alert of ours has a test', () => {
  const alerts = rulesOf('sidekiq').flatMap(({ alert }) => alert ?? []);
  expect(
    casesOf('sidekiq')
      .map(({ alert }) => alert)
      .sort()
  ).toEqual(alerts.sort());
});

test('the seed has its eight rules', () => {
  expect(rulesOf('seed')).toHaveLength(8);
});

// Failures carry a label that executions have not, so the division matches nothing: half of all jobs fail, no alert.
test('the seed’s failure rate can never fire on Sidekiq Pro’s metrics, ours does', () => {
  const series = {
    'lago_api_jobs_count{queue="q",worker="W"}': '0+60x30',
    'lago_api_jobs_failure{queue="q",worker="W",error_type="E"}': '0+30x30',
  };
  expect(fires('seed', 'SidekiqHighFailureRate', series, '15m')).toBe(false);
  expect(fires('sidekiq', 'SidekiqJobFailureRateHigh', series, '15m')).toBe(true);
});

// An operator deletes 1000 of 5000 dead jobs: increase() takes the fall of a gauge for a counter's reset.
test('the seed’s dead jobs alert fires when somebody cleans up, ours does not', () => {
  const series = { sidekiq_dead_jobs: '5000x10 4000x60', sidekiq_dead_jobs_last_hour: '0x70' };
  expect(fires('seed', 'SidekiqDeadJobsIncreasing', series, '40m')).toBe(true);
  expect(fires('sidekiq', 'SidekiqJobsDying', series, '40m')).toBe(false);
});

test('the seed is silent when the exporter is gone, ours is not', () => {
  expect(fires('seed', 'SidekiqNoWorkers', {}, '10m')).toBe(false);
  expect(fires('sidekiq', 'SidekiqNoReadyThreads', {}, '10m')).toBe(true);
});

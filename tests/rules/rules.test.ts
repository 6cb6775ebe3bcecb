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
  // The rule file says which links there are; they name the subject of the alert as Go's urlquery writes it.
  const { runbook_url: runbook, dashboard: link } =
    rulesOf(file).find((rule) => rule.alert === alert)?.annotations ?? {};
  const dashboard = link?.replace(/\{\{ \$labels\.(\w+) \| urlquery \}\}/, (_, label: string) =>
    encodeURIComponent(fired?.labels[label] ?? '').replaceAll('%20', '+')
  );
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

describe.each(['sidekiq', 'basic'])('%s.rules.yml', (file) => {
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

// Option compatNames: the latency has the name of its queue twice.
test.each(casesOf('sidekiq').filter(({ firing, silent }) => /queue_latency/.test(JSON.stringify([firing, silent]))))(
  '$alert is the same with the names of other exporters',
  ({ alert, firing, silent, at, ...fired }) => {
    const compat = (series: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(series).map(([name, values]) => [
          name.replace(/^(sidekiq_queue_latency_seconds\{.*name="([^"]*)".*)\}$/, '$1,queue="$2"}'),
          values,
        ])
      );
    expect(JSON.stringify([compat(firing), compat(silent)])).toContain('queue=');
    expect(promtoolSays('sidekiq', { alert, series: compat(firing), at }, fired)).toBe('');
    expect(promtoolSays('sidekiq', { alert, series: compat(silent), at }, null)).toBe('');
  }
);

describe('of several installations', () => {
  /** What fires for one of two. */
  const says = (alert: string, series: Record<string, string>, at: string, labels: Record<string, string> = {}) => {
    const one = caseOf('sidekiq', alert);
    return promtoolSays('sidekiq', { alert, series, at }, { ...one, labels: { ...one.labels, ...labels } });
  };

  test('an exporter that is gone is told of', () => {
    const alert = 'SidekiqNoReadyThreads';
    const series = {
      'sidekiq_up{instance="a"}': '1x300',
      'sidekiq_ready_threads{instance="a"}': '5x300',
      'up{instance="a"}': '1x300',
      'sidekiq_up{instance="b"}': '1x100 stale',
      'sidekiq_ready_threads{instance="b"}': '5x100 stale',
      'up{instance="b"}': '1x100 0x200',
      // Another program's.
      'up{instance="c"}': '0x300',
    };
    expect(promtoolSays('sidekiq', { alert, series, at: '99m' }, null)).toBe('');
    expect(says(alert, series, '110m', { instance: 'b' })).toBe('');
    expect(says(alert, series, '299m', { instance: 'b' })).toBe('');
    // Once, where it was the only one.
    const only = Object.fromEntries(Object.entries(series).filter(([name]) => !name.includes('"a"')));
    expect(says(alert, only, '140m', { instance: 'b' })).toBe('');
  });

  test('failures by DogStatsD of one are told beside the job metrics of another', () => {
    const alert = 'SidekiqJobFailureRateHigh';
    const series = {
      ...caseOf('sidekiq', alert).firing,
      'sidekiq_job_executions_total{instance="other",class="Other"}': '0+60x30',
    };
    expect(says(alert, series, caseOf('sidekiq', alert).at)).toBe('');
  });

  test('a class that is slow in one is not hidden by the fast ones of another', () => {
    const alert = 'SidekiqClassSlow';
    const { firing, at, labels } = caseOf('sidekiq', alert);
    const of = (instance: string, values: Record<string, string>) =>
      Object.fromEntries(
        Object.entries(values).map(([name, each]) => [name.replace('{', `{instance="${instance}",`), each])
      );
    const fast = {
      'sidekiq_job_duration_seconds_bucket{class="C",le="0.02"}': '0+100000x30',
      'sidekiq_job_duration_seconds_bucket{class="C",le="+Inf"}': '0+100000x30',
      'sidekiq_job_executions_total{class="C"}': '0+100000x30',
    };
    const named = Object.fromEntries(
      Object.entries(fast).map(([name, values]) => [name.replace('"C"', `"${labels['class']}"`), values])
    );
    expect(says(alert, { ...of('a', firing), ...of('b', named) }, at, { instance: 'a' })).toBe('');
  });
});

test('many jobs fail: by a quarter of an hour, or by an hour where few ran in that', () => {
  const alert = 'SidekiqFailureRateHigh';
  const rates = (processed: string, failed: string) => ({
    sidekiq_processed_jobs_total: processed,
    sidekiq_failed_jobs_total: failed,
  });
  const silent = (series: Record<string, string>, at: string) =>
    expect(promtoolSays('sidekiq', { alert, series, at }, null)).toBe('');
  const fires = (series: Record<string, string>, at: string, description: string) =>
    expect(promtoolSays('sidekiq', { alert, series, at }, { ...caseOf('sidekiq', alert), description })).toBe('');
  // Three executions, of which one failed.
  silent(rates('0x10 1x10 2x10 3x30', '0x30 1x30'), '50m');
  // One a minute is 15 in a quarter of an hour: of the hour half failed.
  fires(rates('0+1x90', '0+0.5x90'), '80m', '50% of the executions fail.');
  // Half of all fail for ten minutes, before which few did.
  fires(rates('0+1000x90', '0x60 500+500x30'), '75m', '50% of the executions fail.');
  // The errors of the hour before are over.
  silent(rates('0+1000x90', '0+500x40 20000x60'), '75m');
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
    expect(annotations?.['dashboard'], alert).toMatch(
      /^\/d\/sidekiq-[\w-]+(?:\?var-\w+=\{\{ \$labels\.\w+ \| urlquery \}\})?$/
    );
  }
});

test('Lago’s page has eight rules', () => {
  expect(rulesOf('basic')).toHaveLength(8);
});

// Failures carry a label that executions have not, so the division matches nothing: half of all jobs fail, no alert.
test('Lago’s failure rate can never fire on Sidekiq Pro’s metrics, ours does', () => {
  const series = {
    'lago_api_jobs_count{queue="q",worker="W"}': '0+60x30',
    'lago_api_jobs_failure{queue="q",worker="W",error_type="E"}': '0+30x30',
  };
  expect(promtoolSays('basic', { alert: 'SidekiqHighFailureRate', series, at: '15m' }, null)).toBe('');
  const alert = 'SidekiqJobFailureRateHigh';
  expect(promtoolSays('sidekiq', { alert, series, at: '15m' }, caseOf('sidekiq', alert))).toBe('');
});

// An operator deletes 1000 of 5000 dead jobs: increase() takes the fall of a gauge for a counter's reset.
test('Lago’s alert on dead jobs fires when somebody cleans up, ours does not', () => {
  const series = { sidekiq_dead_jobs: '5000x10 4000x60', sidekiq_dead_jobs_last_hour: '0x70' };
  const lago = { alert: 'SidekiqDeadJobsIncreasing', series, at: '40m' };
  expect(promtoolSays('basic', lago, null)).toMatch(/got:\[\s*0:/);
  expect(promtoolSays('sidekiq', { alert: 'SidekiqJobsDying', series, at: '40m' }, null)).toBe('');
});

// As of a queue that nobody serves, whose worker type has just got its name.
test('an objective that is known for less than half of a window burns nothing', () => {
  const series = (from: number) => ({
    'sidekiq_objective_met{worker_type="T"}': `_x${from} 0x${400 - from}`,
    'sidekiq_objective_target_ratio{worker_type="T"}': '0.99x400',
  });
  const at = '390m';
  for (const alert of ['SidekiqObjectiveBurnsFast', 'SidekiqObjectiveBurnsSlowly']) {
    expect(promtoolSays('sidekiq', { alert, series: series(385), at }, null)).toBe('');
  }
  const { labels, summary, description } = caseOf('sidekiq', 'SidekiqObjectiveBurnsFast');
  const told = promtoolSays(
    'sidekiq',
    { alert: 'SidekiqObjectiveBurnsFast', series: series(350), at },
    { labels, summary, description: description.replace('20.0 times', '100.0 times') }
  );
  expect(told).toBe('');
});

test('Lago’s rules are silent when the exporter is gone, ours are not', () => {
  expect(promtoolSays('basic', { alert: 'SidekiqNoWorkers', series: {}, at: '10m' }, null)).toBe('');
  const alert = 'SidekiqNoReadyThreads';
  expect(promtoolSays('sidekiq', { alert, series: {}, at: '10m' }, caseOf('sidekiq', alert))).toBe('');
});

/** What goes wrong, and the alerts that would tell it a second time. */
const ONE_PROBLEM: Array<[problem: string, series: Record<string, string>, tells: string, silent: string[]]> = [
  [
    'nobody takes jobs',
    {
      sidekiq_up: '1x30',
      sidekiq_ready_threads: '0x30',
      'sidekiq_queue_unserved{name="a"}': '1x30',
      'sidekiq_queue_latency_seconds{name="a"}': '900x30',
      'sidekiq_queue_objective_seconds{name="a"}': '300x30',
      'sidekiq_queue_enqueued_jobs{name="a"}': '500x30',
    },
    'SidekiqNoReadyThreads',
    ['SidekiqQueueUnserved', 'SidekiqQueueLate', 'SidekiqQueueDrainsSlowly'],
  ],
  [
    'a queue that nobody serves is late too',
    {
      sidekiq_ready_threads: '5x30',
      'sidekiq_queue_unserved{name="a"}': '1x30',
      'sidekiq_queue_starved{name="a"}': '0x30',
      'sidekiq_queue_latency_seconds{name="a"}': '900x30',
      'sidekiq_queue_objective_seconds{name="a"}': '300x30',
      'sidekiq_queue_enqueued_jobs{name="a"}': '500x30',
    },
    'SidekiqQueueUnserved',
    ['SidekiqQueueLate', 'SidekiqQueueDrainsSlowly'],
  ],
  [
    'a queue that grows will be late, and does not drain meanwhile',
    {
      sidekiq_ready_threads: '5x30',
      'sidekiq_queue_unserved{name="a"}': '0x30',
      'sidekiq_queue_starved{name="a"}': '0x30',
      'sidekiq_queue_breach_seconds{name="a",bound="latest"}': '600x30',
      'sidekiq_queue_latency_seconds{name="a"}': '100x30',
      'sidekiq_queue_objective_seconds{name="a"}': '300x30',
      'sidekiq_queue_enqueued_jobs{name="a"}': '500x30',
    },
    'SidekiqQueueBreachesSoon',
    ['SidekiqQueueDrainsSlowly'],
  ],
  [
    'a process is killed with five jobs',
    {
      sidekiq_lost_jobs_total: '0x10 5x20',
      'sidekiq_vanished_processes_total{host="h"}': '0x10 1x20',
    },
    'SidekiqJobsLost',
    ['SidekiqProcessVanished'],
  ],
  [
    'a class fails, which Sidekiq Pro counts as well',
    {
      'sidekiq_job_executions_total{class="W"}': '0+60x30',
      'sidekiq_job_failures_total{class="W"}': '0+30x30',
      'lago_api_jobs_count{queue="q",worker="W"}': '0+60x30',
      'lago_api_jobs_failure{queue="q",worker="W",error_type="E"}': '0+30x30',
    },
    'SidekiqClassFailureRateHigh',
    ['SidekiqJobFailureRateHigh'],
  ],
];

test.each(ONE_PROBLEM)('one alert where %s', (_, series, tells, silent) => {
  // An alert that fires is not "none".
  expect(promtoolSays('sidekiq', { alert: tells, series, at: '20m' }, null)).toContain(`alertname="${tells}"`);
  silent.forEach((alert) => expect(promtoolSays('sidekiq', { alert, series, at: '20m' }, null), alert).toBe(''));
});

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';

const SHIPPED = join(__dirname, '../../provisioning/prometheus/sidekiq.rules.yml');
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-usual-'));
/** The rules of one figure, as they ship: all others would be evaluated thousands of times for nothing. */
const RULES = join(folder, 'rules.yml');
const [recording] = (parse(readFileSync(SHIPPED, 'utf8')) as { groups: Array<{ rules: Array<{ record?: string }> }> })
  .groups;
const rules = recording!.rules.filter(({ record }) => record?.startsWith('sidekiq:queue_enqueued_jobs:'));
writeFileSync(RULES, stringify({ groups: [{ name: 'usual', rules }] }));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const HOUR = 60;
const WEEK = 7 * 24 * HOUR;
const STEP = 5;

/** A backlog by the hour of the day, two more in every second week; three times as much in the last minutes. */
function backlogAt(minute: number, end: number): number {
  const usual = 10 + (Math.floor(minute / HOUR) % 24) + (Math.floor(minute / WEEK) % 2 === 1 ? 2 : 0);
  return minute > end - 25 ? 3 * usual : usual;
}

function check(weeks: number, expected: Record<string, number>) {
  const end = weeks * WEEK + 30;
  const values = Array.from({ length: end / STEP + 1 }, (_, index) => backlogAt(index * STEP, end));
  const file = join(folder, `usual-${weeks}.yml`);
  writeFileSync(
    file,
    stringify({
      rule_files: [RULES],
      evaluation_interval: `${STEP}m`,
      tests: [
        {
          interval: `${STEP}m`,
          input_series: [{ series: 'sidekiq_queue_enqueued_jobs{name="a"}', values: values.join(' ') }],
          promql_expr_test: Object.entries(expected).map(([expr, value]) => ({
            expr: `round(${expr}, 0.01) == bool ${value}`,
            eval_time: `${end}m`,
            exp_samples: [{ labels: expr.includes(':usual') ? boundOf(expr) : '{name="a"}', value: 1 }],
          })),
        },
      ],
    })
  );
  const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).not.toContain('FAILED');
  expect(status).toBe(0);
}

function boundOf(expr: string): string {
  return `{bound="${/bound="(\w+)"/.exec(expr)![1]!}", name="a"}`;
}

// The oracle of the arithmetic is Prometheus; the expected values are made by hand.
test('Prometheus alone knows what is usual after four weeks, and sees what is three times as much', () => {
  // At the end it is half past midnight of a fifth week: 10 in even weeks, 12 in odd ones. The median of weeks 1 to 3
  // before is 12, 10 and 12. Values of the last week (an odd one: 12) were two above the median of theirs (10, 12, 10).
  check(4, {
    'sidekiq:queue_enqueued_jobs:usual{bound="usual"}': 12,
    'sidekiq:queue_enqueued_jobs:usual{bound="lower"}': 10,
    'sidekiq:queue_enqueued_jobs:usual{bound="upper"}': 14,
    'sidekiq:queue_enqueued_jobs:mean5m': 30,
  });
}, 60_000);

test('before the second week Prometheus takes the last three days', () => {
  // The second week has begun half an hour ago; the days before were all of the first.
  check(1, {
    'sidekiq:queue_enqueued_jobs:usual{bound="usual"}': 10,
    'sidekiq:queue_enqueued_jobs:usual{bound="lower"}': 10,
    'sidekiq:queue_enqueued_jobs:usual{bound="upper"}': 10,
  });
}, 60_000);

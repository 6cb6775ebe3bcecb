import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';

const folder = mkdtempSync(join(tmpdir(), 'jobwatch-autoscaling-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The query of the trigger that docs/autoscaling.md gives. */
const DOCUMENT = readFileSync(join(__dirname, '../../docs/autoscaling.md'), 'utf8');
const trigger = parse(/```yaml\n(triggers:\n {2}- type: prometheus[\s\S]*?)```/.exec(DOCUMENT)![1]!) as {
  triggers: [{ metadata: { query: string } }];
};

const BY = '{redis="a"}';

test.each([
  ['the threads that the work takes', { needed: 12, scheduled: 0, retry: 0 }, 12],
  ['none without work', { needed: 0, scheduled: 0, retry: 0 }, 0],
  ['one worker where a scheduled job is due and nobody polls', { needed: 0, scheduled: 1, retry: 0 }, 1],
  ['one worker where retries are due and nobody polls', { needed: 0, scheduled: 0, retry: 40 }, 1],
  ['one worker where jobs wait that nobody has run yet', { needed: null, scheduled: 0, retry: 0, waiting: 50 }, 1],
])('the documented query of KEDA’s Prometheus scaler gives %s', (name, state, value) => {
  const {
    needed,
    scheduled,
    retry,
    waiting = 0,
  } = state as {
    needed: number | null;
    scheduled: number;
    retry: number;
    waiting?: number;
  };
  const file = join(folder, `${name.replaceAll(' ', '-')}.yml`);
  const series = {
    ...(needed !== null && { 'sidekiq_threads_needed{worker_type="Billing Worker",redis="a"}': needed }),
    'sidekiq_queue_enqueued_jobs{name="bills",redis="a"}': waiting,
    'sidekiq_queue_enqueued_jobs{name="mails",redis="a"}': 70,
    'sidekiq_queue_info{name="bills",worker_type="Billing Worker",redis="a"}': 1,
    'sidekiq_queue_info{name="mails",worker_type="Other",redis="a"}': 1,
    'sidekiq_threads_needed{worker_type="Other",redis="a"}': 99,
    [`sidekiq_overdue_scheduled_jobs${BY}`]: scheduled,
    [`sidekiq_overdue_retry_jobs${BY}`]: retry,
  };
  const check = {
    evaluation_interval: '1m',
    tests: [
      {
        interval: '1m',
        input_series: Object.entries(series).map(([each, at]) => ({ series: each, values: `${at}x5` })),
        promql_expr_test: [
          { expr: trigger.triggers[0].metadata.query, eval_time: '3m', exp_samples: [{ labels: '{}', value }] },
        ],
      },
    ],
  };
  writeFileSync(file, stringify(check));
  const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  expect(status, stdout + stderr).toBe(0);
});

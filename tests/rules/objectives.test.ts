import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { burnRate, complianceOf } from '../../pkg/outlook/objectives';
import { MemoryStore } from '../../pkg/series/memoryStore';
import { Dice } from '../../pkg/engine/dice';
import { Turns } from '../../pkg/turns';

const RULES = join(__dirname, '../../provisioning/prometheus/sidekiq.rules.yml');
const folder = mkdtempSync(join(tmpdir(), 'jobwatch-burn-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const MINUTES = 420;
const WINDOWS = { '5m': 5, '30m': 30, '1h': 60, '6h': 360 };

// The oracle is Prometheus: the same minutes as a series, through the recording rules that ship.
test('burn rates by the history are those of the recording rules, within a sample', async () => {
  const dice = new Dice(12);
  const met = Array.from({ length: MINUTES + 1 }, () => Number(dice.chance(0.8)));
  const store = new MemoryStore();
  met.forEach((within, minute) =>
    store.append(minute * 60, [{ scope: 'workerType', key: 'T', figure: 'latency', value: within === 1 ? 10 : 100 }])
  );
  const seconds = Object.values(WINDOWS).map((minutes) => minutes * 60);
  const compliance = await complianceOf(
    store,
    { scope: 'workerType', keys: ['T'], seconds: 60 },
    seconds,
    { to: MINUTES * 60, sampleSeconds: 60 },
    new Turns()
  );
  const checks = Object.entries(WINDOWS).map(([window, minutes], index) => {
    const burned = burnRate(compliance[index]!, { share: 0.9 })!;
    expect(burned).toBeGreaterThan(0);
    return {
      expr: `abs(sidekiq:objective:burn_rate${window} - ${burned}) <= bool ${1 / minutes / 0.1 + 1e-9}`,
      eval_time: `${MINUTES}m`,
      exp_samples: [{ labels: '{worker_type="T"}', value: 1 }],
    };
  });
  const file = join(folder, 'burn.yml');
  writeFileSync(
    file,
    stringify({
      rule_files: [RULES],
      evaluation_interval: '1m',
      tests: [
        {
          interval: '1m',
          input_series: [
            { series: 'sidekiq_objective_met{worker_type="T"}', values: met.join(' ') },
            { series: 'sidekiq_objective_target_ratio{worker_type="T"}', values: `0.9x${MINUTES}` },
          ],
          promql_expr_test: checks,
        },
      ],
    })
  );
  const { stdout, stderr, status } = spawnSync('promtool', ['test', 'rules', file], { encoding: 'utf8' });
  expect(`${stdout}${stderr}`).not.toContain('FAILED');
  expect(status).toBe(0);
});

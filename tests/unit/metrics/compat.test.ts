import { expect, test } from 'vitest';
import { COMPAT_METRICS } from '../../../pkg/metrics/compatMetrics';
import type { MetricState } from '../../../pkg/metrics/metric';
import { aState, listed, NOW, partial, someWork } from '../../support/state';

const runtime = COMPAT_METRICS.find(({ name }) => name === 'sidekiq_running_job_runtime_seconds')!;

function read(work: ReturnType<typeof listed<ReturnType<typeof someWork>>>) {
  return runtime.read({ ...aState({ snapshot: { work } }) } as MetricState, Infinity);
}

test('the longest running job is unknown where the work of a process could not be read', () => {
  const work = someWork({ queue: 'q', metricsClass: 'A', runAt: NOW - 5 });
  expect(read(listed(work))).toEqual([
    {
      labels: [
        ['queue', 'q'],
        ['worker', 'A'],
      ],
      value: '5.000',
    },
  ]);
  expect(read(partial(work))).toBeNull();
});

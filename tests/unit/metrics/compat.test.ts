import { describe, expect, test } from 'vitest';
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

describe('executions by class', () => {
  const total = { processed: 10, failed: 4, milliseconds: 1500, durations: [3, 3] };
  const part = { processed: 3.4, failed: 0.6, milliseconds: 500, durations: [1.2, 1.6] };
  const state = aState({
    classQueueTotals: new Map([
      ['Alone', new Map([['mail', total]])],
      [
        'Shared',
        new Map([
          ['mail', total],
          ['default', part],
        ]),
      ],
      ['Unseen', new Map([['', total]])],
    ]),
  }) as MetricState;
  const read = (name: string, most = Infinity) =>
    COMPAT_METRICS.find((metric) => metric.name === name)!.read(state, most)!;

  test.each([
    ['sidekiq_jobs_total', 'job_name'],
    ['ruby_sidekiq_jobs_total', 'job_name'],
    ['sidekiq_jobs_executed_total', 'worker'],
  ])('%s has each queue that a class runs from', (name, label) => {
    const of = (queue: string, jobClass: string, value = 10) => ({
      labels: [
        ['queue', queue],
        [label, jobClass],
      ],
      value,
    });
    const shared = [of('mail', 'Shared'), of('default', 'Shared', 4)];
    expect(read(name)).toEqual([of('mail', 'Alone'), ...shared, of('', 'Unseen')]);
    expect(read(name, 1)).toEqual([of('mail', 'Alone')]);
  });

  test('are failures and successes together', () => {
    const value = (name: string) => (read(name)[0] as { value: number }).value;
    expect([value('sidekiq_jobs_failed_total'), value('sidekiq_jobs_success_total')]).toEqual([4, 6]);
    expect(value('ruby_sidekiq_failed_jobs_total')).toBe(4);
    const ofPart = (name: string) => (read(name)[2] as { value: number }).value;
    expect(ofPart('sidekiq_jobs_executed_total')).toBe(
      ofPart('sidekiq_jobs_failed_total') + ofPart('sidekiq_jobs_success_total')
    );
  });

  test('have the durations of those that succeeded', () => {
    expect(read('sidekiq_job_runtime_seconds')[0]).toMatchObject({ counts: [3, 3], sum: 1.5 });
    expect(read('sidekiq_job_runtime_seconds')[2]).toMatchObject({ counts: [1, 2], sum: 0.5 });
    expect(read('ruby_sidekiq_job_duration_seconds')[0]).toMatchObject({ quantiles: [], sum: 1.5, count: 6 });
  });
});

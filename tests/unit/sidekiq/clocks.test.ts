import { describe, expect, test } from 'vitest';
import { COMPAT_METRICS } from '../../../pkg/metrics/compatMetrics';
import { EXPORTER_METRICS } from '../../../pkg/metrics/exporterMetrics';
import type { MetricState } from '../../../pkg/metrics/metric';
import { FINDING_RULES } from '../../../pkg/findings/table';
import { busy } from '../../../pkg/queries/busy';
import { runTimesOf } from '../../../pkg/sidekiq/clocks';
import { queueFacts } from '../../../pkg/sidekiq/queueFacts';
import { rowsOfState } from '../../support/ask';
import { aProcess, aQueue, aSnapshot, aState, listed, NOW, someWork } from '../../support/state';

/** A job that has run for three seconds, on a host whose clock is ahead; its heartbeat was two seconds ago. */
const jobBy = (ahead: number, ranSeconds = 3) => ({
  processes: listed(aProcess('a:1:x', { beatAt: NOW - 2 + ahead, beatAgeSeconds: 2 })),
  work: listed(someWork({ process: 'a:1:x', queue: 'q', runAt: NOW - ranSeconds + ahead })),
  queues: listed(aQueue('q', { size: 1 })),
});

describe.each([0, 300, -300, 86_400])('on a host whose clock is %d s ahead, a job has run for as long', (ahead) => {
  const snapshot = aSnapshot(jobBy(ahead));
  const state = aState({ snapshot });

  test('in the facts of its queue and in the table of running jobs', async () => {
    expect(runTimesOf(snapshot)(snapshot.work.items[0]!)).toBeCloseTo(3, 3);
    expect(queueFacts(snapshot)[0]!.longestRunSeconds).toBeCloseTo(3, 3);
    expect((await rowsOfState(busy, state))[0]!['runTime']).toBeCloseTo(3, 3);
  });

  test('in metrics', () => {
    const valueOf = (metrics: typeof COMPAT_METRICS, name: string) =>
      metrics.find((each) => each.name === name)!.read(state as unknown as MetricState, undefined as never)![0];
    expect(valueOf(EXPORTER_METRICS, 'sidekiq_queue_max_processing_time_seconds')).toMatchObject({ value: 3 });
    expect(valueOf(COMPAT_METRICS, 'sidekiq_running_job_runtime_seconds')).toMatchObject({ value: '3.000' });
  });

  test('for the finding of stuck jobs', () => {
    const rule = FINDING_RULES.find(({ id }) => id === 'jobStuck')!;
    const found = (ranSeconds: number) =>
      rule.find({ state: aState({ snapshot: aSnapshot(jobBy(ahead, ranSeconds)) }), recurring: null } as never);
    expect(found(3500)).toEqual([]);
    expect(found(3700)).toMatchObject([{ since: NOW - 3700 }]);
  });
});

test('running jobs are in the order of how long they have run, by the clock of Redis', async () => {
  const snapshot = aSnapshot({
    processes: listed(aProcess('a:1:x', { beatAt: NOW + 3598, beatAgeSeconds: 2 }), aProcess('b:1:x')),
    work: listed(
      someWork({ process: 'b:1:x', jid: 'short', runAt: NOW - 300 }),
      someWork({ process: 'a:1:x', jid: 'long', runAt: NOW - 3000 + 3600 }),
      someWork({ process: 'b:1:x', jid: 'unknown', runAt: null })
    ),
  });
  const rows = await rowsOfState(busy, aState({ snapshot }), { query: { limit: 2 } });
  expect(rows.map(({ jid }) => jid)).toEqual(['long', 'short']);
});

test('what a heartbeat may take is no difference of clocks', () => {
  const { processes, work } = jobBy(20);
  const ranFor = runTimesOf({ processes, at: NOW });
  expect(ranFor(work.items[0]!)).toBe(-17);
  expect(ranFor({ process: 'unknown', runAt: NOW - 3 })).toBe(3);
  expect(ranFor({ process: 'a:1:x', runAt: null })).toBeNull();
});

import { describe, expect, test } from 'vitest';
import { ClassQueueTotals, type ClassQueueTotalsView } from '../../../pkg/observe/classQueueTotals';
import type { ClassSharesView } from '../../../pkg/observe/classShares';
import { HISTOGRAM_BOUNDS_MS } from '../../../pkg/sidekiq/jobMetrics';
import fc from '../../support/fastCheck';

/** A class of which each execution takes 100 ms, and one in five fails. */
const total = (processed: number) => ({
  processed,
  failed: processed / 5,
  milliseconds: 100 * processed,
  durations: HISTOGRAM_BOUNDS_MS.map((_, bucket) => (bucket === 4 ? processed : 0)),
  lastRunAt: 0,
});
const seen = (
  shares: ReadonlyArray<readonly [string, number]>
): { classQueues: Map<string, string>; classShares: ClassSharesView } => ({
  classQueues: new Map(shares.length === 1 ? [['A', shares[0]![0]]] : []),
  classShares: new Map(shares.length > 1 ? [['A', shares]] : []),
});
const processedOf = (view: ClassQueueTotalsView) =>
  Object.fromEntries([...(view.get('A') ?? [])].map(([queue, { processed }]) => [queue, processed]));

describe('executions by class and queue', () => {
  test('go to the queue that the class ran from at that time', () => {
    const totals = new ClassQueueTotals();
    const next = (processed: number, ...shares: Array<[string, number]>) =>
      processedOf(totals.next(new Map([['A', total(processed)]]), seen(shares)));
    expect(next(10)).toEqual({ '': 10 });
    expect(next(30, ['mail', 1])).toEqual({ '': 10, mail: 20 });
    expect(next(50, ['mail', 0.75], ['low', 0.25])).toEqual({ '': 10, mail: 35, low: 5 });
    expect(next(60, ['mail', 1])).toEqual({ '': 10, mail: 45, low: 5 });
  });

  test('only grow, and are the total of the class together, however it moves', () => {
    const step = fc.record({
      grown: fc.nat(1000),
      queues: fc.uniqueArray(fc.constantFrom('a', 'b', 'c'), { maxLength: 3 }),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), fc.nat(30), (steps, restartedAt) => {
        let totals = new ClassQueueTotals();
        let processed = 0;
        let before: Record<string, number> = {};
        steps.forEach(({ grown, queues }, index) => {
          if (index === restartedAt) {
            const saved: unknown = JSON.parse(JSON.stringify(totals.save()));
            totals = new ClassQueueTotals();
            totals.restore(saved);
          }
          processed += grown;
          const shares = queues.map((queue) => [queue, 1 / queues.length] as const);
          const view = totals.next(new Map([['A', total(processed)]]), seen(shares));
          const parts = [...(view.get('A')?.values() ?? [])];
          const sum = (of: (part: (typeof parts)[number]) => number) => parts.reduce((all, part) => all + of(part), 0);
          expect(sum((part) => part.processed)).toBeCloseTo(processed, 6);
          expect(sum((part) => part.failed)).toBeCloseTo(processed / 5, 6);
          expect(sum((part) => part.milliseconds)).toBeCloseTo(100 * processed, 4);
          expect(sum((part) => part.durations[4]!)).toBeCloseTo(processed, 6);
          const now = processedOf(view);
          Object.entries(before).forEach(([queue, count]) => expect(now[queue]).toBeGreaterThanOrEqual(count));
          before = now;
        });
      })
    );
  });

  test('have no queue of their own for what was counted before a restart', () => {
    const before = new ClassQueueTotals();
    before.next(new Map([['A', total(20)]]), seen([['mail', 1]]));
    const totals = new ClassQueueTotals();
    totals.restore(JSON.parse(JSON.stringify(before.save())));
    expect(processedOf(totals.next(new Map([['A', total(20)]]), seen([])))).toEqual({ mail: 20 });
    expect(processedOf(totals.next(new Map([['A', total(25)]]), seen([['mail', 1]])))).toEqual({ mail: 25 });
  });

  test('forget classes that are counted no more, and count further queues together', () => {
    const totals = new ClassQueueTotals();
    for (let queue = 0; queue < 80; queue += 1) {
      totals.next(new Map([['A', total(queue + 1)]]), seen([[`q${queue}`, 1]]));
    }
    const queues = processedOf(totals.next(new Map([['A', total(80)]]), seen([])));
    expect(Object.keys(queues)).toHaveLength(51);
    expect(queues['']).toBe(30);
    expect(totals.next(new Map(), seen([])).size).toBe(0);
    expect(totals.save()).toEqual([]);
  });
});

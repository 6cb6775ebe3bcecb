import { expect, test } from 'vitest';
import { ClassQueues } from '../../../pkg/observe/classQueues';
import { aJob, aQueue, aSnapshot, listed, someWork } from '../../support/state';

const waits = (name: string, metricsClass: string) => aQueue(name, { next: aJob({ metricsClass }) });

test('a class belongs to the queue in which it was seen last, running before waiting', () => {
  const learned = new ClassQueues();
  learned.observe(
    aSnapshot({
      queues: listed(waits('a', 'X'), waits('b', 'Y')),
      work: listed(someWork({ metricsClass: 'Y', queue: 'c' })),
    })
  );
  expect([...learned.view()].sort()).toEqual([
    ['X', 'a'],
    ['Y', 'c'],
  ]);
  const before = learned.view();
  learned.observe(aSnapshot({ queues: listed(waits('d', 'X')) }));
  expect(learned.view().get('X')).toBe('d');
  expect(before.get('X')).toBe('a');
});

test('the view is the same while nothing is learned', () => {
  const learned = new ClassQueues();
  learned.observe(aSnapshot({ queues: listed(waits('a', 'X')) }));
  const first = learned.view();
  learned.observe(aSnapshot({ queues: listed(waits('a', 'X')) }));
  expect(learned.view()).toBe(first);
});

test('of a simulated month of ever new classes the last 10,000 are kept', () => {
  const learned = new ClassQueues();
  for (let step = 0; step < 100_000; step += 1) {
    learned.observe(aSnapshot({ queues: listed(waits('a', `C${step}`)) }));
  }
  expect(learned.view().size).toBe(10_000);
  expect(learned.view().get('C99999')).toBe('a');
});

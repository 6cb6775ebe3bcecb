import { describe, expect, test } from 'vitest';
import { ClassQueues } from '../../../pkg/observe/classQueues';
import { aCapsule, aJob, aMinute, aProcess, aQueue, aSnapshot, listed, MINUTE, someWork } from '../../support/state';

const waits = (name: string, metricsClass: string, jid = 'j1') => aQueue(name, { next: aJob({ metricsClass, jid }) });
const serves = (...queues: string[]) =>
  aProcess('a:1:x', { capsules: [aCapsule(5, Object.fromEntries(queues.map((queue) => [queue, 0])))] });

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

// Seen live: eight jobs a second of a class ran from `default`, one waited in a queue that nobody serves, and all work was its.
describe('a job that waits where none is taken', () => {
  const legacy = waits('legacy', 'X');
  const readings: ReadonlyArray<[string, Parameters<typeof aSnapshot>[0], Parameters<typeof aSnapshot>[0]]> = [
    ['a job of its class ran', { work: listed(someWork({ metricsClass: 'X', queue: 'default' })) }, {}],
    [
      'a job of its class was the next of a queue that is served, and was taken',
      { queues: listed(waits('default', 'X'), aQueue('other'), legacy) },
      { queues: listed(aQueue('default'), aQueue('other'), legacy) },
    ],
    [
      'a job of its class is the next of a queue that is served',
      { queues: listed(waits('default', 'X'), aQueue('other'), legacy) },
      {},
    ],
    [
      'its class runs, and one queue alone is served',
      { queues: listed(aQueue('default'), legacy), minutes: listed(aMinute(MINUTE, { X: [60, 0, 3000] })) },
      {},
    ],
  ];
  test.each(readings)('does not take its class away where %s', (_, first, second) => {
    for (const paused of [false, true]) {
      const processes = listed(serves('default', 'other', ...(paused ? ['legacy'] : [])));
      const inLegacy = { ...legacy, paused };
      const at = (part: Parameters<typeof aSnapshot>[0]) => {
        const queues = (part?.queues?.items ?? [aQueue('default'), aQueue('other'), legacy]).map((each) =>
          each === legacy ? inLegacy : each
        );
        return aSnapshot({ processes, ...part, queues: listed(...queues) });
      };
      const learned = new ClassQueues();
      learned.observe(at({}));
      expect(learned.view().get('X')).toBe('legacy');
      learned.observe(at(first));
      learned.observe(at(second));
      const restored = new ClassQueues();
      restored.restore(JSON.parse(JSON.stringify(learned.save())));
      for (const each of [learned, restored]) {
        expect(each.view().get('X')).toBe('default');
        each.observe(at({}));
        expect(each.view().get('X')).toBe('default');
      }
    }
  });

  test('leaves its class where it ran last, and a job that was taken elsewhere moves it', () => {
    const processes = listed(serves('a', 'b'));
    const learned = new ClassQueues();
    learned.observe(aSnapshot({ processes, work: listed(someWork({ metricsClass: 'X', queue: 'a' })) }));
    learned.observe(aSnapshot({ processes, queues: listed(aQueue('a'), waits('b', 'X', 'j1')) }));
    expect(learned.view().get('X')).toBe('a');
    learned.observe(aSnapshot({ processes, queues: listed(aQueue('a'), waits('b', 'X', 'j2')) }));
    expect(learned.view().get('X')).toBe('b');
  });

  test('is not taken where it could not be read', () => {
    const processes = listed(serves('a', 'b'));
    const learned = new ClassQueues();
    learned.observe(aSnapshot({ processes, queues: listed(waits('a', 'X')) }));
    learned.observe(aSnapshot({ processes, queues: listed(aQueue('a', { size: 4 }), waits('b', 'X')) }));
    expect(learned.view().get('X')).toBe('b');
    learned.observe(aSnapshot({ processes, queues: listed(aQueue('a'), waits('b', 'X')) }));
    expect(learned.view().get('X')).toBe('a');
  });

  test('is learnt anew from what an earlier version saved', () => {
    const learned = new ClassQueues();
    learned.restore([['X', 'legacy']]);
    expect(learned.view().get('X')).toBe('legacy');
    learned.observe(aSnapshot({ processes: listed(serves('default')), queues: listed(waits('default', 'X')) }));
    expect(learned.view().get('X')).toBe('default');
  });
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

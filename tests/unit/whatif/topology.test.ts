import { expect, test } from 'vitest';
import { topologyOf } from '../../../pkg/whatif/topology';
import { aCapsule, aProcess, aQueueState, aState, listed, partial } from '../../support/state';

test('capsules of the same queues in the same order stand for one another', () => {
  const state = aState({
    queues: [aQueueState('a', { paused: true }), aQueueState('b')],
    snapshot: {
      processes: listed(
        aProcess('a:1:x', { capsules: [aCapsule(5, { a: 0, b: 0 })] }),
        aProcess('b:1:x', { capsules: [aCapsule(7, { a: 0, b: 0 }), aCapsule(2, { a: 3, b: 1 }, 'weighted')] }),
        aProcess('c:1:x', { capsules: [aCapsule(9, { b: 0, a: 0 })] }),
        aProcess('d:1:x', { quiet: true })
      ),
    },
  });
  const { topology, notices } = topologyOf(state);
  expect(
    topology.groups.map(({ threads, processes, mode, weights }) => [threads, processes.size, mode, ...weights.keys()])
  ).toEqual([
    [12, 2, 'strict', 'a', 'b'],
    [2, 1, 'weighted', 'a', 'b'],
    [9, 1, 'strict', 'b', 'a'],
  ]);
  expect([...topology.paused]).toEqual(['a']);
  expect(notices).toEqual([]);
});

test('what is not known of processes is told', () => {
  const unknown = aCapsule(null, { a: 0 });
  const state = aState({
    snapshot: {
      processes: partial(
        aProcess('a:1:x', { capsules: [unknown, unknown] }),
        // Of one capsule the threads are those of the process.
        aProcess('b:1:x', { concurrency: 6, capsules: [aCapsule(null, { a: 0 }, null)] }),
        aProcess('c:1:x', { concurrency: 3, queues: ['z'], capsules: [] })
      ),
    },
  });
  const { topology, notices } = topologyOf(state);
  expect(topology.groups.map(({ threads, mode }) => [threads, mode])).toEqual([
    [6, 'strict'],
    [3, 'strict'],
  ]);
  expect(notices.map(({ text }) => text)).toEqual([
    'Not all processes could be read: threads are missing in the model.',
    '1 process left out: the number of threads by capsule is not written before Sidekiq 8.0.9.',
    'The order in which queues are served is not known of all processes; strict order is assumed for them.',
  ]);
});

test.each([
  ['none is there', []],
  ['all are quiet', [aProcess('a:1:x', { quiet: true })]],
])('that nothing runs in the model is told where no process takes jobs: %s', (_, processes) => {
  const { topology, notices } = topologyOf(aState({ snapshot: { processes: listed(...processes) } }));
  expect(topology.groups).toEqual([]);
  expect(notices.map(({ text }) => text)).toEqual([expect.stringMatching(/^No process takes jobs at the end/)]);
});

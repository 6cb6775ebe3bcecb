import { expect, test } from 'vitest';
import { queueStates } from '../../../pkg/observe/queueState';
import { aCapsule, aProcess, aQueue, aSnapshot, listed } from '../../support/state';

const TYPES = [{ name: 'Billing', queues: ['billing'], latencyObjectiveSeconds: 60 }];

test('a queue has its flow, its worker type and objective, and no wait below zero', () => {
  const snapshot = aSnapshot({
    queues: listed(
      aQueue('billing', { size: 3, latencySeconds: -2 }),
      aQueue('unserved', { size: 3, latencySeconds: 5 }),
      aQueue('paused', { size: 3, latencySeconds: 5, paused: true }),
      aQueue('new', { size: 1, latencySeconds: 4 }),
      aQueue('empty'),
      aQueue('odd', { size: 1, latencySeconds: null })
    ),
    processes: listed(aProcess('a:1:x', { capsules: [aCapsule(5, { billing: 0, paused: 0 })] })),
  });
  const drains = { inRate: 1, outRate: 2, flowSeconds: 120, drainSeconds: 3 };
  const flow = new Map(['billing', 'unserved', 'paused'].map((name) => [name, drains]));
  expect(queueStates(snapshot, flow, TYPES)).toMatchObject([
    {
      name: 'billing',
      latencySeconds: -2,
      waitSeconds: 0,
      workerType: 'Billing',
      objectiveSeconds: 60,
      inRate: 1,
      outRate: 2,
      drainSeconds: 3,
    },
    // Nobody takes from it any more.
    { name: 'unserved', outRate: 2, drainSeconds: null },
    { name: 'paused', outRate: 2, drainSeconds: null },
    {
      name: 'new',
      waitSeconds: 4,
      workerType: '',
      objectiveSeconds: 300,
      inRate: null,
      outRate: null,
      drainSeconds: null,
    },
    { name: 'empty', waitSeconds: 0, drainSeconds: 0 },
    { name: 'odd', waitSeconds: null },
  ]);
});

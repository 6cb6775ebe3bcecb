import { expect, test } from 'vitest';
import { derivedWorkerTypes } from '../../../pkg/observe/workerTypes';
import { queueStates } from '../../../pkg/observe/queueState';
import { aCapsule, aProcess, aQueue, aSnapshot, listed } from '../../support/state';

const process = (identity: string, tag: string, ...capsules: Array<ReturnType<typeof aCapsule>>) =>
  aProcess(identity, { tag, capsules, queues: capsules.flatMap(({ weights }) => [...weights.keys()]) });
const typesOf = (...processes: Array<ReturnType<typeof process>>) => Object.fromEntries(derivedWorkerTypes(processes));

test('processes that serve the same queues, in whatever order, are one type by the names of these', () => {
  expect(
    typesOf(
      process('a:1:x', 'shop', aCapsule(5, { high: 3, low: 1 })),
      process('b:1:x', 'shop', aCapsule(5, { low: 1, high: 3 })),
      process('c:1:x', 'shop', aCapsule(5, { a: 1, b: 1, c: 1, d: 1, e: 1 }))
    )
  ).toEqual({
    high: 'high, low',
    low: 'high, low',
    ...Object.fromEntries(['a', 'b', 'c', 'd', 'e'].map((queue) => [queue, 'a, b, c and 2 more'])),
  });
});

test('a type has the tag of its processes where that is its own', () => {
  expect(
    typesOf(
      process('a:1:x', 'billing', aCapsule(5, { bills: 1 })),
      process('b:1:x', 'shop', aCapsule(5, { mails: 1 })),
      process('c:1:x', 'shop', aCapsule(5, { pdfs: 1 })),
      process('d:1:x', '', aCapsule(5, { other: 1 }))
    )
  ).toEqual({ bills: 'billing', mails: 'mails', pdfs: 'pdfs', other: 'other' });
});

test('each capsule of a process is a type of its own', () => {
  expect(typesOf(process('a:1:x', 'shop', aCapsule(5, { default: 1 }), aCapsule(1, { single: 1 })))).toEqual({
    default: 'default',
    single: 'single',
  });
});

test('a queue of several types belongs to that with the most threads', () => {
  expect(
    typesOf(
      process('a:1:x', 'shop', aCapsule(20, { default: 1, mail: 1 })),
      process('b:1:x', 'shop', aCapsule(5, { mail: 1 })),
      process('c:1:x', 'shop', aCapsule(5, { mail: 1 }))
    )
  ).toEqual({ default: 'default, mail', mail: 'default, mail' });
});

test('processes before capsules are known by their queues', () => {
  const old = { ...aProcess('a:1:x', { queues: ['q'], capsules: [], tag: 't' }) };
  expect(Object.fromEntries(derivedWorkerTypes([old]))).toEqual({ q: 't' });
});

test('the map of the settings goes before what runs; without one, what nobody serves is of no type', () => {
  const snapshot = aSnapshot({
    queues: listed(aQueue('served'), aQueue('stranded')),
    processes: listed(process('a:1:x', 'shop', aCapsule(5, { served: 1 }))),
  });
  const types = (map: Parameters<typeof queueStates>[2]) =>
    queueStates(snapshot, new Map(), map).map(({ name, workerType, objectiveSeconds }) => [
      name,
      workerType,
      objectiveSeconds,
    ]);
  expect(types([])).toEqual([
    ['served', 'shop', 300],
    ['stranded', '', 300],
  ]);
  expect(types([{ name: 'T', queues: ['stranded'], latencyObjectiveSeconds: 60 }])).toEqual([
    ['served', '', 300],
    ['stranded', 'T', 60],
  ]);
});

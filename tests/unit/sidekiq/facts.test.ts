import { describe, expect, test } from 'vitest';
import { queueFacts } from '../../../pkg/sidekiq/queueFacts';
import type { Snapshot } from '../../../pkg/sidekiq/snapshot';
import { installationTotals, versionsOf } from '../../../pkg/sidekiq/totals';
import {
  aCapsule,
  aMinute,
  aProcess,
  aQueue,
  aSnapshot,
  listed,
  MINUTE,
  NOW,
  partial,
  someWork,
} from '../../support/state';

const factsOf = (part: Parameters<typeof aSnapshot>[0], name = 'q') =>
  queueFacts(aSnapshot(part)).find((queue) => queue.name === name)!;

describe('facts of a queue', () => {
  const serves = (identity: string, capsules: Array<ReturnType<typeof aCapsule>>, quiet = false) =>
    aProcess(identity, { capsules, quiet });

  test('count threads by capsule, those of quiet processes apart', () => {
    const facts = factsOf({
      queues: listed(aQueue('q', { size: 1 })),
      processes: listed(
        serves('a:1:x', [aCapsule(5, { q: 0 }), aCapsule(3, { other: 0 })]),
        serves('b:1:x', [aCapsule(2, { q: 0, other: 0 })]),
        serves('c:1:x', [aCapsule(7, { q: 0 })], true),
        serves('d:1:x', [aCapsule(9, { other: 0 })])
      ),
    });
    expect(facts).toMatchObject({ threads: 14, readyThreads: 7, processes: 3, unserved: false });
  });

  test('count a process once that serves the queue in two capsules', () => {
    const two = serves('a:1:x', [aCapsule(5, { q: 0 }), aCapsule(3, { q: 0 })]);
    expect(factsOf({ queues: listed(aQueue('q')), processes: listed(two) })).toMatchObject({
      threads: 8,
      processes: 1,
    });
  });

  test('have unknown threads where a capsule that serves the queue does not say how many it has', () => {
    const silent = { ...aCapsule(0, { q: 0 }), concurrency: null };
    const processes = listed(
      serves('a:1:x', [aCapsule(5, { other: 0 }), silent]),
      // All threads of a process belong to its only capsule.
      serves('b:1:x', [silent])
    );
    const queues = listed(aQueue('q', { size: 1 }), aQueue('other'));
    expect(factsOf({ queues, processes })).toMatchObject({ threads: null, readyThreads: null, processes: 2 });
    expect(factsOf({ queues, processes }, 'other')).toMatchObject({ threads: 5, readyThreads: 5, processes: 1 });
  });

  test('take what runs from the work records', () => {
    const facts = factsOf({
      queues: listed(aQueue('q')),
      work: listed(
        someWork({ queue: 'q', runAt: NOW - 30 }),
        someWork({ queue: 'other', runAt: NOW - 99 }),
        someWork({ queue: 'q', runAt: NOW - 10 }),
        someWork({ queue: 'q', runAt: null })
      ),
    });
    expect(facts).toMatchObject({ busy: 3, longestRunSeconds: 30 });
    expect(factsOf({ queues: listed(aQueue('q')) })).toMatchObject({ busy: 0, longestRunSeconds: null });
    const ahead = listed(someWork({ queue: 'q', runAt: NOW + 3 }));
    expect(factsOf({ queues: listed(aQueue('q')), work: ahead }).longestRunSeconds).toBe(0);
  });

  test.each([
    ['jobs and no process', { size: 1 }, [], true],
    ['jobs and a quiet process', { size: 1 }, [serves('a:1:x', [aCapsule(5, { q: 0 })], true)], true],
    ['jobs and a ready process', { size: 1 }, [serves('a:1:x', [aCapsule(5, { q: 0 })])], false],
    ['no jobs', { size: 0 }, [], false],
    ['a pause', { size: 1, paused: true }, [], false],
    ['an unknown size', { size: null }, [], null],
    ['an unknown pause', { size: 1, paused: null }, [], null],
    [
      'an unknown number of threads, which is one at least',
      { size: 1 },
      [serves('a:1:x', [aCapsule(null, { q: 0 })])],
      false,
    ],
    ['a capsule without threads', { size: 1 }, [serves('a:1:x', [aCapsule(0, { q: 0 })])], true],
  ])('with %s', (_what, queue, processes, unserved) => {
    const facts = factsOf({
      queues: listed(aQueue('q', { latencySeconds: 99, ...queue })),
      processes: listed(...processes),
    });
    expect(facts.unserved).toBe(unserved);
  });

  describe('starved:', () => {
    const behind = serves('a:1:x', [aCapsule(5, { first: 0, q: 0 })]);
    const starved = (
      processes: Array<ReturnType<typeof aProcess>>,
      { q = { size: 1, latencySeconds: 61 }, first = { size: 1, latencySeconds: 1 } }: Record<string, object> = {},
      running = 3
    ) => {
      const queues = listed(aQueue('first', first), aQueue('q', q));
      const work = processes.flatMap(({ identity }) =>
        Array.from({ length: running }, () => someWork({ queue: 'first', process: identity }))
      );
      return factsOf({ queues, processes: listed(...processes), work: listed(...work) }).starved;
    };

    test('every ready process serves waiting queues before it in strict order', () => {
      expect(starved([behind])).toBe(true);
      expect(starved([behind, serves('b:1:x', [aCapsule(5, { first: 0, q: 0 })])])).toBe(true);
    });
    test('not after less than a minute', () => {
      expect(starved([behind], { q: { size: 1, latencySeconds: 60 } })).toBe(false);
    });
    test('not while the queue before it is empty or paused', () => {
      expect(starved([behind], { first: { size: 0 } })).toBe(false);
      expect(starved([behind], { first: { size: 4, paused: true } })).toBe(false);
    });
    test('not where it comes first, by weight, or in a capsule of its own', () => {
      expect(starved([serves('a:1:x', [aCapsule(5, { q: 0, first: 0 })])])).toBe(false);
      expect(starved([serves('a:1:x', [aCapsule(5, { first: 2, q: 1 }, 'weighted')])])).toBe(false);
      expect(starved([serves('a:1:x', [aCapsule(5, { first: 0, q: 0 }), aCapsule(1, { q: 0 })])])).toBe(false);
    });
    test('not where one ready process is free for it; a quiet one does not count', () => {
      expect(starved([behind, serves('b:1:x', [aCapsule(5, { q: 0 })])])).toBe(false);
      expect(starved([behind, serves('b:1:x', [aCapsule(5, { q: 0 })], true)])).toBe(true);
    });
    test('never where a record does not tell the order, before 7.0.2', () => {
      const older = serves('a:1:x', [{ ...aCapsule(5, { first: 0, q: 0 }), mode: null }]);
      expect(starved([older])).toBeNull();
      expect(starved([older], { first: { size: 0 } })).toBe(false);
      expect(starved([behind, older])).toBeNull();
    });
    // Seen live: sidekiq-throttled with a limit of 2, three of ten threads busy, and a new job taken within seconds.
    test('not where most threads that serve it are idle: a limit keeps the queues before it full', () => {
      const ten = serves('a:1:x', [aCapsule(10, { first: 0, q: 0 }), aCapsule(9, { third: 0 })]);
      expect(starved([ten], {}, 3)).toBe(false);
      expect(starved([ten], {}, 5)).toBe(true);
      // Between two short jobs a thread has no record.
      expect(starved([serves('a:1:x', [aCapsule(1, { first: 0, q: 0 })])], {}, 0)).toBe(true);
    });
    test('not where nobody serves it: that is unserved', () => {
      expect(starved([])).toBe(false);
    });
    test('unknown where threads or size are', () => {
      expect(starved([behind], { q: { size: null } })).toBeNull();
      expect(starved([behind], { q: { size: 1, latencySeconds: null } })).toBeNull();
    });
  });

  test('count a running job once where two capsules of its process serve the queue', () => {
    const facts = factsOf({
      queues: listed(aQueue('q', { size: 1, latencySeconds: 1 })),
      processes: listed(aProcess('a:1:x', { capsules: [aCapsule(5, { q: 0, other: 0 }), aCapsule(3, { q: 0 })] })),
      work: listed(...['q', 'q', 'other', 'third'].map((queue) => someWork({ process: 'a:1:x', queue }))),
    });
    expect(facts).toMatchObject({ threads: 8, readyIdle: 5 });
  });

  test('are unknown where processes or work were refused', () => {
    const facts = factsOf({
      queues: listed(aQueue('q', { size: 1, latencySeconds: 99 })),
      processes: partial(serves('a:1:x', [aCapsule(5, { q: 0 })])),
      work: partial(someWork({ queue: 'q' })),
    });
    expect(facts).toMatchObject({
      threads: null,
      readyThreads: null,
      processes: null,
      busy: null,
      longestRunSeconds: null,
      unserved: null,
      starved: null,
    });
  });

  test('hold for any name of a queue', () => {
    const names = ['constructor', '__proto__', 'toString', '10', '2'];
    const facts = queueFacts(
      aSnapshot({
        queues: listed(...names.map((name) => aQueue(name, { size: 1 }))),
        processes: listed(
          aProcess('a:1:x', { capsules: [{ ...aCapsule(3, {}), weights: new Map(names.map((name) => [name, 0])) }] })
        ),
        work: listed(...names.map((queue) => someWork({ queue }))),
      })
    );
    expect(facts.map(({ name, threads, busy }) => [name, threads, busy])).toEqual(names.map((name) => [name, 3, 1]));
  });
});

describe('totals of an installation', () => {
  const snapshot: Snapshot = aSnapshot({
    totals: { processed: 100, failed: 7, processedToday: 40, failedToday: 10 },
    queues: listed(aQueue('a', { size: 3, latencySeconds: 5 }), aQueue('b', { size: 4, latencySeconds: 9 })),
    processes: listed(
      aProcess('a:1:x', { busy: 2, concurrency: 5, beatAgeSeconds: 3 }),
      aProcess('b:1:x', { busy: 1, concurrency: 7, beatAgeSeconds: 8, quiet: true }),
      aProcess('c:1:x', { busy: 1, concurrency: 4, beatAgeSeconds: 1 })
    ),
    work: listed(someWork({ process: 'a:1:x' }), someWork({ process: 'b:1:x' })),
    ghosts: listed('g'),
    minutes: listed(aMinute(MINUTE, { A: [8, 2, 100], B: [2, 0, 5] }), aMinute(MINUTE - 60, { A: [10, 3, 50] })),
  });

  test('add up', () => {
    expect(installationTotals(snapshot)).toEqual({
      processed: 100,
      failed: 7,
      // 5 of 20 executions of the last hour.
      failureRate: 0.25,
      // By the work records; the heartbeats say four.
      busy: 2,
      busyThreads: 4,
      busyReadyThreads: 3,
      threads: 16,
      readyThreads: 9,
      utilisation: 0.25,
      processes: 3,
      quietProcesses: 1,
      ghosts: 1,
      enqueued: 7,
      latencyMaxSeconds: 9,
      oldestHeartbeatSeconds: 8,
      lastHour: new Map([
        ['A', { processed: 18, failed: 5, milliseconds: 150 }],
        ['B', { processed: 2, failed: 0, milliseconds: 5 }],
      ]),
      ratedExecutions: 20,
      recent: new Map([
        ['A', { processed: 18, failed: 5, milliseconds: 150, seconds: 3600 }],
        ['B', { processed: 2, failed: 0, milliseconds: 5, seconds: 3600 }],
      ]),
    });
  });

  test('of nothing are zero, without a rate or a heartbeat', () => {
    expect(installationTotals(aSnapshot())).toMatchObject({
      failureRate: null,
      busy: 0,
      utilisation: 0,
      enqueued: 0,
      latencyMaxSeconds: 0,
      oldestHeartbeatSeconds: null,
    });
  });

  test('take the failure rate of today where there are no job metrics', () => {
    const rate = (part: object, minutes = listed(aMinute(MINUTE))) =>
      installationTotals(aSnapshot({ totals: part, minutes })).failureRate;
    expect(rate({ processedToday: 40, failedToday: 10 })).toBe(0.25);
    expect(rate({ processedToday: 0, failedToday: 0 })).toBeNull();
    expect(rate({ processedToday: null, failedToday: 1 })).toBeNull();
    expect(rate({ processedToday: 40, failedToday: null })).toBeNull();
    expect(rate({ processedToday: 40, failedToday: 10 }, partial(aMinute(MINUTE)))).toBeNull();
  });

  test('know no failure rate of an hour in which nothing ran, where processes keep job metrics', () => {
    const quiet = aSnapshot({
      totals: { processedToday: 10, failedToday: 1 },
      processes: listed(aProcess('a:1:x', { version: '7.3.10' })),
    });
    expect(installationTotals(quiet)).toMatchObject({ failureRate: null, ratedExecutions: 0 });
  });

  test('rate the failures of a quarter of an hour, or of an hour where fewer than 20 ended in it', () => {
    const of = (recent: number, failed: number) =>
      installationTotals(
        aSnapshot({
          minutes: listed(
            // The last quarter of an hour began 30 seconds after this minute.
            aMinute(MINUTE - 900, { A: [recent, failed, 9] }),
            aMinute(MINUTE - 960, { A: [100, 0, 9], B: [3, 1, 9] })
          ),
        })
      );
    expect(of(20, 10)).toMatchObject({ failureRate: 0.5, ratedExecutions: 20 });
    expect(of(19, 10)).toMatchObject({ failureRate: 11 / 122, ratedExecutions: 122 });
    expect(of(20, 10).recent).toEqual(
      new Map([
        ['A', { processed: 20, failed: 10, milliseconds: 9, seconds: 900 }],
        ['B', { processed: 3, failed: 1, milliseconds: 9, seconds: 3600 }],
      ])
    );
  });

  test('are unknown where a part was refused', () => {
    const refused = installationTotals({
      ...snapshot,
      queues: { ...snapshot.queues, whole: false },
      processes: { ...snapshot.processes, whole: false },
      ghosts: { ...snapshot.ghosts, whole: false },
      work: { ...snapshot.work, whole: false },
      minutes: { ...snapshot.minutes, whole: false },
    });
    expect(refused).toEqual({
      processed: 100,
      failed: 7,
      failureRate: null,
      busy: null,
      busyThreads: null,
      busyReadyThreads: null,
      threads: null,
      readyThreads: null,
      utilisation: null,
      processes: null,
      quietProcesses: null,
      ghosts: null,
      enqueued: null,
      latencyMaxSeconds: null,
      oldestHeartbeatSeconds: null,
      lastHour: null,
      ratedExecutions: null,
      recent: null,
    });
  });

  test('are unknown where one of their members is', () => {
    const totals = installationTotals(
      aSnapshot({
        queues: listed(aQueue('a', { size: null, latencySeconds: null }), aQueue('b', { size: 4, latencySeconds: 9 })),
        processes: listed(
          aProcess('a:1:x', { busy: null, concurrency: 5 }),
          aProcess('b:1:x', { busy: 1, concurrency: null, quiet: true })
        ),
      })
    );
    expect(totals).toMatchObject({
      enqueued: null,
      latencyMaxSeconds: null,
      busyThreads: null,
      threads: null,
      readyThreads: 5,
      utilisation: null,
      processes: 2,
    });
  });
});

test('versions are those of the live processes, each once, in order', () => {
  const of = (...versions: string[]) =>
    versionsOf(
      aSnapshot({ processes: listed(...versions.map((version, index) => aProcess(`p:${index}:x`, { version }))) })
    );
  expect(of('8.1.7', '', '7.3.10', '8.1.7')).toEqual(['7.3.10', '8.1.7', 'before 7.0.2']);
  expect(of()).toEqual([]);
});

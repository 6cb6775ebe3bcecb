import { describe, expect, test } from 'vitest';
import { capacity } from '../../../pkg/queries/capacity';
import { rowsOfState } from '../../support/ask';
import { aCapsule, aMinute, aProcess, aQueueState, aState, listed, MINUTE, partial } from '../../support/state';

/** Minutes of job metrics, the current one first; only the ten complete ones before it count. */
const minutes = (...classes: Array<Parameters<typeof aMinute>[1]>) =>
  listed(...classes.map((each, index) => aMinute(MINUTE - index * 60, each)));
const classQueues = new Map([
  ['Bill', 'billing'],
  ['Mail', 'mailers'],
]);

describe('by queue', () => {
  // Found by a review: 38 jobs waited, and none was wanted to keep up.
  test('of a queue that nobody serves it is not known how many threads its work takes, until it has run', async () => {
    const unserved = { workerType: 'S', size: 38, waitSeconds: 900, readyThreads: 0, unserved: true };
    const queues = [
      aQueueState('search', unserved),
      aQueueState('mailers', { workerType: 'S', size: 0, unserved: false }),
    ];
    const ten = Array.from({ length: 10 }, () => ({ Mail: [60, 0, 30_000] as [number, number, number] }));
    const state = aState({ queues, classQueues, snapshot: { minutes: minutes({}, ...ten) } });
    const [search, mailers] = await rowsOfState(capacity, state, { query: { by: 'queue' } });
    expect(search).toMatchObject({ demand: null, headroom: null, threadsToKeepUp: null, threadsNeeded: null });
    expect(mailers).toMatchObject({ demand: 0.5, threadsToKeepUp: 1 });
    // The worker type has what is measured.
    expect((await rowsOfState(capacity, state, { query: { by: 'workerType' } }))[0]).toMatchObject({ demand: 0.5 });
    for (const some of [queues.slice(0, 1), queues]) {
      const idle = aState({ queues: some, classQueues, snapshot: { minutes: minutes({}, {}) } });
      expect((await rowsOfState(capacity, idle, { query: { by: 'workerType' } }))[0]).toMatchObject({ demand: null });
    }
  });

  // In the last ten complete minutes Bill worked 1200 s: that keeps 2 threads busy. In comes 1.5 times what goes out, so 3.
  // 600 successes took 2 s each. 50 jobs × 2 s / 100 s = 1 thread more.
  test('has every figure', async () => {
    const state = aState({
      queues: [
        aQueueState('billing', {
          workerType: 'Billing',
          size: 50,
          waitSeconds: 101,
          objectiveSeconds: 100,
          readyThreads: 6,
          inRate: 3,
          outRate: 2,
          drainSeconds: 77,
          unserved: true,
          starved: false,
        }),
      ],
      classQueues,
      snapshot: {
        minutes: minutes(
          { Bill: [999, 0, 999_000] },
          { Bill: [400, 10, 700_000] },
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          {},
          { Bill: [220, 10, 500_000] },
          { Bill: [999, 0, 999_000] }
        ),
      },
    });
    const [row] = await rowsOfState(capacity, state, { query: { by: 'queue' } });
    expect(row).toEqual({
      workerType: 'Billing',
      queue: 'billing',
      state: 'unserved',
      demand: 3,
      supply: 6,
      utilisation: 0.5,
      headroom: 3,
      size: 50,
      latency: 101,
      objective: 100,
      // It is unserved, which is why it waits.
      late: false,
      inRate: 3,
      outRate: 2,
      drainTime: 77,
      breach: 'now',
      breachIn: 0,
      breachInMost: 0,
      breachesSoon: true,
      threadsNeeded: 4,
      threadsToKeepUp: 3,
      unserved: 1,
      starved: 0,
    });
    expect(Object.keys(row!)).toEqual(capacity.columns.map(({ name }) => name));
  });

  const one = async (queue: object, part: object = {}) =>
    (
      await rowsOfState(capacity, aState({ queues: [aQueueState('billing', queue)], classQueues, ...part }), {
        query: { by: 'queue' },
      })
    )[0]!;
  const worked = { snapshot: { minutes: minutes({}, { Bill: [60, 0, 600_000] }) } };

  test('scales the demand up where more comes than goes, never down', async () => {
    expect(await one({ inRate: 1, outRate: 4 }, worked)).toMatchObject({ demand: 1 });
    expect(await one({ inRate: 4, outRate: 0 }, worked)).toMatchObject({ demand: 1 });
    expect(await one({ inRate: null, outRate: 4 }, worked)).toMatchObject({ demand: 1 });
    expect(await one({ inRate: 8, outRate: 4 }, worked)).toMatchObject({ demand: 2 });
  });

  // Found live: of 15 threads ten were killed, and 19 were wanted for twelve jobs a second that take a second each.
  test('wants no more than comes after threads were lost, though the work is still that of all of them', async () => {
    const before = { snapshot: { minutes: minutes({}, { Bill: [7200, 0, 7_200_000] }) } };
    expect(await one({ inRate: 12, outRate: 5 }, before)).toMatchObject({ demand: 12 });
    const since = { snapshot: { minutes: minutes({}, { Bill: [3000, 0, 3_000_000] }) } };
    expect(await one({ inRate: 12, outRate: 5 }, since)).toMatchObject({ demand: 12 });
    // Retries fail and take time that nobody counts.
    const half = { snapshot: { minutes: minutes({}, { Bill: [6000, 3000, 3_000_000] }) } };
    expect(await one({ inRate: 20, outRate: 10 }, half)).toMatchObject({ demand: 10 });
  });

  // Found live: a class that always fails keeps threads busy, and is in no metric of time.
  test('wants the threads that were kept busy of late, whatever they did', async () => {
    const busy = { busyMeans: new Map([['billing', 2.8]]) };
    expect(await one({ readyBusy: 1 }, busy)).toMatchObject({ demand: 2.8 });
    expect(await one({ readyBusy: 4 }, busy)).toMatchObject({ demand: 4 });
    expect(await one({ readyBusy: 1, paused: true }, busy)).toMatchObject({ demand: 1 });
  });

  test('is late only above its objective', async () => {
    expect(await one({ waitSeconds: 300 })).toMatchObject({ late: false });
    expect(await one({ waitSeconds: 300.1 })).toMatchObject({ late: true });
    expect(await one({ waitSeconds: null })).toMatchObject({ late: null, latency: null });
  });

  test('needs no thread where nothing comes, an unknown number where the time of a job is not known', async () => {
    expect(await one({ size: 0 })).toMatchObject({ demand: 0, threadsNeeded: 0, utilisation: null, headroom: 0 });
    expect(await one({ size: 1 })).toMatchObject({ threadsNeeded: null });
    // 60 jobs took 10 s each: 1 thread for what comes; 30 × 10 / 300 = 1 for the backlog.
    expect(await one({ size: 30 }, worked)).toMatchObject({ threadsNeeded: 2 });
    expect(await one({ size: 31 }, worked)).toMatchObject({ threadsNeeded: 3 });
    expect(await one({ size: null }, worked)).toMatchObject({ threadsNeeded: null, size: null });
  });

  test('knows no demand where a minute was refused, no headroom where threads were', async () => {
    const refused = {
      snapshot: { minutes: partial(aMinute(MINUTE), aMinute(MINUTE - 60, { Bill: [60, 0, 600_000] })) },
    };
    expect(await one({ readyThreads: 3 }, refused)).toMatchObject({
      demand: null,
      utilisation: null,
      headroom: null,
      threadsNeeded: null,
    });
    expect(await one({ readyThreads: null }, worked)).toMatchObject({
      demand: 1,
      supply: null,
      utilisation: null,
      headroom: null,
    });
    expect(await one({ unserved: null, starved: null })).toMatchObject({ unserved: null, starved: null });
  });

  test('counts a class only in the queue it is known to run from', async () => {
    expect(
      await one({}, { snapshot: { minutes: minutes({}, { Mail: [60, 0, 600_000], Stranger: [1, 0, 1] }) } })
    ).toMatchObject({ demand: 0 });
  });
});

// 1 thread is busy with Bill, and 60 jobs of 2 s wait: 2 threads more within a minute, none of them where it is paused.
test('a paused queue needs the threads that still run its jobs, and none for those that wait', async () => {
  const snapshot = { minutes: minutes({}, { Bill: [300, 0, 600_000] }, {}, {}, {}, {}, {}, {}, {}, {}, {}) };
  const ask = async (part: Parameters<typeof aQueueState>[1], by: string) => {
    const queues = [
      aQueueState('billing', { workerType: 'Billing', size: 60, objectiveSeconds: 60, ...part }),
      aQueueState('idle', { workerType: 'Billing', size: 0, objectiveSeconds: 60 }),
    ];
    const rows = await rowsOfState(capacity, aState({ queues, classQueues, snapshot }), { query: { by } });
    const row = rows.find((each) => by === 'workerType' || each['queue'] === 'billing')!;
    return [row['demand'], row['threadsNeeded'], row['size']];
  };
  for (const by of ['queue', 'workerType']) {
    expect(await ask({}, by)).toEqual([1, 3, 60]);
    expect(await ask({ paused: true }, by)).toEqual([0, 0, 60]);
    expect(await ask({ paused: true, busy: 1 }, by)).toEqual([1, 1, 60]);
  }
});

test('the work of a class that runs from two queues is shared among them, and adds up', async () => {
  // Ten minutes of six threads' work, two thirds of it seen in q1.
  const state = aState({
    queues: ['q1', 'q2'].map((name) => aQueueState(name, { readyThreads: 5, readyBusy: 0 })),
    classQueues: new Map([['A', 'q2']]),
    classShares: new Map([['A', [['q1', 2 / 3] as const, ['q2', 1 / 3] as const]]]),
    snapshot: {
      minutes: minutes(
        {},
        ...Array.from({ length: 10 }, (): Record<string, [number, number, number]> => ({ A: [60, 0, 360_000] }))
      ),
    },
  });
  const rows = await rowsOfState(capacity, state, { query: { by: 'queue' } });
  const demand = new Map(rows.map((row) => [row['queue'], row['demand'] as number]));
  expect(demand.get('q1')).toBeCloseTo(4, 6);
  expect(demand.get('q2')).toBeCloseTo(2, 6);
});

describe('by worker type', () => {
  const queues = [
    aQueueState('billing', {
      workerType: 'T',
      size: 30,
      waitSeconds: 5,
      inRate: 1,
      outRate: 2,
      drainSeconds: 30,
      unserved: true,
      objectiveSeconds: 60,
    }),
    aQueueState('mailers', {
      workerType: 'T',
      size: 10,
      waitSeconds: 9,
      inRate: null,
      outRate: 3,
      drainSeconds: 80,
      starved: true,
      objectiveSeconds: 60,
    }),
    aQueueState('idle', { workerType: 'T', size: 0, waitSeconds: 0, drainSeconds: null, objectiveSeconds: 60 }),
    aQueueState('stray', { size: 0 }),
  ];
  // Two processes of one queue each, and one of both: a thread counts once, whatever it serves.
  const processes = listed(
    aProcess('a:1:x', { concurrency: 4, capsules: [aCapsule(4, { billing: 0 })] }),
    aProcess('b:1:x', { concurrency: 6, capsules: [aCapsule(6, { mailers: 0 }), aCapsule(9, { elsewhere: 0 })] }),
    aProcess('c:1:x', { concurrency: 3, capsules: [aCapsule(3, { mailers: 0, billing: 0 })] }),
    aProcess('d:1:x', { concurrency: 50, capsules: [aCapsule(50, { mailers: 0 })], quiet: true })
  );
  const snapshot = { processes, minutes: minutes({}, { Bill: [60, 0, 600_000], Mail: [30, 0, 60_000] }) };
  const rows = (part: object = {}) => rowsOfState(capacity, aState({ queues, classQueues, snapshot, ...part }));

  // Demand 600/600 + 60/600 = 1.1 threads. 30 jobs take 10 s and 10 take 2 s: 8 s on average; 40 × 8 / 60 = 5.33.
  test('queues add up and share their threads', async () => {
    const found = await rows();
    expect(found[0]).toEqual({
      workerType: 'T',
      state: 'unserved',
      demand: 1.1,
      supply: 13,
      utilisation: 1.1 / 13,
      headroom: 11.9,
      size: 40,
      latency: 9,
      objective: 60,
      late: false,
      inRate: 1,
      outRate: 5,
      drainTime: 80,
      // Nobody serves billing, whose oldest job has 55 of its 60 seconds left.
      breach: 'in 55 s',
      breachIn: 55,
      breachInMost: 55,
      breachesSoon: true,
      threadsNeeded: 7,
      // 1.1 threads of work.
      threadsToKeepUp: 2,
      unserved: 1,
      starved: 1,
    });
    // A queue without a type has nothing in common with another such queue.
    expect(found[1]).toMatchObject({ workerType: 'other: stray', size: 0, drainTime: 0, inRate: null });
  });

  test('is not drained while one of its waiting queues is not', async () => {
    const [row] = await rows({ queues: [{ ...queues[0]!, drainSeconds: null }, queues[1]!] });
    expect(row).toMatchObject({ drainTime: null });
  });

  test('is unknown in what one of its queues is unknown', async () => {
    const [row] = await rows({
      queues: [queues[0]!, { ...queues[1]!, size: null, waitSeconds: null, unserved: null, starved: false }],
      snapshot: { ...snapshot, processes: partial(...processes.items) },
    });
    expect(row).toMatchObject({
      size: null,
      latency: null,
      supply: null,
      // What is known of one queue is not hidden by what is not known of another.
      state: 'unserved',
      unserved: 1,
      starved: 0,
      demand: 1.1,
      threadsNeeded: null,
      late: null,
    });
  });

  test.each([
    ['unserved', { unserved: true, starved: true }],
    ['starved', { starved: true, waitSeconds: 100 }],
    ['late', { waitSeconds: 60.1 }],
    ['unknown', { waitSeconds: null }],
    ['unknown', { unserved: null }],
    ['ok', { waitSeconds: 60 }],
  ])('is %s by its worst queue', async (expected, part) => {
    const given = [
      aQueueState('fine', { workerType: 'T' }),
      aQueueState('other', { workerType: 'T', objectiveSeconds: 60, ...part }),
    ];
    const members = given.map((queue) => ({ ...queue, objectiveSeconds: 60 }));
    expect(await rows({ queues: members })).toMatchObject([{ state: expected }]);
  });

  test('the worst come first, and what has no thread before what has too few', async () => {
    const type = (name: string, part: object) =>
      aQueueState(`q${name}`, { workerType: name, objectiveSeconds: 60, ...part });
    const found = await rows({
      queues: [
        type('idle', {}),
        type('without threads', {}),
        type('full', { busy: 2 }),
        type('late', { waitSeconds: 61 }),
        type('unserved', { unserved: true }),
      ],
      snapshot: {
        ...snapshot,
        processes: listed(
          aProcess('a:1:x', { concurrency: 9, capsules: [aCapsule(9, { qidle: 0, qlate: 0 })] }),
          aProcess('b:1:x', { concurrency: 2, capsules: [aCapsule(2, { qfull: 0 })] })
        ),
      },
    });
    expect(found.map((row) => row['workerType'])).toEqual(['unserved', 'late', 'without threads', 'full', 'idle']);
  });

  test('is the default, queues are by choice', async () => {
    expect(await rows()).toHaveLength(2);
    await expect(rowsOfState(capacity, aState(), { query: { by: 'host' } })).rejects.toThrow(/"by" is not valid/);
  });
});

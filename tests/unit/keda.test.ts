import { describe, expect, test } from 'vitest';
import { parseScaledObject } from '../../pkg/settings/scaledObject';
import { isActive, scaleOf } from '../../pkg/keda/scaler';
import { Hold, type Scale } from '../../pkg/watch/hold';
import { faultOf } from '../support/faults';
import { aCapsule, aMinute, aProcess, aQueueState, aState, listed, MINUTE, partial } from '../support/state';

/** Bill took 2 s each, 300 times in the last ten minutes: one thread is busy with it. */
const minutes = listed(
  aMinute(MINUTE, {}),
  aMinute(MINUTE - 60, { Bill: [300, 0, 600_000] }),
  ...Array.from({ length: 9 }, (_, index) => aMinute(MINUTE - 120 - index * 60, {}))
);
const stateOf = (...queues: Array<Parameters<typeof aQueueState>>) =>
  aState({
    queues: queues.map(([name, part]) => aQueueState(name, { workerType: 'Billing', readyThreads: 5, ...part })),
    classQueues: new Map([['Bill', 'billing']]),
    snapshot: { minutes },
  });
const asked = (metadata: Record<string, string>) => parseScaledObject({ workerType: 'Billing', ...metadata });

describe('the scale of a worker type', () => {
  test('by threads is what keeps up and works off the backlog within the objective', () => {
    // 1 thread, and 600 jobs of 2 s within 300 s: 4 more.
    expect(scaleOf(stateOf(['billing', { size: 600, objectiveSeconds: 300 }]), asked({}))).toEqual({
      active: true,
      value: 5,
    });
    expect(
      scaleOf(stateOf(['billing', { size: 600 }]), asked({ threadsPerReplica: '4', objectiveSeconds: '100' }))
    ).toMatchObject({ value: 13 });
  });

  test('by drain is what works off the backlog within the asked time', () => {
    // 1 thread, and 1200 s of work within 60 s.
    const scale = scaleOf(stateOf(['billing', { size: 600 }]), asked({ metric: 'drain', drainSeconds: '60' }));
    expect(scale).toMatchObject({ value: 21 });
  });

  test('by latency is the longest wait, against the objective of the settings or of the trigger', () => {
    const state = stateOf(
      ['billing', { size: 3, waitSeconds: 90, objectiveSeconds: 60 }],
      ['other', { waitSeconds: 5 }]
    );
    expect(scaleOf(state, asked({ metric: 'latency' }))).toEqual({ active: true, value: 90 });
  });

  test('never falls below the threads that are busy', () => {
    expect(scaleOf(stateOf(['billing', { size: 0, busy: 7 }]), asked({}))).toEqual({
      active: true,
      value: 7,
    });
  });

  test('is of the queues that are named, and of nothing for one that nobody has pushed to', () => {
    const state = stateOf(['billing', { size: 600 }], ['mail', { size: 0, busy: 2 }]);
    expect(scaleOf(state, parseScaledObject({ queues: 'mail' }))).toMatchObject({ active: true });
    expect(scaleOf(state, parseScaledObject({ queues: 'new' }))).toEqual({ active: false, value: 0 });
  });

  test('leaves paused queues out', () => {
    const state = stateOf(['billing', { size: 600, waitSeconds: 900, paused: true }]);
    expect(scaleOf(state, asked({ metric: 'latency' }))).toMatchObject({ value: 0 });
    // No thread is needed for what ran before the pause; one for each job that runs on.
    expect(scaleOf(state, asked({}))).toEqual({ active: false, value: 0 });
    const running = stateOf(['billing', { size: 600, busy: 2, paused: true }]);
    expect(scaleOf(running, asked({}))).toEqual({ active: true, value: 2 });
  });

  test('is one thread where nothing has run yet and no thread is there, to learn how long jobs take', () => {
    const state = aState({
      queues: [aQueueState('billing', { workerType: 'Billing', size: 4, readyThreads: 0 })],
      snapshot: { minutes: listed(...minutes.items.map(({ startsAt }) => aMinute(startsAt, {}))) },
    });
    expect(scaleOf(state, asked({}))).toEqual({ active: true, value: 1 });
  });

  // Found by a review: as a state is read, such a queue is unserved.
  test.each(['threads', 'drain'])(
    'is one thread by %s where nobody serves the queue, also beside another one',
    (metric) => {
      const empty = listed(...minutes.items.map(({ startsAt }) => aMinute(startsAt, {})));
      const unserved = { size: 50, readyThreads: 0, unserved: true, waitSeconds: 70 };
      const state = aState({
        queues: [aQueueState('m1', unserved), aQueueState('other', { size: 0, readyThreads: 5, unserved: false })],
        snapshot: { minutes: empty, processes: listed(aProcess('a:1:x', { capsules: [aCapsule(5, { other: 0 })] })) },
      });
      expect(scaleOf(state, parseScaledObject({ queues: 'm1', metric }))).toEqual({ active: true, value: 1 });
      expect(scaleOf(state, parseScaledObject({ queues: 'm1', metric: 'latency' }))).toEqual({
        active: true,
        value: 70,
      });
    }
  );

  // Found by a review: the trigger named both queues, and the workers stayed at zero.
  test.each(['threads', 'drain'])('by %s of a queue that nobody serves and of served ones is of each', (metric) => {
    const state = (...served: Array<Parameters<typeof aQueueState>>) => {
      const given = stateOf(['new', { size: 1, readyThreads: 0, unserved: true, waitSeconds: 400 }], ...served);
      return {
        ...given,
        snapshot: { ...given.snapshot, processes: listed(aProcess('a:1:x', { queues: ['billing'] })) },
      };
    };
    const scaled = (given: ReturnType<typeof state>, queues: string) =>
      scaleOf(given, parseScaledObject({ queues, metric }));
    expect(scaled(state(['idle', { size: 0 }]), 'idle,new')).toEqual({ active: true, value: 1 });
    // One thread keeps up with billing, of which nothing waits; one learns how long jobs of the other take.
    expect(scaled(state(['billing', { size: 0 }]), 'billing,new').value).toBe(2);
    const waiting = state(['served', { size: 1, waitSeconds: 1 }]);
    expect(faultOf(() => scaled(waiting, 'served,new')).message).toMatch(/run times/);
  });

  test('is active while a job runs in a quiet process', () => {
    const state = stateOf(['billing', { size: 0, readyThreads: 0, busy: 1, readyBusy: 0 }]);
    const idle = { ...state, snapshot: { ...state.snapshot, minutes: listed(aMinute(MINUTE, {})) } };
    expect(scaleOf(idle, asked({}))).toEqual({ active: true, value: 0 });
  });

  // 600 jobs of 2 s within 30 s are 40 threads, and one keeps up; an empty queue beside it changes nothing.
  test.each([['billing'], ['billing,lax'], ['lax,billing']])('of %s goes by the objective of each queue', (queues) => {
    const state = stateOf(
      ['lax', { size: 0, objectiveSeconds: 3600, workerType: '' }],
      ['billing', { size: 600, objectiveSeconds: 30 }]
    );
    expect(scaleOf(state, parseScaledObject({ queues }))).toEqual({ active: true, value: 41 });
    expect(scaleOf(state, parseScaledObject({ queues, objectiveSeconds: '60' }))).toEqual({ active: true, value: 21 });
  });
});

describe('what is not known is an error, so that nothing is scaled down', () => {
  test.each([
    ['a size', stateOf(['billing', { size: null }])],
    ['the running jobs', stateOf(['billing', { size: 1, busy: null }])],
    [
      'the minutes',
      aState({
        queues: [aQueueState('billing', { workerType: 'Billing', size: 1 })],
        snapshot: { minutes: partial() },
      }),
    ],
    ['the queues', aState({ snapshot: { queues: partial(), minutes } })],
  ])('where %s could not be read', (_, state) => {
    expect(faultOf(() => scaleOf(state, asked({})))).toMatchObject({ kind: 'data' });
  });

  test('where the wait is not known, for latency; where run times are not, for threads', () => {
    expect(
      faultOf(() => scaleOf(stateOf(['billing', { size: 1, waitSeconds: null }]), asked({ metric: 'latency' })))
    ).toMatchObject({
      kind: 'data',
      message: 'The waits of Billing are not known now.',
    });
    const nothingRan = aState({
      queues: [aQueueState('billing', { workerType: 'Billing', size: 4, readyThreads: 5, busy: 5 })],
      snapshot: {
        processes: listed(aProcess('a:1:x', { capsules: [aCapsule(5, { billing: 0 })] })),
        minutes: listed(...minutes.items.map(({ startsAt }) => aMinute(startsAt, {}))),
      },
    });
    const fault = faultOf(() => scaleOf(nothingRan, asked({})));
    expect(fault.message).toMatch(/run times/);
    // That there is something to do is known all the same.
    expect(isActive(fault, nothingRan, asked({}))).toBe(true);
    const noSidekiq = aState({ snapshot: { hasSidekiq: false } });
    expect(
      isActive(
        faultOf(() => scaleOf(noSidekiq, asked({}))),
        noSidekiq,
        asked({})
      )
    ).toBe(false);
  });

  test('and a worker type that is not there is a mistake of the trigger', () => {
    expect(faultOf(() => scaleOf(stateOf(['billing', {}]), parseScaledObject({ workerType: 'Nope' })))).toMatchObject({
      kind: 'query',
      message: 'No queue is of the worker type "Nope".',
    });
  });
});

describe('a trigger', () => {
  test.each([
    [{}, 'The trigger names no queues, or names them twice.'],
    [{ workerType: 'A', queues: 'b' }, 'The trigger names no queues, or names them twice.'],
    [{ queues: ' , ' }, 'The trigger names no queues, or names them twice.'],
    [{ queues: 'a', metric: 'size' }, /^The metadata "metric" of the trigger is not valid/],
    [{ queues: 'a', threadsPerReplica: '0x10' }, /^The metadata "threadsPerReplica" of the trigger is not valid/],
    [{ queues: 'a', holdSeconds: '' }, /^The metadata "holdSeconds" of the trigger is not valid/],
    [{ queues: 'a', threadsPerReplica: '0' }, /^The metadata "threadsPerReplica" of the trigger is not valid/],
    [{ queues: 'a', holdSeconds: 'long' }, /^The metadata "holdSeconds" of the trigger is not valid/],
  ] as Array<[Record<string, string>, string | RegExp]>)('of %o is refused', (metadata, message) => {
    const fault = faultOf(() => parseScaledObject(metadata));
    expect(fault.kind).toBe('query');
    expect(fault.message).toMatch(message);
  });

  test('has a default for all but its queues, and passes over what KEDA adds', () => {
    expect(parseScaledObject({ queues: 'a, b', scalerAddress: 'x:1' })).toEqual({
      workerType: '',
      queues: ['a', 'b'],
      metric: 'threads',
      threadsPerReplica: 10,
      drainSeconds: 300,
      holdSeconds: 120,
    });
  });
});

describe('holding', () => {
  const scale = (value: number, active = value > 0): Scale => ({ active, value });

  test('tells a larger value at once and a smaller one after the time', () => {
    const hold = new Hold();
    const told = [
      [0, 5],
      [60, 8],
      [100, 3],
      [179, 2],
      [181, 2],
      [301, 0],
    ].map(([now, value]) => hold.keep('a', scale(value!), 120, now!).value);
    // 8 stands until 180, then 3 until 220 and 2 until 301.
    expect(told).toEqual([5, 8, 8, 8, 3, 0]);
  });

  test('keeps a worker for the time after the last job, whatever the value', () => {
    const hold = new Hold();
    expect(hold.keep('a', scale(0, true), 120, 0).active).toBe(true);
    expect(hold.keep('a', scale(0, false), 120, 60).active).toBe(true);
    expect(hold.keep('a', scale(0, false), 120, 121).active).toBe(false);
  });

  test('is by scaled object, and holds nothing where it is switched off', () => {
    const hold = new Hold();
    hold.keep('a', scale(9), 120, 0);
    expect(hold.keep('b', scale(1), 120, 1).value).toBe(1);
    hold.keep('c', scale(9), 0, 0);
    expect(hold.keep('c', scale(1), 0, 0).value).toBe(1);
  });

  test('remembers a thousand scaled objects, and none of them is pushed out while it holds', () => {
    const hold = new Hold();
    hold.keep('first', scale(9), 120, 0);
    for (let index = 0; index < 5000; index += 1) {
      hold.keep(`other ${index}`, scale(9), 120, 1);
    }
    expect(hold.keep('first', scale(1), 120, 2).value).toBe(9);
    expect(hold.keep('beyond', scale(1), 120, 2).value).toBe(1);
    // Once they hold nothing any more, there is room.
    hold.keep('beyond', scale(9), 120, 200);
    expect(hold.keep('beyond', scale(1), 120, 201).value).toBe(9);
  });
});

describe('jobs that are due while no thread is ready', () => {
  const idle = aState({ queues: [aQueueState('billing', { readyThreads: 0 })] });
  const of = (metadata: Record<string, string>, names: string[], whole = true) =>
    scaleOf(idle, asked(metadata), { since: new Map(names.map((name) => [name, 0])), whole });

  test('keep one worker of their queue alive', () => {
    expect(of({ workerType: '', queues: 'billing' }, ['billing'])).toEqual({ active: true, value: 1 });
  });

  test('of another queue do not', () => {
    expect(of({ workerType: '', queues: 'billing' }, ['other'])).toEqual({ active: false, value: 0 });
  });

  test('may be of this one where not all were looked at', () => {
    expect(of({ workerType: '', queues: 'billing' }, [], false)).toEqual({ active: true, value: 1 });
  });
});

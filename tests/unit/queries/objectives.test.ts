import { expect, test } from 'vitest';
import { objectives } from '../../../pkg/queries/objectives';
import { Recorder } from '../../../pkg/series/recorder';
import { rowsOfState } from '../../support/ask';
import { aQueueState, aState, NOW } from '../../support/state';

/** Latency once a minute over so many minutes until now; beyond 60 s in the last of them. */
function recorded(minutes: number, late: number): Recorder {
  const recorder = new Recorder();
  for (let minute = minutes; minute >= 0; minute -= 1) {
    const value = minute > late ? 10 : 100;
    recorder.append(NOW - minute * 60, [
      { scope: 'queue', key: 'q', figure: 'latency', value },
      { scope: 'queue', key: 'stray', figure: 'latency', value: 0 },
    ]);
  }
  return recorder;
}

const options = {
  sampleSeconds: 60,
  workerTypes: [{ name: 'T', queues: ['q'], latencyObjectiveSeconds: 60, objectiveShare: 0.9, objectiveDays: 1 }],
};
const state = aState({
  options,
  queues: [
    aQueueState('q', { workerType: 'T', objectiveSeconds: 60 }),
    aQueueState('stray', { objectiveSeconds: 300 }),
  ],
});
const ask = (recorder: Recorder, query: Record<string, unknown> = {}) =>
  rowsOfState(objectives, state, { query, recorder });

// Of ten hours the last 60 minutes are late: 10%, which is what a target of 90% allows. All of the last hour is ten times that.
test('objectives have the share of the time, the budget and how fast it is spent', async () => {
  const [row, stray] = await ask(recorded(600, 60));
  expect(row).toMatchObject({ workerType: 'T', objective: 60, target: 0.9, days: 1 });
  expect(row!['compliance']).toBeCloseTo(0.9, 9);
  expect(row!['budgetLeft']).toBeCloseTo(0, 9);
  expect(row!['watched']).toBeCloseTo(10 / 24, 9);
  expect(row!['burn1h']).toBeCloseTo(10, 9);
  expect(row!['burn6h']).toBeCloseTo(10 / 6, 9);
  expect(stray).toMatchObject({ workerType: 'other: stray', state: 'ok', compliance: 1, budgetLeft: 1, target: 0.99 });
});

test('objectives tell no burn rate of a window of which less than half was watched', async () => {
  const [row] = await ask(recorded(29, 30));
  expect(row).toMatchObject({
    burn5m: expect.closeTo(10, 6),
    burn30m: expect.closeTo(10, 6),
    burn1h: null,
    burn6h: null,
  });
  expect(row).toMatchObject({ state: 'spent' });
});

test('objectives burn fast by an hour and five minutes, slowly by six hours and thirty minutes', async () => {
  const types = [{ ...options.workerTypes[0]!, objectiveShare: 0.99 }];
  const of = async (late: number) => {
    const strict = aState({ ...state, options: { ...options, workerTypes: types }, snapshot: {}, totals: {} });
    const [row] = await rowsOfState(objectives, strict, { recorder: recorded(1440, late) });
    return row!['state'];
  };
  // 9 minutes are 15% of an hour, and 0.6% of a day.
  expect(await of(9)).toBe('burns fast');
  expect(await of(8)).toBe('ok');
});

// A type derived from the processes is named "other: …" while its queue is unserved, so its own series lacks that time.
test('objectives of a derived worker type are those of its queues, the worst at each instant', async () => {
  const recorder = new Recorder();
  for (let minute = 100; minute >= 0; minute -= 1) {
    const late = (from: number, to: number) => (minute > from && minute <= to ? 100 : 10);
    recorder.append(NOW - minute * 60, [
      { scope: 'queue', key: 'a', figure: 'latency', value: late(10, 20) },
      { scope: 'queue', key: 'b', figure: 'latency', value: late(15, 30) },
      { scope: 'workerType', key: 'web', figure: 'latency', value: 10 },
    ]);
  }
  const queues = ['a', 'b'].map((name) => aQueueState(name, { workerType: 'web', objectiveSeconds: 60 }));
  const derived = aState({ options: { sampleSeconds: 60 }, queues });
  const [row] = await rowsOfState(objectives, derived, { query: {}, recorder });
  // 20 of 100 minutes: from 30 to 10 minutes ago.
  expect(row).toMatchObject({ workerType: 'web', compliance: expect.closeTo(0.8, 9) });
});

test('objectives of a queue without a history are unknown, never kept', async () => {
  const [row] = await ask(new Recorder(), { by: 'queue' });
  expect(row).toMatchObject({ state: 'unknown', compliance: null, budgetLeft: null, burn1h: null, watched: 0 });
});

// Found by a review: a type that was given another queue was judged by the queue that it had before.
test('objectives of a worker type of the settings are those of the queues that it has now', async () => {
  const recorder = new Recorder();
  for (let minute = 100; minute >= 0; minute -= 1) {
    recorder.append(NOW - minute * 60, [
      { scope: 'queue', key: 'a', figure: 'latency', value: 100 },
      { scope: 'queue', key: 'q', figure: 'latency', value: 10 },
      { scope: 'workerType', key: 'T', figure: 'latency', value: 100 },
    ]);
  }
  const [row] = (await ask(recorder)).filter(({ workerType }) => workerType === 'T');
  expect(row).toMatchObject({ compliance: 1, state: 'ok' });
});

test('objectives of a worker type of very many queues are those of its own latency', async () => {
  const recorder = new Recorder();
  for (let minute = 100; minute >= 0; minute -= 1) {
    recorder.append(NOW - minute * 60, [{ scope: 'workerType', key: 'T', figure: 'latency', value: 10 }]);
  }
  const queues = Array.from({ length: 51 }, (_, index) =>
    aQueueState(`q${index}`, { workerType: 'T', objectiveSeconds: 60 })
  );
  const [row] = await rowsOfState(objectives, aState({ options, queues }), { query: {}, recorder });
  expect(row).toMatchObject({ compliance: 1, watched: expect.closeTo(100 / 1440, 6) });
});

import { describe, expect, test, vi } from 'vitest';
import { checkFigures } from '../../../pkg/queries/figures';
import { Fault } from '../../../pkg/faults/fault';
import { rowsOf } from '../../../pkg/frames/frame';
import type { Installation } from '../../../pkg/installation/installation';
import type { Reads } from '../../../pkg/source/reads';
import type { Kept } from '../../../pkg/source/source';
import type { State } from '../../../pkg/watch/state';
import { queryType, runQuery } from '../../../pkg/queries/registry';
import type { QueryRequest } from '../../../pkg/queries/queryType';
import { aQueueState, aState, NOW } from '../../support/state';

const AWAY = new Fault({ kind: 'connection', message: 'Nothing listens at h:1.', remedy: 'Start it.' });
const request: QueryRequest = { range: { from: NOW - 60, to: NOW }, intervalSeconds: 1, alerting: false };

/** An installation whose reading is given, or fails; `last` is the state of some time ago. */
function installationOf(reading: State | Error, last: State | null = null): Installation {
  const parts = {
    async state() {
      if (reading instanceof Error) {
        throw reading;
      }
      return reading;
    },
    now: () => NOW,
    options: aState().options,
    reads: () => ({}),
    kept: async (fault: Fault): Promise<Kept> => ({
      now: NOW + 90,
      options: aState().options,
      notices: [],
      fault,
      last,
    }),
  };
  return parts as unknown as Installation;
}

const state = aState({ queues: [aQueueState('default', { size: 7 })] });
const queues = { queryType: 'queues', figures: ['size'] };

test('a type that does not exist is named, with those that do', () => {
  expect(() => queryType('queue')).toThrow('There is no query type "queue".');
  try {
    queryType(undefined);
  } catch (error) {
    expect((error as Fault).remedy).toMatch(/^Use one of: findings, overview, queues, /);
    expect((error as Fault).kind).toBe('query');
  }
});

test('a query that is no object has no type', async () => {
  await expect(runQuery(null, installationOf(state), request)).rejects.toThrow('The query has no type.');
});

test('series of a time range that has not begun are none, and it says so', async () => {
  const from = Date.now() / 1000 + 86_400;
  const future = { range: { from, to: from + 3600 }, intervalSeconds: 60, alerting: false };
  const [frame] = await runQuery({ queryType: 'history' }, installationOf(state), future);
  expect(frame!.fields).toEqual([]);
  expect(frame!.meta!.notices).toMatchObject([{ severity: 'warning', text: expect.stringContaining('has not begun') }]);
});

test('a time range that has not begun has no row of the present, and says so; an alert rule asks about now', async () => {
  vi.useFakeTimers({ now: NOW * 1000, toFake: ['Date'] });
  const ahead = { ...request, range: { from: NOW + 3600, to: NOW + 7200 }, reader: true };
  const [frame] = await runQuery({ queryType: 'queues' }, installationOf(state), ahead);
  expect(frame!.fields.map(({ values }) => values)).toEqual([['This time range has not begun. Choose one that has.']]);
  const [asked] = await runQuery(queues, installationOf(state), { ...ahead, alerting: true });
  expect(rowsOf(asked!)).toMatchObject([{ size: 7 }]);
  // The clock of Redis is two hours behind.
  vi.setSystemTime((NOW + 7200) * 1000);
  const [behind] = await runQuery(queues, installationOf(state), ahead);
  expect(rowsOf(behind!)).toMatchObject([{ size: 7 }]);
  vi.useRealTimers();
});

describe('while Redis is away', () => {
  test('the last figures are given with their age', async () => {
    const [frame] = await runQuery(queues, installationOf(AWAY, state), request);
    expect(rowsOf(frame!)).toEqual([{ queue: 'default', size: 7 }]);
    expect(frame!.meta?.notices).toEqual([
      {
        severity: 'warning',
        text: 'Redis cannot be read; these figures are 1 min 30 s old. Nothing listens at h:1.',
      },
    ]);
  });

  test('an alert rule hears of the outage instead', async () => {
    await expect(runQuery(queues, installationOf(AWAY, state), { ...request, alerting: true })).rejects.toBe(AWAY);
  });

  test('without figures of before the outage is told', async () => {
    await expect(runQuery(queues, installationOf(AWAY), request)).rejects.toBe(AWAY);
  });

  test('what needs a read of its own tells the outage', async () => {
    await expect(runQuery({ queryType: 'jobs' }, installationOf(AWAY, state), request)).rejects.toBe(AWAY);
  });

  test('a refusal is no outage: it is told, whatever was known before', async () => {
    const refused = new Fault({ kind: 'permission', message: 'No.', remedy: 'Grant it.' });
    await expect(runQuery(queues, installationOf(refused, state), request)).rejects.toBe(refused);
  });

  test('a mistake of the query is told first', async () => {
    const unknown = { queryType: 'queues', figures: ['nonsense'] };
    await expect(runQuery(unknown, installationOf(state, state), request)).rejects.toThrow(/nonsense/);
  });
});

test('a defect is not answered by old figures', async () => {
  await expect(runQuery(queues, installationOf(new TypeError('x'), state), request)).rejects.toThrow(TypeError);
});

describe('what a caller may send', () => {
  const seen: QueryRequest[] = [];
  const ask = async (part: Partial<QueryRequest>) => {
    const type = queryType('overview');
    const run = type.run;
    type.run = async (_raw, _state, asked) => {
      seen.push(asked);
      return [];
    };
    try {
      await runQuery({ queryType: 'overview' }, installationOf(state), { ...request, ...part });
    } finally {
      type.run = run;
    }
    return seen[seen.length - 1]!;
  };

  test.each([
    [
      { from: -5, to: NOW },
      { from: 0, to: NOW },
    ],
    [
      { from: NaN, to: NaN },
      { from: 0, to: 0 },
    ],
    [
      { from: 0, to: 9e15 },
      { from: 0, to: 7_258_118_400 },
    ],
  ])('a range of %o is read as %o', async (range, expected) => {
    expect((await ask({ range })).range).toEqual(expected);
  });

  test.each([
    [0, 1],
    [-1, 1],
    [Infinity, 1],
    [9e15, 315_360_000],
    [30, 30],
  ])('an interval of %d s is read as %d s', async (intervalSeconds, expected) => {
    expect((await ask({ intervalSeconds })).intervalSeconds).toBe(expected);
  });

  test('a range that ends before it begins is refused', async () => {
    await expect(ask({ range: { from: NOW, to: NOW - 1 } })).rejects.toThrow('The time range ends before it begins.');
    await expect(ask({ range: { from: NOW, to: NOW } })).resolves.toBeDefined();
  });
});

test('a query ends after half a minute, with what can be done, whatever Redis does', async () => {
  vi.useFakeTimers();
  try {
    const waiting = installationOf(state);
    waiting.reads = (signal) =>
      ({
        jobs: () =>
          new Promise((_, reject) => signal!.addEventListener('abort', () => reject(signal!.reason as Fault))),
      }) as unknown as Reads;
    const answer = runQuery({ queryType: 'jobs', source: 'dead' }, waiting, request);
    const told = expect(answer).rejects.toMatchObject({
      kind: 'connection',
      message: 'The query took longer than 30 s.',
      remedy: expect.stringMatching(/SLOWLOG/) as string,
    });
    let ended = false;
    answer.catch(() => (ended = true));
    await vi.advanceTimersByTimeAsync(29_900);
    expect(ended).toBe(false);
    await vi.advanceTimersByTimeAsync(200);
    await told;
  } finally {
    vi.useRealTimers();
  }
});

test('a type without figures says so to an alert rule', () => {
  expect(() => checkFigures([], [], true)).toThrow(
    expect.objectContaining({ remedy: 'This query type has no figures; choose another one.' })
  );
  expect(() => checkFigures(['size'], [], false)).toThrow(
    expect.objectContaining({ remedy: expect.stringContaining('no figures') })
  );
});

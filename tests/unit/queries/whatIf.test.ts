import { describe, expect, test } from 'vitest';
import { rowsOf } from '../../../pkg/frames/frame';
import { whatIf } from '../../../pkg/queries/whatIf';
import { Recorder } from '../../../pkg/series/recorder';
import { optionsSchema } from '../../../pkg/settings/model';
import type { State } from '../../../pkg/watch/state';
import { askState, noticesOf, rowsOfState } from '../../support/ask';
import { aCapsule, aProcess, aQueueState, aState, listed, NOW } from '../../support/state';

const END = Math.floor((NOW - 60) / 60) * 60;
const QUEUES = ['orders', 'mail'];

/** Ten minutes of 60 orders of two seconds and 30 mails of one a minute: 2.5 threads of work on four. */
const state: State = aState({
  queues: QUEUES.map((name) =>
    name === 'orders' ? aQueueState(name, { workerType: 'Shop', objectiveSeconds: 10 }) : aQueueState(name)
  ),
  classQueues: new Map([
    ['OrderJob', 'orders'],
    ['MailJob', 'mail'],
  ]),
  options: optionsSchema.parse({ workerTypes: [{ name: 'Shop', queues: ['orders'], latencyObjectiveSeconds: 10 }] }),
  snapshot: {
    processes: listed(aProcess('a:1:x', { concurrency: 4, capsules: [aCapsule(4, { orders: 0, mail: 0 })] })),
  },
});
const answers = Object.fromEntries(
  Array.from({ length: 10 }, (_, index) => {
    const at = new Date((END - 600 + index * 60) * 1000).toISOString();
    const key = `j|${at.slice(2, 4)}${at.slice(5, 7)}${at.slice(8, 10)}|${Number(at.slice(11, 13))}:${at.slice(14, 16)}`;
    return [`hgetall ${key}`, ['OrderJob|p', '60', 'OrderJob|ms', '120000', 'MailJob|p', '30', 'MailJob|ms', '30000']];
  })
);
const request = { range: { from: END - 600, to: END } };
const ask = (query: object) => rowsOfState(whatIf, state, { query: { ...query }, request, answers });
const of = (rows: Awaited<ReturnType<typeof ask>>, queue: string) => rows.find((row) => row['queue'] === queue)!;

describe('what if', () => {
  test('more threads than can be simulated are refused, whoever names them', async () => {
    const many = Array.from({ length: 2 }, (_, index) =>
      aProcess(`a:${index}:x`, { concurrency: 60_000, capsules: [aCapsule(60_000, { orders: 0 })] })
    );
    const crowded = aState({ ...state, snapshot: { processes: listed(...many) } });
    await expect(rowsOfState(whatIf, crowded, { query: {}, request, answers })).rejects.toThrow(
      'There are 120,000 threads; 100,000 can be simulated.'
    );
  });

  test('nothing is changed tells how the work is waited for as it is', async () => {
    const rows = await ask({});
    expect(of(rows, 'orders')).toMatchObject({ workerType: 'Shop', threads: 4, objective: 10 });
    // 60 × 2 s + 30 × 1 s a minute: 2.5 of 4 threads.
    expect(of(rows, 'mail')['utilisation']).toBeCloseTo(0.625, 1);
    expect(rows[0]).not.toHaveProperty('p95If');
    expect(Number(of(rows, 'orders')['jobs'])).toBeGreaterThan(500);
    expect(Number(of(rows, 'orders')['jobs'])).toBeLessThan(700);
  });

  test('threads are fewer than the work takes: they are all busy, and the last queue in order waits', async () => {
    const rows = await ask({ threads: ['Shop=2'] });
    expect(of(rows, 'mail')).toMatchObject({ threads: 4, threadsIf: 2 });
    expect(Number(of(rows, 'mail')['utilisationIf'])).toBeGreaterThan(0.95);
    // Work of half a thread for ten minutes is left: 300 s of mails of one second.
    expect(Number(of(rows, 'mail')['backlogEndIf'])).toBeGreaterThan(150);
    expect(Number(of(rows, 'mail')['backlogEndIf'])).toBeLessThan(400);
    expect(Number(of(rows, 'orders')['p95If'])).toBeLessThan(Number(of(rows, 'mail')['p95If']));
    expect(Number(of(rows, 'mail')['p95Change'])).toBeGreaterThan(1);
  });

  test('a queue is paused: all of it waits', async () => {
    const mail = of(await ask({ paused: ['mail'] }), 'mail');
    expect(mail['backlogEndIf']).toBe(mail['jobs']);
    // Half a job a second for ten minutes, of which none is taken: 95% are no older than 95% of that time.
    expect(Number(mail['p95If'])).toBeGreaterThan(550);
    // Nobody takes them while the pause lasts.
    expect(Number(mail['withinIf'])).toBe(0);
  });

  test('by worker type is of its queues together', async () => {
    const rows = await ask({ by: 'workerType', traffic: ['2'] });
    expect(rows.map(({ workerType }) => workerType).sort()).toEqual(['Shop', 'other: mail']);
    expect(rows[0]).not.toHaveProperty('queue');
  });

  test('jobs compute: with more threads of one process they take longer, with more processes they do not', async () => {
    // 2.5 threads that run compute for 0.2 of their time: half a processor.
    const computing = ['0.2'];
    const lived = async (query: object) => {
      const frames = await askState(whatIf, state, { query: { computing, ...query }, request, answers });
      const mail = frames.flatMap((frame) => rowsOf(frame)).find((row) => row['queue'] === 'mail')!;
      const [text] = noticesOf(frames).filter((each) => /compute|processor/.test(each) && !each.includes('Assumed'));
      return { busy: Number(mail['utilisationIf']) * Number(mail['threadsIf']), text };
    };
    const [same, traffic, processes] = [
      await lived({ traffic: ['1'] }),
      await lived({ traffic: ['1.8'], threads: ['Shop=20'] }),
      await lived({ traffic: ['1.8'], processes: ['Shop=5'] }),
    ];
    expect(same.busy).toBeCloseTo(2.5, 0);
    expect(same.text).toBe('The changes leave the run times of executions that compute as they are.');
    // 0.9 of a processor: computing takes 10 times as long as alone in place of 2, and a job 2.6 times with endless threads.
    expect(traffic.busy).toBeGreaterThan(1.2 * 1.8 * 2.5);
    expect(traffic.text).toMatch(
      /^With the changes, executions take, as those of a process share its processor: OrderJob 2\.\d times as long/
    );
    expect(processes.busy).toBeLessThan(1.05 * 1.8 * 2.5);
  });

  test('threads are searched for: three do the work of 2.5, two do not', async () => {
    const frames = await askState(whatIf, state, { query: { search: 'threads', by: 'workerType' }, request, answers });
    const [text] = noticesOf(frames).filter((each) => each.startsWith('Fewest'));
    expect(text).toMatch(/Shop with other: mail: \d/);
    const threads = frames[0]!.fields.find(({ name }) => name === 'threadsIf')!.values;
    expect([3, 4]).toContain(threads[0]);
  });

  test('says what is assumed, of which time the work is, and how often it was lived through', async () => {
    const texts = noticesOf(await askState(whatIf, state, { request, answers }));
    const [told] = texts.filter((text) => text.startsWith('20 runs'));
    expect(told).toContain('20 runs of 10 minutes');
    expect(told).toContain('2026-11-25 11:49:00 UTC to 2026-11-25 11:59:00 UTC');
    expect(told).toContain('Assumed:');
  });

  test.each([
    ['as the model has it', 0, 0, true, false],
    ['far longer than in the model', 205, 0, true, true],
    // Nothing is known of the end.
    ['last measured long before', 205, 400, false, false],
  ])('where a backlog at the end was %s', async (_, size, missing, isBusyTold, isTold) => {
    const recorder = new Recorder();
    for (let at = END - 660; at <= END - missing; at += 10) {
      recorder.append(at, [
        { scope: 'total', key: '', figure: 'busy', value: 3 },
        { scope: 'queue', key: 'mail', figure: 'enqueued', value: at > END - 500 ? size : 0 },
        { scope: 'queue', key: 'orders', figure: 'enqueued', value: 0 },
      ]);
    }
    const texts = noticesOf(await askState(whatIf, state, { request, answers, recorder }));
    expect(texts.some((text) => text.includes('measured were 75%'))).toBe(isBusyTold);
    const told = texts.filter((text) => text.includes('does not end with the backlog'));
    expect(told).toEqual(isTold ? [expect.stringMatching(/mail \(\d+ jobs?; measured were 205\): run times/)] : []);
  });

  test.each([
    ['were those of its end', () => 4, null],
    ['were others for a moment, as in a deploy', (second: number) => (second < 20 ? 8 : 4), null],
    ['became fewer', (second: number) => (second < 300 ? 9 : 4), '4 to 9 threads'],
    ['were others all the time', () => 6, '6 threads'],
  ])('where the threads that took jobs in the time range %s', async (_, threadsAt, told) => {
    const recorder = new Recorder();
    for (let second = 0; second <= 600; second += 10) {
      recorder.append(END - 600 + second, [
        { scope: 'total', key: '', figure: 'readyThreads', value: threadsAt(second) },
      ]);
    }
    const texts = noticesOf(await askState(whatIf, state, { request, answers, recorder }));
    const sentence = `In the time range ${told} took jobs; the model has the 4 of its end. Choose a range in which they do not change.`;
    expect(texts.filter((text) => text.startsWith('In the time range'))).toEqual(told === null ? [] : [sentence]);
  });

  test('an alert rule gets the figure that it names', async () => {
    const [frame] = await askState(whatIf, state, {
      query: { threads: ['Shop=2'], figures: ['p95If'] },
      request: { ...request, alerting: true },
      answers,
    });
    expect(frame!.fields.filter(({ kind }) => kind === 'number').map(({ name }) => name)).toEqual(['p95If']);
  });

  test('nothing ran: there is nothing to simulate', async () => {
    expect(await rowsOfState(whatIf, state, { request })).toEqual([]);
  });

  test('there is too much work, most of it at the end: its last part is simulated, and the answer says so', async () => {
    const many = Object.fromEntries(
      Object.keys(answers).map((key, index) => [
        key,
        ['MailJob|p', index === 9 ? '800000' : '30000', 'MailJob|ms', '0'],
      ])
    );
    const frames = await askState(whatIf, state, { query: {}, request, answers: many });
    expect(noticesOf(frames)).toContain(
      'There are too many jobs to simulate all of them: simulated is the work of the last 3 min of the time range.'
    );
    const jobs = Number(of(rowsOf(frames[0]!), 'mail')['jobs']);
    expect(jobs / 860_000).toBeCloseTo(1, 2);
  });

  test.each([
    [{ threads: ['Nobody=3'] }, '"threads"'],
    [{ computing: ['1.5'] }, '"computing"'],
    [{ computing: ['Nobody=0.5'] }, '"computing"'],
    // 2.5 threads of one process would be 1.75 processors.
    [{ computing: ['0.7'] }, '"computing"'],
    [{ computing: ['0.1'], scaledObject: 'kind: ScaledObject' }, '"computing"'],
    [{ order: ['Shop=a>'] }, '"order"'],
    [{ arrivals: 'usual' }, 'two days'],
    [{ seed: -1 }, 'seed'],
  ])('is refused, naming the field: %j', async (query, field) => {
    await expect(ask(query)).rejects.toThrow(field);
  });

  test('ends with the query that nobody waits for', async () => {
    const ending = new AbortController();
    ending.abort(new Error('gone'));
    const asked = rowsOfState(whatIf, state, { request: { ...request, signal: ending.signal }, answers });
    await expect(asked).rejects.toThrow('gone');
  });
});

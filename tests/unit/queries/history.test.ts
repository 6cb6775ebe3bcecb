import { describe, expect, test } from 'vitest';
import { history } from '../../../pkg/queries/history';
import type { SeriesValue } from '../../../pkg/series/figures';
import { MemoryStore } from '../../../pkg/series/memoryStore';
import { Recorder } from '../../../pkg/series/recorder';
import { askState, noticesOf, type Asked } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { aQueueState, aState, NOW } from '../../support/state';

/** A history with a sample every ten seconds of the last ten minutes. */
function recorded(sampleOf: (step: number) => SeriesValue[], samples = 61): Recorder {
  const recorder = new Recorder();
  for (let step = 0; step < samples; step += 1) {
    recorder.append(NOW - (samples - 1 - step) * 10, sampleOf(step));
  }
  return recorder;
}
const total = (figure: string, value: number): SeriesValue => ({ scope: 'total', key: '', figure, value });
const queue = (key: string, figure: string, value: number): SeriesValue => ({ scope: 'queue', key, figure, value });

const tenMinutes = { range: { from: NOW - 590, to: NOW }, intervalSeconds: 10 };
const ask = (recorder: Recorder, query: object = {}, more: Asked = {}) =>
  askState(history, aState(), { recorder, query: { ...query }, request: tenMinutes, ...more });

describe('in total', () => {
  const steady = recorded((step) => [
    total('enqueued', step),
    total('busy', 3),
    total('processedRate', step * 20),
    total('failedRate', step),
  ]);

  test('has the backlog and what is busy by default, a frame each', async () => {
    const frames = await ask(steady);
    expect(frames.map(({ name }) => name)).toEqual(['Enqueued', 'Busy']);
    const [time, value] = frames[0]!.fields;
    expect(time).toMatchObject({ name: 'time', kind: 'time', config: { displayName: 'Time', interval: 10_000 } });
    expect(time!.values).toHaveLength(60);
    expect(value).toMatchObject({
      name: 'enqueued',
      kind: 'number',
      config: { displayNameFromDS: 'Enqueued', unit: 'short', description: 'Jobs waiting.' },
    });
    expect(value).not.toHaveProperty('labels');
    expect(value!.values.at(-1)).toBe(60);
    expect(frames[0]!.meta).toEqual({
      type: 'timeseries-multi',
      typeVersion: [0, 1],
      preferredVisualisationType: 'graph',
    });
  });

  // Twenty in ten seconds are 2/s; an hour at that rate are 7,200.
  test('has counters as rates over three samples, and what follows from them', async () => {
    const frames = await ask(steady, { figures: ['processedRate', 'processedPerHour', 'failedRate'] });
    expect(frames.map(({ fields }) => fields[1]!.values.at(-1))).toEqual([2, 7200, 0.1]);
    expect(frames[0]!.fields[0]!.config).toMatchObject({ interval: 30_000 });
  });

  test('keeps the interval of the panel where that is longer', async () => {
    const frames = await ask(steady, {}, { request: { ...tenMinutes, intervalSeconds: 60 } });
    expect(frames[0]!.fields[0]!.config).toMatchObject({ interval: 60_000 });
    const rate = await ask(steady, { figures: ['failedRate'] }, { request: { ...tenMinutes, intervalSeconds: 60 } });
    expect(rate[0]!.fields[0]!.config).toMatchObject({ interval: 60_000 });
  });

  test('of a range that has ended shows nothing of the time after it, however wide the steps are', async () => {
    const recorder = new Recorder();
    for (let at = NOW - 6 * 3600; at <= NOW; at += 60) {
      recorder.append(at, [total('enqueued', at <= NOW - 2700 ? 10 : 1000)]);
    }
    const range = { from: NOW - 6 * 3600, to: NOW - 2700 };
    const [frame] = await ask(recorder, { figures: ['enqueued'] }, { request: { range, intervalSeconds: 3600 } });
    expect(new Set(frame!.fields[1]!.values)).toEqual(new Set([10]));
  });

  test('shows the newest sample though it came after the end of the range', async () => {
    const frames = await ask(steady, {}, { request: { range: { from: NOW - 300, to: NOW - 3 }, intervalSeconds: 10 } });
    expect(frames[0]!.fields[1]!.values.at(-1)).toBe(60);
    const past = await ask(steady, {}, { request: { range: { from: NOW - 300, to: NOW - 10 }, intervalSeconds: 10 } });
    expect(past[0]!.fields[1]!.values.at(-1)).toBe(59);
  });

  test('bridges a sampler that is late, not a gap', async () => {
    const late = new Recorder();
    for (const at of [NOW - 100, NOW - 75, NOW - 49, NOW]) {
      late.append(at, [total('busy', 1)]);
    }
    const [frame] = await ask(
      late,
      { figures: ['busy'] },
      { request: { range: { from: NOW - 100, to: NOW }, intervalSeconds: 10 } }
    );
    expect(frame!.fields[1]!.values).toEqual([1, 1, 1, null, null, 1, null, null, null, null, 1]);
  });

  test('takes a minute between samples for no gap beyond six hours', async () => {
    const old = new Recorder();
    [NOW - 150, NOW - 60, NOW].forEach((at) => old.append(at, [total('busy', 1)]));
    const at = async (from: number) =>
      (
        await ask(old, { figures: ['busy'] }, { request: { range: { from, to: NOW }, intervalSeconds: 10 } })
      )[0]!.fields[1]!.values.filter((value) => value !== null).length;
    expect(await at(NOW - 6 * 3600)).toBe(3);
    expect(await at(NOW - 6 * 3600 - 1)).toBe(16);
  });

  test('a pace that was slower than it is now makes no gaps, an outage in it does', async () => {
    const slower = new Recorder();
    for (let at = NOW - 7200; at <= NOW; at += 60) {
      // Twenty minutes nobody looked.
      if (at <= NOW - 3600 || at >= NOW - 2400) {
        slower.append(at, [total('busy', 1)]);
      }
    }
    const request = { range: { from: NOW - 7200, to: NOW }, intervalSeconds: 10 };
    const [frame] = await ask(slower, { figures: ['busy'] }, { request });
    const missing = frame!.fields[0]!.values.filter((_, index) => frame!.fields[1]!.values[index] === null) as number[];
    expect([missing[0], missing.at(-1)]).toEqual([(NOW - 3590) * 1000, (NOW - 2410) * 1000]);
    expect(missing).toHaveLength(119);
  });

  test('tells the mean, the largest or the smallest of an interval; rates are means', async () => {
    const spiky = recorded((step) => [total('busy', step === 30 ? 100 : 1), total('processedRate', step * 20)]);
    const wide = { range: { from: NOW - 590, to: NOW }, intervalSeconds: 300 };
    const most = async (aggregate: string, figure: string) =>
      Math.max(
        ...((await ask(spiky, { figures: [figure], aggregate }, { request: wide }))[0]!.fields[1]!.values as number[])
      );
    expect([await most('max', 'busy'), await most('min', 'busy')]).toEqual([100, 1]);
    // One of the thirty samples of five minutes.
    expect(await most('mean', 'busy')).toBeCloseTo((29 + 100) / 30, 1);
    expect(await most('max', 'processedRate')).toBe(2);
  });

  // Found by a review: half a minute of 5,000 jobs was a peak of 10 after six hours, and no notice said why.
  test('says until when of the samples of a minute one is kept, where a peak is asked for', async () => {
    const long = new Recorder();
    for (let at = NOW - 8 * 3600; at <= NOW; at += 10) {
      long.append(at, [total('enqueued', 1), total('processedRate', at)]);
    }
    const of = async (aggregate: string, figure: string, hours: number) =>
      noticesOf(
        await ask(
          long,
          { figures: [figure], aggregate },
          { request: { range: { from: NOW - hours * 3600, to: NOW }, intervalSeconds: 300 } }
        )
      );
    expect(await of('max', 'enqueued', 7)).toEqual([
      'Until 2026-11-25 05:59:30 UTC one sample a minute is kept in memory: peaks of seconds may be missing. With a history file all are kept.',
    ]);
    expect(await of('min', 'enqueued', 7)).toEqual([expect.stringContaining('lows of seconds')]);
    for (const quiet of [of('mean', 'enqueued', 7), of('max', 'processedRate', 7), of('max', 'enqueued', 5)]) {
      expect(await quiet).toEqual([]);
    }
  });

  test('says since when there is something', async () => {
    const wider = await ask(steady, {}, { request: { range: { from: NOW - 3600, to: NOW } } });
    expect(noticesOf(wider.slice(0, 1))).toEqual([
      'Jobwatch has watched this Sidekiq since 2026-11-25 11:50:30 UTC; there is nothing from before. For longer times set a history file ("historyFile"), or scrape it with Prometheus.',
    ]);
    const empty = await ask(new Recorder());
    expect(empty).toEqual([
      {
        name: 'history',
        fields: [],
        meta: {
          type: 'timeseries-multi',
          typeVersion: [0, 1],
          notices: [{ severity: 'info', text: expect.stringContaining('since now;') }],
        },
      },
    ]);
  });
});

describe('by queue', () => {
  const queues = recorded((step) => [
    queue('a', 'latency', step),
    queue('b', 'latency', 2),
    queue('a', 'enqueued', 5),
    queue('b', 'enqueued', 7),
  ]);

  test('has a frame per queue, labelled with it', async () => {
    const frames = await ask(queues, { by: 'queue' });
    expect(
      frames.map(({ name, fields }) => [name, fields[1]!.name, fields[1]!.labels, fields[1]!.config!.displayNameFromDS])
    ).toEqual([
      ['a', 'latency', { queue: 'a' }, 'a'],
      ['b', 'latency', { queue: 'b' }, 'b'],
    ]);
  });

  test('names queue and figure where there are several', async () => {
    const frames = await ask(queues, { by: 'queue', figures: ['latency', 'enqueued'] });
    expect(frames.map(({ name }) => name)).toEqual(['a latency', 'b latency', 'a enqueued', 'b enqueued']);
  });

  test('is filtered by queue, and cut with a word about it', async () => {
    const filtered = await ask(queues, { by: 'queue', filters: [{ field: 'queue', operator: '=', values: ['b'] }] });
    expect(filtered.map(({ name }) => name)).toEqual(['b']);
    const cut = await ask(queues, { by: 'queue', limit: 1 });
    expect(noticesOf(cut)).toEqual(['The 1 largest of 2 series are shown. Raise "Limit" or add a filter.']);
    const types = recorded(() => [{ scope: 'workerType', key: 'T', figure: 'latency', value: 1 }]);
    expect((await ask(types, { by: 'workerType' })).map(({ fields }) => fields[1]!.labels)).toEqual([
      { workerType: 'T' },
    ]);
  });

  test('is filtered by worker type, which the state knows', async () => {
    const filters = [{ field: 'workerType', operator: '=' as const, values: ['T'] }];
    const state = aState({ queues: [aQueueState('b', { workerType: 'T' }), aQueueState('a', { workerType: '' })] });
    const frames = await askState(history, state, {
      recorder: queues,
      query: { by: 'queue', filters },
      request: tenMinutes,
    });
    expect(frames.map(({ name }) => name)).toEqual(['b']);
  });

  test('of which not all are shown has the largest, not the first by name', async () => {
    const many = recorded(() =>
      ['a', 'b', 'c', 'd'].map((key, index) => queue(key, 'latency', index === 2 ? 900 : 10 - index))
    );
    expect((await ask(many, { by: 'queue', limit: 2 })).map(({ name }) => name)).toEqual(['a', 'c']);
  });
});

test('says that the filters keep no series, and nothing where none was asked for', async () => {
  const one = recorded(() => [queue('mail', 'latency', 1)]);
  const filters = [{ field: 'queue', operator: '=', values: ['gone'] }];
  const told = 'No series matches the filters of the query in this time range.';
  expect(noticesOf(await ask(one, { by: 'queue', filters }))).toContain(told);
  expect(noticesOf(await ask(one, { by: 'workerType' }))).not.toContain(told);
});

test.each([
  ['total', 'queue', 'in total'],
  ['total', 'workerType', 'in total'],
  ['workerType', 'queue', 'by worker type'],
  ['day', 'queue', 'by day'],
])('by %s a filter by %s is refused by name, and an ad-hoc one told', async (by, field, scope) => {
  const memory = recorded(() => [{ scope: 'total', key: '', figure: 'enqueued', value: 1 }]);
  const filter = { field, operator: '=' as const, values: ['b'] };
  await expect(ask(memory, { by, filters: [filter] })).rejects.toThrow(
    `The history ${scope} cannot be filtered by ${field}.`
  );
  const frames = await ask(memory, { by, filters: [{ ...filter, adhoc: true }] });
  expect(noticesOf(frames).join()).toContain(`The ad-hoc filter by ${field} does not apply to the history ${scope}.`);
});

test('any range and interval is answered within a million points', async () => {
  const many = recorded((step) => Array.from({ length: 200 }, (_, index) => queue(`q${index}`, 'latency', step)), 3);
  const frames = await ask(
    many,
    { by: 'queue' },
    { request: { range: { from: 0, to: 4_102_444_800 }, intervalSeconds: 1 } }
  );
  expect(frames).toHaveLength(200);
  expect(frames[0]!.fields[0]!.values.length).toBeLessThanOrEqual(5000);
  expect(frames[0]!.fields[0]!.values.length).toBeGreaterThan(4900);
});

test.each([
  [{ figures: ['nope'] }, 'There is no figure "nope".'],
  [
    { by: 'queue', figures: ['processedRate'] },
    'There is no figure "processedRate" (Processed) in the history by queue.',
  ],
  [{ by: 'total', figures: ['inRate'] }, 'There is no figure "inRate" (In) in the history in total.'],
  [{ by: 'day', figures: ['enqueued'] }, 'There is no figure "enqueued".'],
])('%o is refused', async (query, message) => {
  await expect(ask(new Recorder(), query)).rejects.toThrow(message);
});

test('a figure that the history has otherwise names where', async () => {
  await expect(ask(new Recorder(), { by: 'queue', figures: ['load'] })).rejects.toMatchObject({
    remedy: 'Set "by" to class, which is "Series" in the form, or choose another figure.',
  });
});

test('an alert rule needs one figure, by day too', async () => {
  const alerting = { request: { ...tenMinutes, alerting: true } };
  await expect(ask(new Recorder(), {}, alerting)).rejects.toThrow(
    'An alert rule needs one figure, and none is chosen.'
  );
  await expect(ask(new Recorder(), { by: 'day' }, alerting)).rejects.toThrow('needs one figure');
  const [frame] = await ask(new Recorder(), { by: 'day', figures: ['failed'] }, alerting);
  expect(frame!.fields.map(({ name }) => name)).toEqual(['time', 'failed']);
});

test('by day it has Sidekiq’s own counters', async () => {
  const frames = await ask(
    new Recorder(),
    { by: 'day' },
    {
      request: { range: { from: NOW - 86_400, to: NOW } },
      answers: {
        'get stat:processed:2026-11-24': '20',
        'get stat:failed:2026-11-24': '3',
        'get stat:failed:2026-11-25': noPermission('get'),
      },
    }
  );
  expect(frames).toEqual([
    {
      name: 'history',
      fields: [
        {
          name: 'time',
          kind: 'time',
          values: [Date.UTC(2026, 10, 24), Date.UTC(2026, 10, 25)],
          config: { displayName: 'Day', interval: 86_400_000 },
        },
        {
          name: 'processed',
          kind: 'number',
          values: [20, 0],
          config: {
            displayName: 'Processed',
            unit: 'short',
            description: 'Executions finished on the UTC day, failures included.',
          },
        },
        {
          name: 'failed',
          kind: 'number',
          values: [3, null],
          config: { displayName: 'Failed', unit: 'short', description: 'Executions that raised on the UTC day.' },
        },
      ],
      meta: {
        type: 'timeseries-wide',
        typeVersion: [0, 1],
        preferredVisualisationType: 'graph',
        notices: [{ severity: 'warning', text: expect.stringMatching(/^No totals: /) }],
      },
    },
  ]);
});

describe('the band', () => {
  // Three days of a backlog of 40 to 50, and the last quarter of an hour of 200.
  const days = new Recorder();
  for (let at = NOW - 3 * 86_400; at <= NOW; at += 60) {
    days.append(at, [queue('q', 'enqueued', at > NOW - 900 ? 200 : 40 + (Math.floor(at / 300) % 3) * 5)]);
  }
  const hour = { range: { from: NOW - 3600, to: NOW }, intervalSeconds: 60 };
  const askBand = (query: object, more: Asked = {}) =>
    ask(days, { by: 'queue', figures: ['enqueued'], ...query }, { request: hour, ...more });

  test('stands beside the figure, of five minutes at least', async () => {
    const [frame] = await askBand({ band: 'usual' });
    expect(frame!.fields.map(({ name }) => name)).toEqual(['time', 'enqueued', 'lower', 'usual', 'upper']);
    expect(frame!.fields[0]!.config).toMatchObject({ interval: 300_000 });
    const [value, lower, usual, upper] = frame!.fields.slice(1).map(({ values }) => values.at(-1) as number);
    expect(value).toBe(200);
    expect(usual).toBeGreaterThanOrEqual(40);
    expect(usual).toBeLessThanOrEqual(50);
    expect(lower!).toBeLessThanOrEqual(usual!);
    expect(upper!).toBeLessThan(60);
    expect(frame!.fields[4]!.config).toMatchObject({
      displayNameFromDS: 'q: usual, upper bound',
      custom: { fillBelowTo: 'q: usual, lower bound', fillOpacity: 20 },
    });
    // A fill of the lower bound would reach down to the axis.
    expect(frame!.fields[2]!.config).toMatchObject({ custom: { fillOpacity: 0 } });
    const colours = frame!.fields.map(({ config }) => config?.color?.fixedColor);
    expect(colours).toEqual([undefined, undefined, '#8e8e8e', '#8e8e8e', '#8e8e8e']);
    expect(frame!.fields[4]!.labels).toEqual({ queue: 'q' });
    expect(noticesOf([frame!])).toContain(
      'The usual is that of the hour of the day: there are less than three weeks of history.'
    );
  });

  test('as a deviation is one figure, which an alert rule takes', async () => {
    const [frame] = await askBand({ band: 'deviation' }, { request: { ...hour, alerting: true } });
    expect(frame!.fields.map(({ name, labels }) => [name, labels])).toEqual([
      ['time', undefined],
      ['deviation', { queue: 'q' }],
    ]);
    const { values } = frame!.fields[1]!;
    expect(values.slice(1, 5)).toEqual([0, 0, 0, 0]);
    expect(values.at(-1)).toBeGreaterThan(3);
  });

  test('is left out, and that is said, where there are less than two days', async () => {
    const [frame] = await ask(
      recorded(() => [total('enqueued', 1)]),
      { figures: ['enqueued'], band: 'usual' }
    );
    expect(frame!.fields.map(({ name }) => name)).toEqual(['time', 'enqueued']);
    expect(noticesOf([frame!])).toContain('There is not enough history to tell what is usual: it takes two days.');
  });

  test('is left out where points are wider than an hour, and that is said', async () => {
    const request = { range: { from: NOW - 3 * 86_400, to: NOW }, intervalSeconds: 7200 };
    const [frame] = await askBand({ band: 'usual' }, { request });
    expect(frame!.fields.map(({ name }) => name)).toEqual(['time', 'enqueued']);
    expect(noticesOf([frame!])).toEqual([expect.stringContaining('points up to an hour apart')]);
  });

  test.each([
    [{ band: 'usual', aggregate: 'max' }, {}, 'What is usual is told of means, and the query asks for the max.'],
    [{ band: 'usual', by: 'day', figures: [] }, {}, 'There is no band for Sidekiq’s daily counters.'],
    [{ band: 'usual' }, { alerting: true }, 'An alert rule takes one figure, and the band has three.'],
  ])('is refused where it cannot be told: %j %j', async (query, request, message) => {
    await expect(askBand(query, { request: { ...hour, ...request } })).rejects.toMatchObject({ message });
  });
});

describe('the same figure of another day', () => {
  /** As many jobs as minutes have gone by since an instant, so that each value says when it was. */
  const since = async (begin: number, end: number) => {
    // In memory a week is kept, which does not hold the hour a week before.
    const recorder = new Recorder(async () => new MemoryStore({ keepSeconds: end - begin + 60 }));
    await recorder.ready(begin);
    for (let at = begin; at <= end; at += 60) {
      recorder.append(at, [queue('q', 'enqueued', (at - begin) / 60)]);
    }
    return recorder;
  };
  const askCompared = async (end: number, query: object, schedulerTimeZone = '', more: object = {}) =>
    askState(history, aState({ now: end, options: { schedulerTimeZone } }), {
      recorder: await since(end - 8 * 86_400, end),
      query: { by: 'queue', figures: ['enqueued'], ...query },
      request: { range: { from: end - 3600, to: end }, intervalSeconds: 60, ...more },
    });

  test.each([
    ['day', 1440, 'a day before'],
    ['week', 10_080, 'a week before'],
  ])('stands beside it, a %s earlier', async (compare, minutes, when) => {
    const [frame] = await askCompared(NOW, { compare });
    expect(frame!.fields.map(({ name }) => name)).toEqual(['time', 'enqueued', 'compared']);
    const [now, then] = frame!.fields.slice(1).map(({ values }) => values as number[]);
    expect(then!.length).toBe(now!.length);
    expect(now!.length).toBeGreaterThan(50);
    expect([...new Set(now!.map((value, index) => value - then![index]!))]).toEqual([minutes]);
    expect(frame!.fields[2]).toMatchObject({ labels: { queue: 'q' }, config: { displayNameFromDS: `q, ${when}` } });
  });

  // In Berlin clocks went back on 25 October 2026 at 01:00 UTC: noon of that day came 25 hours after noon.
  test('is of the same time by the clock of the settings', async () => {
    const noon = Date.UTC(2026, 9, 25, 11) / 1000;
    const apart = async (zone: string) => {
      const [frame] = await askCompared(noon, { compare: 'day' }, zone);
      const [now, then] = frame!.fields.slice(1).map(({ values }) => values.at(-1) as number);
      return now! - then!;
    };
    expect(await apart('Europe/Berlin')).toBe(25 * 60);
    expect(await apart('')).toBe(24 * 60);
    const night = Date.UTC(2026, 9, 25, 1, 20) / 1000;
    expect(noticesOf(await askCompared(night, { compare: 'day' }, 'Europe/Berlin'))).toContainEqual(
      expect.stringContaining('Clocks change')
    );
  });

  test('is left empty, and that is said, where there is no history of it', async () => {
    const [frame] = await ask(
      recorded(() => [total('enqueued', 1)]),
      { figures: ['enqueued'], compare: 'week' }
    );
    expect(new Set(frame!.fields[2]!.values)).toEqual(new Set([null]));
    expect(noticesOf([frame!])).toContain('There is no history of the week before.');
  });

  test.each([
    [{ compare: 'day', by: 'day', figures: [] }, {}, 'Sidekiq’s daily counters have no time of day.'],
    [{ compare: 'day', band: 'deviation' }, {}, 'The deviation is a comparison itself.'],
    [{ compare: 'day' }, { alerting: true }, 'An alert rule takes one figure, and a comparison has two.'],
  ])('is refused where it cannot be told: %j %j', async (query, request, message) => {
    await expect(askCompared(NOW, query, '', request)).rejects.toMatchObject({ message });
  });
});

test('by class has the executions of five minutes', async () => {
  const classes = recorded(
    (step) => [
      total('busy', 1),
      ...(step % 30 === 0 ? [{ scope: 'class' as const, key: 'A::B', figure: 'processedRate', value: step * 10 }] : []),
    ],
    361
  );
  const request = { range: { from: NOW - 3000, to: NOW }, intervalSeconds: 10 };
  const [frame] = await ask(
    classes,
    { by: 'class', filters: [{ field: 'class', operator: '=', values: ['A::B'] }] },
    { request }
  );
  expect(frame).toMatchObject({
    name: 'A::B',
    fields: [{ config: { interval: 300_000 } }, { labels: { class: 'A::B' } }],
  });
  // 300 in 300 s.
  expect(frame!.fields[1]!.values.slice(1, -1).every((value) => Math.abs(Number(value) - 1) < 1e-9)).toBe(true);
});

describe('means of executions', () => {
  // Six executions in five minutes, one of which fails; those that succeed take 2 s, in the last hour 5 s.
  const recorder = new Recorder();
  let [processed, failed, load, begun, waited] = [0, 0, 0, 0, 0];
  for (let at = NOW - 4 * 3600; at <= NOW; at += 300) {
    const isLast = at > NOW - 3600;
    // For half an hour nothing runs.
    if (at <= NOW - 3 * 3600 || at > NOW - 2.5 * 3600) {
      processed += 6;
      failed += 1;
      load += 5 * (isLast ? 5 : 2);
      begun += 2;
      waited += 2 * (isLast ? 40 : 0.25);
    }
    const values = { processedRate: processed, failedRate: failed, load, begun, waited };
    const scoped = (scope: 'class' | 'queue', key: string) =>
      Object.entries(values).map(([figure, value]) => ({ scope, key, figure, value }));
    recorder.append(at, [...scoped('class', 'A'), ...scoped('queue', 'q')]);
  }
  const hours = { range: { from: NOW - 4 * 3600, to: NOW }, intervalSeconds: 60 };
  const valuesOf = async (query: object) =>
    (await ask(recorder, query, { request: hours }))[0]!.fields[1]!.values as Array<number | null>;
  const near = (value: number) => expect.closeTo(value, 6) as number;

  test('are those of the executions that succeeded, at five minutes; none where nothing ran', async () => {
    const runTimes = await valuesOf({ by: 'class', figures: ['runTime'] });
    expect(runTimes.slice(-4)).toEqual([near(5), near(5), near(5), near(5)]);
    expect(runTimes.slice(1, 10)).toEqual(new Array(9).fill(near(2)));
    expect(runTimes.filter((value) => value === null).length).toBeGreaterThanOrEqual(5);
    expect(runTimes.every((value) => value === null || (value >= 2 - 1e-6 && value <= 5 + 1e-6))).toBe(true);
  });

  test('tell for how long jobs of a class or of a queue had waited', async () => {
    for (const by of ['class', 'queue']) {
      const waits = await valuesOf({ by, figures: ['wait'] });
      expect(waits.slice(-4)).toEqual([near(40), near(40), near(40), near(40)]);
      expect(waits.slice(1, 10)).toEqual(new Array(9).fill(near(0.25)));
    }
  });

  test('are of all executions of an interval, not means of means', async () => {
    // 1,000 executions of 10 ms, then one of 100 s: a mean of 110 ms.
    const uneven = new Recorder();
    for (const [at, count, seconds] of [
      [0, 0, 0],
      [300, 1000, 10],
      [600, 1001, 110],
    ] as const) {
      uneven.append(Math.floor(NOW / 600) * 600 - 600 + at, [
        { scope: 'class', key: 'A', figure: 'processedRate', value: count },
        { scope: 'class', key: 'A', figure: 'failedRate', value: 0 },
        { scope: 'class', key: 'A', figure: 'load', value: seconds },
      ]);
    }
    const request = { range: { from: NOW - 1200, to: NOW }, intervalSeconds: 600 };
    const [frame] = await ask(uneven, { by: 'class', figures: ['runTime'] }, { request });
    expect(frame!.fields[1]!.values.filter((value) => value !== null)).toEqual([near(110 / 1001)]);
  });

  test('of waits are right where two processes record into one file, each what it has seen', async () => {
    const shared = new Recorder();
    for (let slot = 0; slot <= 24; slot += 1) {
      for (const [late, seen] of [
        [0, 10],
        [20, 9],
      ] as const) {
        // Both have counted for a week. For an hour jobs wait for 2 s, then for 30 s.
        const begun = 5000 + slot * seen;
        const waited = 10_000 + Math.min(slot, 12) * seen * 2 + Math.max(0, slot - 12) * seen * 30;
        shared.append(NOW - (24 - slot) * 300 - 20 + late, [queue('q', 'begun', begun), queue('q', 'waited', waited)]);
      }
    }
    const request = { range: { from: NOW - 7200, to: NOW }, intervalSeconds: 300 };
    const [frame] = await ask(shared, { by: 'queue', figures: ['wait'] }, { request });
    const values = frame!.fields[1]!.values as number[];
    expect(values.slice(1, 10).every((value) => Math.abs(value - 2) < 0.3)).toBe(true);
    expect(values.slice(15, 22).every((value) => Math.abs(value - 30) < 4)).toBe(true);
  });
});

import { describe, expect, test } from 'vitest';
import { Dice } from '../../../pkg/engine/dice';
import { compare } from '../../../pkg/queries/compare';
import type { SeriesValue } from '../../../pkg/series/figures';
import { Recorder } from '../../../pkg/series/recorder';
import { askState, noticesOf, rowsOfState, type Asked } from '../../support/ask';
import { aState, NOW } from '../../support/state';

const HOUR = 3600;
const total = (figure: string, value: number): SeriesValue => ({ scope: 'total', key: '', figure, value });

/** Two days, a sample a minute. The backlog trebles two hours ago; what is busy goes up and down. */
const recorder = new Recorder();
for (let at = NOW - 48 * HOUR; at <= NOW; at += 60) {
  const turn = Math.floor(at / 300) % 2;
  recorder.append(at, [total('enqueued', (at < NOW - 2 * HOUR ? 10 : 30) + turn), total('busy', 5 + 3 * turn)]);
}
const hours = (many: number): Asked => ({
  recorder,
  request: { range: { from: NOW - many * HOUR, to: NOW }, intervalSeconds: 60 },
});
const ask = (query: object, many = 4) =>
  rowsOfState(compare, aState(), { query: { measures: ['enqueued', 'busy'], ...query }, ...hours(many) });
const at = new Date((NOW - 2 * HOUR) * 1000).toISOString();

describe('a comparison', () => {
  test('with the time before an instant tells what has changed, the most telling first', async () => {
    const [enqueued, busy] = await ask({ with: 'instant', at });
    expect(enqueued).toMatchObject({ figure: 'Enqueued', verdict: 'more', effect: 1 });
    expect(enqueued!['before']).toBeCloseTo(10.5, 0);
    expect(enqueued!['after']).toBeCloseTo(30.5, 0);
    expect(enqueued!['change']).toBeCloseTo(2, 0);
    expect(enqueued!['chance']).toBeLessThan(0.01);
    expect(busy).toMatchObject({ figure: 'Busy', verdict: 'not significant' });
  });

  test('takes stretches of the same length, and says which', async () => {
    const query = { with: 'instant', at: new Date((NOW - HOUR) * 1000).toISOString() };
    const frames = await askState(compare, aState(), { query, ...hours(4) });
    expect(noticesOf(frames)).toContain(
      'Before: 2026-11-25 10:00:30 UTC to 2026-11-25 11:00:30 UTC. After: 2026-11-25 11:00:30 UTC to 2026-11-25 12:00:30 UTC.'
    );
  });

  test('with yesterday is of the same hours', async () => {
    const [enqueued] = await ask({ with: 'day' }, 1);
    expect(enqueued).toMatchObject({ figure: 'Enqueued', verdict: 'more' });
    // Between three and two hours ago nothing was other than the day before.
    const past = { recorder, request: { range: { from: NOW - 4 * HOUR, to: NOW - 3 * HOUR }, intervalSeconds: 60 } };
    const rows = await rowsOfState(compare, aState(), { query: { with: 'day', measures: ['enqueued'] }, ...past });
    expect(rows).toMatchObject([{ verdict: 'not significant' }]);
  });

  /** Every day alike: ten in the morning, fifty in the afternoon. */
  const daily = new Recorder();
  const midnight = NOW - (NOW % (24 * HOUR));
  for (let at = midnight - 24 * HOUR; at <= NOW; at += 60) {
    const value = (at - midnight + 24 * HOUR) % (24 * HOUR) < 12 * HOUR ? 10 + (at % 7) : 50;
    daily.append(at, [{ scope: 'total', key: '', figure: 'enqueued', value }]);
  }

  test('with yesterday of a day that goes on is of the part that is over', async () => {
    const request = { range: { from: midnight, to: midnight + 24 * HOUR }, intervalSeconds: 60 };
    const query = { with: 'day', measures: ['enqueued'] };
    const [row] = await rowsOfState(compare, aState(), { query, recorder: daily, request });
    // Noon: ten to sixteen on both mornings.
    expect(row).toMatchObject({ verdict: 'not significant' });
    expect(row!['before']).toBeCloseTo(13, 0);
    expect(row!['after']).toBeCloseTo(13, 0);
  });

  // Summer time began on the 29th: nine o'clock in Berlin is 08:00 UTC before, and 07:00 after.
  test.each([
    ['week', '2026-03-30T07:00:00Z', '2026-03-30T08:00:00Z'],
    ['day', '2026-03-29T07:00:00Z', '2026-03-29T08:00:00Z'],
    ['day', '2026-03-28T08:00:00Z', '2026-03-28T09:00:00Z'],
  ])('with a %s before %s is of the same hours by the clocks of the time zone', async (days, from, to) => {
    const [begin, end] = [Date.parse(from) / 1000, Date.parse(to) / 1000];
    const change = Date.UTC(2026, 2, 29, 1) / 1000;
    const berlin = new Recorder();
    for (let at = begin - 8 * 24 * HOUR; at <= end; at += 60) {
      const local = ((at + (at < change ? 1 : 2) * HOUR) % (24 * HOUR)) / HOUR;
      berlin.append(at, [{ scope: 'total', key: '', figure: 'enqueued', value: local < 9 ? 10 : 50 + (at % 7) }]);
    }
    const request = { range: { from: begin, to: end }, intervalSeconds: 60 };
    const query = { with: days, measures: ['enqueued'] };
    const state = (schedulerTimeZone: string) => aState({ now: end, options: { schedulerTimeZone } });
    const rows = await rowsOfState(compare, state('Europe/Berlin'), { query, recorder: berlin, request });
    expect(rows).toMatchObject([{ verdict: 'not significant' }]);
    expect(rows[0]!['before']).toBeCloseTo(53, 0);
  });

  test('with a week before says where clocks change between hours that are compared', async () => {
    const [from, to] = [Date.UTC(2026, 2, 28) / 1000, Date.UTC(2026, 2, 30) / 1000];
    const found = new Recorder();
    for (let at = from - 8 * 24 * HOUR; at <= to; at += 300) {
      found.append(at, [total('enqueued', 5)]);
    }
    const told = async (begin: number, schedulerTimeZone: string) =>
      noticesOf(
        await askState(compare, aState({ now: to, options: { schedulerTimeZone } }), {
          query: { with: 'week', measures: ['enqueued'] },
          recorder: found,
          request: { range: { from: begin, to }, intervalSeconds: 60 },
        })
      ).join();
    expect(await told(from, 'Europe/Berlin')).toContain('Clocks change between these times');
    expect(await told(from + 36 * HOUR, 'Europe/Berlin')).not.toContain('Clocks change');
    expect(await told(from, '')).not.toContain('Clocks change');
  });

  test('says of how much of either time figures are known, where that is little', async () => {
    const holes = new Recorder();
    for (let at = NOW - 12 * HOUR; at <= NOW; at += 10) {
      if (at < NOW - 10.2 * HOUR || at >= NOW - 6 * HOUR) {
        holes.append(at, [total('enqueued', 40)]);
      }
    }
    const query = { with: 'instant', at: new Date((NOW - 6 * HOUR) * 1000).toISOString(), measures: ['enqueued'] };
    const request = { range: { from: NOW - 12 * HOUR, to: NOW }, intervalSeconds: 60 };
    const notices = noticesOf(await askState(compare, aState(), { query, recorder: holes, request }));
    expect(notices).toContain('Figures are known of 30% of the time before only; means are of that.');
    expect(noticesOf(await askState(compare, aState(), { query: { with: 'instant', at }, ...hours(4) }))).not.toContain(
      'known of'
    );
  });

  test('with yesterday says nothing of two days that were watched at different hours, or of which one was not', async () => {
    const watched = (yesterday: [number, number], today: [number, number]) => {
      const found = new Recorder();
      const sample = (at: number, value: number) =>
        found.append(at, [{ scope: 'total', key: '', figure: 'enqueued', value }]);
      for (let at = NOW - 28 * HOUR; at <= NOW; at += 60) {
        const hour = (at - NOW) / HOUR;
        if (hour >= yesterday[0] && hour < yesterday[1]) {
          sample(at, 1);
        } else if (hour >= today[0] && hour < today[1]) {
          sample(at, 10);
        }
      }
      return rowsOfState(compare, aState(), {
        query: { with: 'day', measures: ['enqueued'] },
        recorder: found,
        request: { range: { from: NOW - 4 * HOUR, to: NOW }, intervalSeconds: 60 },
      });
    };
    const apart = { before: null, after: null, change: null, chance: null, verdict: 'unknown' };
    // More values today than yesterday, as many, and fewer.
    expect(await watched([-28, -27], [-2, 0])).toMatchObject([apart]);
    expect(await watched([-28, -26], [-2, 0])).toMatchObject([apart]);
    expect(await watched([-28, -25.5], [-1, 0])).toMatchObject([apart]);
    expect(await watched([-28, -24], [0, 0])).toMatchObject([{ before: 1, after: null, verdict: 'unknown' }]);
    expect(await watched([0, 0], [-4, 0])).toMatchObject([{ before: null, after: 10, verdict: 'unknown' }]);
  });

  test('with yesterday leaves out what of either day is not known', async () => {
    const holed = new Recorder();
    const noon = midnight - 12 * HOUR;
    // Of yesterday the morning is missing, of today nothing.
    for (let at = midnight - 24 * HOUR; at <= NOW; at += 60) {
      const isHole = at >= noon - 12 * HOUR && at < noon - 6 * HOUR;
      const hour = Math.floor((at - midnight + 24 * HOUR) / HOUR) % 24;
      if (!isHole) {
        holed.append(at, [{ scope: 'total', key: '', figure: 'enqueued', value: hour < 6 ? 10 : 50 }]);
      }
    }
    const request = { range: { from: midnight, to: NOW }, intervalSeconds: 60 };
    const query = { with: 'day', measures: ['enqueued'] };
    const [row] = await rowsOfState(compare, aState(), { query, recorder: holed, request });
    expect([row!['before'], row!['after'], row!['change']]).toEqual([50, 50, 0]);
  });

  test('with yesterday tells run times of executions at any time of both days', async () => {
    const sparse = new Recorder();
    let [processed, load] = [0, 0];
    // Twice an hour: yesterday a second long, today ten, at other minutes; once in the same minutes.
    for (let at = NOW - 28 * HOUR; at <= NOW; at += 60) {
      const ago = NOW - at;
      const place = Math.floor(at / 60) % 30;
      const isToday = ago < 4 * HOUR && place === 10;
      const isYesterday = ago > 24 * HOUR && place === 0;
      const isBoth = ago === 3 * HOUR + 300 || ago === 27 * HOUR + 300;
      processed += Number(isToday) + Number(isYesterday) + Number(isBoth);
      load += 10 * Number(isToday) + Number(isYesterday) + Number(isBoth);
      const of = (figure: string, value: number) => ({ scope: 'class' as const, key: 'AJob', figure, value });
      sparse.append(at, [of('processedRate', processed), of('failedRate', 0), of('load', load)]);
    }
    const request = { range: { from: NOW - 4 * HOUR, to: NOW }, intervalSeconds: 60 };
    const query = { by: 'class', with: 'day', measures: ['runTime'] };
    const [row] = await rowsOfState(compare, aState(), { query, recorder: sparse, request });
    expect(row!['before']).toBeCloseTo(1, 6);
    expect(row!['after']).toBeGreaterThan(8);
  });

  test('with last week is unknown where there was no history', async () => {
    const rows = await ask({ with: 'week' }, 1);
    expect(rows.map(({ verdict, before }) => [verdict, before])).toEqual([
      ['unknown', null],
      ['unknown', null],
    ]);
  });

  test('of any range is answered from some thousand values', async () => {
    const request = { range: { from: 0, to: 7_000_000_000 }, intervalSeconds: 60 };
    const rows = await rowsOfState(compare, aState(), { query: { with: 'week' }, recorder, request });
    // Two days are one stretch of it.
    expect(rows.map(({ verdict }) => verdict)).toEqual(['unknown', 'unknown']);
  });

  test('with a deploy is of the one that is named, and what is to come is no time after', async () => {
    const query = { with: 'deploy', at: new Date((NOW - HOUR) * 1000).toISOString() };
    const request = { range: { from: NOW - 2 * HOUR, to: NOW + HOUR }, intervalSeconds: 60 };
    const frames = await askState(compare, aState(), { query, recorder, request });
    expect(noticesOf(frames)).toContain(
      'Before: 2026-11-25 10:00:30 UTC to 2026-11-25 11:00:30 UTC. After: 2026-11-25 11:00:30 UTC to 2026-11-25 12:00:30 UTC.'
    );
  });

  test.each([4, 7, 25])('%i minutes after a deploy says that it is too early, and when it is not', async (minutes) => {
    const query = { with: 'deploy', at: new Date((NOW - minutes * 60) * 1000).toISOString() };
    const request = { range: { from: NOW - 6 * HOUR, to: NOW }, intervalSeconds: 60, reader: true };
    const frames = await askState(compare, aState(), { query, recorder, request });
    const said = [...noticesOf(frames), ...frames[0]!.fields[0]!.values].join(' ');
    expect(said).toContain(
      `2026-11-25 ${new Date((NOW - minutes * 60) * 1000).toISOString().slice(11, 19)} UTC is only ${minutes} min from an end`
    );
    expect(said).toContain('a comparison needs 30 min on both sides.');
  });

  test('with yesterday sees a day that is twice the other, though both go up and down', async () => {
    const twice = new Recorder();
    for (let at = NOW - 48 * HOUR; at <= NOW; at += 60) {
      const course = 60 + 50 * Math.sin((at / (24 * HOUR)) * 2 * Math.PI);
      twice.append(at, [total('enqueued', at > NOW - 24 * HOUR ? 2 * course : course)]);
    }
    const request = { range: { from: NOW - 24 * HOUR, to: NOW }, intervalSeconds: 60 };
    const query = { with: 'day', measures: ['enqueued'] };
    const [row] = await rowsOfState(compare, aState(), { query, recorder: twice, request });
    expect(row).toMatchObject({ verdict: 'more', effect: 1 });
    expect(row!['change']).toBeCloseTo(1, 2);
  });

  test('with a deploy is of the mark whose label is named', async () => {
    const label = (ago: number) => new Date((NOW - ago) * 1000).toISOString().replace('.000Z', 'Z');
    const answers = { 'hgetall 20251125-marks': [] };
    const marks = { [label(3 * HOUR)]: 'v1', [label(2 * HOUR)]: 'v2', [label(HOUR)]: 'v3' };
    const day = label(0).slice(0, 10).replaceAll('-', '');
    const query = { with: 'deploy', at: 'v2', measures: ['enqueued'] };
    const frames = await askState(compare, aState(), {
      query,
      ...hours(4),
      answers: { ...answers, [`hgetall ${day}-marks`]: Object.entries(marks).flat() },
    });
    expect(noticesOf(frames).join()).toContain(
      `After: ${label(2 * HOUR)
        .slice(0, 19)
        .replace('T', ' ')} UTC`
    );
    expect(frames[0]!.fields.find(({ name }) => name === 'verdict')!.values).toEqual(['more']);
  });

  test('with the last deploy is with the last one that can be compared, and says which', async () => {
    const label = (ago: number) => new Date((NOW - ago) * 1000).toISOString().replace('.000Z', 'Z');
    const shown = (ago: number) => `${label(ago).slice(0, 19).replace('T', ' ')} UTC`;
    const marks = { [label(3 * HOUR)]: 'v1', [label(2 * HOUR)]: 'v2', [label(300)]: 'v3' };
    const day = label(0).slice(0, 10).replaceAll('-', '');
    const told = async (given: Record<string, string>) =>
      noticesOf(
        await askState(compare, aState(), {
          query: { with: 'deploy', measures: ['enqueued'] },
          ...hours(4),
          answers: { 'hgetall 20251125-marks': [], [`hgetall ${day}-marks`]: Object.entries(given).flat() },
        })
      ).join(' ');
    expect(await told(marks)).toContain(
      `Deploy "v2" at ${shown(2 * HOUR)}. The one at ${shown(300)} is too close to an end of the time range. Before: `
    );
    expect(await told({ [label(300)]: 'v3' })).toContain(`Deploy "v3" at ${shown(300)}. Before: `);
  });

  test('of run times weighs each stretch by its executions', async () => {
    const classes = new Recorder();
    let [processed, load] = [0, 0];
    // Eleven stretches of five minutes with 100 executions of a second, then one with a single one of 100 seconds.
    for (let slot = 0; slot <= 24; slot += 1) {
      const isLong = slot % 12 === 0;
      processed += isLong ? 1 : 100;
      load += 100;
      const of = (figure: string, value: number): SeriesValue => ({ scope: 'class', key: 'AJob', figure, value });
      classes.append(NOW - (24 - slot) * 300, [of('processedRate', processed), of('failedRate', 0), of('load', load)]);
    }
    const query = {
      by: 'class',
      with: 'instant',
      at: new Date((NOW - HOUR) * 1000).toISOString(),
      measures: ['runTime'],
    };
    const [row] = await rowsOfState(compare, aState(), { query, ...hours(2), recorder: classes });
    // All stretches alike it would be 9 s.
    expect(row!['after']).toBeGreaterThan(0.95);
    expect(row!['after']).toBeLessThan(1.2);
  });

  test('of a class tells how long it runs: thread time over executions that succeeded', async () => {
    const classes = new Recorder();
    let [processed, failed, load] = [0, 0, 0];
    for (let each = NOW - 8 * HOUR; each <= NOW; each += 300) {
      // 60 executions in five minutes, of which 10 fail; the others take 2 s, and 5 s since four hours.
      processed += 60;
      failed += 10;
      load += 50 * (each <= NOW - 4 * HOUR ? 2 : 5);
      const of = (figure: string, value: number): SeriesValue => ({ scope: 'class', key: 'AJob', figure, value });
      classes.append(each, [of('processedRate', processed), of('failedRate', failed), of('load', load)]);
    }
    const query = { by: 'class', with: 'instant', at: new Date((NOW - 4 * HOUR) * 1000).toISOString() };
    const rows = await rowsOfState(compare, aState(), { query, ...hours(8), recorder: classes });
    const [runTime] = rows;
    expect(runTime).toMatchObject({ key: 'AJob', figure: 'Run time (s)', verdict: 'more' });
    expect(runTime!['before']).toBeCloseTo(2, 1);
    expect(runTime!['after']).toBeCloseTo(5, 1);
    expect(rows.map(({ verdict }) => verdict)).toEqual(['more', 'not significant', 'not significant']);
  });

  test('says what it compares, and of a small effect that is no chance that it is slight', async () => {
    const noisy = new Recorder();
    const dice = new Dice(1);
    for (let each = NOW - 48 * HOUR; each <= NOW; each += 300) {
      // Later it is larger by half of what it varies by.
      const value = 100 + 10 * dice.normal() + (each > NOW - 24 * HOUR ? 5 : 0);
      noisy.append(each, [{ scope: 'total', key: '', figure: 'busy', value }]);
    }
    const at = new Date((NOW - 24 * HOUR) * 1000).toISOString();
    const query = { with: 'instant', at, measures: ['busy'] };
    const [row] = await rowsOfState(compare, aState(), { query, ...hours(48), recorder: noisy });
    expect(row).toMatchObject({ verdict: 'slightly more', compared: `${at.slice(0, 19).replace('T', ' ')} UTC` });
    const [day] = await rowsOfState(compare, aState(), {
      query: { measures: ['busy'] },
      ...hours(3),
      recorder: noisy,
    });
    expect(day).toMatchObject({ compared: 'the day before' });
  });

  test('with a deploy where there is none is empty and says why; an alert rule hears of it', async () => {
    const query = { with: 'deploy' };
    const read = { ...hours(4).request, reader: true };
    const frames = await askState(compare, aState(), { query, recorder, request: read });
    expect(frames[0]!.fields.map(({ values }) => values)).toEqual([
      [expect.stringContaining('There is no deploy mark in this time range.')],
    ]);
    const alerting = {
      query: { ...query, figures: ['effect'] },
      recorder,
      request: { ...hours(4).request, alerting: true },
    };
    await expect(askState(compare, aState(), alerting)).rejects.toThrow('no deploy mark');
  });

  test.each([
    [{ with: 'instant', at: 'yesterday' }, 'The time "at" "yesterday" cannot be read.'],
    [
      { with: 'instant', at: '2020-01-01T00:00:00Z' },
      'The instant "2020-01-01T00:00:00Z" does not lie within the time range.',
    ],
    [{ with: 'deploy', at: 'v0' }, 'There is no deploy "v0" in this time range, and it is no instant within it.'],
    [{ with: 'day', measures: ['inRate'] }, 'There is no figure "inRate" of this scope in the history.'],
  ])('is refused where it cannot be told: %j', async (query, message) => {
    await expect(ask(query)).rejects.toMatchObject({ message });
  });
});

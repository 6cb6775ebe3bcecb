import { describe, expect, test } from 'vitest';
import { compare } from '../../../pkg/queries/compare';
import { metricKeys } from '../../../pkg/sidekiq/keys';
import { askState, noticesOf, rowsOfState, type Asked } from '../../support/ask';
import { noPermission } from '../../support/fakeRedis';
import { aState, MINUTE, NOW } from '../../support/state';

const HOUR = 3600;

/** Counters of the duration buckets, as Sidekiq stores them. */
function stored(counts: Record<number, number>): Buffer {
  const bytes = Buffer.alloc(52);
  Object.entries(counts).forEach(([index, count]) => bytes.writeUInt16BE(count, 2 * Number(index)));
  return bytes;
}

/** A class runs ten times a minute: one in ten takes 500 to 750 ms, and for an hour half of them 3.8 to 5.75 s; the rest is short. */
const SLOWED = Object.fromEntries(
  Array.from({ length: 120 }, (_, ago) => [
    [
      `hgetall ${metricKeys.minute(MINUTE - 60 * ago)}`,
      ['AJob|p', '10', 'AJob|ms', '1000', 'Rare|p', '1', 'Rare|f', '1'],
    ],
    [`get ${metricKeys.histogram('AJob', MINUTE - 60 * ago)}`, stored(ago < 60 ? { 0: 5, 14: 5 } : { 0: 9, 9: 1 })],
  ]).flat()
) as NonNullable<Asked['answers']>;

const lastHours = { range: { from: NOW - 2 * HOUR, to: NOW }, intervalSeconds: 60 };
const query = { by: 'class', with: 'instant', at: new Date((NOW - HOUR) * 1000).toISOString() };

describe('a comparison of run times', () => {
  test('tells quantiles of all executions before and after, and whether they changed', async () => {
    const asked = { query: { ...query, measures: ['p50', 'p95'] }, request: lastHours, answers: SLOWED };
    const rows = await rowsOfState(compare, aState(), asked);
    expect(rows.map(({ key, figure, verdict }) => [key, figure, verdict])).toEqual(
      expect.arrayContaining([
        ['AJob', 'Run time, p95 (s)', 'more'],
        ['AJob', 'Run time, p50 (s)', 'more'],
      ])
    );
    expect(rows).toHaveLength(2);
    const p95 = rows.find(({ figure }) => figure === 'Run time, p95 (s)')!;
    // Half of the tenth lies below it, nine tenths of the half: interpolated within 250 ms and 1.95 s.
    expect(p95['before']).toBeCloseTo(0.625, 6);
    expect(p95['after']).toBeCloseTo(5.555, 6);
    const p50 = rows.find(({ figure }) => figure === 'Run time, p50 (s)')!;
    expect(p50['before']).toBeCloseTo((0.02 * 5) / 9, 6);
    expect(p50['after']).toBeCloseTo(0.02, 6);
  });

  test('unasked tells the p95 of each class', async () => {
    const rows = await rowsOfState(compare, aState(), { query, request: lastHours, answers: SLOWED });
    expect(rows).toMatchObject([{ key: 'AJob', figure: 'Run time, p95 (s)', verdict: 'more', effect: 1 }]);
  });

  test('with yesterday says that Sidekiq no longer has those of then', async () => {
    const asked = { query: { by: 'class', with: 'day', measures: ['p95'] }, request: lastHours, answers: SLOWED };
    expect(noticesOf(await askState(compare, aState(), asked))).toContain(
      'Quantiles of run times are not known throughout: Sidekiq keeps them for 8 hours.'
    );
    const long = { range: { from: NOW - 48 * HOUR, to: NOW }, intervalSeconds: 60 };
    expect(noticesOf(await askState(compare, aState(), { ...asked, request: long }))).toContain(
      'Quantiles of run times are compared over a day at most.'
    );
  });

  test('says that durations are refused', async () => {
    const answers = { ...SLOWED, get: noPermission('get') };
    Object.keys(answers).forEach(
      (name) => name.startsWith('get ') && delete (answers as Record<string, unknown>)[name]
    );
    const frames = await askState(compare, aState(), {
      query: { ...query, measures: ['p95'] },
      request: lastHours,
      answers,
    });
    expect(frames.flatMap(({ fields }) => fields[0]?.values ?? [])).toEqual([]);
    expect(noticesOf(frames).join()).toMatch(/No job durations: /);
  });

  test('is of the classes that ran most, and says so', async () => {
    const answers = Object.fromEntries(
      Array.from({ length: 120 }, (_, ago) => [
        [
          `hgetall ${metricKeys.minute(MINUTE - 60 * ago)}`,
          Array.from({ length: 25 }, (__, index) => [`Job${index}|p`, String(1 + index)]).flat(),
        ],
        ...Array.from({ length: 25 }, (__, index) => [
          `get ${metricKeys.histogram(`Job${index}`, MINUTE - 60 * ago)}`,
          stored({ 3: 1 }),
        ]),
      ]).flat()
    ) as NonNullable<Asked['answers']>;
    const asked = { query: { ...query, measures: ['p95'] }, request: lastHours, answers };
    const frames = await askState(compare, aState(), asked);
    const names = frames[0]!.fields.find(({ name }) => name === 'key')!.values;
    expect([...names].sort()).toEqual(Array.from({ length: 20 }, (_, index) => `Job${5 + index}`).sort());
    expect(noticesOf(frames)).toContain('Quantiles of run times are those of the 20 classes that ran most, of 25.');
  });

  test('is of a class that is asked for, however little it runs', async () => {
    const answers = Object.fromEntries(
      Array.from({ length: 120 }, (_, ago) => [
        [
          `hgetall ${metricKeys.minute(MINUTE - 60 * ago)}`,
          Array.from({ length: 25 }, (__, index) => [`Job${index}|p`, String(1 + index)]).flat(),
        ],
        [`get ${metricKeys.histogram('Job0', MINUTE - 60 * ago)}`, stored({ 3: 1 })],
      ]).flat()
    ) as NonNullable<Asked['answers']>;
    const filters = [{ field: 'key', operator: '=' as const, values: ['Job0'] }];
    const asked = { query: { ...query, measures: ['p95'], filters }, request: lastHours, answers };
    expect(await rowsOfState(compare, aState(), asked)).toMatchObject([{ key: 'Job0' }]);
  });

  test('tells what is not known of one side, and of which', async () => {
    const answers = { ...SLOWED, [`hgetall ${metricKeys.minute(MINUTE - 60 * 90)}`]: noPermission('hgetall') };
    const frames = await askState(compare, aState(), { query, request: lastHours, answers });
    expect(noticesOf(frames).join()).toMatch(/Time before: .*NOPERM/);
  });

  test('says that Sidekiq does not tell the longest run times apart', async () => {
    const long = Object.entries(SLOWED).map(([name, answer]) => [
      name,
      name.startsWith('get ') ? stored({ 25: 10 }) : answer,
    ]);
    const asked = { query: { ...query, measures: ['p95'] }, request: lastHours, answers: Object.fromEntries(long) };
    expect(noticesOf(await askState(compare, aState(), asked as Asked)).join()).toContain(
      'quantiles of 335 s are that or more'
    );
  });

  test('of another series than classes has no quantiles', async () => {
    const asked = { query: { by: 'queue', measures: ['p95'] }, request: lastHours };
    await expect(askState(compare, aState(), asked)).rejects.toThrow('There is no figure "p95" of this scope');
  });
});

import { expect, test } from 'vitest';
import { metricKeys } from '../../../pkg/sidekiq/keys';
import { Minutes } from '../../../pkg/sidekiq/minutes';
import { fakeRedis, noPermission } from '../../support/fakeRedis';
import { MINUTE, NOW } from '../../support/state';

const minuteKey = (ago: number) => `hgetall ${metricKeys.minute(MINUTE - ago)}`;

test('a range is read bucket by bucket, what is final once', async () => {
  const redis = fakeRedis({ [minuteKey(0)]: ['A|p', '1'], [minuteKey(600)]: ['A|p', '5'] });
  const minutes = new Minutes();
  const range = { from: MINUTE - 600 + 20, to: NOW };
  const first = await minutes.read(redis, range, 60, NOW);
  expect(first.buckets.map(({ startsAt }) => startsAt)).toEqual(
    Array.from({ length: 11 }, (_, index) => MINUTE - 600 + index * 60)
  );
  expect(first.buckets[0]!.classes.get('A')!.processed).toBe(5);
  expect(first.buckets[10]!.classes.get('A')!.processed).toBe(1);
  redis.answers[minuteKey(0)] = ['A|p', '2'];
  redis.answers[minuteKey(600)] = ['A|p', '99'];
  const second = await minutes.read(redis, range, 60, NOW);
  expect(second.buckets[0]!.classes.get('A')!.processed).toBe(5);
  expect(second.buckets[10]!.classes.get('A')!.processed).toBe(2);
  // Those that ended less than three minutes ago: 12:00, 11:59, 11:58, 11:57.
  expect(redis.batches[1]).toHaveLength(8);
});

test('nothing is read from before what Sidekiq keeps, nor of the future', async () => {
  const redis = fakeRedis();
  const { buckets } = await new Minutes().read(redis, { from: 0, to: NOW + 9999 }, 60, NOW);
  expect(buckets).toHaveLength(8 * 60 + 1);
  expect(buckets.at(-1)!.startsAt).toBe(MINUTE);
  const tens = await new Minutes().read(redis, { from: 0, to: NOW }, 600, NOW);
  expect(tens.buckets).toHaveLength(72 * 6 + 1);
  expect(redis.batches[1]![0]).toBe(`hgetall ${metricKeys.tenMinutes(tens.buckets[0]!.startsAt)}`);
});

test('a bucket that is refused is missing with a notice, and is read again', async () => {
  const redis = fakeRedis({ [minuteKey(600)]: noPermission('hgetall') });
  const minutes = new Minutes();
  const range = { from: MINUTE - 600, to: MINUTE - 470 };
  const first = await minutes.read(redis, range, 60, NOW);
  expect(first.buckets.map(({ startsAt }) => startsAt)).toEqual([MINUTE - 540, MINUTE - 480]);
  expect(first.notices[0]!.text).toMatch(/^No job metrics: .*NOPERM/);
  redis.answers[minuteKey(600)] = ['A|p', '5'];
  expect((await minutes.read(redis, range, 60, NOW)).buckets[0]!.classes.get('A')!.processed).toBe(5);
  expect(redis.batches[1]).toHaveLength(2);
});

test('durations are read for the minutes in which a class ran, in its shapes, final ones once', async () => {
  const redis = fakeRedis({
    [minuteKey(600)]: ['A|p', '5'],
    [`hgetall ${metricKeys.oldMinute(MINUTE - 600)}`]: ['A|p', '1'],
    [minuteKey(0)]: ['A|p', '1', 'B|p', '1'],
    [`get ${metricKeys.histogram('A', MINUTE - 600)}`]: Buffer.from('0005', 'hex'),
    [`get ${metricKeys.oldHistogram('A', MINUTE - 600)}`]: Buffer.from('0001', 'hex'),
    [`get ${metricKeys.histogram('A', MINUTE)}`]: Buffer.from('00000001', 'hex'),
  });
  const minutes = new Minutes();
  const { buckets } = await minutes.read(redis, { from: MINUTE - 600, to: NOW }, 60, NOW);
  const read = () => minutes.readDurations(redis, ['A'], buckets, NOW);
  const { durations } = await read();
  expect(durations.map(({ startsAt, jobClass, counts }) => [startsAt, jobClass, ...counts.slice(0, 2)])).toEqual([
    [MINUTE - 600, 'A', 6, 0],
    [MINUTE, 'A', 0, 1],
  ]);
  expect(redis.batches[1]).toHaveLength(3);
  expect((await read()).durations).toEqual(durations);
  expect(redis.batches[2]).toEqual([`get ${metricKeys.histogram('A', MINUTE)}`]);
});

test('durations that are refused are missing with a notice', async () => {
  const redis = fakeRedis({ [minuteKey(600)]: ['A|p', '5', 'B|p', '1'], get: noPermission('get') });
  redis.answers[`get ${metricKeys.histogram('B', MINUTE - 600)}`] = Buffer.from('0001', 'hex');
  const minutes = new Minutes();
  const { buckets } = await minutes.read(redis, { from: MINUTE - 600, to: MINUTE - 600 }, 60, NOW);
  const { durations, notices } = await minutes.readDurations(redis, ['A', 'B'], buckets, NOW);
  expect(durations.map(({ jobClass }) => jobClass)).toEqual(['B']);
  expect(notices[0]!.text).toMatch(/^No job durations: /);
});

test('durations that are all refused are told, as the counts are still known', async () => {
  const redis = fakeRedis({ [minuteKey(600)]: ['A|p', '5'], get: noPermission('get') });
  const minutes = new Minutes();
  const { buckets } = await minutes.read(redis, { from: MINUTE - 600, to: MINUTE - 600 }, 60, NOW);
  const { durations, notices } = await minutes.readDurations(redis, ['A'], buckets, NOW);
  expect(durations).toEqual([]);
  expect(notices[0]!.text).toMatch(/^No job durations: /);
});

test('a simulated month of minutes takes a bounded amount of memory', () => {
  const minutes = new Minutes();
  const classes = new Map(
    Array.from({ length: 1000 }, (_, index) => [`C${index}`, { processed: 1, failed: 0, milliseconds: 1 }])
  );
  for (let minute = 0; minute < 30 * 1440; minute += 1) {
    minutes.keep({ startsAt: MINUTE + minute * 60, classes, shapes: new Map() }, 60, Infinity);
  }
  const known = Array.from({ length: 30 * 1440 }, (_, minute) => minutes.known(MINUTE + minute * 60, 60)).filter(
    Boolean
  );
  // 1,000,000 counts of classes: 999 minutes of 1,001.
  expect(known).toHaveLength(999);
});
